/** The hash that says whether the images on disk were built from these sources. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Files that go into the images: everything below the directory but tests, documentation and the bare-metal guest,
 * which has its own build.
 *
 * @param {string} name path relative to the directory
 * @returns {boolean}
 */
export const isInput = (name) => !/\.(test\.ts|md)$/.test(name) && !name.startsWith('baremetal/');

/**
 * @param {string} dir
 * @returns {Promise<string>} SHA-256 over names, and contents of all input files below the directory
 */
export async function hashSources(dir) {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((e) => e.isFile())
    .map((e) => path.relative(dir, path.join(e.parentPath ?? e.path, e.name)))
    .filter(isInput)
    .toSorted();
  const hash = createHash('sha256');
  for (const name of names) {
    const data = await readFile(path.join(dir, name));
    hash.update(`${name}\0${data.length}\0`).update(data);
  }
  return hash.digest('hex');
}

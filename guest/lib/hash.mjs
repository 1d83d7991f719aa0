// @ts-check
/** The hash that says whether the images on disk were built from these sources. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Parts beside the default guest: what changes there leaves it as it is. */
const APART = ['baremetal/', 'tuned/', 'minbase/', 'measure/'];

/**
 * Files that go into the default guest: everything but tests, types, documentation and the parts beside it.
 *
 * @param {string} name path relative to guest/
 * @returns {boolean}
 */
export const isInput = (name) => isSource(name) && !APART.some((dir) => name.startsWith(dir));

/** @param {string} name */
const isSource = (name) => !/\.(ts|md)$/.test(name);

/**
 * @param {string} dir
 * @param {(name: string) => boolean} [select] by path relative to the directory
 * @returns {Promise<string>} SHA-256 over the names and contents of the selected files below the directory
 */
export async function hashSources(dir, select = isSource) {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((e) => e.isFile())
    .map((e) => path.relative(dir, path.join(e.parentPath ?? e.path, e.name)))
    .filter(select)
    .toSorted();
  const hash = createHash('sha256');
  for (const name of names) {
    const data = await readFile(path.join(dir, name));
    hash.update(`${name}\0${data.length}\0`).update(data);
  }
  return hash.digest('hex');
}

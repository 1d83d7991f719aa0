// @ts-check
/**
 * `manifest.json`: what lies in the directory, for the page (which fetches it from `/guest/`), the command line and
 * the tests.
 */
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Raised when a reader written for the old shape would misread the new one. */
export const SCHEMA = 1;

/**
 * @typedef {import('./pack.mjs').FileInfo} FileInfo
 *
 * @typedef {object} Kernel
 * @property {string} title for people
 * @property {string} image name of a file in `files`
 * @property {string} [initrd] name of a file in `files`; absent when everything is built in
 * @property {string} append kernel command line
 * @property {string} release as `uname -r` prints it
 * @property {string} [recipe] hash of the scripts of a part that has its own build
 * @property {string} input hash of what it was made from, packages included
 * @property {PackageInfo[]} [packages] what a part with its own build was made from
 *
 * @typedef {object} Disk
 * @property {string} title for people
 * @property {string} file name of a file in `files`
 * @property {boolean} fio whether fio is on it
 * @property {string} [recipe] hash of the scripts of a part that has its own build
 * @property {string} input hash of what it was made from, packages included
 * @property {PackageInfo[]} [packages] what a part with its own build was made from
 *
 * @typedef {object} PackageInfo
 * @property {string} name
 * @property {string} version
 * @property {string} sha256 of the .deb, or for a source package of its .dsc
 * @property {'binary' | 'source'} kind
 *
 * @typedef {object} Manifest
 * @property {1} schema
 * @property {true} available
 * @property {string} sources hash of the scripts the images were made by
 * @property {{ kernel: string, disk: string }} default keys into `kernels` and `disks`
 * @property {Record<string, Kernel>} kernels
 * @property {Record<string, Disk>} disks
 * @property {Record<string, FileInfo>} files
 * @property {PackageInfo[]} packages what the default guest was made from
 * @property {string[]} notes what is different from a full build, and why
 *
 * @typedef {object} Missing written where the images cannot be made
 * @property {1} schema
 * @property {false} available
 * @property {string} reason for people
 */

/**
 * @param {string} dir
 * @returns {Promise<Manifest | Missing | undefined>} undefined when there is none that this version can read
 */
export async function readManifest(dir) {
  try {
    const value = JSON.parse(await readFile(path.join(dir, 'manifest.json'), 'utf8'));
    return value?.schema === SCHEMA ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Replaces the manifest in one step; a reader sees the old one or the new one.
 *
 * @param {string} dir
 * @param {Manifest | Missing} manifest
 */
export async function writeManifest(dir, manifest) {
  const file = path.join(dir, 'manifest.json');
  await writeFile(`${file}.new`, `${JSON.stringify(manifest, null, 1)}\n`);
  await rename(`${file}.new`, file);
}

/**
 * @param {string} dir
 * @param {Manifest} manifest
 * @returns {Promise<boolean>} whether every file is there in its recorded size
 */
export async function filesPresent(dir, manifest) {
  const sizes = Object.values(manifest.files).flatMap((f) => [
    { name: f.file, bytes: f.bytes },
    { name: f.gzip.file, bytes: f.gzip.bytes },
  ]);
  const checks = await Promise.all(
    sizes.map(({ name, bytes }) =>
      stat(path.join(dir, name)).then(
        (s) => s.size === bytes,
        () => false,
      ),
    ),
  );
  return checks.every(Boolean);
}

/**
 * Carries the parts with a build of their own over to a new manifest of the default guest, as long as they are
 * there and made by the present scripts.
 *
 * @param {Manifest} next
 * @param {Manifest} before
 * @param {Readonly<Record<string, string>>} recipes present hash of each part, by its key
 * @returns {Manifest}
 */
export function carryOver(next, before, recipes) {
  const current = (/** @type {{ recipe?: string }} */ part, /** @type {string} */ key) =>
    part.recipe !== undefined && part.recipe === recipes[key];
  const kernels = Object.entries(before.kernels).filter(([key, part]) => current(part, key));
  const disks = Object.entries(before.disks).filter(([key, part]) => current(part, key));
  const names = new Set([...kernels.map(([, k]) => k.image), ...disks.map(([, d]) => d.file)]);
  const files = Object.entries(before.files).filter(([name]) => names.has(name));
  return {
    ...next,
    default: {
      ...next.default,
      kernel: kernels.some(([key]) => key === 'tuned') ? 'tuned' : next.default.kernel,
    },
    kernels: { ...next.kernels, ...Object.fromEntries(kernels) },
    disks: { ...next.disks, ...Object.fromEntries(disks) },
    files: { ...next.files, ...Object.fromEntries(files) },
  };
}

// @ts-check
/** Reading and writing `manifest.json`; manifest.ts describes it. */
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Raised when a reader written for the old shape would misread the new one. */
export const SCHEMA = 1;

/**
 * @typedef {import('../manifest.ts').Manifest} Manifest
 * @typedef {import('../manifest.ts').MissingGuest} MissingGuest
 * @typedef {import('../manifest.ts').PackageInfo} PackageInfo
 */

/**
 * @param {string} dir
 * @returns {Promise<Manifest | MissingGuest | undefined>} undefined when there is none that this version can read
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
 * @param {Manifest | MissingGuest} manifest
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

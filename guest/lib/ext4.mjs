// @ts-check
/** An ext4 image from a directory, without mounting, and the same bytes for the same files. */
import { lutimes, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { run } from './run.mjs';

/** Fixed where mkfs would draw at random. */
const UUID = '51c0ffee-0000-4000-8000-000000000001';
const HASH_SEED = '51c0ffee-0000-4000-8000-000000000002';

/**
 * @param {string} root
 * @param {string} [below]
 * @returns {Promise<string[]>} absolute paths inside the image, sorted, parents first
 */
async function walk(root, below = '/') {
  const entries = await readdir(path.join(root, below), { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  /** @type {string[]} */
  const found = [];
  for (const entry of entries) {
    const inside = path.posix.join(below, entry.name);
    found.push(inside);
    if (entry.isDirectory()) found.push(...(await walk(root, inside)));
  }
  return found;
}

/**
 * Commands for debugfs that give every inode its owner and one time. mkfs copies the owner of the person who
 * builds, and the change times of the moment.
 *
 * @param {readonly string[]} paths
 * @param {number} epoch seconds
 * @param {ReadonlyMap<string, Owner>} [owners] of paths that do not belong to root
 * @returns {string}
 */
export function normaliseScript(paths, epoch, owners = new Map()) {
  const times = ['atime', 'ctime', 'mtime', 'crtime'].map((field) => `${field} @${epoch}`);
  return ['/', '/lost+found', ...paths]
    .flatMap((p) => {
      const { uid, gid } = owners.get(p) ?? { uid: 0, gid: 0 };
      return [`uid ${uid}`, `gid ${gid}`, ...times].map((field) => `set_inode_field "${p}" ${field}\n`);
    })
    .join('');
}

/**
 * @typedef {{ uid: number, gid: number }} Owner
 *
 * @typedef {object} Ext4Options
 * @property {number} bytes size of the image
 * @property {number} epoch the time of every inode, in seconds
 * @property {string} label
 * @property {number} [inodes]
 * @property {ReadonlyMap<string, Owner>} [owners] of paths that do not belong to root
 */

/**
 * @param {string} dir what becomes the root directory
 * @param {string} file the image to write
 * @param {Ext4Options} options
 */
export async function makeExt4(dir, file, { bytes, epoch, label, inodes = 8192, owners }) {
  const paths = await walk(dir);
  if (paths.some((p) => /["\n]/.test(p))) throw new Error('ext4: a file name debugfs cannot quote');
  for (const p of paths) await lutimes(path.join(dir, p), epoch, epoch);
  const env = { E2FSPROGS_FAKE_TIME: String(epoch), SOURCE_DATE_EPOCH: String(epoch) };
  // No lazy initialisation: the guest would spend its first seconds zeroing inode tables. No orphan_file: e2fsck
  // before 1.47 refuses it, and the disk should be checkable everywhere.
  const options = [
    '-q',
    '-F',
    '-b',
    '4096',
    '-I',
    '256',
    '-N',
    String(inodes),
    '-m',
    '0',
    '-L',
    label,
    '-U',
    UUID,
  ];
  const extended = `hash_seed=${HASH_SEED},lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0`;
  options.push('-O', '^orphan_file', '-J', 'size=4', '-E', extended, '-d', dir, file, `${bytes / 1024}k`);
  await run('mkfs.ext4', options, { env });
  const script = `${file}.debugfs`;
  await writeFile(script, normaliseScript(paths, epoch, owners));
  await run('debugfs', ['-w', '-f', script, file], { env });
  await rm(script);
  await run('e2fsck', ['-fn', file]);
  const { size } = await stat(file);
  if (size !== bytes) throw new Error(`ext4: ${file} has ${size} bytes, not ${bytes}`);
}

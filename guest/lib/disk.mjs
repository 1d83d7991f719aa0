// @ts-check
/** The files of the root disk: packages taken apart, busybox for the rest, our own configuration on top. */
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { MODULES, NO_APPLET, REQUIRED, ROOT_PACKAGES } from '../packages.mjs';
import { isElf, needed } from './elf.mjs';
import { run, runRaw } from './run.mjs';

const LIBDIR = 'usr/lib/riscv64-linux-gnu';

/** @param {string} file */
const exists = (file) =>
  lstat(file).then(
    () => true,
    () => false,
  );

/**
 * Names of the applets in a busybox program: the table starts with `[` and `[[` and ends with an empty name.
 *
 * @param {Buffer} busybox
 * @returns {string[]}
 */
export function applets(busybox) {
  const start = busybox.indexOf('[\0[[\0', 0, 'latin1');
  const end = busybox.indexOf('\0\0', start, 'latin1');
  const names = start === -1 || end === -1 ? [] : busybox.toString('latin1', start, end).split('\0');
  if (names.length < 100 || !names.includes('sh')) throw new Error('busybox: no table of applets found');
  return names;
}

/**
 * Removes programs whose shared libraries are not on the disk, so that nothing there fails to start; busybox takes
 * their place.
 *
 * @param {string} root
 */
async function dropUnlinkable(root) {
  const libraries = new Set([
    ...(await readdir(path.join(root, LIBDIR))),
    ...(await readdir(path.join(root, 'usr/lib'))),
  ]);
  for (const dir of ['usr/bin', 'usr/sbin', LIBDIR]) {
    for (const entry of await readdir(path.join(root, dir), { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(root, dir, entry.name);
      const data = await readFile(file);
      if (!isElf(data) || needed(data).every((library) => libraries.has(library))) continue;
      await rm(file);
    }
  }
}

/**
 * Removes symbolic links whose target is not on the disk (all lead inside the directory or from the root).
 *
 * @param {string} root
 */
async function dropDangling(root) {
  for (const dir of ['usr/bin', 'usr/sbin', LIBDIR]) {
    for (const entry of await readdir(path.join(root, dir), { withFileTypes: true })) {
      if (!entry.isSymbolicLink()) continue;
      const link = path.join(root, dir, entry.name);
      const target = await readlink(link);
      const resolved = target.startsWith('/')
        ? path.join(root, target)
        : path.join(path.dirname(link), target);
      if (!(await exists(resolved))) await rm(link);
    }
  }
}

/**
 * @param {object} input
 * @param {string} input.root an empty directory
 * @param {ReadonlyMap<string, string>} input.debs .deb file of each package in ROOT_PACKAGES
 * @param {readonly string[]} input.overlays directories laid over the packages' files
 * @param {import('./stock.mjs').StockKernel} input.kernel whose modules go onto the disk
 * @param {Buffer | undefined} input.fio
 * @returns {Promise<Buffer>} the busybox that is on the disk
 */
export async function assembleDisk({ root, debs, overlays, kernel, fio }) {
  const empty = ['dev', 'proc', 'sys', 'run', 'mnt', 'home', 'tmp', 'var/tmp'];
  for (const dir of ['usr/bin', 'usr/sbin', 'usr/lib', 'etc', ...empty]) {
    await mkdir(path.join(root, dir), { recursive: true });
  }
  for (const dir of ['bin', 'sbin', 'lib']) await symlink(`usr/${dir}`, path.join(root, dir));
  for (const [name, patterns] of Object.entries(ROOT_PACKAGES)) {
    const deb = debs.get(name);
    if (deb === undefined) throw new Error(`no file for package ${name}`);
    const tar = await runRaw('dpkg-deb', ['--fsys-tarfile', deb]);
    const args = ['-xp', '-C', root, '--no-same-owner', '--keep-directory-symlink', '--wildcards'];
    await run('tar', [...args, ...patterns, './usr/share/doc/*/copyright'], { input: tar });
  }
  await dropUnlinkable(root);
  await dropDangling(root);
  await symlink('../proc/self/mounts', path.join(root, 'etc/mtab'));
  await addGuestFiles({ root, overlays, kernel, fio });

  const busybox = await readFile(path.join(root, 'usr/bin/busybox'));
  const taken = new Set([
    ...(await readdir(path.join(root, 'usr/bin'))),
    ...(await readdir(path.join(root, 'usr/sbin'))),
  ]);
  for (const name of applets(busybox)) {
    if (!taken.has(name) && !NO_APPLET.has(name)) await symlink('busybox', path.join(root, 'usr/bin', name));
  }
  for (const name of REQUIRED) {
    if (
      !(await exists(path.join(root, 'usr/bin', name))) &&
      !(await exists(path.join(root, 'usr/sbin', name)))
    ) {
      throw new Error(`the disk has no ${name}`);
    }
  }
  return busybox;
}

/**
 * Copies a directory of this repository; only the executable bit of a file is kept, the rest of its mode is the
 * umask of whoever cloned it.
 *
 * @param {string} overlay
 * @param {string} root
 */
async function layOver(overlay, root) {
  for (const entry of await readdir(overlay, { recursive: true, withFileTypes: true })) {
    const source = path.join(entry.parentPath ?? entry.path, entry.name);
    const target = path.join(root, path.relative(overlay, source));
    if (entry.isDirectory()) {
      await mkdir(target, { recursive: true });
      continue;
    }
    const { mode } = await lstat(source);
    await mkdir(path.dirname(target), { recursive: true });
    await copyFile(source, target);
    await chmod(target, mode & 0o100 ? 0o755 : 0o644);
  }
}

/**
 * What is ours on every disk: the overlays, fio and the modules of the stock kernel.
 *
 * @param {object} input
 * @param {string} input.root
 * @param {readonly string[]} input.overlays
 * @param {import('./stock.mjs').StockKernel} input.kernel
 * @param {Buffer | undefined} input.fio
 */
export async function addGuestFiles({ root, overlays, kernel, fio }) {
  for (const overlay of overlays) await layOver(overlay, root);
  await chmod(path.join(root, 'root'), 0o700);
  for (const dir of ['tmp', 'var/tmp']) await chmod(path.join(root, dir), 0o1777);
  if (fio !== undefined) {
    await writeFile(path.join(root, 'usr/bin/fio'), fio);
    await chmod(path.join(root, 'usr/bin/fio'), 0o755);
  }
  await addModules(path.join(root, 'usr/lib/modules', kernel.release), kernel);
}

/**
 * @param {string} dir /usr/lib/modules/RELEASE
 * @param {import('./stock.mjs').StockKernel} kernel
 */
async function addModules(dir, kernel) {
  const wanted = Object.values(MODULES).flat();
  await mkdir(dir, { recursive: true });
  let table = '';
  for (const name of await kernel.order(wanted)) {
    await writeFile(path.join(dir, `${name}.ko`), await kernel.module(name));
    const needs = (await kernel.order([name])).slice(0, -1).toReversed();
    table += `${name}.ko:${needs.map((n) => ` ${n}.ko`).join('')}\n`;
  }
  await writeFile(path.join(dir, 'modules.dep'), table);
}

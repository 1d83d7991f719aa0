// @ts-check
/** The stock kernel: Debian's package, taken apart into a raw Image and an initramfs with the modules it needs. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { MODULES } from '../packages.mjs';
import { cpio } from './cpio.mjs';
import { isKernelImage } from './elf.mjs';
import { canonical, loadOrder, moduleDepends, withoutSignature } from './modules.mjs';
import { have, run, runRaw } from './run.mjs';

const STRIP = 'riscv64-linux-gnu-strip';

/**
 * @typedef {object} StockKernel
 * @property {string} release as `uname -r` prints it
 * @property {number} epoch time of the kernel file in its package, in seconds; dates everything we make
 * @property {Buffer} image
 * @property {(name: string) => Promise<Buffer>} module an uncompressed module by name
 * @property {(wanted: readonly string[]) => Promise<string[]>} order names with their dependencies, to load in order
 */

/**
 * @param {string} deb the linux-image package
 * @param {string} dir an empty directory to unpack to
 * @returns {Promise<StockKernel>}
 */
export async function openKernel(deb, dir) {
  await run('dpkg-deb', ['-x', deb, dir]);
  const boot = path.join(dir, 'boot');
  const name = (await readdir(boot)).find((n) => /^vmlinu[xz]-/.test(n));
  if (name === undefined) throw new Error('the kernel package has no /boot/vmlinux-…');
  const raw = await readFile(path.join(boot, name));
  const image = raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw;
  if (!isKernelImage(image)) throw new Error(`${name} is not a raw RISC-V kernel Image`);
  const { mtimeMs } = await stat(path.join(boot, name));
  const release = name.replace(/^vmlinu[xz]-/, '');

  const tree = path.join(dir, 'usr/lib/modules', release, 'kernel');
  const entries = await readdir(tree, { recursive: true, withFileTypes: true });
  const files = new Map(
    entries
      .filter((e) => e.isFile() && /\.ko(\.xz)?$/.test(e.name))
      .map((e) => [canonical(e.name.replace(/\.ko(\.xz)?$/, '')), path.join(e.parentPath ?? e.path, e.name)]),
  );
  /** @type {Map<string, Promise<Buffer>>} */
  const opened = new Map();
  const module = (/** @type {string} */ wanted) => {
    const key = canonical(wanted);
    let data = opened.get(key);
    if (data === undefined) {
      const file = files.get(key);
      if (file === undefined) throw new Error(`the kernel package has no module ${wanted}`);
      data = unpackModule(file, dir);
      opened.set(key, data);
    }
    return data;
  };
  const order = async (/** @type {readonly string[]} */ wanted) => {
    /** @type {Map<string, string[]>} */
    const depends = new Map();
    const collect = async (/** @type {string} */ m) => {
      const key = canonical(m);
      if (depends.has(key)) return;
      const list = moduleDepends(await module(key));
      depends.set(key, list);
      for (const d of list) await collect(d);
    };
    for (const m of wanted) await collect(m);
    return loadOrder(wanted, (m) => depends.get(m) ?? []);
  };
  return { release, epoch: Math.floor(mtimeMs / 1000), image, module, order };
}

/**
 * Decompresses a module and takes off what the guest would only copy and check: local symbols, type information and
 * with them the signature, whose verification alone costs a thousand million instructions.
 *
 * @param {string} file a module, possibly compressed
 * @param {string} dir for the stripped copy
 * @returns {Promise<Buffer>}
 */
async function unpackModule(file, dir) {
  const data = file.endsWith('.xz') ? await runRaw('xz', ['-dc', file]) : await readFile(file);
  if (!have(STRIP)) return withoutSignature(data);
  const copy = path.join(dir, path.basename(file, '.xz'));
  await writeFile(copy, data);
  await run(STRIP, ['--strip-unneeded', '-R', '.BTF', '-R', '.BTF.base', copy]);
  return readFile(copy);
}

/**
 * The initramfs: busybox, /init and the modules. Uncompressed, because unpacking a compressed one costs the guest
 * more instructions than the rest of its work.
 *
 * @param {StockKernel} kernel
 * @param {Buffer} busybox a static one
 * @param {Buffer} init guest/initrd/init
 * @returns {Promise<Buffer>}
 */
export async function makeInitrd(kernel, busybox, init) {
  /** @type {import('./cpio.mjs').CpioEntry[]} */
  const lists = [];
  /** @type {Set<string>} */
  const base = new Set(await kernel.order(MODULES.base));
  /** @type {Set<string>} */
  const all = new Set(base);
  for (const [key, wanted] of Object.entries(MODULES)) {
    if (key === 'disk') continue;
    const order = await kernel.order(wanted);
    const load = key === 'base' ? order : order.filter((m) => !base.has(m));
    for (const m of load) all.add(m);
    lists.push({
      path: `lib/modules/${key}`,
      kind: 'file',
      data: Buffer.from(load.map((m) => `${m}\n`).join('')),
    });
  }
  /** @type {import('./cpio.mjs').CpioEntry[]} */
  const modules = [];
  for (const m of [...all].toSorted()) {
    modules.push({ path: `lib/modules/${m}.ko`, kind: 'file', data: await kernel.module(m) });
  }
  const applets = [
    'sh',
    'mount',
    'umount',
    'insmod',
    'sleep',
    'findfs',
    'switch_root',
    'setsid',
    'cttyhack',
    'poweroff',
    'reboot',
    'ls',
    'cat',
    'dmesg',
    'lsmod',
    'blkid',
  ];
  return cpio([
    ...['bin', 'dev', 'lib', 'lib/modules', 'proc', 'root', 'sys'].map(
      (p) => /** @type {const} */ ({ path: p, kind: 'dir' }),
    ),
    { path: 'dev/console', kind: 'char', major: 5, minor: 1 },
    { path: 'bin/busybox', kind: 'file', mode: 0o755, data: busybox },
    ...applets.map((a) => /** @type {const} */ ({ path: `bin/${a}`, kind: 'symlink', target: 'busybox' })),
    { path: 'init', kind: 'file', mode: 0o755, data: init },
    ...lists,
    ...modules,
  ]);
}

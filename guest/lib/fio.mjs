// @ts-check
/** fio for the guest: Debian's source package, cross-compiled into one static program. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { run } from './run.mjs';

/** Engines and helpers that pull in libraries the guest does not have. */
const WITHOUT = [
  'numa',
  'rdma',
  'rados',
  'rbd',
  'http',
  'gfapi',
  'lex',
  'pmem',
  'libzbc',
  'xnvme',
  'tcmalloc',
  'libnfs',
  'dfs',
  'native',
];

/**
 * fio 3.33 does not know RISC-V and falls back to barriers that only bind the compiler; with two harts its
 * lock-free rings need real ones.
 *
 * @param {string} header arch/arch-generic.h
 * @returns {string}
 * @throws {Error} when the header is not the one this was written for
 */
export function realBarriers(header) {
  const weak = '__asm__ __volatile__("": : :"memory")';
  if (header.split(weak).length !== 3) throw new Error('fio: arch-generic.h has changed');
  return header.replaceAll(weak, '__sync_synchronize()');
}

/**
 * @param {import('./apt.mjs').Apt} apt with a source list that holds fio
 * @param {import('./apt.mjs').SourcePackage} fio
 * @param {string} libaio the libaio-dev package for the guest
 * @param {string} work an empty directory to build in; removed afterwards
 * @returns {Promise<Buffer>}
 */
export async function buildFio(apt, fio, libaio, work) {
  await mkdir(work, { recursive: true });
  const dsc = await apt.downloadSource(fio, work);
  const source = path.join(work, 'source');
  await run('dpkg-source', ['-x', dsc, source], { cwd: work });
  const sysroot = path.join(work, 'libaio');
  await run('dpkg-deb', ['-x', libaio, sysroot]);
  const header = path.join(source, 'arch/arch-generic.h');
  await writeFile(header, realBarriers(await readFile(header, 'utf8')));
  // The build ID hashes the path of the build, too.
  const env = { LDFLAGS: `-L${sysroot}/usr/lib/riscv64-linux-gnu -Wl,--build-id=none` };
  const options = [
    '--cc=riscv64-linux-gnu-gcc',
    '--cpu=riscv64',
    '--build-static',
    `--extra-cflags=-I${sysroot}/usr/include`,
  ];
  await run('./configure', [...options, ...WITHOUT.map((w) => `--disable-${w}`)], { cwd: source, env });
  const config = await readFile(path.join(source, 'config-host.mak'), 'utf8');
  if (!/CONFIG_LIBAIO=y/.test(config)) throw new Error('fio: configure did not find the static libaio');
  await run('make', [`-j${os.availableParallelism()}`, 'fio'], { cwd: source });
  await run('riscv64-linux-gnu-strip', ['fio'], { cwd: source });
  const program = await readFile(path.join(source, 'fio'));
  await rm(work, { recursive: true });
  return program;
}

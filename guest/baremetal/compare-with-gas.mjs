/**
 * Assembles the program with GNU as as well and compares the images byte for byte: our assembler against
 * another one, on everything the program uses. Needs a RISC-V binutils on the path.
 *
 *     node guest/baremetal/compare-with-gas.mjs
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildBareMetal } from './build.mjs';

const prefix = process.env.CROSS_COMPILE ?? 'riscv64-linux-gnu-';
const directory = mkdtempSync(join(tmpdir(), 'baremetal-'));
const at = (name) => join(directory, name);
try {
  await buildBareMetal(at('ours.bin'));
  const march = '-march=rv64ima_zicsr_zifencei';
  execFileSync(`${prefix}as`, [
    march,
    '-mabi=lp64',
    '-I',
    import.meta.dirname,
    '-o',
    at('gas.o'),
    join(import.meta.dirname, 'main.s'),
  ]);
  writeFileSync(
    at('gas.ld'),
    `SECTIONS { . = 0; .text : { *(.text) } .rodata ALIGN(16) : { *(.rodata) } .bss ALIGN(16) : { *(.bss) } }`,
  );
  execFileSync(`${prefix}ld`, [
    '--no-warn-rwx-segments',
    '-T',
    at('gas.ld'),
    '-o',
    at('gas.elf'),
    at('gas.o'),
  ]);
  execFileSync(`${prefix}objcopy`, [
    '-O',
    'binary',
    '-j',
    '.text',
    '-j',
    '.rodata',
    at('gas.elf'),
    at('gas.bin'),
  ]);
  const ours = readFileSync(at('ours.bin'));
  const theirs = readFileSync(at('gas.bin'));
  const different = theirs.findIndex((byte, index) => byte !== ours[index]);
  // Ours is padded to where .bss begins.
  if (
    different >= 0 ||
    ours.subarray(theirs.length).some((byte) => byte !== 0) ||
    ours.length - theirs.length >= 16
  ) {
    throw new Error(`the images differ, first at offset 0x${different.toString(16)}`);
  }
  process.stdout.write(`equal: ${theirs.length} bytes\n`);
} finally {
  rmSync(directory, { recursive: true });
}

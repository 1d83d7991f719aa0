/**
 * Regenerates encodings.json: what GNU as makes of each line of encodings.s, as one row
 * [source line, hexadecimal bytes]. Needs a RISC-V binutils on the path; the tests themselves do not.
 *
 *     node guest/baremetal/asm/update-encodings.mjs
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname;
const prefix = process.env.CROSS_COMPILE ?? 'riscv64-linux-gnu-';
const lines = readFileSync(join(here, 'encodings.s'), 'utf8')
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '' && !line.startsWith('#'));

const directory = mkdtempSync(join(tmpdir(), 'encodings-'));
try {
  const at = (name) => join(directory, name);
  // A label before every line tells where its bytes begin; `here` serves the branches and calls.
  const source = ['.option norvc', '.option norelax', '.text'];
  lines.forEach((line, index) => source.push(`.Lline${index}: .globl line${index}`, `line${index}:`, line));
  source.push(`.globl line${lines.length}`, `line${lines.length}:`);
  writeFileSync(at('in.s'), `${source.join('\n')}\n`);
  execFileSync(`${prefix}as`, ['-march=rv64ima_zicsr_zifencei', '-mabi=lp64', '-o', at('out.o'), at('in.s')]);
  execFileSync(`${prefix}ld`, ['--no-relax', '-Ttext=0', '-e', '0', '-o', at('out.elf'), at('out.o')]);
  execFileSync(`${prefix}objcopy`, ['-O', 'binary', '-j', '.text', at('out.elf'), at('out.bin')]);
  const symbols = new Map(
    execFileSync(`${prefix}nm`, [at('out.elf')], { encoding: 'utf8' })
      .split('\n')
      .map((row) => row.split(' '))
      .map(([address, , name]) => [name, Number.parseInt(address, 16)]),
  );
  const bytes = readFileSync(at('out.bin'));
  const rows = lines.map((line, index) => [
    line,
    bytes.subarray(symbols.get(`line${index}`), symbols.get(`line${index + 1}`)).toString('hex'),
  ]);
  const json = `[\n${rows.map((row) => `  ${JSON.stringify(row).replace('","', '", "')}`).join(',\n')}\n]\n`;
  writeFileSync(join(here, 'encodings.json'), json);
  process.stdout.write(`${rows.length} encodings\n`);
} finally {
  rmSync(directory, { recursive: true });
}

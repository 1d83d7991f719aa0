/**
 * Boots Linux twice in lockstep, once interpreted and once translated, and compares registers after every
 * slice and memory from time to time. Exits with 1 at the first difference.
 *
 * Usage: cpu-lockstep [instructions in millions]
 */
import { existsSync, readFileSync } from 'node:fs';
import { compareHarts, compareMemory, describeDifferences } from '../src/engine/cpu/jit/lockstep.ts';
import { CpuBoard } from './cpu-board.ts';

const build = new URL(process.env['BUILD'] ?? `file://${process.cwd()}/build/`);
const file = (name: string): Uint8Array => readFileSync(new URL(name, build));
const MIB = 2 ** 20;
const SLICE = 5000;
const SLICES_PER_MEMORY = 20_000;

const image = new URL('guest/Image', build);
if (!existsSync(image)) {
  console.log('no Linux guest here (npm run guest): nothing to compare');
  process.exit(0);
}
const options = {
  interpreter: new WebAssembly.Module(file('wasm/interp.wasm') as BufferSource),
  kernel: file('guest/Image'),
  initrd: file('guest/initrd.cpio'),
  append: 'console=ttyS0 panic=-1 initcall_blacklist=jent_mod_init cryptomgr.notests',
  ramBytes: 128 * MIB,
};
const expected = new CpuBoard({ ...options, jit: false });
const actual = new CpuBoard({ ...options, jit: { threshold: 8, executions: 200, patience: 2 } });
const wanted = Number(process.argv[2] ?? 300) * 1e6;

function fail(what: string): never {
  console.log(`after ${expected.hart.executed} instructions: ${what}`);
  process.exit(1);
}

const words = (board: CpuBoard): Uint32Array =>
  board.mem.u32.subarray(board.ramOffset >>> 2, (board.ramOffset + board.ramBytes) >>> 2);
const compareRam = (): void => {
  const difference = compareMemory(0x8000_0000, words(expected), words(actual));
  if (difference !== undefined) fail(describeDifferences([difference]));
};

const began = Date.now();
for (let slice = 0; Number(expected.hart.executed) < wanted && !expected.ended; slice++) {
  const from = expected.hart.pc;
  expected.slice(SLICE);
  actual.slice(SLICE);
  const differences = compareHarts(expected.hart, actual.hart);
  if (differences.length > 0)
    fail(`slice ${slice} from pc 0x${from.toString(16)}\n${describeDifferences(differences)}`);
  if (slice % SLICES_PER_MEMORY === 0) compareRam();
}
compareRam();
console.log(expected.output.split('\n').slice(-5).join('\n'));
console.log(
  `no difference in ${expected.hart.executed} instructions, ${((Date.now() - began) / 1000).toFixed(1)} s;`,
  JSON.stringify(actual.hart.translations),
);

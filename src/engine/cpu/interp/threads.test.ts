import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { SharedMemory } from '../../base/shared-memory.ts';
import { HART_AREA_BYTES, PRIV_M } from '../layout.ts';
import { addi, amo, bne, FENCE, jal, ld, sd, sw } from '../testing/encode.ts';

const module = new WebAssembly.Module(
  readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url)),
);
const RAM = 0x8000_0000;
const HARTS = 2;
const RAM_OFFSET = 0x1_0000 + HARTS * HART_AREA_BYTES;
const RAM_BYTES = 0x10_0000;

/** Where the harts' common data lies in RAM, and the word in which they count who has reached the end. */
const DATA = 0x1_0000;
const DONE = 1024;

/**
 * Runs the interpreter module as it is: no bus, no time, until every hart has reached the end. Not for a fixed
 * number of instructions: a hart that waits for a lock uses any number up while the holder's thread gets no CPU.
 */
const WORKER = `
const { workerData } = require('node:worker_threads');
const { module, memory, base, ramOffset, ramBytes, id, harts, done } = workerData;
const host = {};
for (const { module: from, name, kind } of WebAssembly.Module.imports(module))
  if (from === 'host' && kind === 'function') host[name] = () => 0;
const hart = new WebAssembly.Instance(module, { env: { memory }, host }).exports;
hart.init(base, ramOffset, 0x80000000 | 0, 0, ramBytes);
hart.reset(id, 0x80000000n, BigInt(id), ${RAM}n + ${DATA}n, ${PRIV_M}, 0);
const counted = new Int32Array(memory.buffer, done, 1);
while (Atomics.load(counted, 0) < harts) hart.run(100000);
`;

/** Lets every hart execute `words` from the start of RAM, each in a thread, a0 = hart id, a1 = the data, x7 = 1. */
async function runAll(program: readonly number[]): Promise<SharedMemory> {
  const pages = (RAM_OFFSET + RAM_BYTES) / 65536;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
  const shared = new SharedMemory(memory);
  const words = [addi(7, 0, 1), ...program, addi(12, 11, DONE), amo(0x00, 4, 0, 12, 7), STOP];
  for (const [i, word] of words.entries()) shared.view.setUint32(RAM_OFFSET + 4 * i, word, true);
  const threads = Array.from({ length: HARTS }, (_, id) => {
    const base = 0x1_0000 + id * HART_AREA_BYTES;
    const done = RAM_OFFSET + DATA + DONE;
    const workerData = {
      module,
      memory,
      base,
      ramOffset: RAM_OFFSET,
      ramBytes: RAM_BYTES,
      id,
      harts: HARTS,
      done,
    };
    const worker = new Worker(WORKER, { eval: true, workerData });
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => resolve());
    });
  });
  await Promise.all(threads);
  return shared;
}

const LR = 0x02;
const SC = 0x03;
/** A loop's end: jump to itself. */
const STOP = jal(0, 0);

describe('two harts on one memory', () => {
  it('lose no AMO and no LR/SC update', async () => {
    const rounds = 2047;
    const outer = 20;
    const loop = [
      amo(0x00, 8, 0, 11, 7), // amoadd.d: first counter += 1
      amo(LR, 8, 9, 8, 0), //    retry:
      addi(9, 9, 1),
      amo(SC, 8, 10, 8, 9), //   second counter += 1
      bne(10, 0, -12), //        until it succeeds
      addi(6, 6, -1),
      bne(6, 0, -24),
    ];
    const memory = await runAll([
      addi(8, 11, 8),
      addi(5, 0, outer),
      addi(6, 0, rounds),
      ...loop,
      addi(5, 5, -1),
      bne(5, 0, -4 * (loop.length + 2)),
    ]);
    const total = BigInt(HARTS * rounds * outer);
    expect(memory.load64(RAM_OFFSET + DATA)).toBe(total);
    expect(memory.load64(RAM_OFFSET + DATA + 8)).toBe(total);
  });

  it('keep plain accesses inside a lock', async () => {
    const rounds = 2000;
    const loop = [
      amo(LR, 4, 9, 11, 0), // lock: taken if 0
      bne(9, 0, -4),
      amo(SC, 4, 10, 11, 7),
      bne(10, 0, -12),
      FENCE,
      ld(9, 8, 0),
      addi(9, 9, 1),
      sd(9, 8, 0),
      FENCE,
      sw(0, 11, 0), //         unlock
      addi(6, 6, -1),
      bne(6, 0, -44),
    ];
    const memory = await runAll([addi(8, 11, 64), addi(6, 0, rounds), ...loop]);
    expect(memory.load64(RAM_OFFSET + DATA + 64)).toBe(BigInt(HARTS * rounds));
    expect(memory.load32(RAM_OFFSET + DATA)).toBe(0);
  });
});

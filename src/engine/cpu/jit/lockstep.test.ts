import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PRIV_M, PRIV_U } from '../layout.ts';
import { CSR, DATA, HartRig, M_HANDLER, RAM } from '../testing/hart-rig.ts';
import { compareHarts, compareMemory, describeDifferences } from './lockstep.ts';
import {
  BAD_POINTERS,
  CODE_POINTERS,
  DATA_POINTERS,
  type Random,
  randomFrom,
  randomInstruction,
  skippingHandler,
} from './testing/random-program.ts';

const module = new WebAssembly.Module(
  readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url)),
);
const EAGER = { threshold: 1, executions: 0, batch: 1, patience: 0 };
/** Two pages of program, so that routines end at the page's end and straddle it. */
const PROGRAM_WORDS = 2048;
const SLICES = Number(process.env['LOCKSTEP_SLICES'] ?? 60);

/** Puts the same random program and state into a hart. */
function prepare(rig: HartRig, random: Random): void {
  const words = Array.from({ length: PROGRAM_WORDS }, () => randomInstruction(random));
  rig.program(RAM, ...words);
  rig.program(M_HANDLER, ...skippingHandler());
  rig.start([], random(3) === 0 ? PRIV_U : PRIV_M);
  // U mode may do everything but touch the machine's CSRs.
  rig.hart.writeCsr(CSR.pmpaddr0, 2n ** 54n - 1n);
  rig.hart.writeCsr(CSR.pmpcfg0, 0x1fn);
  rig.hart.writeCsr(CSR.mcounteren, 7n);
  rig.hart.writeCsr(CSR.scounteren, 7n);
  rig.hart.writeCsr(CSR.mstatus, random(8) === 0 ? 0n : 3n << 13n);
  const wide = (): bigint => (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
  for (let i = 1; i < 32; i++) rig.hart.setX(i, random(3) === 0 ? BigInt(random(16)) : wide());
  for (let i = 0; i < 32; i++)
    rig.hart.setF(i, random(3) === 0 ? BigInt.asUintN(64, wide() | (0xffffffffn << 32n)) : wide());
  const places = [DATA + 64, DATA + 4096 - 24, DATA + 8192 + 3];
  for (const [index, register] of DATA_POINTERS.entries()) rig.hart.setX(register, BigInt(places[index]!));
  const bad = [RAM + 4 * random(PROGRAM_WORDS), 0x5000_0000];
  for (const [index, register] of BAD_POINTERS.entries()) rig.hart.setX(register, BigInt(bad[index]!));
  for (const register of CODE_POINTERS) rig.hart.setX(register, BigInt(RAM + 4 * random(PROGRAM_WORDS)));
  rig.hart.setX(24, BigInt(random(500)));
  rig.hart.setX(25, BigInt(random(50)));
  rig.hart.setX(29, BigInt(RAM));
}

describe('interpreter and JIT in lockstep', () => {
  const expected = new HartRig(module);
  const actual = new HartRig(module, { jit: EAGER });
  const seeds = (process.env['LOCKSTEP_SEEDS'] ?? '1-40').split('-').map(Number);
  const all = Array.from({ length: seeds[1]! - seeds[0]! + 1 }, (_, i) => seeds[0]! + i);

  it.each(all)('random program %i', (seed) => {
    prepare(expected, randomFrom(seed));
    prepare(actual, randomFrom(seed));
    const random = randomFrom(seed + 1_000_000);
    for (let slice = 0; slice < SLICES; slice++) {
      const from = expected.hart.pc;
      const budget = 1 + random(slice % 2 === 0 ? 40 : 4000);
      const exit = expected.step(budget);
      expect(actual.step(budget)).toEqual(exit);
      const differences = compareHarts(expected.hart, actual.hart);
      if (differences.length > 0)
        expect.fail(
          `slice ${slice} of ${budget} from 0x${from.toString(16)}:\n${describeDifferences(differences)}`,
        );
    }
    const words = (rig: HartRig): Uint32Array =>
      rig.memory.u32.subarray(rig.at(RAM) >>> 2, rig.at(DATA + 0x4000) >>> 2);
    expect(compareMemory(RAM, words(expected), words(actual))).toBeUndefined();
  });

  it('has translated most of what it ran', () => {
    expect(actual.hart.translations?.units).toBeGreaterThan(all.length);
  });
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { PRIV_M } from '../layout.ts';
import { addi, jal, jalr } from '../testing/encode.ts';
import { HartRig, RAM } from '../testing/hart-rig.ts';

const module = new WebAssembly.Module(
  readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url)),
);
const SAMPLE_INSTRUCTIONS = 1024;
/** A loop too long to be worth translating in this test, and a short one behind it in the same page. */
const LONG = 200;
const SHORT_AT = RAM + 4 * LONG;

/** Units there are after the page was interpreted for 900 samples in the long loop and for 40 in the short one. */
function unitsAfterAnotherPhase(lookAgain: number): number {
  const jit = { threshold: 4, lookAgain, executions: 10_000, batch: 1, patience: 0 };
  const rig = new HartRig(module, { jit });
  const long = Array.from({ length: LONG - 1 }, () => addi(5, 5, 1));
  rig.start([...long, jal(0, -4 * (LONG - 1)), addi(6, 6, 1), jal(0, -4)], PRIV_M);
  for (let sample = 0; sample < 900; sample++) rig.hart.run(SAMPLE_INSTRUCTIONS);
  expect(rig.hart.translations?.units).toBe(0);
  rig.hart.pc = BigInt(SHORT_AT);
  for (let sample = 0; sample < 40; sample++) rig.hart.run(SAMPLE_INSTRUCTIONS);
  return rig.hart.translations?.units ?? 0;
}

test('a page that has long been hot is looked at again soon enough for what it does next', () => {
  expect(unitsAfterAnotherPhase(8)).toBe(1);
});

test('of a loop whose length divides the distance of samples every routine is found, not one alone', () => {
  const jit = { threshold: 40, lookAgain: 40, executions: 200, batch: 1, patience: 0 };
  const rig = new HartRig(module, { jit });
  const ra = 1;
  const routine = [...Array.from({ length: 29 }, () => addi(5, 5, 1)), jalr(0, ra, 0)];
  // 64 instructions a lap: three jumps, a nop and two routines of 30.
  const head = [jal(ra, 4 * 4), jal(ra, 4 * 33), addi(0, 0, 0), jal(0, -4 * 3)];
  rig.start([...head, ...routine, ...routine], PRIV_M);
  // One look: what is translated then makes laps shorter.
  for (let slices = 0; slices < 60; slices++) rig.hart.run(SAMPLE_INSTRUCTIONS);
  expect(rig.hart.translations?.pages).toBe(1);
  expect(rig.hart.translations?.units).toBeGreaterThanOrEqual(2);
});

/** A loop, and how many units there are of it after so many samples more. @param turns the compiler works meanwhile */
function loop(compiler: boolean | 'absent', turns = true) {
  const jit = { threshold: 40, lookAgain: 1, executions: 8000, batch: 1, patience: 0 };
  const rig = new HartRig(module, { jit, compiler });
  rig.start([addi(6, 6, 1), jal(0, -4)], PRIV_M);
  const units = (samples: number): number => {
    for (let sample = 0; sample < samples; sample++) {
      rig.hart.run(SAMPLE_INSTRUCTIONS);
      if (turns) rig.compiler?.turn(false);
    }
    return rig.hart.translations?.units ?? 0;
  };
  return { rig, units };
}

test('with a compiler a fourth of the samples is enough', () => {
  expect(loop(true).units(14)).toBe(1);
  expect(loop(false).units(14)).toBe(0);
});

test('without one the hart’s own thread translates what is worth its time', () => {
  for (const compiler of [false, 'absent'] as const) {
    const { units } = loop(compiler);
    // Distances of samples are random: forty take between 36 and 44 times SAMPLE_INSTRUCTIONS.
    expect(units(35)).toBe(0);
    expect(units(10)).toBe(1);
  }
});

test('while the compiler is behind nothing is translated, and then what is still hot', () => {
  const { rig, units } = loop(true, false);
  expect(units(100)).toBe(0);
  rig.compiler?.turn(false);
  units(1);
  expect(rig.hart.translations?.units).toBe(1);
});

/** Units after a page that has long been hot had a loop translated, and was in another one for 80 samples. */
function unitsAfterOneWasTranslated(compiler: true | 'absent'): number {
  const jit = { threshold: 256, lookAgain: Infinity, executions: 10_000, batch: 1, patience: 0 };
  const rig = new HartRig(module, { jit, compiler });
  const long = Array.from({ length: LONG - 1 }, () => addi(5, 5, 1));
  const short = [addi(6, 6, 1), jal(0, -4)];
  rig.start([...long, jal(0, -4 * (LONG - 1)), ...short, ...short], PRIV_M);
  const sample = (count: number, pc: number): void => {
    rig.hart.pc = BigInt(pc);
    for (let i = 0; i < count; i++) {
      rig.hart.run(SAMPLE_INSTRUCTIONS);
      rig.compiler?.turn(false);
    }
  };
  sample(300, RAM);
  sample(300, SHORT_AT);
  expect(rig.hart.translations?.units).toBe(1);
  sample(80, SHORT_AT + 8);
  return rig.hart.translations?.units ?? 0;
}

test('a page of which the compiler has translated something is looked at again soon', () => {
  expect(unitsAfterOneWasTranslated(true)).toBe(2);
});

test('the hart’s own thread leaves such a page to the doubling of its samples', () => {
  expect(unitsAfterOneWasTranslated('absent')).toBe(1);
});

test('and not as often as that, were it left to the doubling of its samples', () => {
  expect(unitsAfterAnotherPhase(Number.POSITIVE_INFINITY)).toBe(0);
});

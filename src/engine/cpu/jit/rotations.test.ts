import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PRIV_M } from '../layout.ts';
import { addi, bne, iType, jal, OPCODE, rType } from '../testing/encode.ts';
import { HartRig } from '../testing/hart-rig.ts';
import { decode } from './decode.ts';
import { compareHarts } from './lockstep.ts';
import { findRotations } from './rotations.ts';
import { type Random, randomFrom } from './testing/random-program.ts';

const slliw = (rd: number, rs1: number, n: number): number => iType(OPCODE.opImm32, 1, rd, rs1, n);
const srliw = (rd: number, rs1: number, n: number): number => iType(OPCODE.opImm32, 5, rd, rs1, n);
const slli = (rd: number, rs1: number, n: number): number => iType(OPCODE.opImm, 1, rd, rs1, n);
const srli = (rd: number, rs1: number, n: number): number => iType(OPCODE.opImm, 5, rd, rs1, n);
const or = (rd: number, rs1: number, rs2: number): number => rType(OPCODE.op, 6, 0, rd, rs1, rs2);

const found = (words: readonly number[]): number[] =>
  [...findRotations(words.map((word, i) => decode(word | 0, 4 * i, 4))).values()].map(({ amount }) => amount);

describe('rotations', () => {
  it('are two shifts of one value, put together', () => {
    expect(found([srliw(5, 10, 6), slliw(6, 10, 26), or(5, 5, 6)])).toEqual([6]);
    expect(found([slli(5, 10, 7), addi(7, 7, 1), srli(10, 10, 57), or(11, 10, 5)])).toEqual([57]);
  });

  it('are not shifts of different values, widths or amounts', () => {
    expect(found([srliw(5, 10, 6), slliw(6, 11, 26), or(5, 5, 6)])).toEqual([]);
    expect(found([srliw(5, 10, 6), addi(10, 10, 1), slliw(6, 10, 26), or(5, 5, 6)])).toEqual([]);
    expect(found([srliw(10, 10, 6), slliw(6, 10, 26), or(5, 10, 6)])).toEqual([]);
    expect(found([srliw(5, 10, 6), slli(6, 10, 58), or(5, 5, 6)])).toEqual([]);
    expect(found([srliw(5, 10, 6), slliw(6, 10, 25), or(5, 5, 6)])).toEqual([]);
    expect(found([srliw(5, 10, 6), slliw(6, 10, 26), addi(6, 6, 1), or(5, 5, 6)])).toEqual([]);
  });

  const module = new WebAssembly.Module(
    readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url)),
  );
  const REGISTERS = [5, 6, 7, 10, 11];

  /** Pairs of shifts that mostly fit together, what puts them together, and now and then something in between. */
  function program(random: Random): number[] {
    const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
    const between = (): number[] => (random(4) === 0 ? [addi(pick(REGISTERS), pick(REGISTERS), 0x155)] : []);
    const rotation = (): number[] => {
      const [bits, left, right] = pick([[32, slliw, srliw] as const, [64, slli, srli] as const]);
      const [value, a, b] = [pick(REGISTERS), pick(REGISTERS), pick(REGISTERS)];
      const amount = random(bits);
      const fits = random(8) > 0 ? (bits - amount) % bits : random(bits);
      const shifts = [left(a, value, fits), right(b, random(8) > 0 ? value : pick(REGISTERS), amount)];
      if (random(2) === 0) shifts.reverse();
      const combine = rType(OPCODE.op, pick([0, 4, 6]), 0, pick(REGISTERS), a, b);
      return [shifts[0]!, ...between(), shifts[1]!, ...between(), combine, ...between()];
    };
    return Array.from({ length: 40 }, rotation).flat();
  }

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])('in lockstep, program %i', (seed) => {
    const jit = { threshold: 1, executions: 0, batch: 1, patience: 0 };
    const [expected, actual] = [new HartRig(module), new HartRig(module, { jit })];
    for (const rig of [expected, actual]) {
      const random = randomFrom(seed);
      const body = [...program(random), addi(24, 24, -1)];
      rig.start([...body, bne(24, 0, -4 * body.length), jal(0, 0)], PRIV_M);
      for (const register of REGISTERS)
        rig.hart.setX(register, (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32)));
      rig.hart.setX(24, 300n);
    }
    const random = randomFrom(seed + 100);
    while (expected.hart.getX(24) !== 0n) {
      const budget = 1 + random(500);
      expected.step(budget);
      actual.step(budget);
      expect(compareHarts(expected.hart, actual.hart)).toEqual([]);
    }
    expect(actual.hart.translations?.units).toBeGreaterThan(0);
  });
});

import { describe, expect, it } from 'vitest';
import { addi, iType, ld, OPCODE, rType, sd } from '../testing/encode.ts';
import { decode } from './decode.ts';
import { steadyRegisters } from './steady.ts';

const steady = (words: readonly number[], register: number): boolean =>
  ((steadyRegisters(words.map((word, i) => decode(word | 0, 4 * i, 4))) >>> register) & 1) === 1;
const add = (rd: number, rs1: number, rs2: number): number => rType(OPCODE.op, 0, 0, rd, rs1, rs2);
const slli = (rd: number, rs1: number, shift: number): number => iType(OPCODE.opImm, 1, rd, rs1, shift);

describe('steady registers', () => {
  it('are what a loop does not write, and what it steps', () => {
    const copy = [ld(14, 11, 0), sd(14, 10, 0), addi(10, 10, 8), addi(11, 11, 8)];
    expect([10, 11, 2].map((register) => steady(copy, register))).toEqual([true, true, true]);
    expect(steady(copy, 14)).toBe(false);
  });

  it('are made of steady ones', () => {
    const index = [addi(5, 5, 1), slli(6, 5, 3), add(7, 10, 6), ld(14, 7, 0), add(8, 10, 14)];
    expect(steady(index, 7)).toBe(true);
    expect(steady(index, 8)).toBe(false);
  });

  it('are not what is loaded, whatever is done with it afterwards', () => {
    expect(steady([addi(11, 10, 8), ld(10, 11, 0)], 11)).toBe(false);
    expect(steady([ld(10, 10, 0), addi(10, 10, 8)], 10)).toBe(false);
  });
});

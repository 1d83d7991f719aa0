/**
 * Holds two harts against each other: one that only interprets, and one that translates. After the
 * same number of instructions they must be in the same state, down to the counters.
 */
import type { Hart } from '../hart.ts';

/** What differs: a register's name and its two values. */
export interface Difference {
  readonly name: string;
  readonly expected: bigint;
  readonly actual: bigint;
}

/** CSRs that are compared; what the rest says follows from these. */
const CSRS: Readonly<Record<string, number>> = {
  fcsr: 0x003,
  stvec: 0x105,
  sscratch: 0x140,
  sepc: 0x141,
  scause: 0x142,
  stval: 0x143,
  satp: 0x180,
  mstatus: 0x300,
  medeleg: 0x302,
  mideleg: 0x303,
  mie: 0x304,
  mtvec: 0x305,
  mscratch: 0x340,
  mepc: 0x341,
  mcause: 0x342,
  mtval: 0x343,
  mip: 0x344,
  mcycle: 0xb00,
  minstret: 0xb02,
};

/** Everything in which two harts' registers differ. */
export function compareHarts(expected: Hart, actual: Hart): Difference[] {
  const found: Difference[] = [];
  const compare = (name: string, a: bigint, b: bigint): void => {
    if (a !== b) found.push({ name, expected: a, actual: b });
  };
  compare('pc', expected.pc, actual.pc);
  compare('privilege', BigInt(expected.privilege), BigInt(actual.privilege));
  compare('executed', expected.executed, actual.executed);
  for (let i = 1; i < 32; i++) compare(`x${i}`, expected.getX(i), actual.getX(i));
  for (let i = 0; i < 32; i++) compare(`f${i}`, expected.getF(i), actual.getF(i));
  for (const [name, csr] of Object.entries(CSRS))
    compare(name, expected.readCsr(csr) ?? -1n, actual.readCsr(csr) ?? -1n);
  return found;
}

/** The same for memory: the first word that differs, by its address. */
export function compareMemory(
  base: number,
  expected: Uint32Array,
  actual: Uint32Array,
): Difference | undefined {
  for (let i = 0; i < expected.length; i++) {
    if (expected[i] === actual[i]) continue;
    const name = `memory at 0x${(base + 4 * i).toString(16)}`;
    return { name, expected: BigInt(expected[i]!), actual: BigInt(actual[i]!) };
  }
  return undefined;
}

/** A report for people. */
export const describeDifferences = (differences: readonly Difference[]): string =>
  differences
    .map(({ name, expected, actual }) => `${name}: 0x${actual.toString(16)}, not 0x${expected.toString(16)}`)
    .join('\n');

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { iType, OPCODE, rType, uType } from '../testing/encode.ts';
import { HartRig, RAM } from '../testing/hart-rig.ts';
import { low32, operandPairs, sext32, signed, unsigned } from '../testing/values.ts';

const rig = new HartRig(
  new WebAssembly.Module(readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url))),
);
const { hart } = rig;

/** Result of a binary operation by its definition in the manual; operands and result are unsigned. */
type Binary = (a: bigint, b: bigint) => bigint;

const int32 = (v: bigint): bigint => BigInt.asIntN(32, v);

/** Division rounds towards zero; dividing by zero gives all ones, and the dividend as remainder. */
const quotient = (a: bigint, b: bigint): bigint => (b === 0n ? -1n : a / b);
const remainder = (a: bigint, b: bigint): bigint => (b === 0n ? a : a % b);

const OP: Record<string, [opcode: number, funct3: number, funct7: number, Binary]> = {
  add: [OPCODE.op, 0, 0, (a, b) => a + b],
  sub: [OPCODE.op, 0, 0x20, (a, b) => a - b],
  sll: [OPCODE.op, 1, 0, (a, b) => a << (b & 63n)],
  slt: [OPCODE.op, 2, 0, (a, b) => (signed(a) < signed(b) ? 1n : 0n)],
  sltu: [OPCODE.op, 3, 0, (a, b) => (a < b ? 1n : 0n)],
  xor: [OPCODE.op, 4, 0, (a, b) => a ^ b],
  srl: [OPCODE.op, 5, 0, (a, b) => a >> (b & 63n)],
  sra: [OPCODE.op, 5, 0x20, (a, b) => signed(a) >> (b & 63n)],
  or: [OPCODE.op, 6, 0, (a, b) => a | b],
  and: [OPCODE.op, 7, 0, (a, b) => a & b],
  addw: [OPCODE.op32, 0, 0, (a, b) => sext32(a + b)],
  subw: [OPCODE.op32, 0, 0x20, (a, b) => sext32(a - b)],
  sllw: [OPCODE.op32, 1, 0, (a, b) => sext32(a << (b & 31n))],
  srlw: [OPCODE.op32, 5, 0, (a, b) => sext32(low32(a) >> (b & 31n))],
  sraw: [OPCODE.op32, 5, 0x20, (a, b) => int32(a) >> (b & 31n)],
  mul: [OPCODE.op, 0, 1, (a, b) => a * b],
  mulh: [OPCODE.op, 1, 1, (a, b) => (signed(a) * signed(b)) >> 64n],
  mulhsu: [OPCODE.op, 2, 1, (a, b) => (signed(a) * b) >> 64n],
  mulhu: [OPCODE.op, 3, 1, (a, b) => (a * b) >> 64n],
  div: [OPCODE.op, 4, 1, (a, b) => quotient(signed(a), signed(b))],
  divu: [OPCODE.op, 5, 1, quotient],
  rem: [OPCODE.op, 6, 1, (a, b) => remainder(signed(a), signed(b))],
  remu: [OPCODE.op, 7, 1, remainder],
  mulw: [OPCODE.op32, 0, 1, (a, b) => sext32(a * b)],
  divw: [OPCODE.op32, 4, 1, (a, b) => sext32(quotient(int32(a), int32(b)))],
  divuw: [OPCODE.op32, 5, 1, (a, b) => sext32(quotient(low32(a), low32(b)))],
  remw: [OPCODE.op32, 6, 1, (a, b) => sext32(remainder(int32(a), int32(b)))],
  remuw: [OPCODE.op32, 7, 1, (a, b) => sext32(remainder(low32(a), low32(b)))],
};

const OP_IMM: Record<string, [opcode: number, funct3: number, Binary]> = {
  addi: [OPCODE.opImm, 0, (a, b) => a + b],
  slti: [OPCODE.opImm, 2, (a, b) => (signed(a) < signed(b) ? 1n : 0n)],
  sltiu: [OPCODE.opImm, 3, (a, b) => (a < b ? 1n : 0n)],
  xori: [OPCODE.opImm, 4, (a, b) => a ^ b],
  ori: [OPCODE.opImm, 6, (a, b) => a | b],
  andi: [OPCODE.opImm, 7, (a, b) => a & b],
  addiw: [OPCODE.opImm32, 0, (a, b) => sext32(a + b)],
};

/** Shifts by an immediate: the amount's width and the bits above it. */
const SHIFT: Record<string, [opcode: number, funct3: number, high: number, width: number, Binary]> = {
  slli: [OPCODE.opImm, 1, 0, 64, (a, b) => a << b],
  srli: [OPCODE.opImm, 5, 0, 64, (a, b) => a >> b],
  srai: [OPCODE.opImm, 5, 0x400, 64, (a, b) => signed(a) >> b],
  slliw: [OPCODE.opImm32, 1, 0, 32, (a, b) => sext32(a << b)],
  srliw: [OPCODE.opImm32, 5, 0, 32, (a, b) => sext32(low32(a) >> b)],
  sraiw: [OPCODE.opImm32, 5, 0x400, 32, (a, b) => int32(a) >> b],
};

const pairs = operandPairs(200);
const IMMEDIATES = [0, 1, 2, 31, 32, 255, 2047, -1, -2, -1024, -2048];

/** Runs one instruction with operands in x5 and x6; its result in x7 and the next pc must be right. */
function check(word: number, a: bigint, b: bigint, expected: bigint): void {
  hart.pc = BigInt(RAM);
  hart.setX(5, a);
  hart.setX(6, b);
  rig.step();
  if (hart.getX(7) === unsigned(expected) && hart.pc === BigInt(RAM + 4)) return;
  expect.fail(
    `0x${word.toString(16)} of 0x${a.toString(16)}, 0x${b.toString(16)} gave 0x${hart.getX(7).toString(16)} ` +
      `instead of 0x${unsigned(expected).toString(16)}, and went to 0x${hart.pc.toString(16)}`,
  );
}

describe('register-register', () => {
  it.each(Object.entries(OP))('%s', (_, [opcode, funct3, funct7, expected]) => {
    const word = rType(opcode, funct3, funct7, 7, 5, 6);
    rig.start([word]);
    for (const [a, b] of pairs) check(word, a, b, expected(a, b));
  });

  it('reads both sources before it writes the destination', () => {
    for (const [opcode, funct3, funct7, expected] of Object.values(OP)) {
      rig.start([rType(opcode, funct3, funct7, 5, 5, 5)]);
      hart.setX(5, 0x1234_5678_9abc_def1n);
      rig.step();
      expect(hart.getX(5)).toBe(unsigned(expected(0x1234_5678_9abc_def1n, 0x1234_5678_9abc_def1n)));
    }
  });

  it('never changes x0', () => {
    for (const [opcode, funct3, funct7] of Object.values(OP)) {
      rig.start([rType(opcode, funct3, funct7, 0, 5, 6)]);
      hart.setX(5, 77n);
      hart.setX(6, 3n);
      rig.step();
      expect(hart.getX(0)).toBe(0n);
      expect(hart.pc).toBe(BigInt(RAM + 4));
    }
  });
});

describe('register-immediate', () => {
  it.each(Object.entries(OP_IMM))('%s', (_, [opcode, funct3, expected]) => {
    for (const imm of IMMEDIATES) {
      const word = iType(opcode, funct3, 7, 5, imm);
      rig.start([word]);
      for (const [a] of pairs) check(word, a, 0n, expected(a, unsigned(BigInt(imm))));
    }
  });

  it('from x0 and into x0', () => {
    for (const [opcode, funct3, expected] of Object.values(OP_IMM)) {
      const word = iType(opcode, funct3, 7, 0, -7);
      rig.start([word]);
      check(word, 5n, 0n, expected(0n, unsigned(-7n)));
      rig.start([iType(opcode, funct3, 0, 5, -7)]);
      hart.setX(5, 9n);
      rig.step();
      expect(hart.getX(0)).toBe(0n);
    }
  });

  it.each(Object.entries(SHIFT))('%s', (_, [opcode, funct3, high, width, expected]) => {
    for (let amount = 0; amount < width; amount++) {
      const word = iType(opcode, funct3, 7, 5, high | amount);
      rig.start([word]);
      for (const [a] of pairs.slice(240)) check(word, a, 0n, expected(a, BigInt(amount)));
    }
  });
});

describe('upper immediates', () => {
  it.each([0, 0x1000, 0x7ffff000, 0x80000000, 0xfffff000])('lui and auipc %i', (imm) => {
    const value = sext32(BigInt(imm));
    rig.start([uType(OPCODE.lui, 7, imm), uType(OPCODE.auipc, 8, imm), uType(OPCODE.auipc, 0, imm)]);
    rig.step(3);
    expect(hart.getX(7)).toBe(value);
    expect(hart.getX(8)).toBe(unsigned(value + BigInt(RAM + 4)));
    expect(hart.getX(0)).toBe(0n);
    expect(hart.pc).toBe(BigInt(RAM + 12));
  });
});

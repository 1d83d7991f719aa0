import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { SharedMemory } from '../../base/shared-memory.ts';
import { PRIV_M } from '../layout.ts';
import { addi, bne, csrrs, csrrw, iType, jal, ld, OPCODE, r4Type, rType } from '../testing/encode.ts';
import { CSR, DATA, HartRig } from '../testing/hart-rig.ts';
import { fusesMultiplyAdd } from './asm/fused.ts';
import { compareHarts, describeDifferences } from './lockstep.ts';
import { type Random, randomFrom } from './testing/random-program.ts';

// Node 20 has the relaxed vector instructions behind a flag; browsers have them.
setFlagsFromString('--experimental-wasm-relaxed-simd');

const module = new WebAssembly.Module(
  readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url)),
);
const EAGER = { threshold: 1, executions: 0, batch: 1, patience: 0 };
const OPERANDS = 400;
/** Static rounding modes and the dynamic one, two reserved ones among them. */
const ROUNDINGS = [0, 1, 2, 3, 4, 5, 7];

/** f10 or x10 from f1, f2, f3 and x13: every instruction of OP-FP and every fused multiply-add. */
function everything(): number[] {
  const all: number[] = [];
  for (const format of [0, 1]) {
    const op = (funct5: number, funct3: number, rs1: number, rs2: number): void =>
      void all.push(rType(OPCODE.opFp, funct3, (funct5 << 2) | format, 10, rs1, rs2));
    for (const rounding of ROUNDINGS) {
      for (const funct5 of [0x00, 0x01, 0x02, 0x03]) op(funct5, rounding, 1, 2);
      op(0x0b, rounding, 1, 0);
      op(0x08, rounding, 1, 1 - format);
      for (const kind of [0, 1, 2, 3]) op(0x18, rounding, 1, kind);
      for (const kind of [0, 1, 2, 3]) op(0x1a, rounding, 13, kind);
      for (const opcode of [OPCODE.madd, OPCODE.msub, OPCODE.nmsub, OPCODE.nmadd])
        all.push(r4Type(opcode, format, rounding, 10, 1, 2, 3));
    }
    for (const kind of [0, 1, 2, 3]) {
      for (const funct5 of [0x04, 0x05, 0x14]) {
        op(funct5, kind, 1, 2);
        op(funct5, kind, 1, 1);
      }
    }
    for (const kind of [0, 1]) op(0x1c, kind, 1, 0);
    op(0x1e, 0, 13, 0);
  }
  return all;
}

const SPECIAL = [
  0n,
  1n << 63n,
  0x7ff0n << 48n,
  0xfff0n << 48n,
  0x7ff8n << 48n,
  0x7ff4n << 48n,
  1n,
  0x0010n << 48n,
]
  .concat([0x7fef_ffff_ffff_ffffn, 0x3ff0n << 48n, 0xbfe0n << 48n, 0x41dfffffffe00000n, 0xc1e0000000100000n])
  .concat([0x43e0n << 48n, 0xc3e0n << 48n, 0x43f0n << 48n, 0x41efffffffe00000n, 0x7fffffffffffffffn]);
const SPECIAL_SINGLE = [
  0,
  2 ** 31,
  0x7f800000,
  0xff800000,
  0x7fc00000,
  0x7fa00000,
  1,
  0x00800000,
  0x7f7fffff,
].concat([0x3f800000, 0xbf000000, 0x4effffff, 0xcf000000, 0x5f000000, 0xdf000000, 0x5f800000, 0x7fffffff]);

/** Doubles, singles in their boxes and outside of them; of each the ones with rules of their own. */
function operand(random: Random): bigint {
  const view = new DataView(new ArrayBuffer(8));
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
  const exponent = random(4) === 0 ? random(70) - 35 : random(8) - 4;
  const number = (random(20001) - 10000) * 10 ** exponent * (random(3) === 0 ? 0.5 : 1);
  const box = (bits: number): bigint => BigInt.asUintN(64, BigInt(bits >>> 0) | (0xffff_ffffn << 32n));
  switch (random(9)) {
    case 0:
    case 1:
      return pick(SPECIAL);
    case 2:
    case 3:
      return box(pick(SPECIAL_SINGLE));
    case 4:
      // Not a box.
      return BigInt(pick(SPECIAL_SINGLE)) | (BigInt(random(2 ** 32)) << 32n);
    case 5:
    case 6:
      view.setFloat32(0, number);
      return box(view.getUint32(0));
    default:
      view.setFloat64(0, number * pick([1, 1e-160, 1e-160, 1e280]));
      return view.getBigUint64(0);
  }
}

/** Both harts go through all operands in slices of random length and stay in the same state. */
function compare(jit: { readonly fused: boolean }, frm: bigint, flags: bigint): void {
  const expected = new HartRig(module);
  const actual = new HartRig(module, { jit: { ...EAGER, ...jit } });
  const [operands, count] = [18, 24];
  const fld = (rd: number, offset: number): number => iType(OPCODE.loadFp, 3, rd, operands, offset);
  // Results and flags of each instruction apart, in a sum that forgets nothing before registers are compared.
  const sum = [
    rType(OPCODE.opFp, 0, 0x71, 16, 10, 0),
    rType(OPCODE.op, 4, 0, 14, 14, 16),
    rType(OPCODE.op, 0, 0, 14, 14, 10),
    rType(OPCODE.op, 0, 0, 14, 14, 11),
    rType(OPCODE.op, 0, 1, 14, 14, 15),
  ];
  const prepare = (random: Random, rig: HartRig, chosen: readonly number[]): void => {
    const body = [
      fld(1, 0),
      fld(2, 8),
      fld(3, 16),
      ld(13, operands, 24),
      ...chosen.flatMap((insn) => [insn, csrrs(11, CSR.fflags, 0), csrrw(0, CSR.fflags, 12), ...sum]),
      // And in one block, where one result is the next one's operand.
      ...chosen.map((insn, i) => (i % 3 === 0 ? insn ^ (10 << 7) ^ (2 << 7) : insn)),
      addi(operands, operands, 8),
      addi(count, count, -1),
    ];
    // Illegal ones are skipped.
    rig.program(0x8000_8000, ...skipping());
    rig.start([...body, bne(count, 0, -4 * body.length), jal(0, 0)], PRIV_M);
    rig.hart.writeCsr(CSR.mstatus, 3n << 13n);
    rig.hart.writeCsr(CSR.fcsr, (frm << 5n) | flags);
    for (let i = 0; i < OPERANDS + 4; i++) rig.poke64(DATA + 8 * i, operand(random));
    rig.hart.setX(operands, BigInt(DATA));
    rig.hart.setX(12, flags);
    rig.hart.setX(15, 0x9e37_79b9_7f4a_7c15n);
    rig.hart.setX(count, BigInt(OPERANDS));
  };
  const all = everything();
  for (let from = 0; from < all.length; from += 100) {
    const chosen = all.slice(from, from + 100);
    for (const rig of [expected, actual]) prepare(randomFrom(77 + from), rig, chosen);
    const random = randomFrom(from + 1);
    for (let slice = 0; expected.hart.getX(count) !== 0n; slice++) {
      expect(slice).toBeLessThan(5000);
      const at = expected.hart.pc;
      const budget = 1 + random(700);
      expected.step(budget);
      actual.step(budget);
      const differences = compareHarts(expected.hart, actual.hart);
      if (differences.length > 0)
        expect.fail(
          `slice ${slice} of ${budget} from 0x${at.toString(16)}:\n${describeDifferences(differences)}`,
        );
    }
  }
  expect(actual.hart.translations?.units).toBeGreaterThan(0);
}

/** Goes on behind the instruction that trapped. */
function skipping(): number[] {
  return [csrrs(31, CSR.mepc, 0), addi(31, 31, 4), csrrw(0, CSR.mepc, 31), 0x30200073];
}

describe('floating point in lockstep, every instruction with operands that have rules of their own', () => {
  it('the engine fuses multiply and add', () => {
    const memory = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
    expect(fusesMultiplyAdd(memory.memory)).toBe(true);
  });

  it.each([
    [0n, 1n],
    [0n, 0n],
    [2n, 1n],
    [5n, 1n],
  ])('frm %i, flags %i, multiply-adds by a helper', (frm, flags) => compare({ fused: false }, frm, flags));

  it.each([
    [0n, 1n],
    [0n, 0x1fn],
    [4n, 1n],
  ])("frm %i, flags %i, the engine's multiply-adds", (frm, flags) => compare({ fused: true }, frm, flags));
});

/**
 * Floating point: WebAssembly's operation wherever it gives the guest's result and flags (float-range.ts); everything
 * else is left to the interpreter's exact one, which a helper calls.
 */
import { HELPER } from '../abi.ts';
import { f32, f64, i32, i64, simd } from '../asm/opcodes.ts';
import { type Insn, OP } from '../decode.ts';
import { floatOperation } from '../operands.ts';
import { emitConversion } from './float-convert.ts';
import { emitBoxed, emitBoxedResult, emitDoubleStands, emitSingle, emitSingleStands } from './float-range.ts';
import { emitHelper, emitIf, emitIfX } from './float-result.ts';
import type { UnitCode } from './unit-code.ts';

/** The rounding mode, or the operation among several that have none. */
const funct3 = ({ bits }: Insn): number => (bits >>> 12) & 7;
/** Rounds to nearest even, or as frm says. */
const nearest = (insn: Insn): boolean => funct3(insn) === 0 || funct3(insn) === 7;

/** FADD, FSUB, FMUL, FDIV and FSQRT by funct5: for singles and for doubles. */
const ARITHMETIC: Readonly<Record<number, readonly [number, number]>> = {
  0x00: [f32.add, f64.add],
  0x01: [f32.sub, f64.sub],
  0x02: [f32.mul, f64.mul],
  0x03: [f32.div, f64.div],
  0x0b: [f32.sqrt, f64.sqrt],
};
/** FLE, FLT and FEQ by funct3. */
const COMPARE = [
  [f32.le, f64.le],
  [f32.lt, f64.lt],
  [f32.eq, f64.eq],
] as const;
const EXTREMUM = [
  [f32.min, f64.min],
  [f32.max, f64.max],
] as const;

function emitArithmetic(unit: UnitCode, insn: Insn, operation: number): boolean {
  const opcodes = ARITHMETIC[operation];
  const one = operation === 0x0b;
  if (opcodes === undefined || !nearest(insn) || (one && insn.rs2 !== 0)) return false;
  const sort = operation <= 0x01 ? 'sum' : 'product';
  if (isDouble(insn)) {
    unit.f(insn.rs1);
    if (!one) unit.f(insn.rs2);
    unit.code.op(opcodes[1]);
    emitDoubleStands(unit, sort);
    emitIf(unit, insn, () => void unit.code.get(unit.double));
  } else {
    emitBoxed(unit, one ? [insn.rs1] : [insn.rs1, insn.rs2]);
    emitSingle(unit, insn.rs1);
    if (!one) emitSingle(unit, insn.rs2);
    unit.code.op(opcodes[0]);
    emitSingleStands(unit, sort);
    unit.code.op(i32.and);
    emitIf(unit, insn, () => emitBoxedResult(unit));
  }
  return true;
}

const isDouble = ({ bits }: Insn): boolean => ((bits >>> 25) & 3) === 1;

/** FMADD, FMSUB, FNMSUB and FNMADD: the engine's own instruction if it is known to round once, else a helper. */
function emitFused(unit: UnitCode, insn: Insn): boolean {
  if (!nearest(insn)) return false;
  const { code } = unit;
  const { rs1, rs2, bits } = insn;
  const rs3 = bits >>> 27;
  // FNMSUB and FNMADD negate the product, FMSUB and FNMADD the addend.
  const operands = [
    { register: rs1, negated: (bits & 8) !== 0 },
    { register: rs2, negated: false },
    { register: rs3, negated: (bits & 4) !== 0 },
  ];
  const double = isDouble(insn);
  if (!double) emitBoxed(unit, [rs1, rs2, rs3]);
  for (const { register, negated } of operands) {
    if (double) unit.f(register);
    else emitSingle(unit, register);
    if (negated) code.op(double ? f64.neg : f32.neg);
    if (unit.fused) code.simd(double ? simd.splatF64 : simd.splatF32);
  }
  if (unit.fused) {
    code.simd(double ? simd.relaxedMaddF64 : simd.relaxedMaddF32);
    code.simd(double ? simd.extractLaneF64 : simd.extractLaneF32, 0);
  } else {
    code.call(double ? HELPER.fusedDouble : HELPER.fusedSingle);
  }
  if (double) {
    emitDoubleStands(unit, 'product');
    emitIf(unit, insn, () => void code.get(unit.double));
  } else {
    emitSingleStands(unit, 'product');
    code.op(i32.and);
    emitIf(unit, insn, () => emitBoxedResult(unit));
  }
  return true;
}

/** FSGNJ, FSGNJN and FSGNJX, of which FMV, FNEG and FABS are cases. */
function emitSignInjection(unit: UnitCode, insn: Insn): boolean {
  const kind = funct3(insn);
  if (kind > 2) return false;
  const { code } = unit;
  const { rs1, rs2, rd } = insn;
  if (isDouble(insn)) {
    unit.f(rs1);
    if (rs1 === rs2) {
      if (kind > 0) code.op(kind === 1 ? f64.neg : f64.abs);
    } else if (kind < 2) {
      unit.f(rs2);
      if (kind === 1) code.op(f64.neg);
      code.op(f64.copysign);
    } else {
      code.op(i64.reinterpretF64);
      unit
        .f(rs2)
        .op(i64.reinterpretF64)
        .i64(-(2 ** 63));
      code.op(i64.and, i64.xor, f64.reinterpretI64);
    }
    unit.setF(rd);
    return true;
  }
  const sign = 2 ** 31;
  emitBoxed(unit, [rs1, rs2]);
  emitIf(unit, insn, () => {
    unit.f(rs1).op(i64.reinterpretF64);
    if (kind < 2) code.i64(-sign - 1).op(i64.and);
    unit.f(rs2).op(i64.reinterpretF64);
    if (kind === 1) code.i64(-1).op(i64.xor);
    code.i64(sign).op(i64.and, kind < 2 ? i64.or : i64.xor, f64.reinterpretI64);
  });
  return true;
}

/** FMIN and FMAX: WebAssembly's differ for NaNs only, and are NaNs then. */
function emitExtremum(unit: UnitCode, insn: Insn): boolean {
  const opcodes = EXTREMUM[funct3(insn)];
  if (opcodes === undefined) return false;
  const { code, double, single } = unit;
  const { rs1, rs2 } = insn;
  if (isDouble(insn)) {
    unit.f(rs1);
    unit.f(rs2).op(opcodes[1]).tee(double).get(double).op(f64.eq);
    emitIf(unit, insn, () => void code.get(double));
  } else {
    emitBoxed(unit, [rs1, rs2]);
    emitSingle(unit, rs1);
    emitSingle(unit, rs2).op(opcodes[0]).tee(single).get(single).op(f32.eq, i32.and);
    emitIf(unit, insn, () => emitBoxedResult(unit));
  }
  return true;
}

/** FEQ, FLT and FLE; what they raise for NaNs is the helper's. */
function emitCompare(unit: UnitCode, insn: Insn): boolean {
  const opcodes = COMPARE[funct3(insn)];
  if (opcodes === undefined) return false;
  const { code } = unit;
  const { rs1, rs2 } = insn;
  const double = isDouble(insn);
  const push = (register: number) => (double ? unit.f(register) : emitSingle(unit, register));
  if (!double) emitBoxed(unit, [rs1, rs2]);
  for (const [i, register] of [...new Set([rs1, rs2])].entries()) {
    push(register);
    push(register).op(double ? f64.eq : f32.eq);
    if (i > 0 || !double) code.op(i32.and);
  }
  emitIfX(unit, insn, () => {
    push(rs1);
    push(rs2).op(opcodes[double ? 1 : 0], i64.extendI32U);
  });
  return true;
}

/** FMV between the register files looks at no boxes and raises nothing. */
function emitMove(unit: UnitCode, insn: Insn, operation: number): boolean {
  if (funct3(insn) !== 0 || insn.rs2 !== 0) return false;
  const double = isDouble(insn);
  if (operation === 0x1c) {
    unit.f(insn.rs1).op(i64.reinterpretF64);
    if (!double) unit.code.op(i64.extend32S);
    unit.setX(insn.rd);
  } else {
    unit.x(insn.rs1);
    if (!double) unit.code.i64(-(2 ** 32)).op(i64.or);
    unit.code.op(f64.reinterpretI64);
    unit.setF(insn.rd);
  }
  return true;
}

function emitNative(unit: UnitCode, insn: Insn): boolean {
  if (((insn.bits >>> 25) & 3) > 1) return false;
  const operation = floatOperation(insn);
  switch (operation) {
    case -1:
      return emitFused(unit, insn);
    case 0x04:
      return emitSignInjection(unit, insn);
    case 0x05:
      return emitExtremum(unit, insn);
    case 0x08:
    case 0x18:
    case 0x1a:
      return emitConversion(unit, insn, operation);
    case 0x14:
      return emitCompare(unit, insn);
    case 0x1c:
    case 0x1e:
      return emitMove(unit, insn, operation);
    default:
      return emitArithmetic(unit, insn, operation);
  }
}

/** Emits `insn` if it is one of this file's; says whether it was. */
export function emitFloat(unit: UnitCode, insn: Insn): boolean {
  if (insn.op !== OP.FLOAT) return false;
  unit.checkFloat(insn);
  if (emitNative(unit, insn)) return true;
  emitHelper(unit, insn);
  return true;
}

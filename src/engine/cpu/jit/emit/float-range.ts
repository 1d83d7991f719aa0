/**
 * When WebAssembly's arithmetic is the guest's to the flag: once inexact has been raised, a result that is well inside
 * the range raises nothing more. Ranges are compared as integers, the exponents' field first, without the sign.
 */
import { type Code } from '../asm/code.ts';
import { f32, f64, i32, i64 } from '../asm/opcodes.ts';
import type { UnitCode } from './unit-code.ts';

/** 2^1016 and 2^-1016, shifted left by the sign's bit. */
export const DOUBLE_LIMIT = 0xfee * 2 ** 52 - 2 ** 64;
const DOUBLE_LEAST = 0x00e * 2 ** 52;
/** 2^120 and 2^-120, the same. */
export const SINGLE_LIMIT = 0xf700_0000 | 0;
const SINGLE_LEAST = 0x0700_0000;

/** NaN boxes of singles: the upper half of the register. */
const BOX = -(2 ** 32);

/**
 * Whether a result can be exact: sums are where they underflow, products are not, and of them zero may be an underflow.
 */
export type Sort = 'sum' | 'product';

/** Pops a double, keeps it in `unit.double`, and pushes whether it stands. */
export function emitDoubleStands({ code, double, doubleLimit }: UnitCode, sort: Sort): void {
  code.tee(double).op(i64.reinterpretF64).i64(1).op(i64.shl);
  if (sort === 'product') code.i64(DOUBLE_LEAST).op(i64.sub);
  code.get(doubleLimit).op(i64.ltU);
}

/** Pops a single, keeps it in `unit.single`, and pushes whether it stands. */
export function emitSingleStands({ code, single, singleLimit }: UnitCode, sort: Sort): void {
  code.tee(single).op(i32.reinterpretF32).i32(1).op(i32.shl);
  if (sort === 'product') code.i32(SINGLE_LEAST).op(i32.sub);
  code.get(singleLimit).op(i32.ltU);
}

/** Pushes whether rounding to nearest even with flags that are raised already is all there is to it. */
export function emitMayRound({ code, singleLimit }: UnitCode): Code {
  return code.get(singleLimit).i32(0).op(i32.ne);
}

/** Pushes the single in f`register`, which is boxed. */
export const emitSingle = (unit: UnitCode, register: number): Code =>
  unit.f(register).op(i64.reinterpretF64, i32.wrapI64, f32.reinterpretI32);

/** Pushes whether the registers hold boxed singles; any other operand counts as a NaN. */
export function emitBoxed(unit: UnitCode, registers: readonly number[]): Code {
  for (const [i, register] of [...new Set(registers)].entries()) {
    unit.f(register).op(i64.reinterpretF64);
    if (i > 0) unit.code.op(i64.and);
  }
  return unit.code.i64(32).op(i64.shrS).i64(-1).op(i64.eq);
}

/** Pushes the boxed single whose bits `push` leaves as the low half of an i64. */
export function emitBox({ code }: UnitCode, push: () => void): void {
  push();
  code.i64(BOX).op(i64.or, f64.reinterpretI64);
}

/** Pushes `unit.single`, boxed. */
export const emitBoxedResult = (unit: UnitCode): void =>
  emitBox(unit, () => unit.code.get(unit.single).op(i32.reinterpretF32, i64.extendI32U));

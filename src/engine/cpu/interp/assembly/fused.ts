/**
 * Fused multiply-add on native floating point, for the case that matters: round to nearest even, the
 * inexact flag raised already, operands and result well inside the range.
 *
 * Double precision follows Boldo and Melquiond, "Emulation of FMA and correctly rounded sums: proved
 * algorithms using rounding to odd" (2008). Single precision is exact in double up to one sum, which
 * is rounded to odd before it is narrowed.
 */

import { HART_F } from '../../layout';

/** 2^27 + 1 splits a double into two halves of 26 bits. */
const SPLIT: f64 = 134217729.0;
/** Operands within these bounds: neither the product nor its error term leaves the normal range. */
const SMALL: f64 = 1e-130;
const LARGE: f64 = 1e130;

/** The error of a sum that was rounded to nearest. */
@inline
function sumError(a: f64, b: f64, sum: f64): f64 {
  const bPart = sum - a;
  return a - (sum - bPart) + (b - bPart);
}

/** a + b rounded to odd: of an inexact sum's two neighbours the one with an odd significand. */
@inline
function addToOdd(a: f64, b: f64): f64 {
  const sum = a + b;
  const error = sumError(a, b, sum);
  const bits = reinterpret<u64>(sum);
  if (error == 0 || (bits & 1) != 0) return sum;
  return reinterpret<f64>(error > 0 == sum > 0 ? bits + 1 : bits - 1);
}

@inline
function within(value: f64): bool {
  return abs(value) > SMALL && abs(value) < LARGE;
}

/** a × b + c, or NaN if that has to be found out the long way. */
export function fusedDouble(a: f64, b: f64, c: f64): f64 {
  if (!(within(a) && within(b) && within(c))) return NaN;
  const product = a * b;
  const aScaled = a * SPLIT;
  const aHigh = aScaled - (aScaled - a);
  const aLow = a - aHigh;
  const bScaled = b * SPLIT;
  const bHigh = bScaled - (bScaled - b);
  const bLow = b - bHigh;
  const productError = aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
  const inner = c + productError;
  const innerError = sumError(c, productError, inner);
  const outer = product + inner;
  const outerError = sumError(product, inner, outer);
  const result = outer + addToOdd(innerError, outerError);
  // Zero is left alone for its sign.
  return abs(result) > SMALL * SMALL ? result : NaN;
}

/** The same in single precision; all of a, b, c are finite or the result is not safe. */
export function fusedSingle(a: f32, b: f32, c: f32): f32 {
  const sum = addToOdd(<f64>a * <f64>b, <f64>c);
  return <f32>sum;
}

// ── The third source, whose number is in the instruction only ─────────────────────────────────────

@inline
export function getDouble(H: usize, index: u32): f64 {
  return load<f64>(H + ((<usize>index) << 3), HART_F);
}

@inline
export function getSingle(H: usize, index: u32): f32 {
  return load<f32>(H + ((<usize>index) << 3), HART_F);
}

@inline
export function boxed3(H: usize, insn: u32): bool {
  return load<i32>(H + ((<usize>(insn >> 27)) << 3), HART_F + 4) == -1;
}

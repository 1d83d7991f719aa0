/**
 * The two floating-point formats and the one rounding routine. A format is named by the wasm type of
 * its size: f32 or f64. Raw values travel as u64, single precision in the low half.
 *
 * A finite nonzero number is taken apart into sign, exponent and a significand normalized to bit 63:
 * value = significand × 2^(exponent − 63). Bits lost to the right are ORed into bit 0 ("jammed").
 */
import { HART_FFLAGS } from '../../layout';
import { hart } from './state';

export const enum Rounding {
  RNE = 0,
  RTZ = 1,
  RDN = 2,
  RUP = 3,
  RMM = 4,
}

export const FLAG_NX: u32 = 1;
export const FLAG_UF: u32 = 2;
export const FLAG_OF: u32 = 4;
export const FLAG_DZ: u32 = 8;
export const FLAG_NV: u32 = 16;

@inline
export function raise(flags: u32): void {
  store<u32>(hart, load<u32>(hart, HART_FFLAGS) | flags, HART_FFLAGS);
}

@inline
export function raised(flags: u32): bool {
  return (load<u32>(hart, HART_FFLAGS) & flags) != 0;
}

/** Width of the fraction field. */
@inline
export function fractionBits<T>(): u32 {
  return sizeof<T>() == 4 ? 23 : 52;
}

/** Largest value of the exponent field: infinities and NaNs. */
@inline
export function maxExponent<T>(): i32 {
  return sizeof<T>() == 4 ? 255 : 2047;
}

@inline
export function bias<T>(): i32 {
  return sizeof<T>() == 4 ? 127 : 1023;
}

@inline
export function signMask<T>(): u64 {
  return sizeof<T>() == 4 ? 0x80000000 : 0x8000000000000000;
}

@inline
export function infinity<T>(): u64 {
  return sizeof<T>() == 4 ? 0x7f800000 : 0x7ff0000000000000;
}

@inline
export function canonicalNaN<T>(): u64 {
  return sizeof<T>() == 4 ? 0x7fc00000 : 0x7ff8000000000000;
}

@inline
export function isNegative<T>(bits: u64): bool {
  return (bits & signMask<T>()) != 0;
}

@inline
export function magnitude<T>(bits: u64): u64 {
  return bits & ~signMask<T>();
}

@inline
export function isNaN<T>(bits: u64): bool {
  return magnitude<T>(bits) > infinity<T>();
}

@inline
export function isSignaling<T>(bits: u64): bool {
  const quietBit = (<u64>1) << (fractionBits<T>() - 1);
  return isNaN<T>(bits) && (bits & quietBit) == 0;
}

@inline
export function isInfinite<T>(bits: u64): bool {
  return magnitude<T>(bits) == infinity<T>();
}

@inline
export function isZero<T>(bits: u64): bool {
  return magnitude<T>(bits) == 0;
}

@inline
export function withSign<T>(negative: bool, bits: u64): u64 {
  return negative ? bits | signMask<T>() : bits;
}

@inline
export function exponentField<T>(bits: u64): i32 {
  return <i32>(bits >> fractionBits<T>()) & maxExponent<T>();
}

/** A significand normalized to bit 63, of a finite nonzero number. */
export function significand<T>(bits: u64): u64 {
  const fraction = bits & (((<u64>1) << fractionBits<T>()) - 1);
  const aligned = fraction << (63 - fractionBits<T>());
  return exponentField<T>(bits) == 0 ? aligned << clz(aligned) : aligned | 0x8000000000000000;
}

/** The exponent that belongs to it. */
export function exponent<T>(bits: u64): i32 {
  const field = exponentField<T>(bits);
  if (field != 0) return field - bias<T>();
  const fraction = bits & (((<u64>1) << fractionBits<T>()) - 1);
  return <i32>(fractionBits<T>() - (63 - <u32>clz(fraction))) * -1 + 1 - bias<T>();
}

/** Shift right, keeping in bit 0 whether anything was lost. */
@inline
export function shiftRightJam(value: u64, by: u32): u64 {
  if (by == 0) return value;
  if (by > 63) return <u64>(value != 0);
  return (value >> by) | <u64>(value << (64 - by) != 0);
}

/** What is added to the kept part for the dropped bits below `half × 2`. */
@inline
function roundUp(rounding: u32, negative: bool, odd: bool, dropped: u64, half: u64): bool {
  switch (rounding) {
    case Rounding.RNE:
      return dropped > half || (dropped == half && odd);
    case Rounding.RDN:
      return negative && dropped != 0;
    case Rounding.RUP:
      return !negative && dropped != 0;
    case Rounding.RMM:
      return dropped >= half;
    default:
      return false;
  }
}

function overflow<T>(negative: bool, rounding: u32): u64 {
  raise(FLAG_OF | FLAG_NX);
  const toInfinity =
    rounding == Rounding.RNE ||
    rounding == Rounding.RMM ||
    (rounding == Rounding.RUP && !negative) ||
    (rounding == Rounding.RDN && negative);
  return withSign<T>(negative, toInfinity ? infinity<T>() : infinity<T>() - 1);
}

/**
 * Rounds significand × 2^(exponent − 63), normalized to bit 63 with everything below jammed, into the
 * format, raising NX, UF (tininess is detected after rounding) and OF.
 */
export function round<T>(negative: bool, exp: i32, sig: u64, rounding: u32): u64 {
  const drop = 63 - fractionBits<T>();
  const half = (<u64>1) << (drop - 1);
  const mask = (half << 1) - 1;
  const minimum = 1 - bias<T>();
  let kept = sig >> drop;
  let dropped = sig & mask;
  if (exp >= minimum) {
    if (roundUp(rounding, negative, (kept & 1) != 0, dropped, half)) kept++;
    // A carry out of the significand moves on into the exponent by itself.
    const bits = kept + ((<u64>(exp - minimum)) << fractionBits<T>());
    if (exp > bias<T>() || bits >= infinity<T>()) return overflow<T>(negative, rounding);
    if (dropped != 0) raise(FLAG_NX);
    return withSign<T>(negative, bits);
  }
  // Tiny unless rounding to full precision, with the exponent unbounded, reaches the smallest normal.
  const carries =
    roundUp(rounding, negative, (kept & 1) != 0, dropped, half) && kept + 1 == (<u64>2) << fractionBits<T>();
  const tiny = !(exp == minimum - 1 && carries);
  const shifted = shiftRightJam(sig, <u32>min(minimum - exp, 64));
  kept = shifted >> drop;
  dropped = shifted & mask;
  if (roundUp(rounding, negative, (kept & 1) != 0, dropped, half)) kept++;
  if (dropped != 0) raise(tiny ? FLAG_NX | FLAG_UF : FLAG_NX);
  return withSign<T>(negative, kept);
}

/** Invalid operation: raises NV and is a NaN. */
export function invalid<T>(): u64 {
  raise(FLAG_NV);
  return canonicalNaN<T>();
}

/** The NaN result of an operation with a NaN among its operands. */
export function propagateNaN<T>(a: u64, b: u64): u64 {
  if (isSignaling<T>(a) || isSignaling<T>(b)) raise(FLAG_NV);
  return canonicalNaN<T>();
}

/** Rounds a fixed-point magnitude whole.fraction (64.64 bits, fraction jammed) to a whole number. */
export function roundWhole(negative: bool, whole: u64, fraction: u64, rounding: u32): bool {
  return roundUp(rounding, negative, (whole & 1) != 0, fraction, 0x8000000000000000);
}

/** Conversions, comparisons, minimum and maximum, classification. */
import {
  canonicalNaN,
  exponent,
  exponentField,
  FLAG_NV,
  FLAG_NX,
  infinity,
  isInfinite,
  isNaN,
  isNegative,
  isSignaling,
  isZero,
  magnitude,
  propagateNaN,
  raise,
  round,
  roundWhole,
  signMask,
  significand,
  withSign,
} from './format';

/** Kinds of integer in the rs2 field of FCVT. */
export const enum Integer {
  W = 0,
  WU = 1,
  L = 2,
  LU = 3,
}

/** FCVT from an integer. */
export function fromInteger<T>(value: u64, kind: u32, rounding: u32): u64 {
  let wide = value;
  if (kind == Integer.W) wide = <u64>(<i64>(<i32>value));
  else if (kind == Integer.WU) wide = value & 0xffffffff;
  if (wide == 0) return 0;
  const negative = (kind & 1) == 0 && <i64>wide < 0;
  const size = negative ? 0 - wide : wide;
  const shift = <i32>clz(size);
  return round<T>(negative, 63 - shift, size << shift, rounding);
}

/** What an out-of-range or NaN operand converts to. */
function saturated(kind: u32, negative: bool): u64 {
  switch (kind) {
    case Integer.W:
      return negative ? 0xffffffff80000000 : 0x7fffffff;
    case Integer.WU:
      return negative ? 0 : ~0;
    case Integer.L:
      return negative ? 0x8000000000000000 : 0x7fffffffffffffff;
    default:
      return negative ? 0 : ~0;
  }
}

function outOfRange(kind: u32, negative: bool): u64 {
  raise(FLAG_NV);
  return saturated(kind, negative);
}

/** FCVT to an integer, the result as it goes into the x register. */
export function toInteger<T>(bits: u64, kind: u32, rounding: u32): u64 {
  if (isNaN<T>(bits)) return outOfRange(kind, false);
  const negative = isNegative<T>(bits);
  if (isInfinite<T>(bits)) return outOfRange(kind, negative);
  if (isZero<T>(bits)) return 0;
  const exp = exponent<T>(bits);
  if (exp > 63) return outOfRange(kind, negative);
  const sig = significand<T>(bits);
  let whole: u64 = 0;
  let fraction: u64 = sig;
  if (exp >= 0) {
    whole = sig >> (63 - exp);
    fraction = exp == 63 ? 0 : sig << (exp + 1);
  } else {
    // Below one half nothing but "less than half, not zero" matters.
    fraction = exp == -1 ? sig : 1;
  }
  if (roundWhole(negative, whole, fraction, rounding)) {
    whole++;
    if (whole == 0) return outOfRange(kind, negative);
  }
  let limit: u64;
  switch (kind) {
    case Integer.W:
      limit = negative ? 0x80000000 : 0x7fffffff;
      break;
    case Integer.WU:
      limit = negative ? 0 : 0xffffffff;
      break;
    case Integer.L:
      limit = negative ? 0x8000000000000000 : 0x7fffffffffffffff;
      break;
    default:
      limit = negative ? 0 : ~0;
  }
  if (whole > limit) return outOfRange(kind, negative);
  if (fraction != 0) raise(FLAG_NX);
  const value = negative ? 0 - whole : whole;
  return kind <= <u32>Integer.WU ? <u64>(<i64>(<i32>value)) : value;
}

/** FCVT.S.D */
export function narrow(bits: u64, rounding: u32): u64 {
  if (isNaN<f64>(bits)) {
    propagateNaN<f64>(bits, bits);
    return canonicalNaN<f32>();
  }
  const negative = isNegative<f64>(bits);
  if (isInfinite<f64>(bits)) return withSign<f32>(negative, infinity<f32>());
  if (isZero<f64>(bits)) return withSign<f32>(negative, 0);
  return round<f32>(negative, exponent<f64>(bits), significand<f64>(bits), rounding);
}

/** FCVT.D.S */
export function widen(bits: u64): u64 {
  if (isNaN<f32>(bits)) {
    propagateNaN<f32>(bits, bits);
    return canonicalNaN<f64>();
  }
  return reinterpret<u64>(<f64>reinterpret<f32>(<u32>bits));
}

/** −1, 0 or 1 as a is less than, equal to or greater than b; neither is a NaN. */
function order<T>(a: u64, b: u64): i32 {
  if (isZero<T>(a) && isZero<T>(b)) return 0;
  const aNegative = isNegative<T>(a);
  if (aNegative != isNegative<T>(b)) return aNegative ? -1 : 1;
  if (a == b) return 0;
  return magnitude<T>(a) < magnitude<T>(b) != aNegative ? -1 : 1;
}

/** FEQ raises NV for signaling NaNs only. */
export function equal<T>(a: u64, b: u64): u64 {
  if (isNaN<T>(a) || isNaN<T>(b)) {
    propagateNaN<T>(a, b);
    return 0;
  }
  return <u64>(order<T>(a, b) == 0);
}

/** FLT and FLE raise NV for any NaN. */
export function less<T>(a: u64, b: u64, orEqual: bool): u64 {
  if (isNaN<T>(a) || isNaN<T>(b)) {
    raise(FLAG_NV);
    return 0;
  }
  const o = order<T>(a, b);
  return <u64>(o < 0 || (orEqual && o == 0));
}

/** FMIN and FMAX: a number wins over a NaN, −0 is less than +0. */
export function extremum<T>(a: u64, b: u64, maximum: bool): u64 {
  if (isSignaling<T>(a) || isSignaling<T>(b)) raise(FLAG_NV);
  if (isNaN<T>(a)) return isNaN<T>(b) ? canonicalNaN<T>() : b;
  if (isNaN<T>(b)) return a;
  let aLess = order<T>(a, b) < 0;
  if (isZero<T>(a) && isZero<T>(b)) aLess = isNegative<T>(a);
  return aLess != maximum ? a : b;
}

/** FCLASS: one of ten bits. */
export function classify<T>(bits: u64): u64 {
  const negative = isNegative<T>(bits);
  if (isNaN<T>(bits)) return isSignaling<T>(bits) ? 1 << 8 : 1 << 9;
  if (isInfinite<T>(bits)) return negative ? 1 << 0 : 1 << 7;
  if (isZero<T>(bits)) return negative ? 1 << 3 : 1 << 4;
  if (exponentField<T>(bits) == 0) return negative ? 1 << 2 : 1 << 5;
  return negative ? 1 << 1 : 1 << 6;
}

/** FSGNJ, FSGNJN, FSGNJX by funct3. */
export function injectSign<T>(a: u64, b: u64, kind: u32): u64 {
  let sign = b & signMask<T>();
  if (kind == 1) sign ^= signMask<T>();
  else if (kind == 2) sign ^= a & signMask<T>();
  return magnitude<T>(a) | sign;
}

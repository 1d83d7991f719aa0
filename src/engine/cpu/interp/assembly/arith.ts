/**
 * Addition, multiplication, division, square root and fused multiply-add, for both formats and all
 * rounding modes, with exact flags.
 *
 * wasm rounds to nearest even and has no flags. Where that rounding is asked for and the result is
 * clearly finite and normal, the native operation gives it, and only whether it was exact remains to
 * be found out. Everything else is done on integers.
 */
import {
  bias,
  canonicalNaN,
  exponent,
  exponentField,
  FLAG_DZ,
  FLAG_NV,
  FLAG_NX,
  fractionBits,
  infinity,
  invalid,
  isInfinite,
  isNaN,
  isNegative,
  isSignaling,
  isZero,
  magnitude,
  maxExponent,
  propagateNaN,
  raise,
  raised,
  round,
  Rounding,
  shiftRightJam,
  signMask,
  significand,
  withSign,
} from './format';
import { mulhu } from './muldiv';

@inline
function toNative<T>(bits: u64): T {
  if (sizeof<T>() == 4) return <T>reinterpret<f32>(<u32>bits);
  return <T>reinterpret<f64>(bits);
}

@inline
function fromNative<T>(value: T): u64 {
  if (sizeof<T>() == 4) return <u64>reinterpret<u32>(<f32>value);
  return reinterpret<u64>(<f64>value);
}

/** The significand as an odd integer, of a normal number. */
@inline
function oddPart<T>(bits: u64): u64 {
  const sig = (bits & (((<u64>1) << fractionBits<T>()) - 1)) | ((<u64>1) << fractionBits<T>());
  return sig >> ctz(sig);
}

/** Finite, and so far from both ends of the range that neither overflow nor underflow is near. */
@inline
function isMiddling<T>(bits: u64): bool {
  return <u32>(exponentField<T>(bits) - 2) < <u32>(maxExponent<T>() - 4);
}

@inline
function isNormal<T>(bits: u64): bool {
  return <u32>(exponentField<T>(bits) - 1) < <u32>(maxExponent<T>() - 1);
}

/** Whether the product of two odd integers equals a third; false if it is beyond 64 bits. */
@inline
function productIs(a: u64, b: u64, product: u64): bool {
  return clz(a) + clz(b) >= 64 && a * b == product;
}

export function add<T>(a: u64, b: u64, rounding: u32): u64 {
  if (rounding == Rounding.RNE) {
    const x = toNative<T>(a);
    const y = toNative<T>(b);
    const sum = x + y;
    const bits = fromNative<T>(sum);
    // A sum never underflows inexactly, so zeros and subnormals are as good as normals.
    if (exponentField<T>(bits) < maxExponent<T>() - 2) {
      if (!raised(FLAG_NX)) {
        const yPart = sum - x;
        if (x - (sum - yPart) + (y - yPart) != <T>0) raise(FLAG_NX);
      }
      return bits;
    }
  }
  return addSoft<T>(a, b, rounding);
}

function addSoft<T>(a: u64, b: u64, rounding: u32): u64 {
  if (isNaN<T>(a) || isNaN<T>(b)) return propagateNaN<T>(a, b);
  const aNegative = isNegative<T>(a);
  const bNegative = isNegative<T>(b);
  if (isInfinite<T>(a)) return isInfinite<T>(b) && aNegative != bNegative ? invalid<T>() : a;
  if (isInfinite<T>(b)) return b;
  if (isZero<T>(a)) {
    if (!isZero<T>(b)) return b;
    return aNegative == bNegative ? a : withSign<T>(rounding == Rounding.RDN, 0);
  }
  if (isZero<T>(b)) return a;
  const swap = magnitude<T>(a) < magnitude<T>(b);
  const large = swap ? b : a;
  const small = swap ? a : b;
  const exp = exponent<T>(large);
  // One bit of room for the carry; the formats leave ten or more below.
  const x = significand<T>(large) >> 1;
  const y = shiftRightJam(significand<T>(small) >> 1, <u32>min(exp - exponent<T>(small), 64));
  const sig = aNegative == bNegative ? x + y : x - y;
  if (sig == 0) return withSign<T>(rounding == Rounding.RDN, 0);
  const shift = <i32>clz(sig);
  return round<T>(isNegative<T>(large), exp + 1 - shift, sig << shift, rounding);
}

@inline
export function subtract<T>(a: u64, b: u64, rounding: u32): u64 {
  // The sign of a NaN does not matter: the result is canonical.
  return add<T>(a, b ^ signMask<T>(), rounding);
}

export function multiply<T>(a: u64, b: u64, rounding: u32): u64 {
  if (rounding == Rounding.RNE) {
    const bits = fromNative<T>(toNative<T>(a) * toNative<T>(b));
    if (isMiddling<T>(bits)) {
      if (raised(FLAG_NX)) return bits;
      if (isNormal<T>(a) && isNormal<T>(b)) {
        if (!productIs(oddPart<T>(a), oddPart<T>(b), oddPart<T>(bits))) raise(FLAG_NX);
        return bits;
      }
    }
  }
  return multiplySoft<T>(a, b, rounding);
}

function multiplySoft<T>(a: u64, b: u64, rounding: u32): u64 {
  if (isNaN<T>(a) || isNaN<T>(b)) return propagateNaN<T>(a, b);
  const negative = isNegative<T>(a) != isNegative<T>(b);
  if (isInfinite<T>(a) || isInfinite<T>(b)) {
    return isZero<T>(a) || isZero<T>(b) ? invalid<T>() : withSign<T>(negative, infinity<T>());
  }
  if (isZero<T>(a) || isZero<T>(b)) return withSign<T>(negative, 0);
  const x = significand<T>(a);
  const y = significand<T>(b);
  const high = mulhu(x, y);
  const sig = high | <u64>(x * y != 0);
  const exp = exponent<T>(a) + exponent<T>(b) + 1;
  // At least 16 of the low bits of each factor are zero, so a shift by one loses no sticky bit.
  return <i64>high < 0
    ? round<T>(negative, exp, sig, rounding)
    : round<T>(negative, exp - 1, sig << 1, rounding);
}

export function divide<T>(a: u64, b: u64, rounding: u32): u64 {
  if (rounding == Rounding.RNE) {
    const bits = fromNative<T>(toNative<T>(a) / toNative<T>(b));
    if (isMiddling<T>(bits)) {
      if (raised(FLAG_NX)) return bits;
      if (isNormal<T>(a) && isNormal<T>(b)) {
        if (!productIs(oddPart<T>(bits), oddPart<T>(b), oddPart<T>(a))) raise(FLAG_NX);
        return bits;
      }
    }
  }
  return divideSoft<T>(a, b, rounding);
}

function divideSoft<T>(a: u64, b: u64, rounding: u32): u64 {
  if (isNaN<T>(a) || isNaN<T>(b)) return propagateNaN<T>(a, b);
  const negative = isNegative<T>(a) != isNegative<T>(b);
  if (isInfinite<T>(a)) return isInfinite<T>(b) ? invalid<T>() : withSign<T>(negative, infinity<T>());
  if (isInfinite<T>(b)) return withSign<T>(negative, 0);
  if (isZero<T>(b)) {
    if (isZero<T>(a)) return invalid<T>();
    raise(FLAG_DZ);
    return withSign<T>(negative, infinity<T>());
  }
  if (isZero<T>(a)) return withSign<T>(negative, 0);
  // Schoolbook division, one bit of the quotient at a time, and two more than the format needs.
  const divisor = significand<T>(b) >> 1;
  let remainder = significand<T>(a) >> 1;
  let exp = exponent<T>(a) - exponent<T>(b);
  if (remainder < divisor) {
    remainder <<= 1;
    exp--;
  }
  const digits = fractionBits<T>() + 3;
  let quotient: u64 = 0;
  for (let i: u32 = 0; i < digits; i++) {
    quotient <<= 1;
    if (remainder >= divisor) {
      remainder -= divisor;
      quotient |= 1;
    }
    remainder <<= 1;
  }
  const sig = (quotient << (64 - digits)) | <u64>(remainder != 0);
  return round<T>(negative, exp, sig, rounding);
}

export function squareRoot<T>(a: u64, rounding: u32): u64 {
  if (rounding == Rounding.RNE && isNormal<T>(a) && !isNegative<T>(a)) {
    const bits = fromNative<T>(sqrt<T>(toNative<T>(a)));
    if (!raised(FLAG_NX)) {
      const root = oddPart<T>(bits);
      if (!productIs(root, root, oddPart<T>(a))) raise(FLAG_NX);
    }
    return bits;
  }
  return squareRootSoft<T>(a, rounding);
}

function squareRootSoft<T>(a: u64, rounding: u32): u64 {
  if (isNaN<T>(a)) return propagateNaN<T>(a, a);
  if (isZero<T>(a)) return a;
  if (isNegative<T>(a)) return invalid<T>();
  if (isInfinite<T>(a)) return a;
  const exp = exponent<T>(a);
  // The radicand as a fixed-point number in [1, 4) with 62 bits after the point.
  let radicand = significand<T>(a) >> (exp & 1 ? 0 : 1);
  // Digit by digit: each step brings two bits of the radicand down and finds one bit of the root.
  const digits = fractionBits<T>() + 3;
  let remainder: u64 = 0;
  let root: u64 = 0;
  for (let i: u32 = 0; i < digits; i++) {
    remainder = (remainder << 2) | (radicand >> 62);
    radicand <<= 2;
    const trial = (root << 2) | 1;
    root <<= 1;
    if (remainder >= trial) {
      remainder -= trial;
      root |= 1;
    }
  }
  const sig = (root << (64 - digits)) | <u64>(remainder != 0);
  return round<T>(false, exp >> 1, sig, rounding);
}

/** a × b + c with one rounding. */
export function fusedMultiplyAdd<T>(a: u64, b: u64, c: u64, rounding: u32): u64 {
  const productNegative = isNegative<T>(a) != isNegative<T>(b);
  const noProduct = (isInfinite<T>(a) && isZero<T>(b)) || (isZero<T>(a) && isInfinite<T>(b));
  if (isNaN<T>(a) || isNaN<T>(b) || isNaN<T>(c)) {
    // ∞ × 0 is invalid even if the addend is a quiet NaN.
    if (noProduct || isSignaling<T>(a) || isSignaling<T>(b) || isSignaling<T>(c)) raise(FLAG_NV);
    return canonicalNaN<T>();
  }
  if (noProduct) return invalid<T>();
  const cNegative = isNegative<T>(c);
  if (isInfinite<T>(a) || isInfinite<T>(b)) {
    if (isInfinite<T>(c) && cNegative != productNegative) return invalid<T>();
    return withSign<T>(productNegative, infinity<T>());
  }
  if (isInfinite<T>(c)) return c;
  if (isZero<T>(a) || isZero<T>(b)) {
    if (!isZero<T>(c)) return c;
    return cNegative == productNegative ? c : withSign<T>(rounding == Rounding.RDN, 0);
  }

  // The exact product in 128 bits, normalized to bit 126 so that a sum has room.
  const x = significand<T>(a);
  const y = significand<T>(b);
  let high = mulhu(x, y);
  let low = x * y;
  let exp = exponent<T>(a) + exponent<T>(b);
  if (<i64>high < 0) {
    exp++;
    low = (low >> 1) | (high << 63);
    high >>= 1;
  }
  if (isZero<T>(c)) return finishWide<T>(productNegative, exp, high, low, rounding);

  let addHigh = significand<T>(c) >> 1;
  let addLow: u64 = significand<T>(c) << 63;
  const distance = exp - exponent<T>(c);
  if (distance > 0) {
    addLow = shiftWideLow(addHigh, addLow, distance);
    addHigh = distance > 63 ? 0 : addHigh >> distance;
  } else if (distance < 0) {
    low = shiftWideLow(high, low, -distance);
    high = -distance > 63 ? 0 : high >> -distance;
    exp = exponent<T>(c);
  }
  if (productNegative == cNegative) {
    const sum = low + addLow;
    return finishWide<T>(productNegative, exp, high + addHigh + <u64>(sum < low), sum, rounding);
  }
  if (high == addHigh && low == addLow) return withSign<T>(rounding == Rounding.RDN, 0);
  const productLarger = high > addHigh || (high == addHigh && low > addLow);
  const largeHigh = productLarger ? high : addHigh;
  const largeLow = productLarger ? low : addLow;
  const smallHigh = productLarger ? addHigh : high;
  const smallLow = productLarger ? addLow : low;
  return finishWide<T>(
    productLarger ? productNegative : cNegative,
    exp,
    largeHigh - smallHigh - <u64>(largeLow < smallLow),
    largeLow - smallLow,
    rounding,
  );
}

/** Low half of a 128-bit value shifted right by `by` ≥ 1, what is lost jammed into bit 0. */
function shiftWideLow(high: u64, low: u64, by: i32): u64 {
  if (by < 64) return (high << (64 - by)) | (low >> by) | <u64>(low << (64 - by) != 0);
  if (by == 64) return high | <u64>(low != 0);
  if (by < 128) return (high >> (by - 64)) | <u64>(high << (128 - by) != 0 || low != 0);
  return 1;
}

/** Rounds a nonzero 128-bit significand whose bit 126 has the weight 2^exp. */
function finishWide<T>(negative: bool, exp: i32, high: u64, low: u64, rounding: u32): u64 {
  if (high == 0) {
    const shift = <i32>clz(low);
    return round<T>(negative, exp - 63 - shift, low << shift, rounding);
  }
  const shift = <i32>clz(high);
  const sig = shift == 0 ? high : (high << shift) | (low >> (64 - shift));
  return round<T>(negative, exp + 1 - shift, sig | <u64>(low << shift != 0), rounding);
}

/**
 * IEEE 754 arithmetic by definition: every finite value is an exact fraction of BigInts, and rounding
 * is one function. Slow, and written without a thought of how the interpreter does it.
 */

export interface Format {
  readonly name: 's' | 'd';
  readonly bits: number;
  /** Bits of the fraction field. */
  readonly fraction: number;
  readonly bias: number;
}

export const SINGLE: Format = { name: 's', bits: 32, fraction: 23, bias: 127 };
export const DOUBLE: Format = { name: 'd', bits: 64, fraction: 52, bias: 1023 };

/** Rounding modes by their encoding. */
export const RM = { rne: 0, rtz: 1, rdn: 2, rup: 3, rmm: 4 } as const;
export const NX = 1;
export const UF = 2;
export const OF = 4;
export const DZ = 8;
export const NV = 16;

/** A raw result and the flags it raises. */
export interface Outcome {
  readonly bits: bigint;
  readonly flags: number;
}

const maxField = (f: Format): bigint => (1n << BigInt(f.bits - f.fraction - 1)) - 1n;
const signBit = (f: Format): bigint => 1n << BigInt(f.bits - 1);
export const infinity = (f: Format): bigint => maxField(f) << BigInt(f.fraction);
export const canonicalNaN = (f: Format): bigint => infinity(f) | (1n << BigInt(f.fraction - 1));
const withSign = (f: Format, negative: boolean, bits: bigint): bigint =>
  negative ? bits | signBit(f) : bits;

/** What the bits mean. Zero is a finite value with a sign. */
type Decoded =
  | { kind: 'nan'; signaling: boolean }
  | { kind: 'infinite'; negative: boolean }
  | { kind: 'finite'; negative: boolean; numerator: bigint; denominator: bigint };

export function decode(f: Format, bits: bigint): Decoded {
  const negative = (bits & signBit(f)) !== 0n;
  const field = (bits >> BigInt(f.fraction)) & maxField(f);
  const fraction = bits & ((1n << BigInt(f.fraction)) - 1n);
  if (field === maxField(f)) {
    if (fraction === 0n) return { kind: 'infinite', negative };
    return { kind: 'nan', signaling: fraction >> BigInt(f.fraction - 1) === 0n };
  }
  const significand = field === 0n ? fraction : fraction | (1n << BigInt(f.fraction));
  const exponent = (field === 0n ? 1 : Number(field)) - f.bias - f.fraction;
  return exponent >= 0
    ? { kind: 'finite', negative, numerator: significand << BigInt(exponent), denominator: 1n }
    : { kind: 'finite', negative, numerator: significand, denominator: 1n << BigInt(-exponent) };
}

/** Rounds numerator/denominator to a whole number; says whether it was exact. */
function roundWhole(
  numerator: bigint,
  denominator: bigint,
  negative: boolean,
  rm: number,
): { value: bigint; exact: boolean } {
  const whole = numerator / denominator;
  const rest = 2n * (numerator % denominator);
  const up = {
    [RM.rne]: rest > denominator || (rest === denominator && whole % 2n === 1n),
    [RM.rtz]: false,
    [RM.rdn]: negative && rest > 0n,
    [RM.rup]: !negative && rest > 0n,
    [RM.rmm]: rest >= denominator,
  }[rm];
  return { value: up === true ? whole + 1n : whole, exact: rest === 0n };
}

/** floor(log2(numerator/denominator)) of a positive fraction. */
function exponentOf(numerator: bigint, denominator: bigint): number {
  let e = numerator.toString(2).length - denominator.toString(2).length;
  const tooLarge = e >= 0 ? numerator < denominator << BigInt(e) : numerator << BigInt(-e) < denominator;
  if (tooLarge) e--;
  return e;
}

/** Multiples of 2^quantum nearest to a fraction. */
function roundTo(numerator: bigint, denominator: bigint, quantum: number, negative: boolean, rm: number) {
  return quantum >= 0
    ? roundWhole(numerator, denominator << BigInt(quantum), negative, rm)
    : roundWhole(numerator << BigInt(-quantum), denominator, negative, rm);
}

/** The nearest value of the format, by the rounding mode. `numerator` is 0 for an exact zero only. */
export function round(
  f: Format,
  negative: boolean,
  numerator: bigint,
  denominator: bigint,
  rm: number,
): Outcome {
  if (numerator === 0n) return { bits: withSign(f, negative, 0n), flags: 0 };
  const smallest = 1 - f.bias;
  const e = exponentOf(numerator, denominator);
  // Tininess after rounding: to full precision, as if the exponent had no limit.
  const unbounded = roundTo(numerator, denominator, e - f.fraction, negative, rm).value;
  const tiny = e < smallest && !(e === smallest - 1 && unbounded === 2n << BigInt(f.fraction));
  const quantum = Math.max(e, smallest) - f.fraction;
  const { value, exact } = roundTo(numerator, denominator, quantum, negative, rm);
  // value × 2^quantum: the significand's carry moves into the exponent field by itself.
  const bits = value + (BigInt(Math.max(e, smallest) - smallest) << BigInt(f.fraction));
  if (bits >= infinity(f)) {
    const away = { [RM.rne]: true, [RM.rtz]: false, [RM.rdn]: negative, [RM.rup]: !negative, [RM.rmm]: true }[
      rm
    ];
    return { bits: withSign(f, negative, away === true ? infinity(f) : infinity(f) - 1n), flags: OF | NX };
  }
  return { bits: withSign(f, negative, bits), flags: exact ? 0 : tiny ? UF | NX : NX };
}

const nan = (f: Format, invalid: boolean): Outcome => ({ bits: canonicalNaN(f), flags: invalid ? NV : 0 });

/** a × b + c, the base of the other operations. */
export function fma(f: Format, a: bigint, b: bigint, c: bigint, rm: number): Outcome {
  const [x, y, z] = [decode(f, a), decode(f, b), decode(f, c)];
  const isZero = (v: Decoded): boolean => v.kind === 'finite' && v.numerator === 0n;
  const noProduct = (x.kind === 'infinite' && isZero(y)) || (isZero(x) && y.kind === 'infinite');
  const anySignaling = [x, y, z].some((v) => v.kind === 'nan' && v.signaling);
  if (x.kind === 'nan' || y.kind === 'nan' || z.kind === 'nan') return nan(f, anySignaling || noProduct);
  if (noProduct) return nan(f, true);
  const negative = x.negative !== y.negative;
  if (x.kind === 'infinite' || y.kind === 'infinite') {
    if (z.kind === 'infinite' && z.negative !== negative) return nan(f, true);
    return { bits: withSign(f, negative, infinity(f)), flags: 0 };
  }
  if (z.kind === 'infinite') return { bits: c, flags: 0 };
  const product = x.numerator * y.numerator * (negative ? -1n : 1n);
  const denominator = x.denominator * y.denominator;
  const sum = product * z.denominator + z.numerator * denominator * (z.negative ? -1n : 1n);
  if (sum === 0n) {
    const bothZeroAlike = negative === z.negative;
    return { bits: withSign(f, bothZeroAlike ? negative : rm === RM.rdn, 0n), flags: 0 };
  }
  return round(f, sum < 0n, sum < 0n ? -sum : sum, denominator * z.denominator, rm);
}

const one = (f: Format): bigint => BigInt(f.bias) << BigInt(f.fraction);

export const add = (f: Format, a: bigint, b: bigint, rm: number): Outcome => fma(f, a, one(f), b, rm);

export const subtract = (f: Format, a: bigint, b: bigint, rm: number): Outcome =>
  add(f, a, b ^ signBit(f), rm);

export function multiply(f: Format, a: bigint, b: bigint, rm: number): Outcome {
  // An addend of the product's sign leaves it alone, zeros included.
  const negative = ((a ^ b) & signBit(f)) !== 0n;
  return fma(f, a, b, withSign(f, negative, 0n), rm);
}

export function divide(f: Format, a: bigint, b: bigint, rm: number): Outcome {
  const [x, y] = [decode(f, a), decode(f, b)];
  if (x.kind === 'nan' || y.kind === 'nan')
    return nan(f, (x.kind === 'nan' && x.signaling) || (y.kind === 'nan' && y.signaling));
  const negative = x.negative !== y.negative;
  if (x.kind === 'infinite')
    return y.kind === 'infinite' ? nan(f, true) : { bits: withSign(f, negative, infinity(f)), flags: 0 };
  if (y.kind === 'infinite') return { bits: withSign(f, negative, 0n), flags: 0 };
  if (y.numerator === 0n)
    return x.numerator === 0n ? nan(f, true) : { bits: withSign(f, negative, infinity(f)), flags: DZ };
  return round(f, negative, x.numerator * y.denominator, x.denominator * y.numerator, rm);
}

/** floor(√n), by Newton's method. */
function integerRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 1n << BigInt((n.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (x + n / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

export function squareRoot(f: Format, a: bigint, rm: number): Outcome {
  const x = decode(f, a);
  if (x.kind === 'nan') return nan(f, x.signaling);
  if (x.kind === 'finite' && x.numerator === 0n) return { bits: a, flags: 0 };
  if (x.negative) return nan(f, true);
  if (x.kind === 'infinite') return { bits: a, flags: 0 };
  // √(n/d) = √(n·d)/d; far more bits than any rounding looks at, and a half for "a little more".
  const scale = 256n;
  const square = (x.numerator * x.denominator) << (2n * scale);
  const root = integerRoot(square);
  const more = root * root === square ? 0n : 1n;
  return round(f, false, 2n * root + more, (2n * x.denominator) << scale, rm);
}

/** FCVT to an integer of `bits` bits, sign- or zero-extended from 32 bits as RV64 has it. */
export function toInteger(f: Format, a: bigint, bits: 32 | 64, isSigned: boolean, rm: number): Outcome {
  const x = decode(f, a);
  const least = isSigned ? -(1n << BigInt(bits - 1)) : 0n;
  const most = isSigned ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n;
  const register = (value: bigint): bigint =>
    BigInt.asUintN(64, bits === 32 ? BigInt.asIntN(32, value) : value);
  if (x.kind === 'nan') return { bits: register(most), flags: NV };
  if (x.kind === 'infinite') return { bits: register(x.negative ? least : most), flags: NV };
  const { value, exact } = roundWhole(x.numerator, x.denominator, x.negative, rm);
  const whole = x.negative ? -value : value;
  if (whole < least) return { bits: register(least), flags: NV };
  if (whole > most) return { bits: register(most), flags: NV };
  return { bits: register(whole), flags: exact ? 0 : NX };
}

export const fromInteger = (f: Format, value: bigint, rm: number): Outcome =>
  round(f, value < 0n, value < 0n ? -value : value, 1n, rm);

/** FCVT.S.D and FCVT.D.S. */
export function resize(from: Format, to: Format, a: bigint, rm: number): Outcome {
  const x = decode(from, a);
  if (x.kind === 'nan') return nan(to, x.signaling);
  if (x.kind === 'infinite') return { bits: withSign(to, x.negative, infinity(to)), flags: 0 };
  return round(to, x.negative, x.numerator, x.denominator, rm);
}

/** −1, 0, 1, or undefined if one is a NaN. */
function compare(f: Format, a: bigint, b: bigint): number | undefined {
  const value = (v: Decoded): [bigint, bigint] | undefined => {
    if (v.kind === 'nan') return undefined;
    if (v.kind === 'infinite') return [v.negative ? -(1n << 2000n) : 1n << 2000n, 1n];
    return [v.negative ? -v.numerator : v.numerator, v.denominator];
  };
  const x = value(decode(f, a));
  const y = value(decode(f, b));
  if (x === undefined || y === undefined) return undefined;
  const difference = x[0] * y[1] - y[0] * x[1];
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

const signaling = (f: Format, ...values: bigint[]): boolean =>
  values.some((each) => {
    const v = decode(f, each);
    return v.kind === 'nan' && v.signaling;
  });

export function equal(f: Format, a: bigint, b: bigint): Outcome {
  return { bits: compare(f, a, b) === 0 ? 1n : 0n, flags: signaling(f, a, b) ? NV : 0 };
}

export function less(f: Format, a: bigint, b: bigint, orEqual: boolean): Outcome {
  const order = compare(f, a, b);
  if (order === undefined) return { bits: 0n, flags: NV };
  return { bits: order < 0 || (orEqual && order === 0) ? 1n : 0n, flags: 0 };
}

export function extremum(f: Format, a: bigint, b: bigint, maximum: boolean): Outcome {
  const flags = signaling(f, a, b) ? NV : 0;
  const aNaN = decode(f, a).kind === 'nan';
  const bNaN = decode(f, b).kind === 'nan';
  if (aNaN || bNaN) return { bits: !aNaN ? a : !bNaN ? b : canonicalNaN(f), flags };
  let order = compare(f, a, b) ?? 0;
  // Equal values of different bits are zeros: the negative one is less.
  if (order === 0 && a !== b) order = (a & signBit(f)) !== 0n ? -1 : 1;
  return { bits: order < 0 !== maximum ? a : b, flags };
}

/** FCLASS. */
export function classify(f: Format, a: bigint): bigint {
  const v = decode(f, a);
  if (v.kind === 'nan') return v.signaling ? 1n << 8n : 1n << 9n;
  const subnormal = v.kind === 'finite' && (a & infinity(f)) === 0n;
  const position = v.kind === 'infinite' ? 0n : v.numerator === 0n ? 3n : subnormal ? 2n : 1n;
  return 1n << (v.negative ? position : 7n - position);
}

/** Numbers as C's atoi and atoll read them: the scenario language is defined by a C program. */

const LEADING_INT = /^[ \t\n\v\f\r]*([+-]?\d+)/;
const LONG_MAX = 2n ** 63n - 1n;
const LONG_MIN = -(2n ** 63n);

function toLong(text: string): bigint {
  const digits = LEADING_INT.exec(text)?.[1];
  if (digits === undefined) return 0n;
  const value = BigInt(digits);
  if (value > LONG_MAX) return LONG_MAX;
  return value < LONG_MIN ? LONG_MIN : value;
}

/** A leading integer, 0 if there is none; saturated to 64 bits, then cut to 32 as glibc does. */
export function atoi(text: string): number {
  return Number(BigInt.asIntN(32, toLong(text)));
}

/** A leading integer saturated to 64 bits, as the nearest number. */
export function atoll(text: string): number {
  return Number(toLong(text));
}

/** The sum of a time and what `atoll` reads, in 64 bits that wrap: one too far in the future lies in the past. */
export function addLong(base: number, text: string): number {
  return Number(BigInt.asIntN(64, BigInt(base) + toLong(text)));
}

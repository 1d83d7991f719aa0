/** The M extension's results that wasm has no instruction for, or for which it would trap. */

/** High 64 bits of an unsigned product. */
export function mulhu(a: u64, b: u64): u64 {
  const aLo = a & 0xffffffff;
  const aHi = a >> 32;
  const bLo = b & 0xffffffff;
  const bHi = b >> 32;
  const mid = aHi * bLo + ((aLo * bLo) >> 32);
  return aHi * bHi + (mid >> 32) + ((aLo * bHi + (mid & 0xffffffff)) >> 32);
}

@inline
export function mulh(a: i64, b: i64): i64 {
  return <i64>mulhu(a, b) - ((a >> 63) & b) - ((b >> 63) & a);
}

@inline
export function mulhsu(a: i64, b: u64): i64 {
  return <i64>mulhu(a, b) - ((a >> 63) & <i64>b);
}

@inline
export function div(a: i64, b: i64): i64 {
  if (b == 0) return -1;
  if (b == -1) return 0 - a;
  return a / b;
}

@inline
export function divu(a: u64, b: u64): u64 {
  return b == 0 ? ~0 : a / b;
}

@inline
export function rem(a: i64, b: i64): i64 {
  if (b == 0) return a;
  if (b == -1) return 0;
  return a % b;
}

@inline
export function remu(a: u64, b: u64): u64 {
  return b == 0 ? a : a % b;
}

@inline
export function divw(a: i32, b: i32): i32 {
  if (b == 0) return -1;
  if (b == -1) return 0 - a;
  return a / b;
}

@inline
export function divuw(a: u32, b: u32): u32 {
  return b == 0 ? ~0 : a / b;
}

@inline
export function remw(a: i32, b: i32): i32 {
  if (b == 0) return a;
  if (b == -1) return 0;
  return a % b;
}

@inline
export function remuw(a: u32, b: u32): u32 {
  return b == 0 ? a : a % b;
}

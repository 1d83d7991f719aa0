/** Deterministic operands for tests. */

/** xorshift64*: the same numbers in every run. */
export function random64(seed: bigint): () => bigint {
  let state = seed;
  return () => {
    state ^= BigInt.asUintN(64, state << 13n);
    state ^= state >> 7n;
    state ^= BigInt.asUintN(64, state << 17n);
    return state;
  };
}

const EDGES = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0x7fffn,
  0x8000n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_8000_0000n,
  0xffff_ffff_ffff_fffen,
  0xffff_ffff_ffff_ffffn,
];

/** Pairs of 64-bit operands: every pair of edge values, then random ones of all magnitudes. */
export function operandPairs(randomCount: number): [bigint, bigint][] {
  const pairs: [bigint, bigint][] = EDGES.flatMap((a) => EDGES.map((b): [bigint, bigint] => [a, b]));
  const next = random64(0x9e3779b97f4a7c15n);
  for (let i = 0; i < randomCount; i++) pairs.push([next() >> (next() & 63n), next() >> (next() & 63n)]);
  return pairs;
}

export const signed = (value: bigint): bigint => BigInt.asIntN(64, value);
export const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
/** Sign-extends the low 32 bits. */
export const sext32 = (value: bigint): bigint => BigInt.asUintN(64, BigInt.asIntN(32, value));
export const low32 = (value: bigint): bigint => BigInt.asUintN(32, value);

/**
 * Latencies in logarithmic buckets: eight to the octave, from 1 µs to 67 s. Bucket 0 holds everything below
 * 1 µs, the last one everything above.
 */
const PER_OCTAVE = 8;
const FIRST_NS = 1000;
export const BUCKETS = 26 * PER_OCTAVE + 2;

export function bucketOf(ns: number): number {
  if (!(ns >= FIRST_NS)) return 0;
  return Math.min(BUCKETS - 1, 1 + Math.floor(Math.log2(ns / FIRST_NS) * PER_OCTAVE));
}

/** Where bucket `i` begins, in ns. */
export const bucketStart = (i: number): number => (i === 0 ? 0 : FIRST_NS * 2 ** ((i - 1) / PER_OCTAVE));

/** Fewest samples under which a p99 would be one sample's accident. */
export const P99_MIN_N = 1000;

export interface Quantiles {
  readonly n: number;
  readonly p50: number | undefined;
  /** Undefined under P99_MIN_N samples. */
  readonly p99: number | undefined;
}

/** The q-quantile in ns of counts[first … first + BUCKETS), interpolated within its bucket. */
export function quantileOf(counts: ArrayLike<number>, q: number, n: number): number | undefined {
  if (n === 0) return undefined;
  let rank = q * n;
  for (let i = 0; i < BUCKETS; i++) {
    const c = counts[i] as number;
    if (c > 0 && rank <= c) {
      const low = bucketStart(i);
      return low + (bucketStart(i + 1) - low) * (rank / c);
    }
    rank -= c;
  }
  return bucketStart(BUCKETS - 1);
}

export function quantilesOf(counts: ArrayLike<number>): Quantiles {
  let n = 0;
  for (let i = 0; i < BUCKETS; i++) n += counts[i] as number;
  return {
    n,
    p50: quantileOf(counts, 0.5, n),
    p99: n < P99_MIN_N ? undefined : quantileOf(counts, 0.99, n),
  };
}

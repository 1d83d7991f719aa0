/**
 * Latencies in logarithmic buckets: eight to the octave, from 1 µs to 67 s. Bucket 0 holds everything below
 * 1 µs, the last one everything above.
 */
const PER_OCTAVE = 8;
const FIRST_NS = 1000;
export const BUCKETS = 26 * PER_OCTAVE + 2;

/** Cells of an octave's linear scale. Each holds one edge at most: eight to the octave are at least 0.09 apart. */
const CELLS = 64;
const CELL_BITS = 20 - Math.log2(CELLS);
/** The edges within an octave, 2^(1/8) … 2^(8/8), as the top 20 bits of a double's fraction, rounded up. */
const EDGES = Uint32Array.from({ length: PER_OCTAVE }, (_, i) =>
  Math.ceil((2 ** ((i + 1) / PER_OCTAVE) - 1) * 2 ** 20),
);
/** Edges below the beginning of each cell. */
const BELOW = Uint8Array.from(
  { length: CELLS },
  (_, cell) => EDGES.filter((edge) => edge <= cell << CELL_BITS).length,
);
const double = new Float64Array(1);
/** Its sign, exponent and top 20 bits of fraction are in the high word, on the little-endian machines browsers run on. */
const words = new Uint32Array(double.buffer);

/**
 * The bucket of a latency, from the bits of the number: a logarithm for each stage of each request would be the
 * dearest part of counting it. An edge is met to 2^-20 of its value.
 */
export function bucketOf(ns: number): number {
  if (!(ns >= FIRST_NS)) return 0;
  double[0] = ns / FIRST_NS;
  const high = words[1] as number;
  const fraction = high & 0xfffff;
  const below = BELOW[fraction >>> CELL_BITS] as number;
  const step = below + (fraction >= (EDGES[below] as number) ? 1 : 0);
  return Math.min(BUCKETS - 1, 1 + ((high >>> 20) - 1023) * PER_OCTAVE + step);
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

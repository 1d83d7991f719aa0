import type { SharedMemory } from './shared-memory.ts';

/**
 * A latency histogram in shared memory: u32 counts in buckets four to the octave, from 256 ns up, so that a
 * percentile is right within 25 %. One writer; any thread reads.
 *
 * Bucket 0 is everything under 256 ns; bucket i ≥ 1 starts at 64 ns · (4 + (i−1) mod 4) · 2^⌊(i−1)/4⌋. The
 * last one takes all that is longer than about 18 minutes.
 */
export const LATENCY_BUCKETS = 128;
export const LATENCY_HISTOGRAM_BYTES = LATENCY_BUCKETS * 4;
const FIRST_OCTAVE = 8;

/** Bucket of a latency in ns. */
export function latencyBucket(ns: number): number {
  if (!(ns >= 256)) return 0;
  if (ns < 0x8000_0000) {
    // Under two seconds, as nearly all are: in 32-bit integers.
    const whole = ns | 0;
    const octave = 31 - Math.clz32(whole);
    return 1 + (octave - FIRST_OCTAVE) * 4 + ((whole >>> (octave - 2)) & 3);
  }
  const octave = Math.floor(Math.log2(ns));
  const quarter = Math.floor(ns / 2 ** (octave - 2)) - 4;
  return Math.min(LATENCY_BUCKETS - 1, 1 + (octave - FIRST_OCTAVE) * 4 + quarter);
}

/** Where a bucket begins, in ns. */
export function latencyBucketStartNs(bucket: number): number {
  if (bucket === 0) return 0;
  return 64 * (4 + ((bucket - 1) & 3)) * 2 ** ((bucket - 1) >> 2);
}

/** Writer: counts one latency in the histogram at `addr`. */
export function recordLatency(mem: SharedMemory, addr: number, ns: number): void {
  const at = (addr >>> 2) + latencyBucket(ns);
  mem.u32[at] = (mem.u32[at] as number) + 1;
}

/** Any thread: how many latencies were counted. */
export function latencyCount(mem: SharedMemory, addr: number): number {
  let n = 0;
  for (let i = 0; i < LATENCY_BUCKETS; i++) n += mem.u32[(addr >>> 2) + i] as number;
  return n;
}

/** Any thread: the upper edge in ns of the bucket in which the quantile `q` (0…1) lies; undefined if empty. */
export function latencyQuantileNs(mem: SharedMemory, addr: number, q: number): number | undefined {
  const n = latencyCount(mem, addr);
  if (n === 0) return undefined;
  const rank = Math.max(1, Math.ceil(q * n));
  let seen = 0;
  for (let i = 0; i < LATENCY_BUCKETS; i++) {
    seen += mem.u32[(addr >>> 2) + i] as number;
    if (seen >= rank) return latencyBucketStartNs(i + 1);
  }
  return latencyBucketStartNs(LATENCY_BUCKETS);
}

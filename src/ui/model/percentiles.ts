import type { LatencyHistogram, Percentiles } from '../../engine/vm.ts';

/** Fewest samples for which a percentile is said at all: under these it would be one sample's accident. */
export const P99_MIN_N = 1000;
export const P999_MIN_N = 10_000;

/** Counts between two snapshots of one histogram; undefined when the buckets differ (another machine). */
export function histogramDelta(
  later: LatencyHistogram,
  earlier: LatencyHistogram | undefined,
): LatencyHistogram | undefined {
  if (earlier === undefined) return later;
  if (earlier.counts.length !== later.counts.length) return undefined;
  const counts = later.counts.map((n, i) => n - (earlier.counts[i] ?? 0));
  return counts.some((n) => n < 0) ? undefined : { edgesNs: later.edgesNs, counts };
}

/** Adds the counts of several histograms with the same buckets. */
export function histogramSum(histograms: readonly LatencyHistogram[]): LatencyHistogram | undefined {
  const [first, ...rest] = histograms;
  if (first === undefined) return undefined;
  const counts = [...first.counts];
  for (const other of rest) {
    if (other.counts.length !== counts.length) return undefined;
    other.counts.forEach((n, i) => {
      counts[i] = (counts[i] ?? 0) + n;
    });
  }
  return { edgesNs: first.edgesNs, counts };
}

/** The q-quantile in ns, interpolated within its bucket; undefined without samples. */
export function quantile(histogram: LatencyHistogram, q: number): number | undefined {
  const n = histogram.counts.reduce((sum, c) => sum + c, 0);
  if (n === 0) return undefined;
  let rank = q * n;
  for (const [i, c] of histogram.counts.entries()) {
    if (c > 0 && rank <= c) {
      const low = histogram.edgesNs[i] ?? 0;
      const high = histogram.edgesNs[i + 1] ?? low * 2;
      return low + (high - low) * (rank / c);
    }
    rank -= c;
  }
  return histogram.edgesNs.at(-1);
}

/** p50 and p99 of a histogram, p99 only with enough samples. */
export function percentilesOf(histogram: LatencyHistogram): Percentiles {
  const n = histogram.counts.reduce((sum, c) => sum + c, 0);
  return {
    n,
    p50: quantile(histogram, 0.5),
    p99: n < P99_MIN_N ? undefined : quantile(histogram, 0.99),
  };
}

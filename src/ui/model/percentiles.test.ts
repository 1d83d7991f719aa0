import { describe, expect, it } from 'vitest';
import { histogramDelta, histogramSum, percentilesOf, quantile } from './percentiles.ts';

const edgesNs = [0, 1000, 2000, 4000, 8000];

describe('histograms', () => {
  it('takes the difference of two snapshots', () => {
    const earlier = { edgesNs, counts: [1, 2, 0, 0, 0] };
    const later = { edgesNs, counts: [1, 5, 1, 0, 0] };
    expect(histogramDelta(later, earlier)?.counts).toEqual([0, 3, 1, 0, 0]);
    expect(histogramDelta(earlier, later), 'counts that fell belong to another machine').toBeUndefined();
  });
  it('adds queues', () => {
    expect(
      histogramSum([
        { edgesNs, counts: [1, 0, 0, 0, 0] },
        { edgesNs, counts: [2, 1, 0, 0, 0] },
      ])?.counts,
    ).toEqual([3, 1, 0, 0, 0]);
  });
  it('interpolates quantiles inside a bucket', () => {
    expect(quantile({ edgesNs, counts: [0, 10, 0, 0, 0] }, 0.5)).toBe(1500);
    expect(quantile({ edgesNs, counts: [0, 0, 0, 0, 0] }, 0.5)).toBeUndefined();
  });
  it('says p99 only from 1000 samples on', () => {
    expect(percentilesOf({ edgesNs, counts: [999, 0, 0, 0, 0] }).p99).toBeUndefined();
    expect(percentilesOf({ edgesNs, counts: [1000, 0, 0, 0, 0] }).p99).toBeCloseTo(990);
  });
});

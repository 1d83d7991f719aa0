import { expect, it } from 'vitest';
import {
  LATENCY_BUCKETS,
  LATENCY_HISTOGRAM_BYTES,
  latencyBucket,
  latencyBucketStartNs,
  latencyCount,
  latencyQuantileNs,
  recordLatency,
} from './latency-histogram.ts';
import { SharedMemory } from './shared-memory.ts';

const memory = (): SharedMemory =>
  new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));

it('each bucket begins where the one before ends', () => {
  for (let bucket = 1; bucket < LATENCY_BUCKETS; bucket++) {
    const start = latencyBucketStartNs(bucket);
    expect(latencyBucket(start), `start of ${bucket}`).toBe(bucket);
    expect(latencyBucket(start - 1), `just under ${bucket}`).toBe(bucket - 1);
  }
});

it('takes any number', () => {
  expect(latencyBucket(-5)).toBe(0);
  expect(latencyBucket(Number.NaN)).toBe(0);
  expect(latencyBucket(255.9)).toBe(0);
  expect(latencyBucket(Number.MAX_SAFE_INTEGER)).toBe(LATENCY_BUCKETS - 1);
});

it('answers quantiles from above, within a quarter', () => {
  const mem = memory();
  expect(latencyQuantileNs(mem, LATENCY_HISTOGRAM_BYTES, 0.5)).toBeUndefined();
  for (let i = 1; i <= 1000; i++) recordLatency(mem, LATENCY_HISTOGRAM_BYTES, i * 1000);
  expect(latencyCount(mem, LATENCY_HISTOGRAM_BYTES)).toBe(1000);
  for (const q of [0.5, 0.9, 0.99, 1]) {
    const exact = q * 1_000_000;
    const answer = latencyQuantileNs(mem, LATENCY_HISTOGRAM_BYTES, q) ?? 0;
    expect(answer).toBeGreaterThanOrEqual(exact);
    expect(answer).toBeLessThanOrEqual(exact * 1.25);
  }
});

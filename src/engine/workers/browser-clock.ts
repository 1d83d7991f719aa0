import type { Clock } from '../base/clock.ts';

/**
 * The monotonic clock of a page or worker, in ns since `epoch`.
 *
 * The `Performance` object is looked up once: in a worker of Chromium the global is an accessor that takes three times as
 * long as the reading itself, and every trace record and every wake is a reading.
 *
 * @param epoch ms since 1970 (`performance.timeOrigin + performance.now()`) at which it counts from 0
 */
export function createBrowserClock(epoch: number): Clock {
  const { performance } = globalThis;
  const origin = performance.timeOrigin - epoch;
  return { nowNs: () => (origin + performance.now()) * 1e6 };
}

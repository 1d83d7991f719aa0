import { BUCKETS, bucketOf, type Quantiles, quantilesOf } from './histogram.ts';
import { METRICS, metricOf } from './stages.ts';

/** Seconds of which latencies are summed up. */
export const WINDOW_SECONDS = 10;
const SECOND_NS = 1e9;

/** What is counted of a queue, per second and since the start. */
export const COUNTERS = [
  'kicks',
  'dispatches',
  'pops',
  'submits',
  'completes',
  'used',
  'interrupts',
  'suppressed',
  'acks',
  'bytes',
  'withoutKick',
  'errors',
] as const;
export type Counter = (typeof COUNTERS)[number];
const C = Object.fromEntries(COUNTERS.map((name, index) => [name, index])) as { [K in Counter]: number };

/** Counts and latencies of one virtqueue, over the last seconds and since the start. Times are host ns. */
export class QueueStats {
  readonly dev: number;
  readonly queue: number;
  readonly totals = new Float64Array(COUNTERS.length);
  /** Requests complete since the start, by metric, that had that metric. */
  readonly #counters = new Float64Array(COUNTERS.length * (WINDOW_SECONDS + 1));
  readonly #counts = new Uint32Array(METRICS.length * BUCKETS * (WINDOW_SECONDS + 1));
  #second = -1;

  constructor(dev: number, queue: number) {
    this.dev = dev;
    this.queue = queue;
  }

  count(time: number, counter: Counter, n = 1): void {
    const slot = this.#slot(time);
    const at = slot * COUNTERS.length + C[counter];
    this.#counters[at] = (this.#counters[at] as number) + n;
    this.totals[C[counter]] = (this.totals[C[counter]] as number) + n;
  }

  total(counter: Counter): number {
    return this.totals[C[counter]] as number;
  }

  /** Books the stages of a request whose moments start at `times[at]`. */
  latencies(time: number, times: ArrayLike<number>, at: number): void {
    const slot = this.#slot(time);
    for (let metric = 0; metric < METRICS.length; metric++) {
      const ns = metricOf(times, at, metric);
      if (Number.isNaN(ns)) continue;
      const cell = (slot * METRICS.length + metric) * BUCKETS + bucketOf(ns);
      this.#counts[cell] = (this.#counts[cell] as number) + 1;
    }
  }

  /** How often per second, over the last whole second before `now`. */
  rate(now: number, counter: Counter): number {
    const slot = this.#slot(now);
    const before = (slot + WINDOW_SECONDS) % (WINDOW_SECONDS + 1);
    return this.#counters[before * COUNTERS.length + C[counter]] as number;
  }

  /** Percentiles of a metric over the last WINDOW_SECONDS. */
  quantiles(now: number, metric: number): Quantiles {
    this.#slot(now);
    const sum = new Uint32Array(BUCKETS);
    for (let slot = 0; slot <= WINDOW_SECONDS; slot++) {
      const from = (slot * METRICS.length + metric) * BUCKETS;
      for (let i = 0; i < BUCKETS; i++) sum[i] = (sum[i] as number) + (this.#counts[from + i] as number);
    }
    return quantilesOf(sum);
  }

  /** The ring of seconds, moved on to `time`; what falls out of the window is cleared. */
  #slot(time: number): number {
    const second = Math.floor(time / SECOND_NS);
    const slots = WINDOW_SECONDS + 1;
    if (second > this.#second) {
      const steps = this.#second < 0 ? slots : Math.min(slots, second - this.#second);
      for (let i = 0; i < steps; i++) {
        const slot = (second - i) % slots;
        this.#counters.fill(0, slot * COUNTERS.length, (slot + 1) * COUNTERS.length);
        const perSlot = METRICS.length * BUCKETS;
        this.#counts.fill(0, slot * perSlot, (slot + 1) * perSlot);
      }
      this.#second = second;
    }
    // A record of a second that has passed still counts there, as long as that second is in the window.
    return Math.max(second, this.#second - WINDOW_SECONDS) % slots;
  }
}

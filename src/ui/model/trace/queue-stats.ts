import { BUCKETS, type Quantiles, quantilesOf } from './histogram.ts';
import { METRICS } from './stages.ts';

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
/** Index of a counter: `C.kicks`. */
export const C = Object.fromEntries(COUNTERS.map((name, index) => [name, index])) as {
  readonly [K in Counter]: number;
};

/** Counts and latencies of one virtqueue, over the last seconds and since the start. Times are host ns. */
export class QueueStats {
  readonly dev: number;
  readonly queue: number;
  readonly totals = new Float64Array(COUNTERS.length);
  /** Requests complete since the start, by metric, that had that metric. */
  readonly #counters = new Float64Array(COUNTERS.length * (WINDOW_SECONDS + 1));
  readonly #counts = new Uint32Array(METRICS.length * BUCKETS * (WINDOW_SECONDS + 1));
  #second = -1;
  /** The newest second as ns, and its slot: nearly all records belong there. */
  #from = Infinity;
  #until = -Infinity;
  #newest = 0;

  constructor(dev: number, queue: number) {
    this.dev = dev;
    this.queue = queue;
  }

  /** @param counter one of `C` */
  count(time: number, counter: number, n = 1): void {
    const at = this.#slot(time) * COUNTERS.length + counter;
    this.#counters[at] = (this.#counters[at] as number) + n;
    this.totals[counter] = (this.totals[counter] as number) + n;
  }

  total(counter: Counter): number {
    return this.totals[C[counter]] as number;
  }

  /** Books the stages of a request. @param buckets by metric; -1: it had none */
  latencies(time: number, buckets: ArrayLike<number>): void {
    const first = this.#slot(time) * METRICS.length * BUCKETS;
    for (let metric = 0; metric < METRICS.length; metric++) {
      const bucket = buckets[metric] as number;
      if (bucket < 0) continue;
      const cell = first + metric * BUCKETS + bucket;
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
    if (time >= this.#from && time < this.#until) return this.#newest;
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
      this.#from = second * SECOND_NS;
      this.#until = this.#from + SECOND_NS;
      this.#newest = second % slots;
    }
    // A record of a second that has passed still counts there, as long as that second is in the window.
    return Math.max(second, this.#second - WINDOW_SECONDS) % slots;
  }
}

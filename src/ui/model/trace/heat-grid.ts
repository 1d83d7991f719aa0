import { BUCKETS } from './histogram.ts';
import { METRICS } from './stages.ts';

/** Width of a column of the heat map, and how many are kept: two minutes. */
export const HEAT_COLUMN_NS = 250e6;
export const HEAT_COLUMNS = 480;

/** Complete requests counted by time (column) × latency (row), for each metric of one virtqueue. */
export class HeatGrid {
  /** Made with the first request: most queues are not a disk's. */
  #counts = new Uint32Array(0);
  /** Newest column, in units of HEAT_COLUMN_NS since the epoch. */
  newest = -1;

  /** @param buckets of the request, by metric; -1: it had none */
  add(time: number, buckets: ArrayLike<number>): void {
    const column = Math.floor(time / HEAT_COLUMN_NS);
    if (this.#counts.length === 0) this.#counts = new Uint32Array(METRICS.length * HEAT_COLUMNS * BUCKETS);
    if (column > this.newest) this.#advance(column);
    else if (column <= this.newest - HEAT_COLUMNS) return;
    const first = (column % HEAT_COLUMNS) * BUCKETS;
    for (let metric = 0; metric < METRICS.length; metric++) {
      const bucket = buckets[metric] as number;
      if (bucket < 0) continue;
      const cell = first + metric * HEAT_COLUMNS * BUCKETS + bucket;
      this.#counts[cell] = (this.#counts[cell] as number) + 1;
    }
  }

  count(metric: number, column: number, row: number): number {
    if (column > this.newest || column <= this.newest - HEAT_COLUMNS || column < 0) return 0;
    return this.#counts[this.#cell(metric, column, row)] as number;
  }

  #cell(metric: number, column: number, row: number): number {
    return (metric * HEAT_COLUMNS + (column % HEAT_COLUMNS)) * BUCKETS + row;
  }

  #advance(column: number): void {
    const steps = this.newest < 0 ? 0 : Math.min(HEAT_COLUMNS, column - this.newest);
    for (let i = 0; i < steps; i++) {
      for (let metric = 0; metric < METRICS.length; metric++) {
        const from = this.#cell(metric, column - i, 0);
        this.#counts.fill(0, from, from + BUCKETS);
      }
    }
    this.newest = column;
  }
}

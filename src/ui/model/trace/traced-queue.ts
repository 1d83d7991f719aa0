import { CountedStanding } from './counted-standing.ts';
import { HeatGrid } from './heat-grid.ts';
import { KickMemory } from './kick-memory.ts';
import { QueueStats } from './queue-stats.ts';
import type { TracedRequest } from './request-log.ts';
import { P } from './stages.ts';

/** What the trace says of one virtqueue, between two records. The request tracker's. */
export class TracedQueue {
  readonly dev: number;
  readonly queue: number;
  /** Taken and not filled, oldest first. */
  readonly open: TracedRequest[] = [];
  /** Filled, not yet published by a flush. */
  filled: TracedRequest[] = [];
  /** Published, and the decision whether to interrupt not yet seen. */
  flushed: TracedRequest[] = [];
  /** Of those that are not followed. */
  readonly counted = new CountedStanding();
  readonly kicks = new KickMemory();
  /** Host ns of the last request taken, and of the beginning of the dispatch that took it. */
  lastPop = -Infinity;
  lastDispatch = Number.NaN;
  readonly stats: QueueStats;
  readonly heat = new HeatGrid();
  /** It has carried requests of the block device; only these are stations of the flow. */
  block = false;

  constructor(dev: number, queue: number) {
    this.dev = dev;
    this.queue = queue;
    this.stats = new QueueStats(dev, queue);
  }

  /** How many requests stand at each point of the way now: taken, at the disk, finished but not published. */
  inFlight(): { readonly taken: number; readonly disk: number; readonly done: number } {
    let taken = 0;
    let disk = 0;
    let done = 0;
    for (const { times } of this.open) {
      if (!Number.isNaN(times[P.complete])) done++;
      else if (!Number.isNaN(times[P.submit])) disk++;
      else taken++;
    }
    const { counted } = this;
    return {
      taken: taken + Math.max(0, counted.open - counted.disk),
      disk: disk + Math.max(0, counted.disk),
      done,
    };
  }
}

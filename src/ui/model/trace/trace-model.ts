import type { TraceBatch, TraceGap } from '../../../engine/trace/drain.ts';
import { TRACE, TRACE_EVENTS } from '../../../engine/trace/schema.ts';
import { RecordWindow } from './record-window.ts';
import { RequestTracker } from './request-tracker.ts';
import { SliceTrack } from './slice-track.ts';

/** What a thread does as a whole, drawn behind its dispatches. */
export const STATE_AWAKE = 0;
export const STATE_BLOCKED = 1;
export const STATE_POLLING = 2;
export const STATE_NAMES = ['awake', 'blocked', 'busy polling'] as const;

const T = TRACE;
const ARGS = 5;
const MAX_GAPS = 4096;
/** Dispatches within dispatches that have a row of their own: the context's source, and the handler inside it. */
const MAX_DEPTH = 2;

/** One thread of the machine: a context or a hart. */
export interface Lane {
  readonly thread: number;
  /** STATE_* one after the other. */
  readonly states: SliceTrack;
  /** Dispatches by depth; `what` is the source's name number. */
  readonly dispatches: SliceTrack[];
  readonly gaps: TraceGap[];
  /** Dispatches under way, outermost first. */
  readonly open: { start: number; source: number }[];
  state: number;
  since: number;
  /** Records of this thread counted, and lost by its ring. */
  binned: number;
  lost: number;
}

export interface ModelOptions {
  /** Number of hart 0's thread. */
  readonly firstHart: number;
  readonly firstGsi: number;
  /** Records, slices per track and requests kept; powers of two. */
  readonly records?: number;
  readonly slices?: number;
  readonly requests?: number;
}

/**
 * All that is known from the trace, as a fold over its batches. Everything is counted; what is kept (records,
 * slices, complete requests) is a window over the newest.
 *
 * Invariant: `taken + lost = binned + lost`, where `binned` is the sum of `perEvent` and of the lanes' counts.
 */
export class TraceModel {
  readonly window: RecordWindow;
  readonly requests: RequestTracker;
  readonly lanes = new Map<number, Lane>();
  /** Records by event id; the last cell holds events this version does not know. */
  readonly perEvent = new Float64Array(TRACE_EVENTS.length + 1);
  binned = 0;
  lost = 0;
  /** Counted while the view was frozen, and therefore not kept. */
  notKept = 0;
  /** Times in which records were counted and not kept. */
  readonly frozen: { from: number; to: number; records: number }[] = [];
  /** Time of the newest record. */
  latest = 0;
  /** Time of the first record. */
  earliest = Number.NaN;
  /** Records and slices are kept. False: the view is frozen, everything is counted and nothing kept. */
  keep = true;
  readonly firstHart: number;
  readonly #slices: number;

  constructor(options: ModelOptions) {
    this.firstHart = options.firstHart;
    this.window = new RecordWindow(options.records ?? 1 << 20);
    this.#slices = options.slices ?? 1 << 17;
    this.requests = new RequestTracker(options.firstGsi, options.requests ?? 1 << 16);
  }

  /** Contexts in their order, then harts. */
  lanesInOrder(): Lane[] {
    return [...this.lanes.values()].toSorted((a, b) => a.thread - b.thread);
  }

  reduce(batch: TraceBatch): void {
    for (const gap of batch.gaps) {
      const lane = this.#lane(gap.thread);
      lane.lost += gap.lost;
      this.lost += gap.lost;
      lane.gaps.push(gap);
      if (lane.gaps.length > MAX_GAPS) lane.gaps.shift();
      // Begins and ends may be among what was lost: nothing is taken for open across a gap.
      lane.open.length = 0;
    }
    if (batch.count === 0) return;
    const { time, what, args } = batch;
    if (Number.isNaN(this.earliest)) this.earliest = time[0] as number;
    for (let i = 0; i < batch.count; i++) {
      const word = what[i] as number;
      const event = word & 0xffff;
      const known = Math.min(event, TRACE_EVENTS.length);
      this.perEvent[known] = (this.perEvent[known] as number) + 1;
      const lane = this.#lane(word >>> 16);
      lane.binned++;
      this.#slice(lane, time[i] as number, event, args, i * ARGS);
    }
    this.binned += batch.count;
    this.latest = Math.max(this.latest, time[batch.count - 1] as number);
    if (this.keep) this.window.append(batch);
    else this.#notKept(time[0] as number, time[batch.count - 1] as number, batch.count);
    this.requests.reduce(batch);
  }

  #notKept(from: number, to: number, records: number): void {
    this.notKept += records;
    const last = this.frozen.at(-1);
    // One span as long as nothing was kept in between.
    if (last !== undefined && this.window.end > 0 && this.window.timeOf(this.window.end - 1) <= last.from) {
      last.to = to;
      last.records += records;
    } else this.frozen.push({ from, to, records });
  }

  #lane(thread: number): Lane {
    let lane = this.lanes.get(thread);
    if (lane === undefined) {
      lane = {
        thread,
        states: new SliceTrack(this.#slices),
        dispatches: [],
        gaps: [],
        open: [],
        state: STATE_AWAKE,
        since: Number.NaN,
        binned: 0,
        lost: 0,
      };
      this.lanes.set(thread, lane);
    }
    return lane;
  }

  #slice(lane: Lane, t: number, event: number, args: Uint32Array, at: number): void {
    switch (event) {
      case T.source_dispatch_begin:
        lane.open.push({ start: t, source: args[at + 1] as number });
        return;
      case T.source_dispatch_end: {
        const open = lane.open.pop();
        if (open === undefined || lane.open.length >= MAX_DEPTH || !this.keep) return;
        (lane.dispatches[lane.open.length] ??= new SliceTrack(this.#slices)).add(open.start, t, open.source);
        return;
      }
      case T.context_poll_begin:
        lane.open.length = 0;
        this.#enter(lane, t, STATE_BLOCKED);
        return;
      case T.hart_wfi_begin:
        this.#enter(lane, t, STATE_BLOCKED);
        return;
      case T.context_poll_end:
      case T.hart_wfi_end:
      case T.run_poll_handlers_end:
        this.#enter(lane, t, STATE_AWAKE);
        return;
      case T.run_poll_handlers_begin:
        this.#enter(lane, t, STATE_POLLING);
        return;
      default:
        if (Number.isNaN(lane.since)) lane.since = t;
    }
  }

  #enter(lane: Lane, t: number, state: number): void {
    if (!Number.isNaN(lane.since) && this.keep) lane.states.add(lane.since, t, lane.state);
    lane.state = state;
    lane.since = t;
  }
}

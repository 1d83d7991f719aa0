import { TRACE_ARGS, type TraceBatch, type TraceGap } from '../../../engine/trace/drain.ts';
import { TRACE_EVENTS } from '../../../engine/trace/schema.ts';
import { RecordWindow } from './record-window.ts';
import { RequestTracker } from './request-tracker.ts';
import { roleByEvent } from './role-by-event.ts';
import { SliceTrack } from './slice-track.ts';

/** What a thread does as a whole, drawn behind its dispatches. */
export const STATE_AWAKE = 0;
export const STATE_BLOCKED = 1;
export const STATE_POLLING = 2;
export const STATE_NAMES = ['awake', 'blocked', 'busy polling'] as const;

/** What a record says of its thread, by event: most say nothing but that it was there. */
const NOTHING = 0;
const DISPATCH_BEGIN = 1;
const DISPATCH_END = 2;
const SLEEPS = 3;
const WAITS = 4;
const GOES_ON = 5;
const POLLS = 6;
const ROLE = roleByEvent({
  source_dispatch_begin: DISPATCH_BEGIN,
  source_dispatch_end: DISPATCH_END,
  context_poll_begin: SLEEPS,
  hart_wfi_begin: WAITS,
  context_poll_end: GOES_ON,
  hart_wfi_end: GOES_ON,
  run_poll_handlers_end: GOES_ON,
  run_poll_handlers_begin: POLLS,
});
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
  /** The same by number, for the records. */
  readonly #byThread: (Lane | undefined)[] = [];
  /** Records by event id; the last cell holds events this version does not know. */
  readonly perEvent = new Float64Array(TRACE_EVENTS.length + 1);
  binned = 0;
  /** Of these, events without a record, of requests that are not followed. */
  onlyCounted = 0;
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
    for (const { thread, event, n } of batch.counted) {
      this.perEvent[event] = (this.perEvent[event] as number) + n;
      this.#lane(thread).binned += n;
      this.binned += n;
      this.onlyCounted += n;
    }
    if (batch.count === 0) return;
    const { time, what } = batch;
    if (Number.isNaN(this.earliest)) this.earliest = time[0] as number;
    // Records of one thread come in rows: its lane is looked up once a row.
    let thread = -1;
    let lane: Lane | undefined;
    for (let i = 0; i < batch.count; i++) {
      const word = what[i] as number;
      const event = word & 0xffff;
      const known = Math.min(event, TRACE_EVENTS.length);
      this.perEvent[known] = (this.perEvent[known] as number) + 1;
      if (lane === undefined || word >>> 16 !== thread) {
        thread = word >>> 16;
        lane = this.#lane(thread);
      }
      lane.binned++;
      const role = ROLE[event] as number;
      if (role !== NOTHING) this.#slice(lane, role, batch, i);
      else if (Number.isNaN(lane.since)) lane.since = time[i] as number;
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
    let lane = this.#byThread[thread];
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
      this.#byThread[thread] = lane;
    }
    return lane;
  }

  /** @param i the record's number in the batch: its time, handed over, would be a number on the heap */
  #slice(lane: Lane, role: number, { time, args }: TraceBatch, i: number): void {
    const t = time[i] as number;
    switch (role) {
      case DISPATCH_BEGIN:
        lane.open.push({ start: t, source: args[i * TRACE_ARGS + 1] as number });
        return;
      case DISPATCH_END: {
        const open = lane.open.pop();
        if (open === undefined || lane.open.length >= MAX_DEPTH || !this.keep) return;
        (lane.dispatches[lane.open.length] ??= new SliceTrack(this.#slices)).add(open.start, t, open.source);
        return;
      }
      case SLEEPS:
        lane.open.length = 0;
        this.#enter(lane, t, STATE_BLOCKED);
        return;
      case WAITS:
        this.#enter(lane, t, STATE_BLOCKED);
        return;
      case GOES_ON:
        this.#enter(lane, t, STATE_AWAKE);
        return;
      case POLLS:
        this.#enter(lane, t, STATE_POLLING);
        return;
    }
  }

  #enter(lane: Lane, t: number, state: number): void {
    if (!Number.isNaN(lane.since) && this.keep) lane.states.add(lane.since, t, lane.state);
    lane.state = state;
    lane.since = t;
  }
}

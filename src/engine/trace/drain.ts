import type { SharedMemory } from '../base/shared-memory.ts';
import { TRACE_RECORD_BYTES, traceCountsAt, TraceRingLayout } from './ring.ts';
import { TRACE_EVENTS } from './schema.ts';

/** Arguments of a record. */
export const TRACE_ARGS = 5;

/**
 * Records of all threads in the order of their times, as columns. `count` of each column are valid, until the
 * next call of the one who made it.
 */
export interface TraceBatch {
  count: number;
  /** Host ns. */
  time: Float64Array;
  /** Event in the low half, thread in the high half. */
  what: Uint32Array;
  /** TRACE_ARGS for each record. */
  args: Uint32Array;
  /** Times in which a thread's ring was full. */
  gaps: TraceGap[];
  /** Events of which there is no record, of requests that are not followed; since the last batch. */
  counted: TraceCount[];
}

/** So many more events of a thread were only counted. */
export interface TraceCount {
  readonly thread: number;
  readonly event: number;
  readonly n: number;
}

/** A thread's ring was full: `lost` events between two of its records were dropped. */
export interface TraceGap {
  readonly thread: number;
  /** Host ns of the last record before. */
  readonly from: number;
  /** Host ns by which the ring had room again. */
  readonly to: number;
  readonly lost: number;
}

/** One ring, and how far it has been read. */
interface Cursor {
  readonly ring: number;
  readonly thread: number;
  /** Records it holds, a power of two; 0 before its thread has started. */
  capacity: number;
  /** Index of the next record to hand on. */
  next: number;
  /** The writer's index as last seen: records up to here are complete. */
  head: number;
  lost: number;
  /** Host ns of the record at `next`, Infinity if there is none. */
  time: number;
  /** Host ns of the newest complete record. */
  newest: number;
  /** Events only counted, as last seen, by event. */
  readonly counts: Uint32Array;
}

/**
 * Empties the rings of all threads and merges what was in them by time. The one reader of a machine's rings;
 * belongs to one thread.
 *
 * A thread takes the time before it publishes a record, so the newest few microseconds may still be
 * incomplete: `drain` hands on what is older than the time it is given and leaves the rest in the rings.
 */
export class TraceDrain {
  readonly #mem: SharedMemory;
  readonly #cursors: Cursor[];
  readonly #batch: TraceBatch;
  readonly #follow: number;
  /** Records handed on, events only counted, and records dropped by the writers, since the machine's start. */
  taken = 0;
  counted = 0;
  lost = 0;
  /** Largest share of a ring that was in use at the last drain: near 1, the reader is too slow. */
  fill = 0;

  /** @param follow the word by which the writers know how many requests are followed (TraceRingWriter) */
  constructor(mem: SharedMemory, rings: readonly number[], follow = 0) {
    this.#mem = mem;
    this.#follow = follow;
    this.#batch = {
      count: 0,
      time: new Float64Array(4096),
      what: new Uint32Array(4096),
      args: new Uint32Array(4096 * TRACE_ARGS),
      gaps: [],
      counted: [],
    };
    this.#cursors = rings.map((ring, thread) => {
      // ORDER: `tail` is ours alone; whoever read before us has gone.
      const tail = mem.load32(ring + TraceRingLayout.at.tail);
      const counts = new Uint32Array(TRACE_EVENTS.length);
      return {
        ring,
        thread,
        capacity: 0,
        next: tail,
        head: tail,
        lost: 0,
        time: Infinity,
        newest: 0,
        counts,
      };
    });
  }

  /** From now on one batch of requests of `oneOf` (a power of two) is followed, and the others' events only counted. */
  followOneOf(oneOf: number): void {
    if (this.#follow !== 0) this.#mem.store32(this.#follow, oneOf - 1);
  }

  /**
   * Takes the records whose time is at most `untilNs` out of the rings.
   *
   * @param nowNs the time of this call, at which a full ring has room again
   */
  drain(untilNs: number, nowNs = untilNs): TraceBatch {
    const batch = this.#batch;
    batch.gaps = [];
    batch.counted = [];
    batch.count = 0;
    this.fill = 0;
    let waiting = 0;
    const active: Cursor[] = [];
    for (const cursor of this.#cursors) {
      this.#look(cursor, nowNs);
      if (cursor.time > untilNs) continue;
      waiting += (cursor.head - cursor.next) >>> 0;
      active.push(cursor);
    }
    if (batch.time.length < waiting) growColumns(batch, waiting);
    this.#merge(active, untilNs);
    for (const { ring, next } of active) {
      // ORDER: pairs with the load of `tail` in TraceRingWriter.emit(): the records have been read, they may be overwritten.
      this.#mem.store32(ring + TraceRingLayout.at.tail, next);
    }
    this.taken += batch.count;
    return batch;
  }

  /** Sees what a ring holds, and what its writer had to drop. */
  #look(cursor: Cursor, nowNs: number): void {
    const mem = this.#mem;
    const { at } = TraceRingLayout;
    const { ring } = cursor;
    cursor.capacity = mem.load32(ring + at.capacity);
    if (cursor.capacity === 0) return; // its thread has not started
    this.#lookAtCounts(cursor);
    const { head: seen, newest: before } = cursor;
    // ORDER: pairs with the store of `head` in TraceRingWriter.emit(): a record is complete before it is counted.
    const head = mem.load32(ring + at.head);
    // Before `tail` moves: what was dropped until now was dropped after the record before `head`, if it is full.
    const lost = mem.load32(ring + at.lost);
    const newlyLost = (lost - cursor.lost) >>> 0;
    cursor.head = head;
    cursor.lost = lost;
    this.lost += newlyLost;
    const held = (head - cursor.next) >>> 0;
    if (held > 0) {
      cursor.time = this.#timeAt(cursor, cursor.next);
      cursor.newest = this.#timeAt(cursor, (head - 1) >>> 0);
      this.fill = Math.max(this.fill, held / cursor.capacity);
    }
    if (newlyLost === 0) return;
    const { thread, newest } = cursor;
    const gap =
      held >= cursor.capacity
        ? { thread, from: newest, to: Math.max(nowNs, newest), lost: newlyLost }
        : { thread, from: before, to: head === seen ? nowNs : this.#timeAt(cursor, seen), lost: newlyLost };
    this.#batch.gaps.push(gap);
  }

  #lookAtCounts({ ring, capacity, thread, counts }: Cursor): void {
    const first = ring + traceCountsAt(capacity);
    for (let event = 0; event < counts.length; event++) {
      const count = this.#mem.load32(first + event * 4);
      const n = (count - (counts[event] as number)) >>> 0;
      if (n === 0) continue;
      counts[event] = count;
      this.counted += n;
      this.#batch.counted.push({ thread, event, n });
    }
  }

  #timeAt({ ring, capacity }: Cursor, index: number): number {
    const addr = ring + TraceRingLayout.size + (index & (capacity - 1)) * TRACE_RECORD_BYTES;
    return this.#mem.f64[addr >>> 3] as number;
  }

  /** Merges by time; of equal times the lower thread's come first. */
  #merge(active: readonly Cursor[], untilNs: number): void {
    for (;;) {
      let next: Cursor | undefined;
      let nextTime = Infinity;
      let bound = Infinity;
      for (const cursor of active) {
        const { time } = cursor;
        if (time < nextTime) {
          bound = nextTime;
          nextTime = time;
          next = cursor;
        } else if (time < bound) bound = time;
      }
      if (next === undefined || nextTime > untilNs) return;
      this.#copy(next, bound, untilNs);
    }
  }

  /** Hands on the record at the cursor and all after it before `bound`, at which another thread's comes, and until `untilNs`. */
  #copy(cursor: Cursor, bound: number, untilNs: number): void {
    const { time, what, args } = this.#batch;
    const { f64, u32 } = this.#mem;
    const first = cursor.ring + TraceRingLayout.size;
    const slots = cursor.capacity - 1;
    const { head } = cursor;
    let { next, time: at } = cursor;
    let to = this.#batch.count;
    do {
      const word = (first + (next & slots) * TRACE_RECORD_BYTES) >>> 2;
      time[to] = at;
      what[to] = u32[word + 2] as number;
      const arg = to * TRACE_ARGS;
      args[arg] = u32[word + 3] as number;
      args[arg + 1] = u32[word + 4] as number;
      args[arg + 2] = u32[word + 5] as number;
      args[arg + 3] = u32[word + 6] as number;
      args[arg + 4] = u32[word + 7] as number;
      to++;
      next = (next + 1) >>> 0;
      at = next === head ? Infinity : (f64[(first + (next & slots) * TRACE_RECORD_BYTES) >>> 3] as number);
    } while (at < bound && at <= untilNs);
    cursor.next = next;
    cursor.time = at;
    this.#batch.count = to;
  }
}

/** Doubles columns until they hold `count` records. */
function growColumns(columns: Pick<TraceBatch, 'time' | 'what' | 'args'>, count: number): void {
  let capacity = Math.max(1024, columns.time.length);
  while (capacity < count) capacity *= 2;
  const { time, what, args } = columns;
  columns.time = new Float64Array(capacity);
  columns.what = new Uint32Array(capacity);
  columns.args = new Uint32Array(capacity * TRACE_ARGS);
  columns.time.set(time);
  columns.what.set(what);
  columns.args.set(args);
}

import type { SharedMemory } from '../base/shared-memory.ts';
import { TRACE_RECORD_BYTES, TraceRingLayout } from './ring.ts';

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

/** One ring's records that have been taken out of it and not been handed on. */
interface Stage {
  readonly ring: number;
  readonly thread: number;
  readonly capacity: number;
  time: Float64Array;
  what: Uint32Array;
  args: Uint32Array;
  first: number;
  end: number;
  head: number;
  lost: number;
  /** Time of the newest record taken. */
  newest: number;
}

/**
 * Empties the rings of all threads and merges what was in them by time. The one reader of a machine's rings;
 * belongs to one thread.
 *
 * A thread takes the time before it publishes a record, so the newest few microseconds may still be
 * incomplete: `drain` hands on what is older than the time it is given and keeps the rest for the next call.
 */
export class TraceDrain {
  readonly #mem: SharedMemory;
  readonly #stages: Stage[];
  readonly #batch: TraceBatch;
  /** Records taken out of the rings, and records dropped by the writers, since the machine's start. */
  taken = 0;
  lost = 0;
  /** Largest share of a ring that was in use at the last drain: near 1, the reader is too slow. */
  fill = 0;

  constructor(mem: SharedMemory, rings: readonly number[]) {
    this.#mem = mem;
    this.#batch = {
      count: 0,
      time: new Float64Array(4096),
      what: new Uint32Array(4096),
      args: new Uint32Array(4096 * TRACE_ARGS),
      gaps: [],
    };
    this.#stages = rings.map((ring, thread) => ({
      ring,
      thread,
      capacity: 0,
      time: new Float64Array(0),
      what: new Uint32Array(0),
      args: new Uint32Array(0),
      first: 0,
      end: 0,
      // ORDER: `tail` is ours alone; whoever read before us has gone.
      head: mem.load32(ring + TraceRingLayout.at.tail),
      lost: 0,
      newest: 0,
    }));
  }

  /**
   * Takes everything out of the rings and returns the records whose time is at most `untilNs`.
   *
   * @param nowNs the time of this call, at which a full ring has room again
   */
  drain(untilNs: number, nowNs = untilNs): TraceBatch {
    const batch = this.#batch;
    batch.gaps = [];
    this.fill = 0;
    let waiting = 0;
    for (const stage of this.#stages) {
      this.#take(stage, nowNs);
      waiting += stage.end - stage.first;
    }
    if (batch.time.length < waiting) growColumns(batch, waiting);
    batch.count = 0;
    this.#merge(untilNs);
    return batch;
  }

  #take(stage: Stage, nowNs: number): void {
    const mem = this.#mem;
    const { at } = TraceRingLayout;
    const capacity = mem.load32(stage.ring + at.capacity);
    if (capacity === 0) return; // its thread has not started
    // ORDER: pairs with the store of `head` in TraceRingWriter.emit(): a record is complete before it is counted.
    const head = mem.load32(stage.ring + at.head);
    const count = (head - stage.head) >>> 0;
    // Before `tail` moves: what was dropped until now was dropped after the record before `head`, if it is full.
    const lost = mem.load32(stage.ring + at.lost);
    const newlyLost = (lost - stage.lost) >>> 0;
    const before = stage.newest;
    if (count > 0) this.#copy(stage, count, capacity);
    // ORDER: pairs with the load of `tail` in TraceRingWriter.emit(): the records have been read, they may be overwritten.
    mem.store32(stage.ring + at.tail, head);
    stage.head = head;
    stage.lost = lost;
    this.taken += count;
    this.lost += newlyLost;
    this.fill = Math.max(this.fill, count / capacity);
    if (newlyLost === 0) return;
    const full = count >= capacity;
    const { thread } = stage;
    const gap = full
      ? { thread, from: stage.newest, to: Math.max(nowNs, stage.newest), lost: newlyLost }
      : { thread, from: before, to: stage.time[stage.end - count] ?? nowNs, lost: newlyLost };
    this.#batch.gaps.push(gap);
  }

  /** Moves `count` records from the ring behind those that wait in the stage. */
  #copy(stage: Stage, count: number, capacity: number): void {
    const waiting = stage.end - stage.first;
    if (stage.first > 0) {
      stage.time.copyWithin(0, stage.first, stage.end);
      stage.what.copyWithin(0, stage.first, stage.end);
      stage.args.copyWithin(0, stage.first * TRACE_ARGS, stage.end * TRACE_ARGS);
      stage.first = 0;
      stage.end = waiting;
    }
    if (stage.time.length < waiting + count) growColumns(stage, waiting + count);
    const { time, what, args } = stage;
    const { f64, u32 } = this.#mem;
    const records = stage.ring + TraceRingLayout.size;
    let to = stage.end;
    for (let i = 0; i < count; i++, to++) {
      const addr = records + ((stage.head + i) & (capacity - 1)) * TRACE_RECORD_BYTES;
      const word = (addr >>> 2) + 2;
      time[to] = f64[addr >>> 3] as number;
      what[to] = u32[word] as number;
      const arg = to * TRACE_ARGS;
      args[arg] = u32[word + 1] as number;
      args[arg + 1] = u32[word + 2] as number;
      args[arg + 2] = u32[word + 3] as number;
      args[arg + 3] = u32[word + 4] as number;
      args[arg + 4] = u32[word + 5] as number;
    }
    stage.end = to;
    stage.newest = time[to - 1] as number;
  }

  /** Merges by time; of equal times the lower thread's come first. */
  #merge(untilNs: number): void {
    const active = this.#stages.filter((stage) => stage.end > stage.first);
    for (;;) {
      let next: Stage | undefined;
      let nextTime = Infinity;
      let bound = Infinity;
      for (const stage of active) {
        if (stage.first === stage.end) continue;
        const time = stage.time[stage.first] as number;
        if (time < nextTime) {
          bound = nextTime;
          nextTime = time;
          next = stage;
        } else if (time < bound) bound = time;
      }
      if (next === undefined || nextTime > untilNs) return;
      // All of this thread's records up to the next thread's first.
      let end = next.first + 1;
      const limit = Math.min(bound, untilNs);
      while (end < next.end && (next.time[end] as number) < limit) end++;
      this.#append(next, end);
    }
  }

  #append(stage: Stage, end: number): void {
    const batch = this.#batch;
    const { first } = stage;
    batch.time.set(stage.time.subarray(first, end), batch.count);
    batch.what.set(stage.what.subarray(first, end), batch.count);
    batch.args.set(stage.args.subarray(first * TRACE_ARGS, end * TRACE_ARGS), batch.count * TRACE_ARGS);
    batch.count += end - first;
    stage.first = end;
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

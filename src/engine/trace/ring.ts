import type { Clock } from '../base/clock.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { struct } from '../base/struct.ts';
import { TRACE_EVENTS } from './schema.ts';
import type { Tracer } from './tracer.ts';

/** Head of a ring: one writer (a thread), one reader (the aggregator). Indexes count records and wrap at 2^32. */
export const TraceRingLayout = struct(
  'TraceRing',
  {
    head: 'u32',
    lost: 'u32',
    thread: 'u32',
    capacity: 'u32',
    spare0: 'bytes:48',
    tail: 'u32',
    spare1: 'bytes:60',
  },
  64,
);
/** One record. Times are host ns (Clock). */
export const TraceRecordLayout = struct(
  'TraceRecord',
  { time: 'f64', event: 'u16', thread: 'u16', a0: 'u32', a1: 'u32', a2: 'u32', a3: 'u32', a4: 'u32' },
  8,
);
export const TRACE_RECORD_BYTES = TraceRecordLayout.size;
const RECORD_WORDS = TRACE_RECORD_BYTES / 4;
/** Words of the enable mask all writers of a machine share: bit `id` of word `id >> 5`. */
export const TRACE_MASK_WORDS = 8;

/** A time before any record. */
const EARLIER = -1;
/** Looks at how full the ring is, per lap. */
const LOOKS = 4;

/** Where, after the ring's head and its records, the counts of events without a record are: 32 bits for each event. */
export const traceCountsAt = (capacity: number): number =>
  TraceRingLayout.size + capacity * TRACE_RECORD_BYTES;
const COUNTS_BYTES = Math.ceil((TRACE_EVENTS.length * 4) / 64) * 64;
/** Bytes a ring of `capacity` records (a power of two) takes, with its counts. */
export const traceRingBytes = (capacity: number): number => traceCountsAt(capacity) + COUNTS_BYTES;

/** Sets the mask to the events that are on at start. */
export function initTraceMask(mem: SharedMemory, maskAddr: number): void {
  for (let word = 0; word < TRACE_MASK_WORDS; word++) mem.store32(maskAddr + word * 4, 0);
  for (const event of TRACE_EVENTS) if (event.enabled) setTraceEnabled(mem, maskAddr, event.id, true);
}

/** Switches one event for all threads. Any thread. */
export function setTraceEnabled(mem: SharedMemory, maskAddr: number, event: number, on: boolean): void {
  const word = maskAddr + (event >>> 5) * 4;
  const bit = 1 << (event & 31);
  if (on) mem.or32(word, bit);
  else mem.and32(word, ~bit);
}

export const isTraceEnabled = (mem: SharedMemory, maskAddr: number, event: number): boolean =>
  (mem.load32(maskAddr + (event >>> 5) * 4) & (1 << (event & 31))) !== 0;

/**
 * The writing end. Belongs to one thread. A full ring drops the new record and counts it as lost, so that
 * records seen + lost = records emitted, always.
 */
export class TraceRingWriter implements Tracer {
  readonly #mem: SharedMemory;
  readonly #ring: number;
  readonly #clock: Clock;
  readonly #onName: (id: number, kind: string, name: string) => void;
  readonly #names = new Map<string, number>();
  // The fast path's constants. Views and word indexes are kept here: each hop less is a few ns per event.
  readonly #words: Uint32Array;
  readonly #times: Float64Array;
  readonly #maskWord: number;
  readonly #breakWord: number;
  readonly #onBreak: (event: number, args: readonly number[]) => void;
  readonly #firstWord: number;
  readonly #slots: number;
  readonly #threadBits: number;
  readonly #bell: number;
  readonly #followWord: number;
  readonly #countsWord: number;
  /** `head` has none of these bits when it is time to look how full the ring is. */
  readonly #betweenLooks: number;
  #head = 0;
  #tail = 0;
  #lost = 0;
  /** Time of the last record, ns. */
  #time = 0;

  /**
   * @param thread number of the writing thread, stored in every record
   * @param bell a word that counts how often a ring was found half full; who reads the rings may sleep on it
   * @param follow a word: how many batches of requests there are to each that is followed, less one (a power of two, less one)
   * @param breaks a second mask of events, and who is told of each of those at once, before it is written
   * @param onName told of each new name once (the worker posts it to the aggregator)
   */
  constructor(
    mem: SharedMemory,
    options: {
      ring: number;
      capacity: number;
      mask: number;
      thread: number;
      clock: Clock;
      bell?: number;
      follow?: number;
      breaks?: { mask: number; event: (event: number, args: readonly number[]) => void };
      onName?: (id: number, kind: string, name: string) => void;
    },
  ) {
    const { ring, capacity } = options;
    this.#mem = mem;
    this.#ring = ring;
    this.#clock = options.clock;
    this.#onName = options.onName ?? (() => {});
    this.#words = mem.u32;
    this.#times = mem.f64;
    this.#maskWord = options.mask >>> 2;
    this.#breakWord = options.breaks === undefined ? -1 : options.breaks.mask >>> 2;
    this.#onBreak = options.breaks?.event ?? (() => {});
    this.#firstWord = (ring + TraceRingLayout.size) >>> 2;
    this.#slots = capacity - 1;
    this.#threadBits = (options.thread << 16) >>> 0;
    this.#bell = options.bell ?? 0;
    this.#followWord = options.follow === undefined ? -1 : options.follow >>> 2;
    this.#countsWord = (ring + traceCountsAt(capacity)) >>> 2;
    this.#betweenLooks = capacity / LOOKS - 1;
    mem.store32(ring + TraceRingLayout.at.thread, options.thread);
    mem.store32(ring + TraceRingLayout.at.capacity, capacity);
    this.#head = mem.load32(ring + TraceRingLayout.at.head);
    this.#tail = mem.load32(ring + TraceRingLayout.at.tail);
    this.#lost = mem.load32(ring + TraceRingLayout.at.lost);
  }

  enabled(event: number): boolean {
    // A plain read: switching an event on or off may take a moment to be seen, and nothing depends on it.
    return ((this.#words[this.#maskWord + (event >>> 5)] as number) & (1 << (event & 31))) !== 0;
  }

  follows(batch: number): boolean {
    // A plain read, as of the mask: what is followed may change a moment later.
    if (this.#followWord < 0 || (batch & (this.#words[this.#followWord] as number)) === 0) return true;
    // Who waits for an event wants to see what led to it.
    return this.#breaksAnywhere();
  }

  emit(event: number, a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0): boolean {
    return this.emitAt(0, event, a0, a1, a2, a3, a4);
  }

  emitSame(event: number, a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0): boolean {
    // Earlier than the last record, so that one's time is taken: a time handed over would be a number on the heap.
    return this.emitAt(EARLIER, event, a0, a1, a2, a3, a4);
  }

  emitAt(at: number, event: number, a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0): boolean {
    return this.emitFor(true, at, event, a0, a1, a2, a3, a4);
  }

  emitFor(followed: boolean, at: number, event: number, a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0): boolean {
    const words = this.#words;
    if (((words[this.#maskWord + (event >>> 5)] as number) & (1 << (event & 31))) === 0) return false;
    if (
      this.#breakWord >= 0 &&
      ((words[this.#breakWord + (event >>> 5)] as number) & (1 << (event & 31))) !== 0
    )
      this.#onBreak(event, [a0, a1, a2, a3, a4]);
    // Also for a record, to which it adds nothing: on the day the first request is not followed, code that has never
    // counted would be thrown away by V8, and all of the disk's path that it was built into.
    const count = this.#countsWord + event;
    words[count] = (words[count] as number) + (followed ? 0 : 1);
    if (!followed) return false;
    const time = Math.max(this.#time, at === 0 ? this.#clock.nowNs() : at);
    this.#time = time;
    const head = this.#head;
    if ((head - this.#tail) >>> 0 > this.#slots && this.#isFull()) return false;
    const word = this.#firstWord + (head & this.#slots) * RECORD_WORDS;
    this.#times[word >>> 1] = time;
    words[word + 2] = event | this.#threadBits;
    words[word + 3] = a0;
    words[word + 4] = a1;
    words[word + 5] = a2;
    words[word + 6] = a3;
    words[word + 7] = a4;
    this.#head = (head + 1) >>> 0;
    // ORDER: pairs with the load of `head` in TraceDrain.drain(): a record is complete before it is counted.
    this.#mem.store32(this.#ring + TraceRingLayout.at.head, this.#head);
    if ((this.#head & this.#betweenLooks) === 0) this.#lookAtFill();
    return true;
  }

  #breaksAnywhere(): boolean {
    if (this.#breakWord < 0) return false;
    for (let word = 0; word < TRACE_MASK_WORDS; word++)
      if (this.#words[this.#breakWord + word] !== 0) return true;
    return false;
  }

  /** A reader that sleeps while little happens is woken when a burst has filled half of the ring. */
  #lookAtFill(): void {
    if (this.#bell === 0) return;
    this.#tail = this.#mem.load32(this.#ring + TraceRingLayout.at.tail);
    if ((this.#head - this.#tail) >>> 0 <= this.#slots >>> 1) return;
    this.#mem.add32(this.#bell, 1);
    this.#mem.notify32(this.#bell);
  }

  /** Looks whether the reader has made room; if not, the record about to be written is lost. */
  #isFull(): boolean {
    // ORDER: pairs with the store of `tail` in TraceDrain.drain(): what is overwritten has been read.
    this.#tail = this.#mem.load32(this.#ring + TraceRingLayout.at.tail);
    if ((this.#head - this.#tail) >>> 0 <= this.#slots) return false;
    this.#lost = (this.#lost + 1) >>> 0;
    this.#mem.store32(this.#ring + TraceRingLayout.at.lost, this.#lost);
    return true;
  }

  nameId(kind: string, name: string): number {
    const key = `${kind}\0${name}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const id = this.#names.size + 1;
    this.#names.set(key, id);
    this.#onName(id, kind, name);
    return id;
  }
}

/** What a ring has been through, for who only counts. Any thread; records are taken out by TraceDrain. */
export class TraceRingReader {
  readonly #mem: SharedMemory;
  readonly #ring: number;

  constructor(mem: SharedMemory, ring: number) {
    this.#mem = mem;
    this.#ring = ring;
  }

  /** Records dropped because the ring was full. */
  get lost(): number {
    return this.#mem.load32(this.#ring + TraceRingLayout.at.lost);
  }
  /** Events since the start that were not lost: those recorded and those only counted. */
  get written(): number {
    const { at } = TraceRingLayout;
    let written = this.#mem.load32(this.#ring + at.head);
    const capacity = this.#mem.load32(this.#ring + at.capacity);
    if (capacity === 0) return written; // its thread has not started
    const counts = this.#ring + traceCountsAt(capacity);
    for (let event = 0; event < TRACE_EVENTS.length; event++) written += this.#mem.load32(counts + event * 4);
    return written;
  }
}

import { assert } from './assert.ts';
import type { SharedMemory } from './shared-memory.ts';
import { struct } from './struct.ts';

/** Head of a byte ring; `head` and `tail` count bytes and wrap at 2^32. The bytes follow. */
export const ByteRingLayout = struct(
  'ByteRing',
  { head: 'u32', writer: 'u32', spare0: 'bytes:56', tail: 'u32', wanting: 'u32', spare1: 'bytes:56' },
  64,
);

/** Bytes of shared memory a ring of `capacity` bytes (a power of two) takes. */
export const byteRingBytes = (capacity: number): number => ByteRingLayout.size + capacity;

/**
 * A queue of bytes in shared memory: one thread takes, any thread puts (putting is serialised by a spin
 * lock, held for one copy). Zeroed memory is an empty ring.
 *
 *  - R1 bytes come out in the order they went in, each once.
 *  - R2 `put` takes what fits and says how much, `putWhole` takes all or nothing; nothing is dropped.
 *  - R3 after `wantSpace`, one `takeWanting` of the taker says so; a putter that looks at `free` again after
 *    `wantSpace` cannot miss the space that was made before.
 */
export class ByteRing {
  readonly capacity: number;
  readonly #mem: SharedMemory;
  readonly #ring: number;

  constructor(mem: SharedMemory, ring: number, capacity: number) {
    assert((capacity & (capacity - 1)) === 0, 'ByteRing: capacity is not a power of two');
    this.capacity = capacity;
    this.#mem = mem;
    this.#ring = ring;
  }

  /** Any thread: bytes waiting. */
  get used(): number {
    const at = ByteRingLayout.at;
    return (this.#mem.load32(this.#ring + at.head) - this.#mem.load32(this.#ring + at.tail)) >>> 0;
  }
  /** Any thread: bytes that would fit. */
  get free(): number {
    return this.capacity - this.used;
  }

  /** Any thread: appends as much as fits; returns how many bytes that was. */
  put(bytes: Uint8Array): number {
    this.#lock();
    const count = Math.min(bytes.length, this.free);
    this.#append(bytes, count);
    this.#unlock();
    return count;
  }

  /** Any thread: appends all of it, or nothing if it does not fit. */
  putWhole(bytes: Uint8Array): boolean {
    this.#lock();
    const fits = bytes.length <= this.free;
    if (fits) this.#append(bytes, bytes.length);
    this.#unlock();
    return fits;
  }

  #append(bytes: Uint8Array, count: number): void {
    const head = this.#mem.load32(this.#ring + ByteRingLayout.at.head);
    const data = this.#ring + ByteRingLayout.size;
    const start = head & (this.capacity - 1);
    const first = Math.min(count, this.capacity - start);
    this.#mem.u8.set(bytes.subarray(0, first), data + start);
    if (count > first) this.#mem.u8.set(bytes.subarray(first, count), data);
    // ORDER: pairs with the load of `head` in take() and peek(): the bytes are there before they count.
    this.#mem.store32(this.#ring + ByteRingLayout.at.head, (head + count) >>> 0);
  }

  /** Any thread: appends one byte; false if the ring is full. */
  putByte(value: number): boolean {
    this.#lock();
    const head = this.#mem.load32(this.#ring + ByteRingLayout.at.head);
    const fits = this.free > 0;
    if (fits) {
      this.#mem.u8[this.#ring + ByteRingLayout.size + (head & (this.capacity - 1))] = value;
      this.#mem.store32(this.#ring + ByteRingLayout.at.head, (head + 1) >>> 0);
    }
    this.#unlock();
    return fits;
  }

  /** Taker: the oldest byte, which stays; undefined if there is none. */
  peekByte(): number | undefined {
    if (this.used === 0) return undefined;
    const tail = this.#mem.load32(this.#ring + ByteRingLayout.at.tail);
    return this.#mem.u8[this.#ring + ByteRingLayout.size + (tail & (this.capacity - 1))];
  }

  /** Taker: removes the oldest byte; undefined if there is none. */
  takeByte(): number | undefined {
    const value = this.peekByte();
    if (value !== undefined) this.skip(1);
    return value;
  }

  /** Taker: copies the oldest bytes, as many as fit into `into`, without removing them; returns how many. */
  peek(into: Uint8Array): number {
    const tail = this.#mem.load32(this.#ring + ByteRingLayout.at.tail);
    const count = Math.min(into.length, this.used);
    const data = this.#ring + ByteRingLayout.size;
    const start = tail & (this.capacity - 1);
    const first = Math.min(count, this.capacity - start);
    into.set(this.#mem.u8.subarray(data + start, data + start + first));
    if (count > first) into.set(this.#mem.u8.subarray(data, data + count - first), first);
    return count;
  }

  /** Taker: removes `count` of the oldest bytes (at most `used`). */
  skip(count: number): void {
    // ORDER: pairs with the load of `tail` in put(): a byte has been read before its place is given away.
    this.#mem.add32(this.#ring + ByteRingLayout.at.tail, count);
  }

  /** Putter: asks to be told when there is space. Look at `free` again after it. */
  wantSpace(): void {
    this.#mem.store32(this.#ring + ByteRingLayout.at.wanting, 1);
  }
  /** Taker, after taking: has a putter asked for space since this last said yes? */
  takeWanting(): boolean {
    if (this.#mem.load32(this.#ring + ByteRingLayout.at.wanting) === 0) return false;
    return this.#mem.exchange32(this.#ring + ByteRingLayout.at.wanting, 0) !== 0;
  }

  /** Forgets everything. Only while nobody puts or takes. */
  clear(): void {
    this.#mem.store32(
      this.#ring + ByteRingLayout.at.tail,
      this.#mem.load32(this.#ring + ByteRingLayout.at.head),
    );
    this.#mem.store32(this.#ring + ByteRingLayout.at.wanting, 0);
  }

  #lock(): void {
    while (this.#mem.cas32(this.#ring + ByteRingLayout.at.writer, 0, 1) !== 0);
  }
  #unlock(): void {
    // ORDER: pairs with the compare-and-swap in #lock() of the next putter.
    this.#mem.store32(this.#ring + ByteRingLayout.at.writer, 0);
  }
}

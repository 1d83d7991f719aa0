import { assert } from './assert.ts';
import type { SharedMemory } from './shared-memory.ts';

/** Up to here a loop over bytes is faster than a view: headers, status bytes. */
const SHORT_BYTES = 64;

/**
 * A scatter/gather list over the machine's shared memory: pairs of (byte offset, length), QEMU's
 * QEMUIOVector. Offsets fit 32 bits, since the memory is at most 4 GiB. Adjacent pairs are joined as they
 * are added, so that a list of one element is one contiguous run. Plain data; belongs to one thread.
 */
export class IoVector {
  addrs: Uint32Array;
  lengths: Uint32Array;
  /** Elements in use. */
  count = 0;
  /** Sum of the lengths. */
  bytes = 0;

  constructor(capacity = 8) {
    this.addrs = new Uint32Array(capacity);
    this.lengths = new Uint32Array(capacity);
  }

  clear(): void {
    this.count = 0;
    this.bytes = 0;
  }

  /** Appends `length` bytes at memory offset `addr`; an empty piece is left out. */
  add(addr: number, length: number): void {
    if (length === 0) return;
    const last = this.count - 1;
    this.bytes += length;
    if (last >= 0) {
      const joined = (this.lengths[last] as number) + length;
      if ((this.addrs[last] as number) + (this.lengths[last] as number) === addr && joined <= 0xffffffff) {
        this.lengths[last] = joined;
        return;
      }
    }
    if (this.count === this.addrs.length) this.#grow();
    this.addrs[this.count] = addr;
    this.lengths[this.count] = length;
    this.count += 1;
  }

  /** Appends every piece of `other`. */
  addAll(other: IoVector): void {
    for (let i = 0; i < other.count; i++) this.add(other.addrs[i] as number, other.lengths[i] as number);
  }

  /** Appends `bytes` bytes of `other` from its byte `offset` on. */
  addSlice(other: IoVector, offset: number, bytes: number): void {
    assert(offset + bytes <= other.bytes, 'IoVector: slice beyond the end');
    let skip = offset;
    let left = bytes;
    for (let i = 0; left > 0; i++) {
      const length = other.lengths[i] as number;
      if (skip >= length) {
        skip -= length;
        continue;
      }
      const piece = Math.min(length - skip, left);
      this.add((other.addrs[i] as number) + skip, piece);
      left -= piece;
      skip = 0;
    }
  }

  /** Cuts the list off after `bytes` bytes. */
  truncate(bytes: number): void {
    while (this.bytes > bytes) {
      const last = this.count - 1;
      const excess = Math.min(this.bytes - bytes, this.lengths[last] as number);
      this.lengths[last] = (this.lengths[last] as number) - excess;
      this.bytes -= excess;
      if (this.lengths[last] === 0) this.count = last;
    }
  }

  /** Copies from byte `offset` of the list into `into`; returns bytes copied. */
  copyTo(mem: SharedMemory, into: Uint8Array, offset = 0): number {
    let at = 0;
    let skip = offset;
    for (let i = 0; i < this.count && at < into.length; i++) {
      const length = this.lengths[i] as number;
      if (skip >= length) {
        skip -= length;
        continue;
      }
      const addr = (this.addrs[i] as number) + skip;
      const piece = Math.min(length - skip, into.length - at);
      if (piece <= SHORT_BYTES) for (let b = 0; b < piece; b++) into[at + b] = mem.u8[addr + b] as number;
      else into.set(mem.u8.subarray(addr, addr + piece), at);
      at += piece;
      skip = 0;
    }
    return at;
  }

  /** Copies `from` into the list from its byte `offset` on; returns bytes copied. */
  copyFrom(mem: SharedMemory, from: Uint8Array, offset = 0): number {
    let at = 0;
    let skip = offset;
    for (let i = 0; i < this.count && at < from.length; i++) {
      const length = this.lengths[i] as number;
      if (skip >= length) {
        skip -= length;
        continue;
      }
      const piece = Math.min(length - skip, from.length - at);
      mem.u8.set(from.subarray(at, at + piece), (this.addrs[i] as number) + skip);
      at += piece;
      skip = 0;
    }
    return at;
  }

  /** Fills the whole list with zeroes. */
  fillZero(mem: SharedMemory): void {
    for (let i = 0; i < this.count; i++) {
      const addr = this.addrs[i] as number;
      mem.u8.fill(0, addr, addr + (this.lengths[i] as number));
    }
  }

  #grow(): void {
    const addrs = new Uint32Array(this.addrs.length * 2);
    const lengths = new Uint32Array(this.addrs.length * 2);
    addrs.set(this.addrs);
    lengths.set(this.lengths);
    this.addrs = addrs;
    this.lengths = lengths;
  }
}

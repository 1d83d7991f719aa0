import type { SharedMemory } from './shared-memory.ts';

/** Views kept, a power of two: more than a queue's worth of buffers that a driver uses again and again. */
const SLOTS = 512;
const HASH_SHIFT = 32 - Math.log2(SLOTS);

/**
 * Views of the shared memory by place and length, made once and used again. For file handles: a view made anew for each
 * 4 KiB request costs a tenth of its read, and as much again in garbage. One per thread; the views are everybody's, and
 * nobody's to keep.
 */
export class ViewCache {
  readonly #mem: SharedMemory;
  readonly #views: (Uint8Array | undefined)[] = Array.from({ length: SLOTS });
  readonly #addrs = new Uint32Array(SLOTS);
  readonly #lengths = new Uint32Array(SLOTS);

  constructor(mem: SharedMemory) {
    this.#mem = mem;
  }

  /** A view of `bytes` bytes at `addr`. */
  at(addr: number, bytes: number): Uint8Array {
    // Fibonacci hashing: buffers lie at multiples of some power of two.
    const slot = Math.imul(addr, 0x9e37_79b1) >>> HASH_SHIFT;
    const found = this.#views[slot];
    if (found !== undefined && this.#addrs[slot] === addr && this.#lengths[slot] === bytes) return found;
    const view = this.#mem.bytes(addr, bytes);
    this.#views[slot] = view;
    this.#addrs[slot] = addr;
    this.#lengths[slot] = bytes;
    return view;
  }
}

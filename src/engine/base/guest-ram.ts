import type { GuestAddr, MemAddr } from './brands.ts';

/** Where guest RAM is: plain data, so that every thread can be told. */
export interface GuestRamRange {
  /** Guest physical address of its first byte. */
  readonly base: GuestAddr;
  readonly bytes: number;
  /** Offset of its first byte in the machine's shared memory. */
  readonly offset: MemAddr;
}

/**
 * Maps guest physical addresses to offsets in the shared memory. Every access a device makes on a guest's
 * behalf passes here: what is not wholly inside RAM has no offset. Any thread.
 */
export class GuestRam {
  readonly range: GuestRamRange;
  readonly #base: number;
  readonly #bytes: number;
  readonly #offset: number;

  constructor(range: GuestRamRange) {
    this.range = range;
    this.#base = range.base;
    this.#bytes = range.bytes;
    this.#offset = range.offset;
  }

  /**
   * Offset of `length` bytes at the 64-bit guest address `high:low`, or −1 if any of them is outside RAM.
   * A sum never wraps: doubles are exact far beyond the end of RAM, and beyond 2^53 they only round upwards
   * of it.
   */
  translate(low: number, high: number, length: number): number {
    const at = high * 0x1_0000_0000 + low - this.#base;
    return at < 0 || at + length > this.#bytes ? -1 : this.#offset + at;
  }

  /** As `translate`, for an address in one number. */
  offsetOf(addr: number, length: number): number {
    const at = addr - this.#base;
    return at < 0 || at + length > this.#bytes ? -1 : this.#offset + at;
  }
}

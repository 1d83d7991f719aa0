import type { SharedMemory } from '../../base/shared-memory.ts';
import { MIP_MSIP } from '../../cpu/layout.ts';
import type { HartLines } from './hart-lines.ts';
import type { MmioDevice, MmioSize } from './mmio.ts';

// MSWI and MTIMER in the SiFive CLINT's layout (RISC-V ACLINT specification, "Backward compatibility").
const MSIP = 0x0000;
const MTIMECMP = 0x4000;
const MTIME = 0xbff8;

/** What the ACLINT needs of the harts. */
export interface AclintHarts {
  readonly count: number;
  readonly lines: HartLines;
  /** Guest time in ticks of 10 MHz; stands still while the machine is paused. Exact below 2^53. */
  timeTicks(): number;
  /** Byte offset of hart's u64 mtimecmp cell; the hart itself compares it with the time and raises MTIP. */
  mtimecmpAddr(hart: number): number;
  /** Tells the hart that its cell changed: it must look at it again, and wake if it sleeps. Any thread. */
  timerChanged(hart: number): void;
}

/** A tick count as a hart's cell holds it when no timer is armed. */
export const TIMER_NEVER = 0xffff_ffff;

/**
 * Core-local interrupts: machine software interrupts and the machine timer. Its state is the harts' own (the
 * msip lines and the mtimecmp cells), so it has no struct of its own apart from the msip words. mtime is
 * read-only here: it is the machine's time, which `time` reads as well.
 */
export class Aclint implements MmioDevice {
  readonly accessSizes = 4 | 8;
  readonly #mem: SharedMemory;
  readonly #msip: number;
  readonly #harts: AclintHarts;

  /** @param base `aclintBytes(harts)` bytes of shared memory, 64-byte aligned */
  constructor(mem: SharedMemory, base: number, harts: AclintHarts) {
    this.#mem = mem;
    this.#msip = base;
    this.#harts = harts;
  }

  /** Board reset: no software interrupt, no timer armed. No hart may be running. */
  reset(): void {
    for (let hart = 0; hart < this.#harts.count; hart++) {
      this.#setMsip(hart, 0);
      this.#setMtimecmp(hart, TIMER_NEVER, TIMER_NEVER);
    }
  }

  read(offset: number, _size: MmioSize): number {
    if (offset < MTIMECMP) {
      const hart = (offset - MSIP) >>> 2;
      return hart < this.#harts.count ? this.#mem.load32(this.#msip + hart * 4) : 0;
    }
    if (offset < MTIME) {
      const hart = (offset - MTIMECMP) >>> 3;
      return hart < this.#harts.count ? this.#mem.load32(this.#harts.mtimecmpAddr(hart) + (offset & 4)) : 0;
    }
    const ticks = this.#harts.timeTicks();
    if (offset === MTIME) return (ticks % 2 ** 32) >>> 0;
    return offset === MTIME + 4 ? Math.floor(ticks / 2 ** 32) >>> 0 : 0;
  }

  write(offset: number, _size: MmioSize, value: number): void {
    if (offset < MTIMECMP) {
      const hart = (offset - MSIP) >>> 2;
      if (hart < this.#harts.count) this.#setMsip(hart, value & 1);
    } else if (offset < MTIME) {
      const hart = (offset - MTIMECMP) >>> 3;
      if (hart >= this.#harts.count) return;
      const cell = this.#harts.mtimecmpAddr(hart);
      this.#mem.store32(cell + (offset & 4), value);
      this.#harts.timerChanged(hart);
    }
  }

  read64(offset: number): number | bigint {
    if (offset === MTIME) return this.#harts.timeTicks();
    return (BigInt(this.read(offset + 4, 4)) << 32n) | BigInt(this.read(offset, 4));
  }

  write64(offset: number, lo: number, hi: number): void {
    if (offset >= MTIMECMP && offset < MTIME) {
      const hart = (offset - MTIMECMP) >>> 3;
      if (hart < this.#harts.count) this.#setMtimecmp(hart, lo, hi);
      return;
    }
    this.write(offset, 4, lo);
    this.write(offset + 4, 4, hi);
  }

  #setMsip(hart: number, value: number): void {
    const word = this.#msip + hart * 4;
    this.#mem.store32(word, value);
    for (;;) {
      const now = this.#mem.load32(word);
      this.#harts.lines.set(hart, MIP_MSIP, now !== 0);
      // ORDER: pairs with the store above in another hart's thread: an IPI that crosses its
      // acknowledgement is not lost, since whoever sets the line last looks at the word after that.
      if (this.#mem.load32(word) === now) return;
    }
  }

  #setMtimecmp(hart: number, lo: number, hi: number): void {
    const cell = this.#harts.mtimecmpAddr(hart);
    // In this order no other thread ever sees a deadline earlier than both the old and the new one.
    this.#mem.store32(cell + 4, TIMER_NEVER);
    this.#mem.store32(cell, lo);
    this.#mem.store32(cell + 4, hi);
    this.#harts.timerChanged(hart);
  }
}

/** Bytes the ACLINT of `harts` harts takes in shared memory. */
export const aclintBytes = (harts: number): number => Math.ceil((harts * 4) / 64) * 64;

import type { Clock } from '../base/clock.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import {
  ATTENTION_EXIT,
  ATTENTION_FENCE,
  ATTENTION_IRQ,
  HART_ATTENTION,
  HART_FENCE_ACK,
  HART_FENCE_KIND,
  HART_FENCE_REQUEST,
  HART_IRQ_LINES,
  HART_SLEEPING,
  HART_WAKE,
} from '../cpu/layout.ts';
import type { HartLines } from './platform/hart-lines.ts';

/** Looks at a fence's acknowledgement before its requester sleeps: a running hart answers within some microseconds. */
const FENCE_SPINS = 500;
/** Longest sleep before the requester looks whether fences are asked of itself. The acknowledgement wakes it. */
const FENCE_WAIT_NS = 50_000;

/** Looks of a spinning hart between two readings of the clock. */
const LOOKS_PER_TIME = 32;

/**
 * The wires into the harts: interrupt lines, attention, remote fences, all through the shared words of each
 * hart's area. Any thread.
 */
export class HartWires implements HartLines {
  readonly #mem: SharedMemory;
  readonly #harts: readonly number[];

  /** @param harts byte offset of each hart's area */
  constructor(mem: SharedMemory, harts: readonly number[]) {
    this.#mem = mem;
    this.#harts = harts;
  }

  get count(): number {
    return this.#harts.length;
  }

  #area(hart: number): number {
    const area = this.#harts[hart];
    if (area === undefined) throw new RangeError(`no hart ${hart}`);
    return area;
  }

  /** Raises or lowers mip bits of a hart; a raise also wakes it from WFI. */
  set(hart: number, bits: number, level: boolean): void {
    const area = this.#area(hart);
    if (level) {
      this.#mem.or32(area + HART_IRQ_LINES, bits);
      this.attend(hart, ATTENTION_IRQ);
    } else {
      this.#mem.and32(area + HART_IRQ_LINES, ~bits);
      this.#mem.or32(area + HART_ATTENTION, ATTENTION_IRQ);
    }
  }

  /** Makes the hart look at what changed, waking it if it sleeps. */
  attend(hart: number, attention: number): void {
    const area = this.#area(hart);
    // ORDER: attention before wake before sleeping; pairs with sleep().
    this.#mem.or32(area + HART_ATTENTION, attention);
    this.#mem.add32(area + HART_WAKE, 1);
    if (this.#mem.load32(area + HART_SLEEPING) !== 0) this.#mem.notify32(area + HART_WAKE);
  }

  /** Gets a hart's thread out of `run` (pause, quit, reset). */
  interrupt(hart: number): void {
    this.attend(hart, ATTENTION_EXIT);
  }

  /** Asks a hart for a fence (FENCE_ bits); returns the number its acknowledgement will reach. */
  requestFence(hart: number, kind: number): number {
    const area = this.#area(hart);
    this.#mem.or32(area + HART_FENCE_KIND, kind);
    const ticket = (this.#mem.add32(area + HART_FENCE_REQUEST, 1) + 1) >>> 0;
    this.attend(hart, ATTENTION_FENCE);
    return ticket;
  }

  /** Has the hart carried out the fence with that number (modulo 2^32)? */
  fenceDone(hart: number, ticket: number): boolean {
    return ((this.#mem.load32(this.#area(hart) + HART_FENCE_ACK) - ticket) | 0) >= 0;
  }

  /** The requester's thread: waits a little for another hart's acknowledgement. */
  waitFence(target: number): void {
    const addr = this.#area(target) + HART_FENCE_ACK;
    const seen = this.#mem.load32(addr);
    for (let i = 0; i < FENCE_SPINS; i++) if (this.#mem.load32(addr) !== seen) return;
    this.#mem.wait32(addr, seen, FENCE_WAIT_NS);
  }

  /**
   * A hart's own thread: looks for attention again and again until there is some (true), or until the time `untilNs`.
   * Whoever gives it attention meanwhile need not wake it: it is not asleep.
   */
  spin(hart: number, clock: Clock, untilNs: number): boolean {
    const attention = this.#area(hart) + HART_ATTENTION;
    do {
      for (let i = 0; i < LOOKS_PER_TIME; i++) {
        if (this.#mem.load32(attention) !== 0) return true;
        this.#mem.pause();
      }
    } while (clock.nowNs() < untilNs);
    return false;
  }

  /**
   * A hart's own thread: sleeps until woken, at most `timeoutNs`, unless attention is due or `ready` says
   * that there is no need. Never loses a wake.
   */
  sleep(hart: number, timeoutNs: number, ready: () => boolean = () => false): void {
    const area = this.#area(hart);
    const ticket = this.#mem.load32(area + HART_WAKE);
    // ORDER: sleeping before the re-check; pairs with attend().
    this.#mem.store32(area + HART_SLEEPING, 1);
    if (this.#mem.load32(area + HART_ATTENTION) === 0 && !ready()) {
      this.#mem.wait32(area + HART_WAKE, ticket, timeoutNs);
    }
    this.#mem.store32(area + HART_SLEEPING, 0);
  }
}

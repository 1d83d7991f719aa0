import { struct } from './struct.ts';
import type { SharedMemory, WaitOutcome } from './shared-memory.ts';

/**
 * One per sleeping thread, on a cache line of its own. `posted` counts the messages ever posted to the
 * thread's ports (rpc.ts), so that a thread that yields knows whether some are still under way.
 */
export const WakeWordLayout = struct(
  'WakeWord',
  { seq: 'u32', sleeping: 'u32', control: 'u32', wakes: 'u32', futexWakes: 'u32', posted: 'u32' },
  64,
);

/** Control bits another thread may set; the owner's loop looks at them before it sleeps and after it wakes. */
export const CONTROL_YIELD = 1; // leave the loop, await one macrotask (ports, promises), re-enter
export const CONTROL_HOLD = 2; // dispatch nothing until cleared ("Hold this context")
export const CONTROL_QUIT = 4; // leave the loop for good
export const CONTROL_WAKE = 8; // leave the wait, or do not begin the next one (a GMainContext wakeup from afar)

/**
 * A futex word: the owner sleeps on it, any thread wakes it.
 *
 * Rules (tests bear the numbers):
 *  - W1 a wake between `prepareSleep` and `sleep` is never lost: `sleep` returns at once.
 *  - W2 a wake while the owner is awake costs one atomic add and no futex call.
 *  - W3 any number of wakes before one sleep coalesce into one return.
 *  - W4 a `sleepAsync` that is over takes no wake from a later `sleep`.
 */
export class WakeWord {
  readonly addr: number;
  readonly #mem: SharedMemory;

  constructor(mem: SharedMemory, addr: number) {
    this.#mem = mem;
    this.addr = addr;
  }

  /** Owner: announces that it is about to sleep; returns the ticket for `sleep`. Re-check every condition after. */
  prepareSleep(): number {
    const seq = this.#mem.load32(this.addr + WakeWordLayout.at.seq);
    // ORDER: pairs with the load of `sleeping` in wake(): either wake() sees it set, or sleep() sees seq changed.
    this.#mem.store32(this.addr + WakeWordLayout.at.sleeping, 1);
    return seq;
  }

  /** Owner: sleeps unless a wake came since `prepareSleep`. */
  sleep(ticket: number, timeoutNs: number): WaitOutcome {
    const outcome = this.#mem.wait32(this.addr + WakeWordLayout.at.seq, ticket, timeoutNs);
    this.#mem.store32(this.addr + WakeWordLayout.at.sleeping, 0);
    return outcome;
  }

  /**
   * Owner: as `sleep`, but promises go on meanwhile: for an owner that waits for one of them too. Undefined where
   * the surroundings have no such wait. `endSleepAsync` must follow.
   */
  sleepAsync(ticket: number, timeoutNs: number): Promise<unknown> | undefined {
    return this.#mem.waitAsync32(this.addr + WakeWordLayout.at.seq, ticket, timeoutNs);
  }

  /** Owner: the end of `sleepAsync`, whatever ended it. A waiter left behind would take a later sleeper's wake (W4). */
  endSleepAsync(): void {
    this.cancelSleep();
    this.#mem.notify32(this.addr + WakeWordLayout.at.seq);
  }

  /** Owner: goes back on `prepareSleep` without sleeping. */
  cancelSleep(): void {
    this.#mem.store32(this.addr + WakeWordLayout.at.sleeping, 0);
  }

  /** Any thread. Returns whether a sleeper had to be woken. */
  wake(): boolean {
    return wakeAt(this.#mem, this.addr);
  }

  /** Any thread: sets control bits and wakes the owner. */
  request(bits: number): void {
    this.#mem.or32(this.addr + WakeWordLayout.at.control, bits);
    this.wake();
  }
  /** Any thread: takes control bits back (ends a hold). */
  revoke(bits: number): void {
    this.#mem.and32(this.addr + WakeWordLayout.at.control, ~bits);
    this.wake();
  }
  get control(): number {
    return this.#mem.load32(this.addr + WakeWordLayout.at.control);
  }
  /** Owner: takes the given bits; returns those that were set. */
  takeControl(bits: number): number {
    return this.#mem.and32(this.addr + WakeWordLayout.at.control, ~bits) & bits;
  }
  /** Changes with every wake: an owner that spins compares it to see whether anything happened. */
  get sequence(): number {
    return this.#mem.load32(this.addr + WakeWordLayout.at.seq);
  }
  get isSleeping(): boolean {
    return this.#mem.load32(this.addr + WakeWordLayout.at.sleeping) !== 0;
  }
}

/** Wakes the owner of the wake word at `addr`; for holders of an address rather than an object. */
export function wakeAt(mem: SharedMemory, addr: number): boolean {
  mem.add32(addr + WakeWordLayout.at.seq, 1);
  // ORDER: pairs with the store of `sleeping` in prepareSleep().
  const isSleeping = mem.load32(addr + WakeWordLayout.at.sleeping) !== 0;
  if (isSleeping) mem.notify32(addr + WakeWordLayout.at.seq, 1);
  // Counted afterwards: the sleeper is on its way meanwhile.
  mem.add32(addr + WakeWordLayout.at.wakes, 1);
  if (isSleeping) mem.add32(addr + WakeWordLayout.at.futexWakes, 1);
  return isSleeping;
}

import type { Clock } from './clock.ts';
import type { SharedMemory } from './shared-memory.ts';
import { struct } from './struct.ts';
import { wakeAt } from './wake-word.ts';

/**
 * An eventfd in shared memory. `home` is the byte offset of the WakeWord of the thread that polls it
 * (0: nobody); `stamp` is the host time of the set that made it readable, for wake-to-dispatch figures.
 */
export const EventNotifierLayout = struct(
  'EventNotifier',
  { count: 'u32', home: 'u32', stamp: 'f64', sets: 'u32', spare: 'u32' },
  32,
);

/**
 * A counter any thread can raise and one thread polls: QEMU's EventNotifier, an ioeventfd, a GLib fd.
 * `fd` (its place in the machine's notifier table) is what a QContext uses as the fd number.
 *
 *  - E1 `set` before, during or after `setHome` is never lost: the count is sticky until cleared, and the
 *    new home must look at the count after it took over (or be kicked once).
 */
export class EventNotifier {
  /** Its place in the machine's notifier table: the fd number. */
  readonly fd: number;
  readonly addr: number;
  readonly #mem: SharedMemory;
  readonly #clock: Clock;

  constructor(mem: SharedMemory, clock: Clock, tableAddr: number, fd: number) {
    this.#mem = mem;
    this.#clock = clock;
    this.fd = fd;
    this.addr = tableAddr + fd * EventNotifierLayout.size;
  }

  /** Any thread: makes it readable and wakes whoever polls it; stamps the first set since the last clear. */
  set(): void {
    if (this.#mem.add32(this.addr + EventNotifierLayout.at.count, 1) === 0) {
      this.#mem.storeF64(this.addr + EventNotifierLayout.at.stamp, this.#clock.nowNs());
    }
    this.#mem.add32(this.addr + EventNotifierLayout.at.sets, 1);
    // ORDER: count before home; pairs with setHome(), which stores home before its caller reads count.
    const home = this.#mem.load32(this.addr + EventNotifierLayout.at.home);
    if (home !== 0) wakeAt(this.#mem, home);
  }

  /** Polling thread: takes the count; true if it was readable. */
  testAndClear(): boolean {
    return this.#mem.exchange32(this.addr + EventNotifierLayout.at.count, 0) !== 0;
  }

  /** Any thread: readable now? */
  isSet(): boolean {
    return this.#mem.load32(this.addr + EventNotifierLayout.at.count) !== 0;
  }

  /** Host time (ns) of the set that made it readable. Meaningful while it is readable. */
  get stampNs(): number {
    return this.#mem.loadF64(this.addr + EventNotifierLayout.at.stamp);
  }

  /** Times it was set since the machine was made. */
  get sets(): number {
    return this.#mem.load32(this.addr + EventNotifierLayout.at.sets);
  }

  /** Times it was set and cleared again: without what is still to be read. Polling thread. */
  get taken(): number {
    const pending = this.#mem.load32(this.addr + EventNotifierLayout.at.count);
    return (this.sets - pending) >>> 0;
  }

  /** The thread that will poll it: the byte offset of its WakeWord, or 0 for nobody. */
  setHome(wakeWordAddr: number): void {
    this.#mem.store32(this.addr + EventNotifierLayout.at.home, wakeWordAddr);
  }
  get home(): number {
    return this.#mem.load32(this.addr + EventNotifierLayout.at.home);
  }
}

import { VirtualClock } from '../base/clock.ts';
import { SharedMemory, type WaitOutcome } from '../base/shared-memory.ts';
import type { PollableNotifier } from './aio-interface.ts';
import type { ContextObserver } from './context-observer.ts';
import { GlibQContext } from './glib-qcontext.ts';
import { IO_IN, type PollSet } from './poll-fd.ts';

/**
 * Memory of a test in which no other thread has a part: a sleep without end would be the test's, too, and hang its runner.
 */
export class LoneThreadMemory extends SharedMemory {
  constructor() {
    super(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  }

  override wait32(addr: number, expected: number, timeoutNs: number): WaitOutcome {
    if (timeoutNs === Infinity && this.load32(addr) === expected)
      throw new Error('the thread falls asleep, and there is nobody to wake it');
    return super.wait32(addr, expected, timeoutNs);
  }
}

/** An event notifier for tests on one thread. */
export class FakeNotifier implements PollableNotifier {
  readonly fd: number;
  count = 0;
  stampNs = 0;
  #clock: VirtualClock | undefined;

  constructor(fd: number, clock?: VirtualClock) {
    this.fd = fd;
    this.#clock = clock;
  }

  set(): void {
    if (this.count++ === 0) this.stampNs = this.#clock?.nowNs() ?? 0;
  }

  testAndClear(): boolean {
    const was = this.count > 0;
    this.count = 0;
    return was;
  }

  isSet(): boolean {
    return this.count > 0;
  }
}

/**
 * A context on a virtual clock, for deterministic tests: a wait jumps to its end at once. The fds answer
 * what `conditions` says, or whether the notifier of that number is set.
 */
export class VirtualLoop {
  readonly clock = new VirtualClock(1_000_000_000);
  readonly context: GlibQContext;
  readonly conditions = new Map<number, number>();
  readonly notifiers = new Map<number, PollableNotifier>();
  /** Timeouts of the polls so far, in ms. */
  readonly polls: number[] = [];
  /** Runs within each poll, before the fds are looked at. */
  duringPoll: (() => void) | undefined;
  woken = false;

  constructor(observer?: ContextObserver, self?: () => unknown) {
    this.context = new GlibQContext({
      name: 'test',
      nowUs: () => Math.floor(this.clock.nowNs() / 1000),
      poll: (set, timeoutMs) => this.#poll(set, timeoutMs),
      wakeup: () => {
        this.woken = true;
      },
      ...(observer === undefined ? {} : { observer }),
      ...(self === undefined ? {} : { self }),
    });
  }

  notifier(fd: number): FakeNotifier {
    const notifier = new FakeNotifier(fd, this.clock);
    this.notifiers.set(fd, notifier);
    return notifier;
  }

  #poll(set: PollSet, timeoutMs: number): number {
    this.polls.push(timeoutMs);
    this.duringPoll?.();
    const ready = this.look(set);
    const sleeps = ready === 0 && !this.woken;
    this.woken = false;
    if (sleeps && timeoutMs > 0) this.clock.advance(timeoutMs * 1_000_000);
    return ready;
  }

  /** Fills in `revents` without waiting. */
  look(set: PollSet): number {
    let ready = 0;
    for (const entry of set.fds.slice(0, set.n)) {
      const set1 = this.notifiers.get(entry.fd)?.isSet() === true ? IO_IN : 0;
      entry.revents = (this.conditions.get(entry.fd) ?? set1) & (entry.events | 0x38);
      if (entry.revents !== 0) ready++;
    }
    return ready;
  }
}

import type {
  AioLoop,
  AioTimer,
  BottomHalf,
  EventNotifierHandlers,
  PollableNotifier,
} from '../../qcontext/aio-interface.ts';
import type { VirtualClock } from '../../base/clock.ts';

/** An AioLoop that a test turns by hand: no threads, no waiting, a virtual clock. */
export class ManualLoop implements AioLoop {
  readonly name: string;
  readonly #clock: VirtualClock;
  readonly #handlers = new Map<PollableNotifier, EventNotifierHandlers>();
  readonly #scheduled = new Set<() => void>();
  readonly #timers = new Set<{ deadline: number; callback: () => void }>();

  constructor(name: string, clock: VirtualClock) {
    this.name = name;
    this.#clock = clock;
  }

  assertHome(): void {}
  nowNs(): number {
    return this.#clock.nowNs();
  }
  setEventNotifier(notifier: PollableNotifier, handlers: EventNotifierHandlers | null): void {
    if (handlers === null) this.#handlers.delete(notifier);
    else this.#handlers.set(notifier, handlers);
  }
  bhNew(name: string, callback: () => void): BottomHalf {
    // A closure of its own, so that two bottom halves with one callback are told apart.
    const run = (): void => callback();
    return {
      name,
      schedule: () => void this.#scheduled.add(run),
      scheduleIdle: () => void this.#scheduled.add(run),
      cancel: () => void this.#scheduled.delete(run),
      delete: () => void this.#scheduled.delete(run),
    };
  }
  bhScheduleOneshot(name: string, callback: () => void): void {
    this.bhNew(name, callback).schedule();
  }
  timerNew(name: string, callback: () => void): AioTimer {
    const timer = { deadline: -1, callback };
    const timers = this.#timers;
    return {
      name,
      modNs: (deadline) => {
        timer.deadline = deadline;
        timers.add(timer);
      },
      del: () => void timers.delete(timer),
      get pending() {
        return timers.has(timer);
      },
      get expireNs() {
        return timers.has(timer) ? timer.deadline : -1;
      },
    };
  }

  /** Notifiers it listens to. */
  get handlerCount(): number {
    return this.#handlers.size;
  }

  /** The handlers of a notifier, to play the poll loop. */
  handlersOf(notifier: PollableNotifier): EventNotifierHandlers | undefined {
    return this.#handlers.get(notifier);
  }

  /** One iteration: bottom halves, ready notifiers, timers due. True if anything ran. */
  iterate(): boolean {
    let progress = false;
    const bottomHalves = [...this.#scheduled];
    this.#scheduled.clear();
    for (const run of bottomHalves) {
      run();
      progress = true;
    }
    for (const [notifier, handlers] of this.#handlers) {
      if (!notifier.isSet() || !this.#handlers.has(notifier)) continue;
      handlers.ioRead();
      progress = true;
    }
    for (const timer of this.#timers) {
      if (timer.deadline > this.#clock.nowNs()) continue;
      this.#timers.delete(timer);
      timer.callback();
      progress = true;
    }
    return progress;
  }

  /** Iterates until nothing is ready; more than `limit` iterations is a livelock and throws. */
  run(limit = 10_000): void {
    for (let i = 0; this.iterate(); i++) {
      if (i === limit) throw new Error(`${this.name}: still busy after ${limit} iterations`);
    }
  }
}

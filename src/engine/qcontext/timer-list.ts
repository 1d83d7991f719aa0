import type { Clock } from '../base/clock.ts';
import type { AioTimer } from './aio-interface.ts';

/** What a timer list tells its owner. */
export interface TimerListHooks {
  /** The earliest deadline has moved forward: a wait in progress may have to end sooner. */
  rearmed?(): void;
  fired?(name: string, lateNs: number): void;
  threw?(name: string, error: unknown): void;
  /** Asked before each: false leaves those that are due for the next run. */
  mayRun?(): boolean;
  /** Its callback has returned, or thrown. */
  ran?(name: string): void;
}

/**
 * Timers in nanoseconds on one clock, earliest first; of equal deadlines the one armed first runs first
 * (A9). A heap: arming and disarming cost O(log n). Home thread.
 */
export class TimerList {
  readonly #clock: Clock;
  readonly #hooks: TimerListHooks;
  readonly #heap: Timer[] = [];
  #armings = 0;

  constructor(clock: Clock, hooks: TimerListHooks = {}) {
    this.#clock = clock;
    this.#hooks = hooks;
  }

  timerNew(name: string, callback: () => void): AioTimer {
    return new Timer(this, name, callback);
  }

  /** Timers that are armed. */
  get size(): number {
    return this.#heap.length;
  }

  /** The earliest deadline on the clock, in ns; −1 if no timer is armed. */
  get nextNs(): number {
    return this.#heap[0]?.expireNs ?? -1;
  }

  /** Nanoseconds until the earliest deadline, 0 if it has passed, −1 if no timer is armed. */
  timeoutNs(): number {
    const next = this.#heap[0];
    return next === undefined ? -1 : Math.max(0, next.expireNs - this.#clock.nowNs());
  }

  /**
   * Runs all timers whose deadline has passed; true if there were any. The time is read once, so a
   * timer that re-arms itself ends its turn, unless it does so into the past.
   *
   * @param dueNs for a run that was interrupted: when it began, so that it ends where it would have
   */
  run(dueNs = Infinity): boolean {
    if (this.#heap.length === 0) return false;
    const now = this.#clock.nowNs();
    const until = Math.min(now, dueNs);
    let progress = false;
    for (let timer = this.#heap[0]; timer !== undefined && timer.expireNs <= until; timer = this.#heap[0]) {
      if (this.#hooks.mayRun?.() === false) return progress;
      const lateNs = now - timer.expireNs;
      this.disarm(timer);
      this.#hooks.fired?.(timer.name, lateNs);
      progress = true;
      try {
        timer.callback();
      } catch (error) {
        this.disarm(timer);
        this.#hooks.threw?.(timer.name, error);
      }
      this.#hooks.ran?.(timer.name);
    }
    return progress;
  }

  /** @internal */
  arm(timer: Timer, deadlineNs: number): void {
    this.#remove(timer);
    timer.expireNs = Math.max(0, deadlineNs);
    timer.order = this.#armings++;
    this.#heap.push(timer);
    timer.at = this.#heap.length - 1;
    this.#up(timer);
    if (timer.at === 0) this.#hooks.rearmed?.();
  }

  /** @internal */
  disarm(timer: Timer): void {
    this.#remove(timer);
    timer.expireNs = -1;
  }

  #remove(timer: Timer): void {
    if (timer.at < 0) return;
    const hole = timer.at;
    timer.at = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === timer) return;
    this.#place(last, hole);
    this.#up(last);
    this.#down(last);
  }

  #place(timer: Timer, at: number): void {
    this.#heap[at] = timer;
    timer.at = at;
  }

  #up(timer: Timer): void {
    for (;;) {
      const at = timer.at;
      const parent = this.#heap[(at - 1) >> 1];
      if (at === 0 || parent === undefined || !isBefore(timer, parent)) return;
      this.#place(timer, (at - 1) >> 1);
      this.#place(parent, at);
    }
  }

  #down(timer: Timer): void {
    for (;;) {
      const at = timer.at;
      const left = this.#heap[2 * at + 1];
      const right = this.#heap[2 * at + 2];
      const child = left !== undefined && right !== undefined && isBefore(right, left) ? right : left;
      if (child === undefined || !isBefore(child, timer)) return;
      const below = child.at;
      this.#place(child, at);
      this.#place(timer, below);
    }
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.expireNs < b.expireNs || (a.expireNs === b.expireNs && a.order < b.order);
}

class Timer implements AioTimer {
  readonly name: string;
  readonly callback: () => void;
  readonly #list: TimerList;
  expireNs = -1;
  /** Which arming this was: the tie-break between equal deadlines. */
  order = 0;
  /** Place in the heap; −1 = not armed. */
  at = -1;

  constructor(list: TimerList, name: string, callback: () => void) {
    this.#list = list;
    this.name = name;
    this.callback = callback;
  }

  get pending(): boolean {
    return this.at >= 0;
  }

  modNs(deadlineNs: number): void {
    this.#list.arm(this, deadlineNs);
  }

  del(): void {
    this.#list.disarm(this);
  }
}

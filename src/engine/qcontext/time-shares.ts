import type { Clock } from '../base/clock.ts';

/** What a context's thread is doing. */
export type LoopState = 'dispatching' | 'polling' | 'blocked' | 'yielded' | 'held';

/**
 * Accounts a thread's time to busy, polling and blocked. `changed` is told of each change of state, to
 * publish it where other threads can read it. Home thread.
 */
export class TimeShares {
  readonly #clock: Clock;
  readonly #changed: ((shares: TimeShares) => void) | undefined;
  state: LoopState = 'dispatching';
  /** When the present state began, on the clock in ns; the time since is not in the sums yet. */
  sinceNs: number;
  busyNs = 0;
  pollingNs = 0;
  /** Asleep, held, or away from the loop on a yield. */
  blockedNs = 0;

  constructor(clock: Clock, changed?: (shares: TimeShares) => void) {
    this.#clock = clock;
    this.#changed = changed;
    this.sinceNs = clock.nowNs();
  }

  /** @param now the present time, where the caller has just read the clock: in a browser that is not cheap */
  enter(state: LoopState, now = -1): void {
    if (state === this.state) return;
    this.#enter(state, now < 0 ? this.#clock.nowNs() : now);
  }

  #enter(state: LoopState, now: number): void {
    const spent = now - this.sinceNs;
    if (this.state === 'dispatching') this.busyNs += spent;
    else if (this.state === 'polling') this.pollingNs += spent;
    else this.blockedNs += spent;
    this.state = state;
    this.sinceNs = now;
    this.#changed?.(this);
  }
}

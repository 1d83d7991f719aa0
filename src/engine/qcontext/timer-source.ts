import type { Clock } from '../base/clock.ts';
import type { AioTimer } from './aio-interface.ts';
import { QSource } from './qsource.ts';
import { TimerList } from './timer-list.ts';

const NS_PER_MS = 1_000_000;

/**
 * A list of timers as a source, so that timers can be driven in any context. Home thread.
 */
export class TimerSource {
  readonly source: QSource;
  readonly #timers: TimerList;

  /** @param threw - told of a timer whose callback threw; it is not armed any more. */
  constructor(clock: Clock, name = 'timers', threw: (name: string, error: unknown) => void = () => {}) {
    this.#timers = new TimerList(clock, { rearmed: () => this.source.context?.wakeup(), threw });
    this.source = new QSource(
      {
        prepare: (_source, timeout) => {
          const ns = this.#timers.timeoutNs();
          if (ns > 0) {
            timeout.ns = ns;
            timeout.ms = Math.min(Math.ceil(ns / NS_PER_MS), 0x7fff_ffff);
          }
          return ns === 0;
        },
        check: () => this.#timers.timeoutNs() === 0,
        dispatch: () => {
          this.#timers.run();
          return true;
        },
      },
      name,
    );
  }

  timerNew(name: string, callback: () => void): AioTimer {
    return this.#timers.timerNew(name, callback);
  }

  /** The next deadline on the clock in ns; −1 = none. */
  get nextNs(): number {
    return this.#timers.nextNs;
  }
}

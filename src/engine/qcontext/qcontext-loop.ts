import { CONTROL_HOLD, CONTROL_QUIT, CONTROL_YIELD, type WakeWord } from '../base/wake-word.ts';
import { TRACE } from '../trace/schema.ts';
import { nullTracer, type Tracer } from '../trace/tracer.ts';
import type { QContext } from './qcontext.ts';
import type { TimeShares } from './time-shares.ts';

/** Why `run` returned: to let the surroundings work for a moment, or for good. */
export type LoopExit = 'yield' | 'quit';

export interface QContextLoopOptions {
  context: QContext;
  wake: WakeWord;
  /** Resolves after the surroundings had a turn: ports and promises have made progress. */
  macrotask: () => Promise<void>;
  /** True while messages posted to this thread are still under way: it stays yielded until they came. */
  isBehind?: (() => boolean) | undefined;
  shares?: TimeShares;
  tracer?: Tracer;
  index?: number;
}

/**
 * Runs a context on a thread of its own, under the control of its wake word's bits:
 *
 * | bit   | the loop                                                                     |
 * |-------|------------------------------------------------------------------------------|
 * | yield | leaves its wait, lets promises and ports run for a macrotask, and comes back |
 * | hold  | dispatches nothing until the bit is taken back                               |
 * | quit  | ends                                                                         |
 *
 * A thread that sleeps on a futex sees no messages and settles no promises, hence the yield (L1).
 */
export class QContextLoop {
  readonly #options: QContextLoopOptions;
  readonly #wake: WakeWord;
  readonly #tracer: Tracer;
  readonly #index: number;
  #outstanding = 0;

  constructor(options: QContextLoopOptions) {
    this.#options = options;
    this.#wake = options.wake;
    this.#tracer = options.tracer ?? nullTracer;
    this.#index = options.index ?? 0;
  }

  /**
   * Keeps the loop from sleeping until `promise` is settled: it yields instead whenever it would wait.
   * For work that only promises can do, like opening a file. Returns the promise. Home thread.
   */
  track<T>(promise: Promise<T>): Promise<T> {
    this.#outstanding++;
    const settled = (): void => {
      this.#outstanding--;
    };
    promise.then(settled, settled);
    return promise;
  }

  /** Iterates until asked to yield or quit. Blocks the thread. */
  run(): LoopExit {
    this.#options.shares?.enter('dispatching');
    for (;;) {
      const control = this.#wake.control;
      if ((control & CONTROL_QUIT) !== 0) return 'quit';
      if ((control & CONTROL_YIELD) !== 0) {
        this.#wake.takeControl(CONTROL_YIELD);
        return 'yield';
      }
      if ((control & CONTROL_HOLD) !== 0) {
        if (this.#outstanding > 0) return 'yield';
        this.#hold();
        continue;
      }
      const ready = this.#options.context.iterate(this.#outstanding === 0);
      if (!ready && this.#outstanding > 0) return 'yield';
    }
  }

  /** Runs until asked to quit, yielding to the surroundings in between. */
  async runUntilQuit(): Promise<void> {
    while (this.run() === 'yield') {
      this.#options.shares?.enter('yielded');
      this.#tracer.emit(TRACE.context_yield, this.#index);
      do {
        await this.#options.macrotask();
      } while (this.#options.isBehind?.() === true);
    }
  }

  /** Sleeps until the hold is over or something else is asked for. */
  #hold(): void {
    this.#options.shares?.enter('held');
    this.#tracer.emit(TRACE.context_hold, this.#index, 1);
    for (;;) {
      const ticket = this.#wake.prepareSleep();
      // ORDER: after the announcement; pairs with WakeWord.request and revoke.
      const control = this.#wake.control;
      if ((control & CONTROL_HOLD) === 0 || (control & (CONTROL_QUIT | CONTROL_YIELD)) !== 0) break;
      this.#wake.sleep(ticket, Infinity);
    }
    this.#wake.cancelSleep();
    this.#tracer.emit(TRACE.context_hold, this.#index, 0);
    this.#options.shares?.enter('dispatching');
  }
}

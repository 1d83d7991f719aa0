import { CONTROL_HOLD, CONTROL_QUIT, CONTROL_YIELD, type WakeWord } from '../base/wake-word.ts';
import { TRACE } from '../trace/schema.ts';
import { nullTracer, type Tracer } from '../trace/tracer.ts';
import type { Dispatched, DispatchGate } from './dispatch-gate.ts';
import type { LoopClock } from './loop-clock.ts';
import type { QContext } from './qcontext.ts';
import type { TimeShares } from './time-shares.ts';

/** Why `run` returned: to let the surroundings work for a moment, or until tracked work is done; or for good. */
export type LoopExit = 'yield' | 'await' | 'quit';

export interface QContextLoopOptions {
  context: QContext;
  wake: WakeWord;
  gate: DispatchGate;
  clock: LoopClock;
  /** Resolves after the surroundings had a turn: ports and promises have made progress. */
  macrotask: () => Promise<void>;
  /** True while messages posted to this thread are still under way: it stays yielded until they came. */
  isBehind?: (() => boolean) | undefined;
  /** Told when a hold begins, with the time in host ns, and with 0 when it is over. */
  heldChanged?: ((sinceNs: number) => void) | undefined;
  shares?: TimeShares;
  tracer?: Tracer;
  index?: number;
}

/** Iterations a step tries until one of them dispatches: the first may only collect (G13). */
const STEP_ITERATIONS = 2;

/** Timers are looked at this often while the loop waits for tracked work. */
const TRACKED_NS = 1_000_000;

/**
 * Runs a context on a thread of its own, under the control of its wake word's bits:
 *
 * | bit   | the loop                                                                     |
 * |-------|------------------------------------------------------------------------------|
 * | yield | leaves its wait, lets promises and ports run for a macrotask, and comes back |
 * | hold  | dispatches nothing until the bit is taken back, but for what is stepped      |
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
  #isHeld = false;
  /** The wake word's sequence before the last look at everything. */
  #ticket = 0;
  /** Told when tracked work is done, while the loop waits for that. */
  #onSettled: () => void = () => {};

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
      this.#onSettled();
    };
    promise.then(settled, settled);
    return promise;
  }

  /** Iterates until asked to yield or quit. Blocks the thread. */
  run(): LoopExit {
    const { clock } = this.#options;
    clock.inLoop = true;
    try {
      return this.#run();
    } finally {
      clock.inLoop = false;
    }
  }

  #run(): LoopExit {
    if (!this.#isHeld) this.#options.shares?.enter('dispatching');
    for (;;) {
      // ORDER: before control word and sources are looked at: what comes after is a reason not to wait (P1).
      this.#ticket = this.#wake.sequence;
      const control = this.#wake.control;
      if ((control & CONTROL_QUIT) !== 0) return 'quit';
      const held = (control & CONTROL_HOLD) !== 0;
      if (held !== this.#isHeld) this.#setHeld(held);
      if ((control & CONTROL_YIELD) !== 0) {
        this.#wake.takeControl(CONTROL_YIELD);
        return 'yield';
      }
      if (held) {
        if (this.#outstanding > 0) return 'await';
        this.#sleepHeld();
        continue;
      }
      // A hold that was over before it was seen here may have closed it.
      if (!this.#options.gate.isOpen) this.#reopen();
      const ready = this.#options.context.iterate(this.#outstanding === 0);
      if (!ready && this.#outstanding > 0) return 'await';
    }
  }

  /** Runs until asked to quit, yielding to the surroundings in between. */
  async runUntilQuit(): Promise<void> {
    for (let exit = this.run(); exit !== 'quit'; exit = this.run()) {
      // A held loop that answers messages is held all the while.
      if (!this.#isHeld) this.#options.shares?.enter('yielded');
      this.#tracer.emit(TRACE.context_yield, this.#index);
      if (exit === 'await') await this.#untilSomethingHappens();
      do {
        await this.#options.macrotask();
      } while (this.#options.isBehind?.() === true);
    }
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  /**
   * While held: one iteration of which at most `limit` callbacks are dispatched, and what they were. What was ready and
   * did not fit stays ready (H2, H3). Home thread, while the loop has yielded; dispatches nothing if it is not held.
   */
  step(limit: number): readonly Dispatched[] {
    const { gate, context, shares, clock } = this.#options;
    if (!this.#isHeld) return [];
    shares?.enter('dispatching');
    const start = clock.nowNs();
    let done: readonly Dispatched[] = [];
    for (let i = 0; i < STEP_ITERATIONS && done.length === 0; i++)
      done = gate.step(limit, () => void context.iterate(false));
    const ns = Math.min(Math.round(clock.nowNs() - start), 0xffff_ffff);
    this.#tracer.emit(TRACE.context_step, this.#index, done.length, ns);
    shares?.enter('held');
    return done;
  }

  #setHeld(held: boolean): void {
    const { shares, gate, clock, heldChanged } = this.#options;
    this.#isHeld = held;
    shares?.enter(held ? 'held' : 'dispatching');
    if (held) gate.close();
    else gate.open();
    this.#tracer.emit(TRACE.context_hold, this.#index, Number(held));
    heldChanged?.(held ? clock.nowNs() : 0);
  }

  #reopen(): void {
    this.#options.gate.open();
    this.#options.heldChanged?.(0);
  }

  /**
   * Tracked work is under way: leaves the core to whoever does it until it is done, this thread is woken or a
   * timer may be due. Without an asynchronous wait the loop turns on and on instead.
   */
  async #untilSomethingHappens(): Promise<void> {
    const settled = new Promise<void>((resolve) => {
      this.#onSettled = resolve;
    });
    this.#wake.prepareSleep();
    const woken = this.#wake.sleepAsync(this.#ticket, TRACKED_NS);
    if (woken !== undefined) await Promise.race([settled, woken]);
    this.#wake.endSleepAsync();
    this.#onSettled = () => {};
  }

  /** Sleeps until the hold is over or something else is asked for. */
  #sleepHeld(): void {
    for (;;) {
      const ticket = this.#wake.prepareSleep();
      // ORDER: after the announcement; pairs with WakeWord.request and revoke.
      const control = this.#wake.control;
      if ((control & CONTROL_HOLD) === 0 || (control & (CONTROL_QUIT | CONTROL_YIELD)) !== 0) break;
      this.#wake.sleep(ticket, Infinity);
    }
    this.#wake.cancelSleep();
    this.#options.clock.readNs();
  }
}

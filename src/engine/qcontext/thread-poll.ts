import type { WaitOutcome } from '../base/shared-memory.ts';
import { CONTROL_HOLD, CONTROL_QUIT, CONTROL_WAKE, CONTROL_YIELD, type WakeWord } from '../base/wake-word.ts';
import { SpinBackoff } from '../base/spin-backoff.ts';
import { TRACE } from '../trace/schema.ts';
import { nullTracer, type Tracer } from '../trace/tracer.ts';
import type { BusyPoller } from './busy-poller.ts';
import type { LoopClock } from './loop-clock.ts';
import { IO_IN, type PollFunc, type PollSet } from './poll-fd.ts';
import type { TimeShares } from './time-shares.ts';

const NS_PER_MS = 1_000_000;
/** Control bits that end a wait: the loop has to look at them. */
const INTERRUPTING = CONTROL_YIELD | CONTROL_HOLD | CONTROL_QUIT | CONTROL_WAKE;

export interface ThreadPollOptions {
  /** The word this thread sleeps on. */
  wake: WakeWord;
  clock: LoopClock;
  /** Whether the event notifier with that number is set. */
  isReadable: (fd: number) => boolean;
  /** Whether spinning can pay: false while more threads are awake than there are cores (A10). */
  maySpin?: (() => boolean) | undefined;
  shares?: TimeShares;
  tracer?: Tracer;
  /** Index of the context, for traces. */
  index?: number;
}

/**
 * The poll function of a context with a thread of its own. It looks at the counters of the fds, spins a
 * little if that has paid lately, and then sleeps on the thread's wake word:
 *
 * ```
 * look at fds ─▶ spin (busy pollers) ─▶ announce sleep ─▶ look again ─▶ futex wait ─▶ look at fds
 * ```
 *
 * A signal at any point of this is seen by one of the looks or ends the futex wait at once (P1). Home thread.
 */
export class ThreadPoll {
  readonly #options: ThreadPollOptions;
  readonly #wake: WakeWord;
  readonly #clock: LoopClock;
  readonly #tracer: Tracer;
  readonly #index: number;
  readonly #pollers = new Set<BusyPoller>();
  readonly #backoff = new SpinBackoff();
  #woken = false;
  /** The time at the end of the last spin, or before it where there was none. */
  #spunUntil = 0;

  constructor(options: ThreadPollOptions) {
    this.#options = options;
    this.#wake = options.wake;
    this.#clock = options.clock;
    this.#tracer = options.tracer ?? nullTracer;
    this.#index = options.index ?? 0;
  }

  /** Keeps the next wait from sleeping. Other threads request CONTROL_WAKE on the wake word instead. */
  wakeup(): void {
    this.#woken = true;
  }

  /** Asks `poller` before each sleep from now on. */
  addPoller(poller: BusyPoller): void {
    this.#pollers.add(poller);
  }

  removePoller(poller: BusyPoller): void {
    this.#pollers.delete(poller);
  }

  /** The poll function for a context. */
  readonly poll: PollFunc = (set, timeoutMs) => {
    let timeoutNs = timeoutMs < 0 ? -1 : timeoutMs * NS_PER_MS;
    if (timeoutMs !== 0 && set.timeoutNs >= 0 && (timeoutNs < 0 || set.timeoutNs < timeoutNs)) {
      timeoutNs = set.timeoutNs;
    }
    return this.wait(set, timeoutNs);
  };

  /** As `poll`, with nanoseconds (−1 = for ever, 0 = only look). */
  wait(set: PollSet, timeoutNs: number): number {
    const start = this.#clock.nowNs();
    const mayWait = !this.#takeWakeup() && timeoutNs !== 0;
    let ready = this.#look(set);
    let slept: WaitOutcome | null = null;
    if (!mayWait || ready > 0) {
      // Polled handlers are silent, so they must be looked at even if something else is ready.
      this.#lookAtPolled(start);
    } else {
      const endNs = timeoutNs < 0 ? Infinity : start + timeoutNs;
      if (!this.#spin(set, start, endNs)) slept = this.#sleep(set, this.#spunUntil, endNs);
      ready = this.#look(set);
    }
    // After the look, and anew: what is dispatched now must not seem to be so before it was signalled (T3).
    const end = ready > 0 || mayWait ? this.#clock.readNs() : start;
    if (slept !== null)
      this.#tracer.emitAt(end, TRACE.context_poll_end, this.#index, Number(slept !== 'timed-out'));
    for (const poller of this.#pollers) poller.waited(end - start);
    this.#options.shares?.enter('dispatching', end);
    return ready;
  }

  #look(set: PollSet): number {
    let ready = 0;
    for (let i = 0; i < set.n; i++) {
      const entry = set.fds[i];
      if (entry === undefined) break;
      const readable = (entry.events & IO_IN) !== 0 && this.#options.isReadable(entry.fd);
      entry.revents = readable ? IO_IN : 0;
      if (readable) ready++;
    }
    return ready;
  }

  #lookAtPolled(nowNs: number): boolean {
    let progress = false;
    for (const poller of this.#pollers) {
      if (poller.isPolling && poller.pollOnce(nowNs)) progress = true;
    }
    return progress;
  }

  /** Spins as long as that has paid lately; true if there is reason not to sleep. */
  #spin(set: PollSet, start: number, endNs: number): boolean {
    this.#spunUntil = start;
    if (this.#pollers.size === 0) return false;
    let maxNs = 0;
    if (this.#backoff.maySpin(start) && (this.#options.maySpin?.() ?? true)) {
      for (const poller of this.#pollers) maxNs = Math.max(maxNs, poller.pollNs);
    }
    const limitNs = Math.min(start + maxNs, endNs);
    let progress = false;
    if (limitNs > start) {
      this.#options.shares?.enter('polling');
      this.#tracer.emit(TRACE.run_poll_handlers_begin, this.#index, maxNs, toUs(endNs - start));
      const sequence = this.#wake.sequence;
      for (const poller of this.#pollers) poller.pollBegin();
      // After the begin: what came between it and the look is found by the look.
      let now = start;
      do {
        progress = this.#lookAtPolled(now);
        now = this.#clock.readNs();
      } while (!progress && now < limitNs && this.#wake.sequence === sequence);
      this.#spunUntil = now;
      this.#backoff.spun(progress || this.#wake.sequence !== sequence, now);
      for (const poller of this.#pollers) if (poller.dropIdle(now)) progress = true;
      this.#tracer.emit(TRACE.run_poll_handlers_end, this.#index, Number(progress), toUs(endNs - now));
      // A wake means that an fd is ready, or that the control word has news: no sleep either.
      if (progress || (this.#wake.sequence !== sequence && this.#look(set) > 0)) return true;
    }
    for (const poller of this.#pollers) if (poller.pollEnd()) progress = true;
    return progress;
  }

  /**
   * Returns null if there was no sleep.
   * @param now the time as last read; what has passed since makes a sleep that much longer, no more
   */
  #sleep(set: PollSet, now: number, endNs: number): WaitOutcome | null {
    const ticket = this.#wake.prepareSleep();
    // ORDER: the announcement before these looks; pairs with EventNotifier.set and WakeWord.request, which
    // change the counter or the control word before they look whether anyone sleeps (P1).
    if (this.#isInterrupted() || this.#look(set) > 0) {
      this.#wake.cancelSleep();
      return null;
    }
    if (now >= endNs) {
      this.#wake.cancelSleep();
      return null;
    }
    this.#options.shares?.enter('blocked', now);
    this.#tracer.emit(TRACE.context_poll_begin, this.#index, toUs(endNs - now));
    const outcome = this.#wake.sleep(ticket, endNs - now);
    this.#takeWakeup();
    return outcome;
  }

  #isInterrupted(): boolean {
    return this.#woken || (this.#wake.control & INTERRUPTING) !== 0;
  }

  /** Takes the wakeups that have come; true if there is any reason not to wait. */
  #takeWakeup(): boolean {
    const interrupted = this.#isInterrupted();
    this.#woken = false;
    if (interrupted && (this.#wake.control & CONTROL_WAKE) !== 0) this.#wake.takeControl(CONTROL_WAKE);
    return interrupted;
  }
}

/** Microseconds for a trace argument: saturated, so that "for ever" is the largest number. */
function toUs(ns: number): number {
  return Math.min(0xffff_ffff, Math.max(0, Math.floor(ns / 1000)));
}

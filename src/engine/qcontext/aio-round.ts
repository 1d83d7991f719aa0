import type { Clock } from '../base/clock.ts';
import type { AioHandler } from './aio-handler.ts';
import type { BottomHalves } from './bottom-halves.ts';
import type { DispatchGate } from './dispatch-gate.ts';
import type { TimerList } from './timer-list.ts';

/** Parts of one poll, in the order of A5; a closed gate interrupts between any two callbacks. */
const BOTTOM_HALVES = 0;
const HANDLERS = 1;
const TIMERS = 2;

export interface AioRoundOptions {
  readonly bottomHalves: BottomHalves;
  readonly timers: TimerList;
  readonly clock: Clock;
  readonly gate: DispatchGate | undefined;
}

/**
 * The dispatching part of an AioContext's poll: bottom halves, then ready handlers, then timers. When the gate closes
 * within it, the next one goes on there with what was ready then, so that by single steps everybody gets a turn (H3).
 * Home thread.
 */
export class AioRound {
  readonly #options: AioRoundOptions;
  #resumeAt = BOTTOM_HALVES;
  /** Of an interrupted round: the handlers that were ready and have not run. */
  #handlersLeft: readonly AioHandler[] | null = null;
  /** Of an interrupted round: when its timers' turn began. */
  #dueNs = 0;

  constructor(options: AioRoundOptions) {
    this.#options = options;
  }

  /** True on progress. @param dispatch runs a handler if it is ready; true if it was */
  run(all: readonly AioHandler[], dispatch: (handler: AioHandler) => boolean): boolean {
    const { bottomHalves, timers, clock, gate } = this.#options;
    const from = this.#resumeAt;
    const handlers = this.#handlersLeft ?? all;
    // Whole unless interrupted below: a callback may poll again, and that poll is a round of its own.
    this.#resumeAt = BOTTOM_HALVES;
    this.#handlersLeft = null;
    let progress = false;
    if (from === BOTTOM_HALVES) {
      progress = bottomHalves.poll();
      if (bottomHalves.isInterrupted) return progress;
    }
    if (from !== TIMERS) {
      let left: AioHandler[] | null = null;
      for (const handler of handlers) {
        if (left === null && gate?.isOpen !== false) {
          if (dispatch(handler)) progress = true;
        } else if (handler.ready || handler.pollReady) {
          (left ??= []).push(handler);
        }
      }
      if (left !== null) {
        this.#resumeAt = HANDLERS;
        this.#handlersLeft = left;
        return progress;
      }
    }
    if (gate?.isOpen !== false) {
      const dueNs = from === TIMERS ? this.#dueNs : Infinity;
      // The time before the run: a timer that a step re-arms for now belongs to the next poll.
      if (gate?.isStepping === true) this.#dueNs = Math.min(dueNs, clock.nowNs());
      if (timers.run(dueNs)) progress = true;
    } else if (from !== TIMERS) {
      this.#dueNs = clock.nowNs();
    }
    const next = timers.nextNs;
    if (gate?.isOpen === false && next >= 0 && next <= this.#dueNs) this.#resumeAt = TIMERS;
    return progress;
  }
}

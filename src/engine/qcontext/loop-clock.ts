import type { Clock } from '../base/clock.ts';

/**
 * The clock of a thread that runs a loop. Between two callbacks a loop only keeps its books, which takes a microsecond
 * or so, while reading the clock of a browser takes half of one: so the loop's own readings are shared until a callback
 * or a wait has passed. A callback always gets the time it is. Rules T in SPEC.md. One per thread; home thread.
 */
export class LoopClock implements Clock {
  readonly #clock: Clock;
  /** Dispatches in progress, nested ones as well; what they read is never shared. */
  #callbacks = 0;
  #inLoop = false;
  #shared = false;
  #ns = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The time: in a callback and outside of the loop now, in the loop as of the last reading since a callback or wait. */
  nowNs(): number {
    if (this.#shared) return this.#ns;
    const ns = this.#clock.nowNs();
    if (this.#inLoop && this.#callbacks === 0) {
      this.#ns = ns;
      this.#shared = true;
    }
    return ns;
  }

  /** The time it is, whatever was read before. */
  readNs(): number {
    this.#shared = false;
    return this.nowNs();
  }

  /** The loop begins or ends: only in between are readings shared. */
  set inLoop(value: boolean) {
    this.#inLoop = value;
    this.#shared = false;
  }

  callbackBegins(): void {
    this.#callbacks++;
    this.#shared = false;
  }

  callbackEnds(): void {
    this.#callbacks--;
    this.#shared = false;
  }
}

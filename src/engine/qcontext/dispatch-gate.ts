import type { Clock } from '../base/clock.ts';

/** One dispatch that was stepped: what ran, and for how long. Plain data. */
export interface Dispatched {
  /** The name of the source, handler, bottom half or timer. */
  readonly name: string;
  readonly kind: 'source' | 'fd' | 'bh' | 'timer';
  /** Host ns its callback took. */
  readonly ns: number;
}

/**
 * Stands before every dispatch of a thread's context, so that a held context can be stepped by single dispatches and a
 * breakpoint can end an iteration after the dispatch it was hit in (rules H in SPEC.md). Whoever finds it closed leaves
 * what is ready as it is: ready is sticky (G5). Home thread.
 */
export class DispatchGate {
  /** May the next dispatch happen? */
  isOpen = true;
  /** Somebody wants to know what is dispatched: tell `dispatched`. */
  isStepping = false;
  #left = 0;
  #startNs = 0;
  #steps: Dispatched[] = [];

  /** Nothing more is dispatched until `open`. */
  close(): void {
    this.isOpen = false;
  }

  open(): void {
    this.isOpen = true;
  }

  /** Lets at most `limit` dispatches through while `iterate` runs, and closes. Returns what was dispatched, in order. */
  step(limit: number, iterate: () => void): readonly Dispatched[] {
    this.#left = limit;
    this.#steps = [];
    this.isStepping = true;
    this.isOpen = true;
    try {
      iterate();
    } finally {
      this.isStepping = false;
      this.isOpen = false;
    }
    return this.#steps;
  }

  /** A dispatch begins. */
  begins(clock: Clock): void {
    if (this.isStepping) this.#startNs = clock.nowNs();
  }

  /** The dispatch that began last has ended. */
  ended(name: string, kind: Dispatched['kind'], clock: Clock): void {
    if (this.isStepping) this.dispatched({ name, kind, ns: clock.nowNs() - this.#startNs });
  }

  /** While stepping: a dispatch has ended. */
  dispatched(step: Dispatched): void {
    this.#steps.push(step);
    if (--this.#left <= 0) this.isOpen = false;
  }
}

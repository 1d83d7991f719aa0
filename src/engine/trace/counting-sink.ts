import type { TraceSink } from './tracer.ts';

/** Where a thread's mask, breakpoints and counts are, as indexes of 32-bit words. */
export interface CountingSinkOptions {
  readonly words: Uint32Array;
  readonly mask: number;
  /** Below 0: no breakpoints. */
  readonly breaks: number;
  readonly onBreak: (event: number, args: readonly number[]) => void;
  /** A count for each event. */
  readonly counts: number;
}

/**
 * Counts events and writes no records: for requests that are not followed. An event that is off is not counted, and a
 * breakpoint is run into like by a record. Belongs to the thread whose tracer has made it.
 */
export class CountingSink implements TraceSink {
  readonly #words: Uint32Array;
  readonly #mask: number;
  readonly #breaks: number;
  readonly #onBreak: (event: number, args: readonly number[]) => void;
  readonly #counts: number;

  constructor(options: CountingSinkOptions) {
    this.#words = options.words;
    this.#mask = options.mask;
    this.#breaks = options.breaks;
    this.#onBreak = options.onBreak;
    this.#counts = options.counts;
  }

  enabled(event: number): boolean {
    return ((this.#words[this.#mask + (event >>> 5)] as number) & (1 << (event & 31))) !== 0;
  }

  emit(event: number, a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0): boolean {
    return this.emitAt(0, event, a0, a1, a2, a3, a4);
  }

  emitAt(_at: number, event: number, a0 = 0, a1 = 0, a2 = 0, a3 = 0, a4 = 0): boolean {
    const words = this.#words;
    const word = event >>> 5;
    const bit = 1 << (event & 31);
    if (((words[this.#mask + word] as number) & bit) === 0) return false;
    if (this.#breaks >= 0 && ((words[this.#breaks + word] as number) & bit) !== 0)
      this.#onBreak(event, [a0, a1, a2, a3, a4]);
    // Only this thread writes here; who reads looks now and then (TraceDrain).
    words[this.#counts + event] = (words[this.#counts + event] as number) + 1;
    return false;
  }
}

/** Events a second above which not every request is followed, and below which every one is again. */
const MANY_PER_SECOND = 500_000;
const FEW_PER_SECOND = 250_000;
/** A thread with so many events a second has a core to itself or wants one. */
const BUSY_PER_SECOND = 10_000;
/** Cores that the page and the aggregator want. */
const WANTED_CORES = 1;
/** Rates are told over at least so long. */
const WINDOW_MS = 50;
/** Then one batch of requests of so many is followed: still thousands of requests a second. */
export const ONE_OF = 16;

/** What a thread of the machine has had. */
export interface ThreadEvents {
  readonly thread: number;
  /** Events since the machine's start, counted and lost. */
  readonly binned: number;
  readonly lost: number;
}

/**
 * How many requests are followed. All, unless there are more than anyone can look at and the threads they come from leave
 * the page no core: then one batch in so many, and the others are counted. Times are ms since 1970.
 */
export class Following {
  readonly #cores: number;
  #since = Number.NEGATIVE_INFINITY;
  readonly #before = new Map<number, number>();
  #oneOf = 1;
  /** A person asked for every request. */
  every = false;

  /** @param cores of the host, `navigator.hardwareConcurrency` */
  constructor(cores: number) {
    this.#cores = cores;
  }

  /** One of so many batches of requests is followed. */
  get oneOf(): number {
    return this.#oneOf;
  }

  /** Another machine. */
  clear(): void {
    this.#since = Number.NEGATIVE_INFINITY;
    this.#before.clear();
    this.#oneOf = 1;
  }

  /** Looks at what the threads have had by now. Returns whether `oneOf` has changed. */
  look(nowMs: number, threads: Iterable<ThreadEvents>): boolean {
    const seconds = (nowMs - this.#since) / 1000;
    if (seconds * 1000 < WINDOW_MS) return false;
    this.#since = nowMs;
    let events = 0;
    let busy = 0;
    for (const { thread, binned, lost } of threads) {
      const n = binned + lost - (this.#before.get(thread) ?? 0);
      this.#before.set(thread, binned + lost);
      events += n;
      if (n > BUSY_PER_SECOND * seconds) busy++;
    }
    const before = this.#oneOf;
    const many = events > (before === 1 ? MANY_PER_SECOND : FEW_PER_SECOND) * seconds;
    this.#oneOf = many && busy > this.#cores - WANTED_CORES && !this.every ? ONE_OF : 1;
    return this.#oneOf !== before;
  }
}

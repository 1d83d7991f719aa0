/** What a thread of the thread tests and benchmarks is told to do. */
export type Job = EchoJob | AtomicsJob | QueueJob;

/** Where things are in the shared memory of a job, by byte offset. */
export const PLACES = {
  /** Wake words of up to four threads, each on a cache line of its own. */
  wake: (thread: number): number => 64 * (1 + thread),
  /** Words for bare ping-pong and acknowledgements, each on a line of its own. */
  word: (n: number): number => 1024 + 64 * n,
  notifiers: 4096,
} as const;

interface Common {
  readonly memory: WebAssembly.Memory;
  /** Which of the wake words is this thread's. */
  readonly thread: number;
}

/**
 * Runs a context whose handler answers each signal on `inFd` by one on `outFd`, `rounds` times. The one
 * with `leads` begins, and reports its round trips.
 */
export interface EchoJob extends Common {
  readonly job: 'echo';
  readonly inFd: number;
  readonly outFd: number;
  readonly rounds: number;
  readonly leads: boolean;
  /** Handle the signal in a bottom half scheduled by the notifier instead of in its handler. */
  readonly bottomHalf?: boolean;
}

/** The same without a context: two words, `Atomics.wait` and `Atomics.notify`. */
export interface AtomicsJob extends Common {
  readonly job: 'atomics';
  readonly inWord: number;
  readonly outWord: number;
  readonly rounds: number;
  readonly leads: boolean;
}

/**
 * Runs a context that consumes a queue by adaptive polling. `avail` counts what was produced, `used` what was
 * consumed, and while `silent` is not 0 the producer does not signal `inFd`: a virtqueue without its rings.
 */
export interface QueueJob extends Common {
  readonly job: 'queue';
  readonly inFd: number;
  readonly avail: number;
  readonly used: number;
  readonly silent: number;
  readonly rounds: number;
}

/** What a job reports when it has ended. */
export interface JobReport {
  /** Round trips in ns, of the leading thread only. */
  readonly roundTripsNs: Float64Array;
  /** How often work was found by polling, and by a signal. */
  readonly polled?: number;
  readonly signalled?: number;
}

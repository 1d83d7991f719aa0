/**
 * Changes of the page that can wait a moment, one a frame: each costs style, layout and paint, and several at once make a
 * frame that a person feels. A job that waits when its like comes again is replaced: only the newest is shown.
 *
 * A page at rest has the opposite need: a frame of its own for each of three small changes costs thrice. There all jobs
 * wait for one moment, and are done together in it.
 */
export class FrameQueue {
  readonly #nextFrame: (run: () => void) => void;
  readonly #jobs = new Map<string, () => void>();
  #asked = false;
  #resting = false;

  /** @param nextFrame calls back once, before the next frame */
  constructor(nextFrame: (run: () => void) => void) {
    this.#nextFrame = nextFrame;
  }

  /** Does `job` in a frame of its own, at rest with all others; `key` tells its like. */
  add(key: string, job: () => void): void {
    this.#jobs.set(key, job);
    this.#ask();
  }

  /** Does `job` now, at rest with all others. */
  soon(key: string, job: () => void): void {
    if (this.#resting) this.#jobs.set(key, job);
    else job();
  }

  /** From now on, or no longer, jobs wait for `together`. */
  rest(resting: boolean): void {
    this.#resting = resting;
    this.#ask();
  }

  /** Does all that waits, and what that asks for. */
  together(): void {
    for (const [key, job] of this.#jobs) {
      this.#jobs.delete(key);
      job();
    }
  }

  #ask(): void {
    if (this.#resting || this.#asked || this.#jobs.size === 0) return;
    this.#asked = true;
    this.#nextFrame(() => {
      this.#asked = false;
      if (!this.#resting) this.#run();
    });
  }

  #run(): void {
    const [first] = this.#jobs;
    if (first === undefined) return;
    const [key, job] = first;
    this.#jobs.delete(key);
    this.#ask();
    job();
  }
}

/** A little more than a frame at 60 Hz. */
const FRAME_MS = 18;

/** The page's frames. A page nobody sees makes none, and what waits for one is done at once. */
export const pageFrames = new FrameQueue((run) => {
  if (typeof document === 'undefined' || document.visibilityState !== 'visible') queueMicrotask(run);
  // Not the very next frame: what asks for it has had its share of that one. By a timer: a frame asked for only to wait
  // would go through style and layout, and wake the compositor, for nothing.
  else setTimeout(() => requestAnimationFrame(run), FRAME_MS);
});

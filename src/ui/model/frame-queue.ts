/**
 * Changes of the page that can wait a moment, one a frame: each costs style, layout and paint, and several at once make a
 * frame that a person feels. A job that waits when its like comes again is replaced: only the newest is shown.
 */
export class FrameQueue {
  readonly #nextFrame: (run: () => void) => void;
  readonly #jobs = new Map<string, () => void>();

  /** @param nextFrame calls back once, before the next frame */
  constructor(nextFrame: (run: () => void) => void) {
    this.#nextFrame = nextFrame;
  }

  /** Does `job` in a frame of its own; `key` tells its like. */
  add(key: string, job: () => void): void {
    const idle = this.#jobs.size === 0;
    this.#jobs.set(key, job);
    if (idle) this.#nextFrame(() => this.#run());
  }

  #run(): void {
    const [first] = this.#jobs;
    if (first === undefined) return;
    const [key, job] = first;
    this.#jobs.delete(key);
    if (this.#jobs.size > 0) this.#nextFrame(() => this.#run());
    job();
  }
}

/** The page's frames. A page nobody sees makes none, and what waits for one is done at once. */
export const pageFrames = new FrameQueue((run) => {
  if (typeof document === 'undefined' || document.visibilityState !== 'visible') queueMicrotask(run);
  // Not the very next frame: what asks for it has had its share of that one.
  else requestAnimationFrame(() => requestAnimationFrame(run));
});

import { assert } from '../base/assert.ts';

/** Names the calling thread; equal results mean the same thread. */
export type ThreadSelf = () => unknown;

/** Suspends the calling thread until `ready` is true or for good reason gives up; returns `ready()`. */
export type WaitUntil = (ready: () => boolean) => boolean;

/**
 * Who may iterate a context (G15): one thread at a time, counted, so that nested iterations of the
 * owner are free and any other thread is refused or waits its turn.
 */
export class Ownership {
  #owner: unknown = null;
  #count = 0;
  readonly #self: ThreadSelf;
  /** Threads in `wait`, first come first served. */
  readonly #waiters: unknown[] = [];

  constructor(self: ThreadSelf) {
    this.#self = self;
  }

  get isOwner(): boolean {
    return this.#count > 0 && this.#owner === this.#self();
  }

  /** True if some other thread owns it. */
  get isForeign(): boolean {
    return this.#count > 0 && this.#owner !== this.#self();
  }

  /** Takes ownership, or one more level of it; false if another thread has it. */
  acquire(): boolean {
    const self = this.#self();
    if (this.#count > 0 && this.#owner !== self) return false;
    this.#owner = self;
    this.#count++;
    return true;
  }

  /** Gives up one level. Throws if the caller is not the owner: that is a bug of ours. */
  release(): void {
    assert(this.isOwner, 'release: the calling thread does not own this context');
    this.#count--;
    if (this.#count === 0) this.#owner = null;
  }

  /** Waits in line for the ownership and takes it; false if `waitUntil` gave up. */
  wait(waitUntil: WaitUntil): boolean {
    if (this.acquire()) return true;
    const self = this.#self();
    this.#waiters.push(self);
    const got = waitUntil(() => this.#count === 0 && this.#waiters[0] === self);
    this.#waiters.splice(this.#waiters.indexOf(self), 1);
    return got && this.acquire();
  }
}

import type { BottomHalf } from './aio-interface.ts';

/** The longest an idle bottom half waits, in ns (A3). */
export const IDLE_BH_NS = 10_000_000;

/** What the bottom halves tell their owner. */
export interface BottomHalfHooks {
  /** One was scheduled: a wait in progress must end. */
  scheduled?(bh: BottomHalf): void;
  dispatched?(bh: BottomHalf): void;
  threw?(bh: BottomHalf, error: unknown): void;
  /** Asked before each: false ends the batch for now, what is left of it runs next time. */
  mayRun?(): boolean;
  /** It has run, or thrown. */
  ran?(bh: BottomHalf): void;
}

const PENDING = 1;
const SCHEDULED = 2;
const ONESHOT = 4;
const DELETED = 8;
const IDLE = 16;

/**
 * The bottom halves of one AioContext. A batch is what was scheduled up to the moment `poll` takes it;
 * it runs last scheduled first, and what it schedules in turn makes the next batch (A1, A2).
 * A nested `poll` finishes the batches of those around it before its own.
 */
export class BottomHalves {
  readonly #hooks: BottomHalfHooks;
  #queued: Bh[] = [];
  readonly #batches: Bh[][] = [];

  constructor(hooks: BottomHalfHooks = {}) {
    this.#hooks = hooks;
  }

  bhNew(name: string, callback: () => void): BottomHalf {
    return new Bh(this, name, callback);
  }

  bhScheduleOneshot(name: string, callback: () => void): void {
    this.enqueue(new Bh(this, name, callback), SCHEDULED | ONESHOT);
  }

  /** @internal */
  enqueue(bh: Bh, flags: number): void {
    const queued = bh.flags & PENDING;
    bh.flags |= PENDING | flags;
    if (queued === 0) this.#queued.push(bh);
    this.#hooks.scheduled?.(bh);
  }

  /** Runs a batch; true if a bottom half ran that was not idle. */
  poll(): boolean {
    if (this.#queued.length > 0) {
      this.#batches.push(this.#queued);
      this.#queued = [];
    }
    let progress = false;
    for (let batch = this.#batches[0]; batch !== undefined; batch = this.#batches[0]) {
      if (batch.length > 0 && this.#hooks.mayRun?.() === false) return progress;
      const bh = batch.pop();
      if (bh === undefined) {
        if (this.#batches[0] === batch) this.#batches.shift();
        continue;
      }
      const flags = bh.flags;
      bh.flags &= ~(PENDING | SCHEDULED | IDLE);
      if ((flags & (SCHEDULED | DELETED)) !== SCHEDULED) continue;
      if ((flags & IDLE) === 0) progress = true;
      if ((flags & ONESHOT) !== 0) bh.flags |= DELETED;
      this.#hooks.dispatched?.(bh);
      try {
        bh.callback();
      } catch (error) {
        bh.flags |= DELETED;
        this.#hooks.threw?.(bh, error);
      }
      this.#hooks.ran?.(bh);
    }
    return progress;
  }

  /** A batch was begun and is not finished. */
  get isInterrupted(): boolean {
    return this.#batches.length > 0;
  }

  /** True if one is scheduled, idle or not. */
  get anyScheduled(): boolean {
    return this.timeoutNs() >= 0;
  }

  /** 0 if one wants to run now, 10 ms if only idle ones do, −1 if none is scheduled. */
  timeoutNs(): number {
    let timeout = timeoutOf(this.#queued);
    for (let i = 0; i < this.#batches.length && timeout !== 0; i++) {
      const ns = timeoutOf(this.#batches[i] as Bh[]);
      if (ns >= 0) timeout = ns;
    }
    return timeout;
  }
}

function timeoutOf(list: readonly Bh[]): number {
  let timeout = -1;
  for (const { flags } of list) {
    if ((flags & (SCHEDULED | DELETED)) !== SCHEDULED) continue;
    if ((flags & IDLE) === 0) return 0;
    timeout = IDLE_BH_NS;
  }
  return timeout;
}

class Bh implements BottomHalf {
  readonly name: string;
  readonly callback: () => void;
  readonly #owner: BottomHalves;
  flags = 0;

  constructor(owner: BottomHalves, name: string, callback: () => void) {
    this.#owner = owner;
    this.name = name;
    this.callback = callback;
  }

  schedule(): void {
    if ((this.flags & DELETED) === 0) this.#owner.enqueue(this, SCHEDULED);
  }

  scheduleIdle(): void {
    if ((this.flags & DELETED) === 0) this.#owner.enqueue(this, SCHEDULED | IDLE);
  }

  cancel(): void {
    this.flags &= ~SCHEDULED;
  }

  delete(): void {
    this.flags = (this.flags & ~SCHEDULED) | DELETED;
  }
}

import type { AioHandler } from './aio-handler.ts';

/** The parameters of an iothread that concern polling, by the names users know. */
export interface PollParams {
  /** `poll-max-ns`: the longest time to poll, in ns; 0 = never. */
  maxNs: number;
  /** `poll-grow`: factor by which a polling time grows; 0 = 2. */
  grow: number;
  /** `poll-shrink`: divisor by which it shrinks; 0 = to nothing at once. */
  shrink: number;
}

export const DEFAULT_POLL_PARAMS: Readonly<PollParams> = { maxNs: 32_768, grow: 0, shrink: 0 };

/** Where a handler's polling time starts when it first grows, in ns. */
export const POLL_START_NS = 4000;
/** A polled handler that was not ready for so long is polled no more. */
export const POLL_IDLE_NS = 7_000_000_000;

/** What adaptive polling tells its owner, for traces. */
export interface AdaptivePollHooks {
  added?(handler: AioHandler): void;
  removed?(handler: AioHandler): void;
  grew?(handler: AioHandler, oldNs: number): void;
  shrank?(handler: AioHandler, oldNs: number): void;
}

/**
 * Looks for work without notifications, for as long as that has paid lately. Each handler has a polling
 * time of its own (A6): it grows when the handler was ready soon after polling gave up, and shrinks when
 * it was ready only long after. While polling, a handler's producer may be told to be silent, so each
 * end of polling looks once more (A7).
 */
export class AdaptivePoll {
  readonly #hooks: AdaptivePollHooks;
  readonly #polled: AioHandler[] = [];
  params: PollParams;

  constructor(params: Readonly<PollParams>, hooks: AdaptivePollHooks = {}) {
    this.params = { ...params };
    this.#hooks = hooks;
  }

  /** How long polling may go on now, in ns: the longest time among the polled handlers. */
  get maxNs(): number {
    let longest = 0;
    for (const { pollNs } of this.#polled) if (pollNs > longest) longest = pollNs;
    return Math.min(longest, this.params.maxNs);
  }

  get isStarted(): boolean {
    return this.#polled.some((handler) => handler.pollStarted);
  }

  /** Begins to poll a handler, because its notifier fired and it can be polled. */
  add(handler: AioHandler): void {
    if (handler.polled || handler.handlers.ioPoll === undefined || this.params.maxNs === 0) return;
    handler.polled = true;
    handler.idleDeadlineNs = 0;
    this.#polled.push(handler);
    this.#hooks.added?.(handler);
  }

  /** Stops polling a handler that is being removed or leaves. */
  remove(handler: AioHandler): void {
    const at = this.#polled.indexOf(handler);
    if (at < 0) return;
    this.#polled.splice(at, 1);
    handler.polled = false;
    this.#end(handler);
    this.#hooks.removed?.(handler);
  }

  begin(): void {
    for (const handler of this.#polled) {
      if (handler.pollStarted) continue;
      handler.pollStarted = true;
      handler.handlers.ioPollBegin?.();
    }
  }

  /** Looks once at each polled handler; true if one has work. */
  once(nowNs: number): boolean {
    let progress = false;
    for (const handler of this.#polled) {
      if (handler.handlers.ioPoll?.() !== true) continue;
      handler.pollReady = true;
      handler.idleDeadlineNs = nowNs + POLL_IDLE_NS;
      progress = true;
    }
    return progress;
  }

  /** Ends polling for now, with a last look after notifications are on again; true if it found work. */
  end(): boolean {
    let progress = false;
    for (const handler of this.#polled) if (this.#end(handler)) progress = true;
    return progress;
  }

  /** Drops the handlers that were idle for 7 s (A8); true if the last look at one found work. */
  dropIdle(nowNs: number): boolean {
    let progress = false;
    // From the end: one that is dropped moves none of those that are left to look at.
    for (let i = this.#polled.length - 1; i >= 0; i--) {
      const handler = this.#polled[i];
      if (handler === undefined) continue;
      if (handler.idleDeadlineNs === 0) handler.idleDeadlineNs = nowNs + POLL_IDLE_NS;
      if (nowNs < handler.idleDeadlineNs) continue;
      this.remove(handler);
      if (handler.pollReady) progress = true;
    }
    return progress;
  }

  /**
   * Fits the polling time of a handler that is ready to how long the loop waited for it.
   * @param blockNs - from the beginning of the wait, polling included.
   */
  adjust(handler: AioHandler, blockNs: number): void {
    const { maxNs, grow, shrink } = this.params;
    const old = handler.pollNs;
    if (maxNs === 0 || blockNs <= old) return;
    if (blockNs > maxNs) {
      handler.pollNs = shrink === 0 ? 0 : Math.floor(old / shrink);
      if (handler.pollNs !== old) this.#hooks.shrank?.(handler, old);
    } else if (old < maxNs && blockNs < maxNs) {
      handler.pollNs = Math.min(maxNs, old === 0 ? POLL_START_NS : old * (grow === 0 ? 2 : grow));
      this.#hooks.grew?.(handler, old);
    }
  }

  #end(handler: AioHandler): boolean {
    if (!handler.pollStarted) return false;
    handler.pollStarted = false;
    handler.handlers.ioPollEnd?.();
    // The producer may have gone on silently until just now: look once more, or its work waits for ever.
    if (handler.removed || handler.handlers.ioPoll?.() !== true) return false;
    handler.pollReady = true;
    return true;
  }
}

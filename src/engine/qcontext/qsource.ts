import { assert } from '../base/assert.ts';
import { IO_MASK, type PollFd } from './poll-fd.ts';

/** Priorities as in GLib; a lower number is more urgent. */
export const PRIORITY_HIGH = -100;
export const PRIORITY_DEFAULT = 0;
export const PRIORITY_HIGH_IDLE = 100;
export const PRIORITY_DEFAULT_IDLE = 200;
export const PRIORITY_LOW = 300;
/** What `prepare` reports when no source is ready: no fd is filtered out. */
export const PRIORITY_MAX = 0x7fffffff;

/** Returned by a callback or by `dispatch`: keep the source, or destroy it. */
export const SOURCE_CONTINUE = true;
export const SOURCE_REMOVE = false;

/** How long a source that is not ready allows the context to sleep; the context resets it to −1. */
export interface PrepareTimeout {
  /** Milliseconds, rounded up; −1 = for ever. */
  ms: number;
  /** A finer bound in nanoseconds, only together with `ms`; −1 = none (G17). */
  ns: number;
}

/** The user's function of a source: true to keep the source, false to destroy it. */
export type SourceCallback = () => boolean;

/**
 * What a kind of source does in each phase. All run on the thread that iterates the context, and all
 * but `dispatch` must return quickly. A missing `prepare` or `check` means "not ready by itself".
 */
export interface SourceFuncs {
  /** Before the poll: true if ready without polling; otherwise may bound the sleep by `timeout`. */
  prepare?(source: QSource, timeout: PrepareTimeout): boolean;
  /** After the poll: true if ready. Ready fds and a ready time that has come count without it. */
  check?(source: QSource): boolean;
  /** Does the work; false destroys the source. */
  dispatch(source: QSource, callback: SourceCallback | null): boolean;
  /** Runs once, when the last reference is gone. */
  finalize?(source: QSource): void;
  /** Its dispatch asks the context's gate for each of its parts and counts them (H1). */
  readonly gated?: boolean;
}

/** Bits of `QSource.flags`. */
export const ACTIVE = 1;
export const IN_CALL = 2;
export const READY = 4;
export const CAN_RECURSE = 8;
export const BLOCKED = 16;

/** A callback with the references to it: its notify runs when neither source nor dispatch needs it. */
export class CallbackRef {
  #refs = 1;
  readonly callback: SourceCallback;
  readonly #notify: (() => void) | undefined;

  constructor(callback: SourceCallback, notify: (() => void) | undefined) {
    this.callback = callback;
    this.#notify = notify;
  }

  ref(): void {
    this.#refs++;
  }

  unref(): void {
    if (--this.#refs === 0) this.#notify?.();
  }
}

/** Most sources have no children: they share this. */
const NO_CHILDREN: QSource[] = [];

/** What an attached source asks of its context. Implemented by `GlibQContext` only. */
export interface SourceContext {
  readonly name: string;
  /** The time of the current iteration in µs (G9). */
  timeUs(): number;
  /** Ends a wait in progress, or keeps the next one from sleeping. */
  wakeup(): void;
  /** @internal */ addPoll(source: QSource, pollFd: PollFd): void;
  /** @internal */ removePoll(pollFd: PollFd): void;
  /** @internal */ attachChild(child: QSource): void;
  /** @internal */ relink(source: QSource, priority: number): void;
  /** @internal */ forget(source: QSource): void;
  /** @internal */ left(source: QSource): void;
  /** @internal */ complain(message: string): void;
}

/**
 * An event source: something that becomes ready and is then dispatched by the context it is attached
 * to. The life of one, with the rules of SPEC.md:
 *
 * ```
 * new ──attach──▶ attached ──destroy──▶ destroyed ──last unref──▶ finalized
 *   └───────────────destroy──────────────▲
 * ```
 *
 * The creator holds one reference and a context another; `finalize` runs when both are gone. Methods
 * are for the thread of the context, once attached.
 */
export class QSource {
  readonly funcs: SourceFuncs;
  /** Shown in traces, and the key of `findSourceByName`. */
  name: string | null;

  // Owned by the context and its lists.
  /** @internal */ prev: QSource | null = null;
  /** @internal */ next: QSource | null = null;
  /** @internal */ parent: QSource | null = null;
  /** @internal */ flags = ACTIVE;
  /** @internal */ callbackRef: CallbackRef | null = null;
  /** Oldest first; looked at from the end, as GLib does. Own array from the first child on. */
  #children: QSource[] = NO_CHILDREN;
  /** @internal */ pollFds: Set<PollFd> | null = null;
  #context: SourceContext | null = null;
  #id = 0;
  #priority = PRIORITY_DEFAULT;
  #readyTimeUs = -1;
  #refs = 1;

  constructor(funcs: SourceFuncs, name: string | null = null) {
    this.funcs = funcs;
    this.name = name;
  }

  /** The context it was attached to, also after it was destroyed. */
  get context(): SourceContext | null {
    return this.#context;
  }

  /** Its number in the context; 0 before it is attached. */
  get id(): number {
    return this.#id;
  }

  get priority(): number {
    return this.#priority;
  }

  get isDestroyed(): boolean {
    return (this.flags & ACTIVE) === 0;
  }

  get isBlocked(): boolean {
    return (this.flags & BLOCKED) !== 0;
  }

  get canRecurse(): boolean {
    return (this.flags & CAN_RECURSE) !== 0;
  }

  /** Whether it may be dispatched again from within its own dispatch. */
  set canRecurse(value: boolean) {
    this.flags = value ? this.flags | CAN_RECURSE : this.flags & ~CAN_RECURSE;
  }

  /** The monotonic time in µs from which it is ready; −1 = never by time. */
  get readyTimeUs(): number {
    return this.#readyTimeUs;
  }

  /**
   * Sets the time from which the source is ready (0 or a past time = now, −1 = never). It is not reset
   * by a dispatch. Setting the time it already has does nothing; any other wakes the context (G8).
   */
  set readyTimeUs(value: number) {
    if (value === this.#readyTimeUs) return;
    this.#readyTimeUs = value;
    if (!this.isBlocked) this.#context?.wakeup();
  }

  /** The iteration time of its context in µs: the same during a whole batch of dispatches (G9). */
  timeUs(): number {
    assert(this.#context, `source ${this.name ?? '(unnamed)'} has no context`);
    return this.#context.timeUs();
  }

  ref(): this {
    this.#refs++;
    return this;
  }

  /** Drops a reference; the last one finalizes the source. */
  unref(): void {
    if (--this.#refs !== 0) return;
    const context = this.#context;
    if (context !== null) {
      if (!this.isDestroyed) context.complain('ref_count == 0, but source was still attached to a context!');
      context.forget(this);
    }
    this.funcs.finalize?.(this);
    const callback = this.callbackRef;
    this.callbackRef = null;
    callback?.unref();
    for (let child = this.#children.pop(); child !== undefined; child = this.#children.pop()) {
      child.parent = null;
      child.unref();
    }
  }

  /** Sets the function that `dispatch` gets; `notify` runs when the function is needed no longer. */
  setCallback(callback: SourceCallback | null, notify?: () => void): void {
    const old = this.callbackRef;
    this.callbackRef = callback === null ? null : new CallbackRef(callback, notify);
    old?.unref();
  }

  /** Moves it, with its children, to the tail of another priority. Not for a child source (G6). */
  setPriority(priority: number): void {
    if (this.parent !== null && this.parent.priority !== priority) {
      this.#context?.complain(`the priority of child source ${this.name ?? this.#id} is its parent's`);
      return;
    }
    this.#setPriority(priority, this.#context);
  }

  #setPriority(priority: number, context: SourceContext | null): void {
    if (context === null) {
      this.#priority = priority;
    } else {
      context.relink(this, priority);
      if (!this.isBlocked && this.pollFds !== null) {
        for (const pollFd of this.pollFds) {
          context.removePoll(pollFd);
          context.addPoll(this, pollFd);
        }
      }
    }
    for (const child of this.children()) child.#setPriority(priority, context);
  }

  /** @internal The context changes the number while the source is out of its lists. */
  assignPriority(priority: number): void {
    this.#priority = priority;
  }

  /** Watches `fd` for `events`, also while attached (G14); the result is the tag of the watch. */
  addPollFd(fd: number, events: number): PollFd {
    const pollFd: PollFd = { fd, events: events & IO_MASK, revents: 0 };
    this.pollFds ??= new Set();
    this.pollFds.add(pollFd);
    if (!this.isBlocked) this.#context?.addPoll(this, pollFd);
    return pollFd;
  }

  /** Changes what a watch waits for, without a gap in which an event could be lost (G14). */
  modifyPollFd(tag: PollFd, events: number): void {
    tag.events = events & IO_MASK;
    this.#context?.wakeup();
  }

  removePollFd(tag: PollFd): void {
    if (this.pollFds?.delete(tag) !== true) return;
    if (!this.isBlocked) this.#context?.removePoll(tag);
  }

  /**
   * Makes `child` a part of this source: it gets this source's priority and context, is dispatched
   * before it, and makes it ready whenever it is ready itself (G6).
   */
  addChild(child: QSource): void {
    assert(!this.isDestroyed && !child.isDestroyed, 'addChild: parent and child must be alive');
    assert(child.#context === null && child.parent === null, 'addChild: the child is attached already');
    if (this.#children === NO_CHILDREN) this.#children = [];
    this.#children.push(child.ref());
    child.parent = this;
    child.#setPriority(this.#priority, null);
    if (this.isBlocked) child.block();
    this.#context?.attachChild(child);
  }

  /** Its child sources, the latest first. */
  children(): readonly QSource[] {
    return this.#children.length === 0 ? NO_CHILDREN : this.#children.toReversed();
  }

  /** Takes a child out and destroys it. */
  removeChild(child: QSource): void {
    assert(child.parent === this, 'removeChild: not a child of this source');
    child.#leaveParent();
  }

  #leaveParent(): void {
    const siblings = this.parent === null ? [] : this.parent.#children;
    const at = siblings.lastIndexOf(this);
    if (at >= 0) siblings.splice(at, 1);
    this.parent = null;
    this.destroy();
    this.unref();
  }

  /** Ends the source for good, with its children. Harmless if it is destroyed already. */
  destroy(): void {
    if (this.#context === null) this.flags &= ~ACTIVE;
    else this.#destroyAttached();
  }

  #destroyAttached(): void {
    if (this.isDestroyed) return;
    this.flags &= ~ACTIVE;
    this.#context?.left(this);
    const callback = this.callbackRef;
    this.callbackRef = null;
    callback?.unref();
    if (!this.isBlocked) this.#unwatch();
    for (let child = this.#children.at(-1); child !== undefined; child = this.#children.at(-1)) {
      child.#leaveParent();
    }
    if (this.parent !== null) this.#leaveParent();
    this.unref();
  }

  /** @internal Called by the context when it takes the source in. */
  enter(context: SourceContext, id: number): void {
    this.#context = context;
    this.#id = id;
    this.ref();
  }

  /** @internal Keeps it and its children from being looked at while it is dispatched (G7). */
  block(): void {
    if (this.isBlocked) {
      this.#context?.complain("block_source: assertion '!SOURCE_BLOCKED (source)' failed");
      return;
    }
    this.flags |= BLOCKED;
    this.#unwatch();
    for (const child of this.children()) child.block();
  }

  /** @internal */
  unblock(): void {
    if (!this.isBlocked) {
      this.#context?.complain("unblock_source: assertion 'SOURCE_BLOCKED (source)' failed");
      return;
    }
    if (this.isDestroyed) {
      this.#context?.complain("unblock_source: assertion '!SOURCE_DESTROYED (source)' failed");
      return;
    }
    this.flags &= ~BLOCKED;
    this.watch();
    for (const child of this.children()) child.unblock();
  }

  /** @internal Registers its poll fds with the context. */
  watch(): void {
    if (this.#context === null || this.pollFds === null) return;
    for (const pollFd of this.pollFds) this.#context.addPoll(this, pollFd);
  }

  #unwatch(): void {
    if (this.#context === null || this.pollFds === null) return;
    for (const pollFd of this.pollFds) this.#context.removePoll(pollFd);
  }
}

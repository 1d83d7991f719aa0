import { assert } from '../base/assert.ts';
import type { ContextObserver } from './context-observer.ts';
import type { DispatchGate } from './dispatch-gate.ts';
import { enterDispatch, leaveDispatch } from './dispatch-stack.ts';
import { createIdleSource } from './idle-source.ts';
import type { LoopClock } from './loop-clock.ts';
import { Ownership, type ThreadSelf, type WaitUntil } from './ownership.ts';
import { type PollFd, type PollFunc, PollSet } from './poll-fd.ts';
import { PollRecords } from './poll-records.ts';
import type { QContext } from './qcontext.ts';
import {
  ACTIVE,
  BLOCKED,
  CAN_RECURSE,
  IN_CALL,
  PRIORITY_DEFAULT,
  PRIORITY_MAX,
  type PrepareTimeout,
  type QSource,
  READY,
  type SourceCallback,
  type SourceContext,
} from './qsource.ts';
import { SourceLists } from './source-lists.ts';

/** What a context needs from its surroundings. */
export interface GlibQContextOptions {
  name: string;
  /** The monotonic clock, in microseconds. */
  nowUs(): number;
  poll: PollFunc;
  /** Makes a wait in `poll` end, or the next one not sleep. Any thread. */
  wakeup(): void;
  /** Called by `check` with the polled set: takes back the wakeups that it reports. */
  acknowledgeWakeup?(set: PollSet): void;
  self?: ThreadSelf;
  observer?: ContextObserver;
  /** Asked before each dispatch (H1). */
  gate?: DispatchGate | undefined;
  /** Told of each callback (T1). */
  loopClock?: LoopClock | undefined;
}

const MAX_ID = 0xffff_ffff;
const MAX_MS = 0x7fff_ffff;

/**
 * A context with the semantics of GLib's GMainContext, type name `glib-qcontext`.
 *
 * ```
 * iterate ─▶ prepare ─▶ query ─▶ poll ─▶ check ─▶ dispatch
 *            ask each   fds of   the     collect  run the
 *            source     urgency  only    ready    collected
 *                       enough   wait    sources  sources
 * ```
 *
 * The rules are numbered in SPEC.md; the differential test against libglib decides about them.
 * All methods are for the thread that owns the context, except `wakeup`.
 */
export class GlibQContext implements QContext, SourceContext {
  readonly name: string;
  readonly #options: GlibQContextOptions;
  readonly #observer: ContextObserver;
  readonly #lists = new SourceLists();
  /** Made when first asked for: most contexts are never asked for an id, and their sources need no place in it. */
  #byId: Map<number, QSource> | null = null;
  readonly #records = new PollRecords();
  readonly #ownership: Ownership;
  /** Collected by `check`, emptied by `dispatch`; each entry below the count holds a reference (G5). */
  readonly #pending: (QSource | null)[] = [];
  /** Beside the array, which never shrinks: to shorten one is slow. */
  #pendingCount = 0;
  #nextId = 1;
  /** Before the ids wrap, the next one can't be taken. */
  #wrapped = false;
  /** Over 0 while a source's `prepare` or `check` runs. */
  #asking = 0;
  #timeUs = 0;
  #timeIsFresh = false;
  #timeoutMs = 0;
  #timeoutNs = -1;
  readonly #sourceTimeout: PrepareTimeout = { ms: -1, ns: -1 };
  /** Working records of iterations, one for each level of nesting. */
  readonly #sets: PollSet[] = [];
  #level = 0;

  constructor(options: GlibQContextOptions) {
    this.name = options.name;
    this.#options = options;
    this.#observer = options.observer ?? {};
    this.#ownership = new Ownership(options.self ?? (() => this));
  }

  // ── Sources ──────────────────────────────────────────────────────────────────────────────────────

  /**
   * Takes a source in, with its children, and returns its id. Wakes a context that another thread is
   * iterating. Throws on a source that is destroyed, attached, or a child: those are bugs of ours.
   */
  attach(source: QSource): number {
    const isFree = !source.isDestroyed && source.context === null && source.parent === null;
    assert(isFree, `attach: source ${source.name ?? '(unnamed)'} is not free to be attached`);
    const id = this.#take(source);
    if (this.#ownership.isForeign) this.wakeup();
    return id;
  }

  /** @internal */
  attachChild(child: QSource): void {
    this.#take(child);
    if (this.#ownership.isForeign) this.wakeup();
  }

  #take(source: QSource): number {
    const id = this.#newId();
    source.enter(this, id);
    this.#byId?.set(id, source);
    this.#lists.add(source);
    if (!source.isBlocked) source.watch();
    this.#observer.attached?.(this, source);
    for (const child of source.children()) this.#take(child);
    return id;
  }

  /** Ids count up, wrap after 2³² − 1, and skip 0 and the living (G10). */
  #newId(): number {
    let id: number;
    do {
      id = this.#nextId;
      this.#wrapped ||= id === MAX_ID;
      this.#nextId = id === MAX_ID ? 0 : id + 1;
    } while (id === 0 || (this.#wrapped && this.#ids().has(id)));
    return id;
  }

  #ids(): Map<number, QSource> {
    if (this.#byId === null) {
      this.#byId = new Map();
      for (let source = this.#lists.first(); source !== null; source = this.#lists.after(source))
        this.#byId.set(source.id, source);
    }
    return this.#byId;
  }

  /** @internal Steps taken in the lists of sources and of fds so far, so that a test can count them (G23). */
  get listSteps(): number {
    return this.#lists.steps + this.#records.steps;
  }

  /** @internal Sets the next id to be tried, so that a test can reach the wrap. */
  setNextId(id: number): void {
    this.#nextId = id;
  }

  /** Destroys `source` if it is attached here; false (and nothing done) otherwise. */
  detach(source: QSource): boolean {
    if (source.context !== this || source.isDestroyed) return false;
    source.destroy();
    return true;
  }

  /** The first living source of that name in the order of dispatch, or null. */
  findSourceByName(name: string): QSource | null {
    for (let source = this.#lists.first(); source !== null; source = this.#lists.after(source)) {
      if (source.name === name && !source.isDestroyed) return source;
    }
    return null;
  }

  findSourceById(id: number): QSource | null {
    const source = this.#ids().get(id);
    return source === undefined || source.isDestroyed ? null : source;
  }

  /** The living sources in the order in which they are asked. */
  *sources(): Generator<QSource, void> {
    for (let source = this.#lists.first(); source !== null; source = this.#lists.after(source)) {
      if (!source.isDestroyed) yield source;
    }
  }

  /** @internal */
  addPoll(source: QSource, pollFd: PollFd): void {
    this.#records.add(pollFd, source.priority);
    this.wakeup();
  }

  /** @internal */
  removePoll(pollFd: PollFd): void {
    this.#records.remove(pollFd);
    this.wakeup();
  }

  /**
   * Watches an fd for the context itself, at the default priority: the poll function's own wakeup.
   * Not tied to a source, so it never makes one ready.
   */
  watchWakeup(pollFd: PollFd): void {
    this.#records.add(pollFd, PRIORITY_DEFAULT);
  }

  /** @internal */
  relink(source: QSource, priority: number): void {
    this.#lists.remove(source);
    source.assignPriority(priority);
    this.#lists.add(source);
  }

  /** @internal */
  forget(source: QSource): void {
    this.#lists.remove(source);
    this.#byId?.delete(source.id);
  }

  /** @internal */
  left(source: QSource): void {
    this.#observer.destroyed?.(this, source);
  }

  /** @internal */
  complain(message: string): void {
    this.#observer.warning?.(this, message);
  }

  // ── Time, wakeups, ownership ─────────────────────────────────────────────────────────────────────

  timeUs(): number {
    if (!this.#timeIsFresh) {
      this.#timeUs = this.#options.nowUs();
      this.#timeIsFresh = true;
    }
    return this.#timeUs;
  }

  wakeup(): void {
    this.#options.wakeup();
  }

  acquire(): boolean {
    return this.#ownership.acquire();
  }

  release(): void {
    this.#ownership.release();
  }

  get isOwner(): boolean {
    return this.#ownership.isOwner;
  }

  /** Waits for the ownership by means of `waitUntil`, and takes it. */
  wait(waitUntil: WaitUntil): boolean {
    return this.#ownership.wait(waitUntil);
  }

  /**
   * Runs `callback` on the thread of this context until it returns false: at once if the caller owns
   * the context, otherwise from an idle source at `priority` (G16).
   */
  invoke(callback: SourceCallback, priority = PRIORITY_DEFAULT): void {
    if (this.isOwner) {
      while (callback());
      return;
    }
    const source = createIdleSource(callback, 'invoke');
    source.setPriority(priority);
    this.attach(source);
    source.unref();
  }

  // ── The phases ───────────────────────────────────────────────────────────────────────────────────

  prepare(set: PollSet): boolean {
    this.#timeIsFresh = false;
    if (this.#refuse('g_main_context_prepare()')) return false;
    this.#dropPending();

    let ready = false;
    let priority = PRIORITY_MAX;
    const timeout = this.#sourceTimeout;
    this.#timeoutMs = -1;
    this.#timeoutNs = -1;
    let source = this.#lists.first()?.ref() ?? null;
    while (source !== null) {
      if ((source.flags & (ACTIVE | BLOCKED)) === ACTIVE) {
        if (ready && source.priority > priority) {
          source.unref();
          break;
        }
        timeout.ms = -1;
        timeout.ns = -1;
        if ((source.flags & READY) === 0 && this.#isReadyBeforePoll(source, timeout)) markReady(source);
        if ((source.flags & READY) !== 0) {
          ready = true;
          priority = source.priority;
          this.#timeoutMs = 0;
        }
        this.#boundTimeout(timeout);
      }
      source = this.#advance(source);
    }
    set.maxPriority = priority;
    this.#observer.prepared?.(this, ready, set);
    return ready;
  }

  #isReadyBeforePoll(source: QSource, timeout: PrepareTimeout): boolean {
    if (source.funcs.prepare !== undefined) {
      this.#asking++;
      try {
        if (source.funcs.prepare(source, timeout)) return true;
      } catch (error) {
        this.#threw(source, 'prepare', error);
        return false;
      } finally {
        this.#asking--;
      }
    }
    if (source.readyTimeUs === -1) return false;
    const waitUs = source.readyTimeUs - this.timeUs();
    if (waitUs <= 0) return true;
    // Rounded up: a wait that ends just before the ready time would be followed by another (G17).
    const ms = Math.min(Math.floor((waitUs + 999) / 1000), MAX_MS);
    if (timeout.ms < 0 || ms < timeout.ms) timeout.ms = ms;
    return false;
  }

  #boundTimeout({ ms, ns }: PrepareTimeout): void {
    if (ms < 0) return;
    if (this.#timeoutMs < 0 || ms < this.#timeoutMs) this.#timeoutMs = ms;
    if (ns >= 0 && (this.#timeoutNs < 0 || ns < this.#timeoutNs)) this.#timeoutNs = ns;
  }

  query(set: PollSet): number {
    this.#records.query(set);
    set.timeoutMs = this.#timeoutMs;
    set.timeoutNs = this.#timeoutNs;
    // A wait may take time, so the time is read anew afterwards (G9).
    if (this.#timeoutMs !== 0) this.#timeIsFresh = false;
    this.#observer.queried?.(this, set);
    return set.n;
  }

  poll(set: PollSet, timeoutMs: number): void {
    if (set.n === 0 && timeoutMs === 0) return;
    const ready = this.#options.poll(set, timeoutMs);
    this.#observer.polled?.(this, ready);
  }

  check(set: PollSet): boolean {
    if (this.#refuse('g_main_context_check()')) return false;
    this.#options.acknowledgeWakeup?.(set);
    // The answers are to an older question: begin again rather than miss or mistake an event (G13).
    if (this.#records.changed) {
      this.#observer.checked?.(this, false);
      return false;
    }
    this.#records.distribute(set);

    let ready = false;
    let priority = set.maxPriority;
    let source = this.#lists.first()?.ref() ?? null;
    while (source !== null) {
      if ((source.flags & (ACTIVE | BLOCKED)) === ACTIVE) {
        if (ready && source.priority > priority) {
          source.unref();
          break;
        }
        if ((source.flags & READY) === 0 && this.#isReadyAfterPoll(source)) markReady(source);
        if ((source.flags & READY) !== 0) {
          this.#pending[this.#pendingCount++] = source.ref();
          ready = true;
          priority = source.priority;
        }
      }
      source = this.#advance(source);
    }
    this.#observer.checked?.(this, ready);
    return ready;
  }

  #isReadyAfterPoll(source: QSource): boolean {
    if (source.funcs.check !== undefined) {
      this.#asking++;
      try {
        if (source.funcs.check(source)) return true;
      } catch (error) {
        this.#threw(source, 'check', error);
        return false;
      } finally {
        this.#asking--;
      }
    }
    if (source.pollFds !== null) {
      for (const pollFd of source.pollFds) if (pollFd.revents !== 0) return true;
    }
    return source.readyTimeUs !== -1 && source.readyTimeUs <= this.timeUs();
  }

  dispatch(): void {
    if (this.#pendingCount === 0) return;
    this.#observer.batchBegin?.(this, this.#pendingCount);
    const { gate } = this.#options;
    // By index and against the present count: a nested prepare empties the list under us, and a
    // nested check refills it (G5).
    for (let i = 0; i < this.#pendingCount; i++) {
      // What is left stays ready, and is found by the next prepare.
      if (gate?.isOpen === false) {
        this.#dropPending();
        break;
      }
      const source = this.#pending[i];
      assert(source, 'dispatch was called from a dispatch, without a prepare and check in between');
      this.#pending[i] = null;
      source.flags &= ~READY;
      if (!source.isDestroyed) this.#dispatchOne(source);
      source.unref();
    }
    // Those a nested check put where this loop had been already are passed over, and keep their reference (G5).
    this.#pendingCount = 0;
    this.#observer.batchEnd?.(this);
  }

  #dispatchOne(source: QSource): void {
    // Held over the call: a callback's data lives until its dispatch has returned (G4).
    const callback = source.callbackRef;
    callback?.ref();
    if ((source.flags & CAN_RECURSE) === 0) source.block();
    const wasInCall = source.flags & IN_CALL;
    source.flags |= IN_CALL;

    const outer = enterDispatch(source);
    this.#observer.dispatchBegin?.(this, source);
    const { gate, loopClock } = this.#options;
    const isWhole = source.funcs.gated !== true;
    if (isWhole) loopClock?.callbackBegins();
    const startUs = gate?.isStepping === true ? this.#options.nowUs() : 0;
    let keep = false;
    try {
      keep = source.funcs.dispatch(source, callback === null ? null : callback.callback);
    } catch (error) {
      this.#observer.sourceThrew?.(this, source, 'dispatch', error);
    }
    if (isWhole) loopClock?.callbackEnds();
    this.#observer.dispatchEnd?.(this, source, keep);
    if (isWhole && gate?.isStepping === true) {
      const ns = (this.#options.nowUs() - startUs) * 1000;
      gate.dispatched({ name: source.name ?? `source ${source.id}`, kind: 'source', ns });
    }
    leaveDispatch(outer);
    callback?.unref();

    if (wasInCall === 0) source.flags &= ~IN_CALL;
    if (source.isBlocked && !source.isDestroyed) source.unblock();
    if (!keep) source.destroy();
  }

  iterate(mayBlock: boolean): boolean {
    return this.#iterate(mayBlock, true);
  }

  /** True if a dispatch would find something to do. Runs all phases but `dispatch`, without waiting. */
  pending(): boolean {
    return this.#iterate(false, false);
  }

  #iterate(mayBlock: boolean, dispatch: boolean): boolean {
    if (!this.#ownership.acquire()) return false;
    let set = this.#sets[this.#level];
    if (set === undefined) {
      set = new PollSet();
      this.#sets.push(set);
    }
    this.#level++;
    try {
      this.prepare(set);
      this.query(set);
      this.poll(set, mayBlock ? set.timeoutMs : 0);
      const ready = this.check(set);
      if (dispatch) this.dispatch();
      return ready;
    } finally {
      this.#level--;
      this.#ownership.release();
    }
  }

  /** Destroys all sources. The context is unusable afterwards. */
  close(): void {
    this.#dropPending();
    for (let source = this.#lists.first(); source !== null; ) {
      const next = this.#lists.after(source)?.ref() ?? null;
      source.destroy();
      next?.unref();
      source = next;
    }
  }

  /** The next source, referenced, and `source` released: a phase may destroy what it looks at. */
  #advance(source: QSource): QSource | null {
    const next = this.#lists.after(source)?.ref() ?? null;
    source.unref();
    return next;
  }

  #dropPending(): void {
    const count = this.#pendingCount;
    this.#pendingCount = 0;
    for (let i = 0; i < count; i++) {
      const source = this.#pending[i] ?? null;
      this.#pending[i] = null;
      source?.unref();
    }
  }

  /** G18: a source's `prepare` or `check` must not run the loop. */
  #refuse(what: string): boolean {
    if (this.#asking === 0) return false;
    this.complain(`${what} called recursively from within a source's check() or prepare() member.`);
    return true;
  }

  #threw(source: QSource, phase: string, error: unknown): void {
    this.#observer.sourceThrew?.(this, source, phase, error);
    source.destroy();
  }
}

/** A ready child makes its parents ready (G6). */
function markReady(source: QSource): void {
  for (let at: QSource | null = source; at !== null; at = at.parent) at.flags |= READY;
}

import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { nullTracer, type Tracer } from '../trace/tracer.ts';
import { TRACE } from '../trace/schema.ts';
import { AdaptivePoll, DEFAULT_POLL_PARAMS, type PollParams } from './adaptive-poll.ts';
import { AioHandler } from './aio-handler.ts';
import type {
  AioLoop,
  AioTimer,
  BottomHalf,
  EventNotifierHandlers,
  PollableNotifier,
} from './aio-interface.ts';
import { AioLedger } from './aio-ledger.ts';
import { AioRound } from './aio-round.ts';
import { BottomHalves } from './bottom-halves.ts';
import type { BusyPoller } from './busy-poller.ts';
import type { DispatchGate } from './dispatch-gate.ts';
import type { LoopClock } from './loop-clock.ts';
import { IO_IN, PollSet } from './poll-fd.ts';
import type { QContext } from './qcontext.ts';
import { type PrepareTimeout, QSource } from './qsource.ts';
import type { SourceReport } from './source-stats.ts';
import { TimerList } from './timer-list.ts';

const NS_PER_MS = 1_000_000;

/** Waits until an fd of `set` is ready or `timeoutNs` (−1 = for ever) has passed; fills in `revents`. */
export type AioWait = (set: PollSet, timeoutNs: number) => void;

export interface AioContextOptions {
  name: string;
  /** Index of the context it belongs to, for traces. */
  index?: number;
  clock: Clock;
  /** The same clock, if it wants to be told of callbacks (T1). */
  loopClock?: LoopClock | undefined;
  tracer?: Tracer;
  poll?: Readonly<PollParams> | undefined;
  /** Wake word of the thread, to which notifiers are directed on registration; 0 = none. */
  wakeAddr?: number;
  /** Ends a wait of the loop in progress, or keeps the next one from sleeping. */
  wakeup?(): void;
  /** Whether the caller is on the home thread; asked by `assertHome`. */
  isHome?(): boolean;
  /** A callback threw; what it belonged to has been removed (G19). */
  threw?(name: string, error: unknown): void;
  /** Asked before each callback (H1). */
  gate?: DispatchGate | undefined;
}

/**
 * QEMU's AioContext: event notifiers with handlers, bottom halves and timers, as one thing that any
 * context can run as a source, or that is polled on its own.
 *
 * Order in one poll (A5): timeout → polling → wait → bottom halves → ready handlers → timers.
 *
 * ```
 * attached:    context.iterate ─▶ prepare (timeout) ─▶ poll func (polling, wait) ─▶ check ─▶ dispatch
 * standalone:  poll(blocking, wait)
 * ```
 *
 * All methods are for the home thread.
 */
export class AioContext implements AioLoop, BusyPoller {
  readonly name: string;
  readonly #options: AioContextOptions;
  readonly #clock: Clock;
  readonly #tracer: Tracer;
  readonly #index: number;
  readonly #handlers = new Map<number, AioHandler>();
  /** The same, to be walked: replaced, not changed, so that a walk goes on undisturbed. */
  #list: readonly AioHandler[] = [];
  readonly #bottomHalves: BottomHalves;
  readonly #timers: TimerList;
  readonly #adaptive: AdaptivePoll;
  readonly #set = new PollSet();
  readonly #ledger: AioLedger;
  readonly #round: AioRound;
  readonly #runHandler = (handler: AioHandler): boolean => this.#dispatchHandler(handler);
  #source: QSource | null = null;
  /** Over 0 from the moment the timeout is computed until the wait is over (A4). */
  #notifyMe = 0;
  /** How long the wait took that ended last; −1 if the loop did not wait. */
  #blockNs = -1;
  /** The same, of the wait before the round in progress. */
  #roundBlockNs = -1;

  constructor(options: AioContextOptions) {
    this.#options = options;
    this.name = options.name;
    this.#clock = options.clock;
    this.#tracer = options.tracer ?? nullTracer;
    this.#index = options.index ?? 0;
    this.#ledger = new AioLedger(this.#tracer);
    this.#bottomHalves = new BottomHalves({
      scheduled: (bh) => {
        this.#tracer.emit(TRACE.aio_bh_schedule, this.#index, this.#ledger.id(bh.name));
        this.notify();
      },
      dispatched: (bh) => {
        this.#tracer.emit(TRACE.aio_bh_dispatch, this.#index, this.#ledger.id(bh.name));
        this.#ledger.stats('bh', bh.name).dispatched(this.#clock.nowNs());
        this.#begins();
      },
      threw: (bh, error) => this.#threw(bh.name, error),
      mayRun: () => options.gate?.isOpen !== false,
      ran: (bh) => this.#ended(bh.name, 'bh'),
    });
    this.#timers = new TimerList(options.clock, {
      rearmed: () => this.notify(),
      fired: (name, lateNs) => {
        this.#tracer.emit(
          TRACE.aio_timer_dispatch,
          this.#index,
          this.#ledger.id(name),
          Math.min(lateNs, 0xffff_ffff),
        );
        this.#ledger.stats('timer', name).dispatched(this.#clock.nowNs(), lateNs);
        this.#begins();
      },
      threw: (name, error) => this.#threw(name, error),
      mayRun: () => options.gate?.isOpen !== false,
      ran: (name) => this.#ended(name, 'timer'),
    });
    this.#round = new AioRound({
      bottomHalves: this.#bottomHalves,
      timers: this.#timers,
      clock: options.clock,
      gate: options.gate,
    });
    this.#adaptive = new AdaptivePoll(options.poll ?? DEFAULT_POLL_PARAMS, {
      added: ({ nameId, pollNs }) => this.#tracer.emit(TRACE.poll_add, this.#index, nameId, pollNs, IO_IN),
      removed: ({ nameId }) => this.#tracer.emit(TRACE.poll_remove, this.#index, nameId),
      grew: ({ nameId, pollNs }, old) => this.#tracer.emit(TRACE.poll_grow, this.#index, nameId, old, pollNs),
      shrank: ({ nameId, pollNs }, old) =>
        this.#tracer.emit(TRACE.poll_shrink, this.#index, nameId, old, pollNs),
    });
  }

  // ── What devices use ─────────────────────────────────────────────────────────────────────────────

  assertHome(): void {
    assert(this.#options.isHome?.() ?? true, `${this.name}: called on a thread that is not its home`);
  }

  nowNs(): number {
    return this.#clock.nowNs();
  }

  setEventNotifier(notifier: PollableNotifier, handlers: EventNotifierHandlers | null, name?: string): void {
    const old = this.#handlers.get(notifier.fd);
    if (handlers === null) {
      if (old !== undefined) this.#removeHandler(old);
      return;
    }
    if (old !== undefined && (name ?? old.name) === old.name) {
      // The watch stays, so nothing that happens meanwhile is lost (RFC defect 6).
      this.#adaptive.remove(old);
      old.handlers = handlers;
      return;
    }
    if (old !== undefined) this.#removeHandler(old);
    const label = name ?? `fd ${notifier.fd}`;
    const stats = this.#ledger.handlerStats(label);
    const handler = new AioHandler(notifier, handlers, label, this.#ledger.id(label), stats);
    this.#handlers.set(notifier.fd, handler);
    this.#list = [...this.#handlers.values()];
    // Before the first look at the counter, so that a set in between is seen by one or the other.
    notifier.setHome?.(this.#options.wakeAddr ?? 0);
    if (this.#source !== null) handler.tag = this.#source.addPollFd(notifier.fd, IO_IN);
    this.notify();
  }

  #removeHandler(handler: AioHandler): void {
    handler.removed = true;
    this.#ledger.handlerRemoved(handler);
    this.#handlers.delete(handler.notifier.fd);
    this.#list = [...this.#handlers.values()];
    this.#adaptive.remove(handler);
    const { notifier } = handler;
    // Another thread may have taken the notifier over already: then its home is not ours to clear.
    if (notifier.home === undefined || notifier.home === (this.#options.wakeAddr ?? 0)) notifier.setHome?.(0);
    if (handler.tag !== null) this.#source?.removePollFd(handler.tag);
  }

  bhNew(name: string, callback: () => void): BottomHalf {
    return this.#bottomHalves.bhNew(name, callback);
  }

  bhScheduleOneshot(name: string, callback: () => void): void {
    this.#bottomHalves.bhScheduleOneshot(name, callback);
  }

  /**
   * A bottom half that any thread schedules by setting `notifier`, whose only handler it is. Sets that
   * come before it ran coalesce. It runs as a bottom half of this context; delete it to unregister.
   */
  bhNewShared(name: string, notifier: PollableNotifier, callback: () => void): BottomHalf {
    const bh = this.bhNew(name, callback);
    this.setEventNotifier(
      notifier,
      {
        ioRead: () => {
          if (notifier.testAndClear()) bh.schedule();
        },
      },
      name,
    );
    return {
      name,
      schedule: () => notifier.set(),
      scheduleIdle: () => bh.scheduleIdle(),
      cancel: () => bh.cancel(),
      delete: () => {
        bh.delete();
        this.setEventNotifier(notifier, null);
      },
    };
  }

  timerNew(name: string, callback: () => void): AioTimer {
    return this.#timers.timerNew(name, callback);
  }

  /** Deadline of the next timer on the clock in ns; −1 = none. */
  get nextTimerNs(): number {
    return this.#timers.nextNs;
  }

  /** The polling parameters, which may be changed at any time. */
  get pollParams(): Readonly<PollParams> {
    return this.#adaptive.params;
  }

  set pollParams(params: Readonly<PollParams>) {
    this.#adaptive.params = { ...params };
    for (const handler of this.#list) {
      handler.pollNs = 0;
      if (params.maxNs === 0) this.#adaptive.remove(handler);
    }
    this.notify();
  }

  /** Ends a wait in progress; costs nothing when the loop is awake, since it will look anyway (A4). */
  notify(): void {
    const elided = this.#notifyMe === 0;
    this.#tracer.emit(TRACE.aio_notify, this.#index, Number(elided));
    if (!elided) this.#options.wakeup?.();
  }

  // ── As a source of a context ─────────────────────────────────────────────────────────────────────

  /** Attaches it to a context as a source named as itself, and returns the source. */
  attach(context: QContext, priority = 0): QSource {
    assert(this.#source === null, `${this.name} is attached already`);
    const source = new QSource(
      {
        prepare: (_source, timeout) => this.#prepare(timeout),
        check: () => this.#check(),
        dispatch: () => {
          // A source that prepare found ready is not checked: look at the fds here as well.
          this.#collect();
          this.#dispatch();
          return true;
        },
        gated: true,
      },
      this.name,
    );
    // A wait nested in one of its callbacks has to serve the others.
    source.canRecurse = true;
    source.setPriority(priority);
    for (const handler of this.#list) handler.tag = source.addPollFd(handler.notifier.fd, IO_IN);
    this.#source = source;
    context.attach(source);
    return source;
  }

  /** Takes it out of its context: nothing of it runs any more until it is attached again. */
  detach(): void {
    const source = this.#source;
    if (source === null) return;
    this.#adaptive.end();
    this.#source = null;
    this.#notifyMe = 0;
    for (const handler of this.#list) handler.tag = null;
    source.destroy();
    source.unref();
  }

  #prepare(timeout: PrepareTimeout): boolean {
    this.#notifyMe = 1;
    const ns = this.#timeoutNs();
    if (ns === 0) return true;
    timeout.ns = ns;
    timeout.ms = ns < 0 ? -1 : Math.min(Math.ceil(ns / NS_PER_MS), 0x7fff_ffff);
    return false;
  }

  #collect(): void {
    this.#notifyMe = 0;
    for (const handler of this.#list) {
      if (handler.tag === null || (handler.tag.revents & IO_IN) === 0) continue;
      handler.tag.revents = 0;
      handler.ready = true;
    }
  }

  #check(): boolean {
    this.#collect();
    return this.#bottomHalves.anyScheduled || this.#anyHandlerReady() || this.#timers.timeoutNs() === 0;
  }

  // ── On its own ───────────────────────────────────────────────────────────────────────────────────

  /** One poll without a context around it; true on progress. May be nested, for waits within a callback. */
  poll(blocking: boolean, wait: AioWait): boolean {
    const timeoutNs = blocking ? this.#timeoutNs() : 0;
    this.#set.n = 0;
    for (const { notifier } of this.#list) this.#set.push(notifier.fd, IO_IN);
    if (timeoutNs !== 0) this.#notifyMe++;
    wait(this.#set, timeoutNs);
    if (timeoutNs !== 0) this.#notifyMe--;
    for (let i = 0; i < this.#set.n; i++) {
      const entry = this.#set.fds[i];
      if (entry === undefined || (entry.revents & IO_IN) === 0) continue;
      const handler = this.#handlers.get(entry.fd);
      if (handler !== undefined) handler.ready = true;
    }
    return this.#dispatch();
  }

  // ── The common part ──────────────────────────────────────────────────────────────────────────────

  #timeoutNs(): number {
    if (this.#anyHandlerReady()) return 0;
    const bh = this.#bottomHalves.timeoutNs();
    if (bh === 0) return 0;
    const timer = this.#timers.timeoutNs();
    if (bh < 0) return timer;
    return timer < 0 ? bh : Math.min(bh, timer);
  }

  #anyHandlerReady(): boolean {
    for (const { ready, pollReady } of this.#list) if (ready || pollReady) return true;
    return false;
  }

  #dispatch(): boolean {
    this.#roundBlockNs = this.#blockNs;
    this.#blockNs = -1;
    return this.#round.run(this.#list, this.#runHandler);
  }

  #dispatchHandler(handler: AioHandler): boolean {
    const { ready, pollReady, handlers, notifier, nameId } = handler;
    if (handler.removed || !(ready || pollReady)) return false;
    handler.ready = false;
    handler.pollReady = false;
    if (this.#roundBlockNs >= 0) this.#adaptive.adjust(handler, this.#roundBlockNs);
    const now = this.#clock.nowNs();
    const latencyNs = ready && notifier.stampNs !== undefined ? Math.max(0, now - notifier.stampNs) : -1;
    handler.stats.dispatched(now, latencyNs);
    this.#tracer.emitAt(
      now,
      TRACE.source_dispatch_begin,
      this.#index,
      nameId,
      Math.min(Math.max(0, latencyNs), 0xffff_ffff),
    );
    this.#begins();
    try {
      if (pollReady) handlers.ioPollReady?.();
      if (ready && !handler.removed) handlers.ioRead();
    } catch (error) {
      if (!handler.removed) this.#removeHandler(handler);
      this.#threw(handler.name, error);
    }
    this.#ended(handler.name, 'fd');
    this.#tracer.emit(TRACE.source_dispatch_end, this.#index, nameId, Number(!handler.removed));
    if (ready && !handler.removed) this.#adaptive.add(handler);
    return true;
  }

  /** A callback begins. */
  #begins(): void {
    this.#options.loopClock?.callbackBegins();
    this.#options.gate?.begins(this.#clock);
  }

  /** The callback that began last has ended. */
  #ended(name: string, kind: 'fd' | 'bh' | 'timer'): void {
    this.#options.gate?.ended(name, kind, this.#clock);
    this.#options.loopClock?.callbackEnds();
  }

  #threw(name: string, error: unknown): void {
    this.#tracer.emit(TRACE.source_error, this.#index, this.#ledger.id(name));
    this.#options.threw?.(name, error);
  }

  /** What it dispatches, with counts: notifiers first, then bottom halves and timers by name. */
  reports(): SourceReport[] {
    return this.#ledger.reports(this.#list, this.#source?.priority ?? 0);
  }

  // ── BusyPoller: called by the poll function around its wait ──────────────────────────────────────

  get pollNs(): number {
    return this.#adaptive.maxNs;
  }

  get isPolling(): boolean {
    return this.#adaptive.isStarted;
  }

  pollBegin(): void {
    this.#adaptive.begin();
  }

  pollOnce(nowNs: number): boolean {
    return this.#adaptive.once(nowNs);
  }

  pollEnd(): boolean {
    return this.#adaptive.end();
  }

  dropIdle(nowNs: number): boolean {
    return this.#adaptive.dropIdle(nowNs);
  }

  waited(blockNs: number): void {
    this.#blockNs = blockNs;
  }
}

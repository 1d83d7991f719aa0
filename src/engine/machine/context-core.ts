import { memAddr } from '../base/brands.ts';
import { GuestRam } from '../base/guest-ram.ts';
import { Inbox } from '../base/rpc.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { CONTROL_QUIT, CONTROL_YIELD, WakeWord } from '../base/wake-word.ts';
import type { Host } from '../host.ts';
import { AioContext } from '../qcontext/aio-context.ts';
import { LoopClock } from '../qcontext/loop-clock.ts';
import { createThreadContext, type ThreadContext } from '../qcontext/thread-context.ts';
import type { TimeShares } from '../qcontext/time-shares.ts';
import { TraceRingWriter } from '../trace/ring.ts';
import type { Tracer } from '../trace/tracer.ts';
import { awakeThreads } from './awake-threads.ts';
import { type BreakHit, BreakWatch, takeBreakHit } from './break-watch.ts';
import { CONTEXT_STATE, ContextBlockLayout, publishSources } from './context-block.ts';
import { NotifierTable } from './notifier-table.ts';
import { VIRT_DRAM } from './platform/memory-map.ts';
import type { LoopStep } from './queue-plan.ts';
import type { MachineLayout } from './shared-layout.ts';

/** Sources are published at most this often. */
const PUBLISH_NS = 50e6;

export interface ContextCoreOptions {
  readonly mem: SharedMemory;
  readonly layout: MachineLayout;
  readonly host: Host;
  readonly index: number;
  /** Its id: `main`, `ctx0`, … */
  readonly name: string;
}

/**
 * What a thread that runs a context consists of: the event loop, its place in shared memory, its trace ring
 * and its messages. Bound to its thread.
 */
export class ContextCore {
  readonly index: number;
  readonly name: string;
  readonly mem: SharedMemory;
  readonly layout: MachineLayout;
  readonly host: Host;
  readonly ram: GuestRam;
  readonly tracer: Tracer;
  readonly notifiers: NotifierTable;
  readonly wake: WakeWord;
  readonly inbox: Inbox;
  readonly thread: ThreadContext;
  readonly #block: number;
  readonly #guests = new Set<AioContext>();
  #onBreakHit: (hit: BreakHit) => void = () => {};
  #earlyNames: [id: number, kind: string, name: string][] = [];
  #onTraceName: (id: number, kind: string, name: string) => void = (...name) =>
    void this.#earlyNames.push(name);
  /** `thread` is made: its first change of state comes while it is being made. */
  #ready = false;
  #published = -Infinity;
  /** What ended the loop, if a bug of ours did. */
  #failure: { readonly error: unknown } | undefined;

  constructor(options: ContextCoreOptions) {
    const { mem, layout, host, index, name } = options;
    this.index = index;
    this.name = name;
    this.mem = mem;
    this.layout = layout;
    this.host = host;
    this.#block = layout.contexts[index] as number;
    this.ram = new GuestRam({
      base: VIRT_DRAM.base,
      bytes: layout.ramBytes,
      offset: memAddr(layout.ramOffset),
    });
    const wakeAddr = this.#block + ContextBlockLayout.at.wake;
    this.wake = new WakeWord(mem, wakeAddr);
    this.inbox = new Inbox(mem, wakeAddr);
    this.notifiers = new NotifierTable(mem, host.clock, layout.notifiers);
    const clock = new LoopClock(host.clock);
    this.tracer = new TraceRingWriter(mem, {
      ring: layout.traceRings[index] as number,
      capacity: layout.traceRecords,
      mask: layout.traceMask,
      bell: layout.traceBell,
      follow: layout.traceFollow,
      thread: index,
      clock,
      breaks: new BreakWatch(mem, layout, index, () => {
        // While the loop is being made nothing is dispatched; it looks at the hold before it begins.
        if (this.#ready) this.thread.gate.close();
      }),
      onName: (id, kind, text) => this.#onTraceName(id, kind, text),
    });
    this.thread = createThreadContext({
      id: name,
      index,
      wake: this.wake,
      clock,
      tracer: this.tracer,
      isReadable: (fd) => this.notifiers.isSet(fd),
      macrotask: () => host.macrotask(),
      isBehind: () => this.inbox.behind,
      maySpin: () => awakeThreads(mem, layout) <= host.cores,
      sharesChanged: (shares) => this.#sharesChanged(shares),
      heldChanged: (sinceNs) => this.#heldChanged(sinceNs),
      log: { warning: (message) => host.log('warn', `${name}: ${message}`) },
    });
    this.#ready = true;
  }

  /** Tells `listener` of each trace name once, those given so far included. */
  onTraceName(listener: (id: number, kind: string, name: string) => void): void {
    for (const name of this.#earlyNames) listener(...name);
    this.#earlyNames = [];
    this.#onTraceName = listener;
  }

  /** While held: one iteration with at most `limit` callbacks. */
  step(limit: number): LoopStep {
    const dispatched = this.thread.loop.step(limit);
    return { dispatched, hit: takeBreakHit(this.mem, this.#block) };
  }

  /** Tells `listener` what held this context, when that was a breakpoint. */
  onBreakHit(listener: (hit: BreakHit) => void): void {
    this.#onBreakHit = listener;
  }

  #heldChanged(sinceNs: number): void {
    this.mem.storeF64(this.#block + ContextBlockLayout.at.heldSince, sinceNs);
    const hit = takeBreakHit(this.mem, this.#block);
    // One that came too late to be what held it is over with the hold.
    if (hit !== undefined && sinceNs > 0) this.#onBreakHit(hit);
  }

  /** The loop devices of this context register with. */
  get aio(): AioContext {
    return this.thread.aio;
  }

  /** A further AioContext on this thread: that of a context without a thread of its own. */
  addAio(name: string): AioContext {
    const aio = new AioContext({
      name,
      index: this.index,
      clock: this.host.clock,
      tracer: this.tracer,
      wakeAddr: this.wake.addr,
      wakeup: () => this.thread.poll.wakeup(),
      threw: (what, error) =>
        this.host.log('warn', `${name}: ${what} threw and is removed: ${String(error)}`),
    });
    aio.attach(this.thread.context);
    this.thread.poll.addPoller(aio);
    this.#guests.add(aio);
    return aio;
  }

  removeAio(aio: AioContext): void {
    this.thread.poll.removePoller(aio);
    this.#guests.delete(aio);
    aio.detach();
  }

  /** Keeps the loop turning, without sleeping, until `work` of the surroundings (opening a file) is done. */
  hostAsync<T>(work: Promise<T>): Promise<T> {
    return this.thread.loop.track(work);
  }

  /**
   * Starts asynchronous work from a callback of the loop, which then yields so that it can proceed. Work that
   * throws is a bug of ours, and somebody waits for it in vain: it ends the thread, and with it the machine.
   */
  spawn(work: () => Promise<void>): void {
    this.wake.request(CONTROL_YIELD);
    work().catch((error: unknown) => {
      this.#failure ??= { error };
      this.wake.request(CONTROL_QUIT);
    });
  }

  /** A promise that a callback of the loop settles: the loop then yields, so that whoever awaits it goes on. */
  deferred<T>(): { readonly promise: Promise<T>; resolve(value: T): void } {
    let settle: (value: T) => void = () => {};
    const promise = new Promise<T>((resolve) => {
      settle = resolve;
    });
    return {
      promise,
      resolve: (value) => {
        settle(value);
        this.wake.request(CONTROL_YIELD);
      },
    };
  }

  /** Runs the loop until asked to quit. Rejects with what `spawn`ed work threw. */
  async run(): Promise<void> {
    await this.thread.loop.runUntilQuit();
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#setState(CONTEXT_STATE.free);
  }

  #sharesChanged(shares: TimeShares): void {
    const { mem } = this;
    const { at } = ContextBlockLayout;
    const block = this.#block;
    mem.storeF64(block + at.busyNs, shares.busyNs);
    mem.storeF64(block + at.pollingNs, shares.pollingNs);
    mem.storeF64(block + at.blockedNs, shares.blockedNs);
    mem.storeF64(block + at.since, shares.sinceNs);
    const iterations = this.#ready ? this.thread.observer.iterations : 0;
    mem.store32(block + at.iterations, iterations);
    const rests = shares.state === 'blocked' || shares.state === 'held';
    if (rests && this.#ready) {
      mem.storeF64(block + at.nextTimer, this.#nextTimerNs());
      // A held loop is stepped by hand: what it shows afterwards must be what was done.
      if (shares.state === 'held' || shares.sinceNs - this.#published >= PUBLISH_NS)
        this.#publish(shares.sinceNs);
    }
    this.#setState(CONTEXT_STATE[shares.state]);
  }

  #nextTimerNs(): number {
    let next = Infinity;
    for (const aio of [this.thread.aio, ...this.#guests])
      if (aio.nextTimerNs >= 0) next = Math.min(next, aio.nextTimerNs);
    return next === Infinity ? 0 : next;
  }

  #setState(state: number): void {
    this.mem.store32(this.#block + ContextBlockLayout.at.state, state);
  }

  /** Publishes what the board shows of the sources. A reader that finds it outdated wakes the loop. */
  #publish(nowNs: number): void {
    this.#published = nowNs;
    let reports = [...this.thread.reports(), ...[...this.#guests].flatMap((aio) => aio.reports())];
    // Of very many sources the first are shown: rather some that are true than all as they once were.
    while (!publishSources(this.mem, this.#block, reports)) reports = reports.slice(0, reports.length >> 1);
    this.mem.store32(
      this.#block + ContextBlockLayout.at.publishedIterations,
      this.thread.observer.iterations,
    );
  }
}

import { CONTROL_HOLD, type WakeWord } from '../base/wake-word.ts';
import { TRACE } from '../trace/schema.ts';
import type { Tracer } from '../trace/tracer.ts';
import type { PollParams } from './adaptive-poll.ts';
import { AioContext } from './aio-context.ts';
import { DispatchGate } from './dispatch-gate.ts';
import { type ObserverLog, TracingObserver } from './tracing-observer.ts';
import { GlibQContext } from './glib-qcontext.ts';
import { IoHandler } from './io-handler.ts';
import type { LoopClock } from './loop-clock.ts';
import { QContextLoop } from './qcontext-loop.ts';
import type { SourceReport } from './source-stats.ts';
import { ThreadPoll } from './thread-poll.ts';
import { TimeShares } from './time-shares.ts';

export interface ThreadContextOptions {
  /** The context's id, e.g. `main` or `ctx0`. */
  id: string;
  /** Its index, for traces. */
  index: number;
  wake: WakeWord;
  clock: LoopClock;
  /** Written by this thread only; made with the same clock, its events of the loop cost no reading of their own. */
  tracer: Tracer;
  /** Whether the event notifier with that number is set. */
  isReadable: (fd: number) => boolean;
  /** Resolves after one turn of the surroundings' event loop. */
  macrotask: () => Promise<void>;
  /** True while messages posted to this thread are still under way. */
  isBehind?: (() => boolean) | undefined;
  poll?: Readonly<PollParams> | undefined;
  /** False while more threads are awake than there are cores (A10). */
  maySpin?: (() => boolean) | undefined;
  /** Told of each change of what the thread does. */
  sharesChanged?: ((shares: TimeShares) => void) | undefined;
  /** Told when a hold begins, with the time, and with 0 when it is over. */
  heldChanged?: ((sinceNs: number) => void) | undefined;
  log: ObserverLog;
}

/** Everything one thread needs to run one context. */
export interface ThreadContext {
  readonly context: GlibQContext;
  /** Attached to the context; devices register with it. */
  readonly aio: AioContext;
  /** The fd-handler list, also found by its name. */
  readonly ioHandler: IoHandler;
  readonly poll: ThreadPoll;
  readonly loop: QContextLoop;
  readonly gate: DispatchGate;
  readonly shares: TimeShares;
  readonly observer: TracingObserver;
  /** All sources with their counts: those of the context, then those of the AioContext. */
  reports: () => SourceReport[];
}

/** Makes a context for the calling thread, with its AioContext and fd-handler list attached. */
export function createThreadContext(options: ThreadContextOptions): ThreadContext {
  const { id, index, wake, clock, tracer, log } = options;
  const shares = new TimeShares(clock, options.sharesChanged);
  const poll = new ThreadPoll({
    wake,
    clock,
    isReadable: options.isReadable,
    shares,
    tracer,
    index,
    maySpin: options.maySpin,
  });
  const observer = new TracingObserver(tracer, clock, index, log);
  const gate = new DispatchGate();
  const context = new GlibQContext({
    name: id,
    nowUs: () => Math.floor(clock.nowNs() / 1000),
    poll: (set, timeoutMs) => {
      const ready = poll.poll(set, timeoutMs);
      // ORDER: after the look at the notifiers: a hold that came before one of them was set is seen with it (H5).
      if ((wake.control & CONTROL_HOLD) !== 0 && !gate.isStepping) gate.close();
      return ready;
    },
    wakeup: () => poll.wakeup(),
    observer,
    gate,
    loopClock: clock,
  });
  const aio = new AioContext({
    name: `${id}/aio`,
    index,
    clock,
    loopClock: clock,
    tracer,
    wakeAddr: wake.addr,
    wakeup: () => poll.wakeup(),
    threw: (name, error) => log.warning(`${name} threw and is removed: ${String(error)}`),
    poll: options.poll,
    gate,
  });
  aio.attach(context);
  poll.addPoller(aio);
  const ioHandler = new IoHandler(wake.addr, (fd, error) => {
    tracer.emit(TRACE.source_error, index, tracer.nameId('source', `fd ${fd}`));
    log.warning(`the handler of fd ${fd} threw and is removed: ${String(error)}`);
  });
  context.attach(ioHandler.source);
  const loop = new QContextLoop({
    context,
    wake,
    gate,
    clock,
    macrotask: options.macrotask,
    heldChanged: options.heldChanged,
    shares,
    tracer,
    index,
    isBehind: options.isBehind,
  });
  const reports = (): SourceReport[] => [...observer.reports(), ...aio.reports()];
  return { context, aio, ioHandler, poll, loop, gate, shares, observer, reports };
}

import { assert } from '../base/assert.ts';
import { recordLatency } from '../base/latency-histogram.ts';
import { TRACE } from '../trace/schema.ts';
import type {
  AioLoop,
  BottomHalf,
  EventNotifierHandlers,
  PollableNotifier,
} from '../qcontext/aio-interface.ts';
import { failDevice, needsReset, type VirtioEnv } from './env.ts';
import { VirtQueueLayout } from './layout.ts';
import { DescriptorChain, type VirtQueueElement } from './queue/chain.ts';
import { checkRing, openVirtqueue } from './queue/open.ts';
import type { QueueState } from './queue/queue-state.ts';
import { POP_CHAIN, POP_EMPTY, type PopResult, type Virtqueue } from './queue/virtqueue.ts';
import { QUEUE_SIZE_MAX } from './spec.ts';

const Q = VirtQueueLayout.at;

/** A queue's host notifier (ioeventfd). `stampNs` is the time of the kick that made it readable. */
export interface QueueEvent extends PollableNotifier {
  readonly stampNs: number;
}

/**
 * Where a handler is in its life:
 *
 *     detached ──attach──▶ serving ──drainBegin──▶ draining ──last completion──▶ drained
 *         ▲                   ▲                                                   │   │
 *         │                   └──────────────────drainEnd─────────────────────────┘   │
 *         └──────────────────────────────────────detach───────────────────────────────┘
 */
export type HandlerLife = 'detached' | 'serving' | 'draining' | 'drained';

/**
 * Serves one virtqueue in the context that owns it now. Made from plain data in whichever worker that is;
 * what it must remember is in shared memory (VirtQueueLayout).
 *
 * All methods are for the thread of the loop it is attached to.
 */
export abstract class VirtQueueHandler {
  readonly env: VirtioEnv;
  readonly index: number;
  readonly #notifier: QueueEvent;
  readonly #chain = new DescriptorChain();
  /** Time of the kick that announced a buffer, by key; 0 where there was none. */
  readonly #kickNs = new Float64Array(QUEUE_SIZE_MAX);
  #life: HandlerLife = 'detached';
  #aio: AioLoop | undefined;
  #queue: Virtqueue | undefined;
  #notifyBh: BottomHalf | undefined;
  #running = false;
  #polling = false;
  #inFlight = 0;
  #drained: (() => void) | undefined;

  constructor(env: VirtioEnv, index: number, notifier: QueueEvent) {
    this.env = env;
    this.index = index;
    this.#notifier = notifier;
  }

  /** Works on the queue: after a kick, or when polling found something. What it completes is published after it. */
  protected abstract work(kickNs: number): void;
  /** For polling: is there work to find without a kick? A handler without it is not polled. */
  protected workWaits?(): boolean;
  /** A drain has begun: let go of what is being held back. */
  protected hurry(): void {}

  get life(): HandlerLife {
    return this.#life;
  }
  /** Buffers taken and not returned, except those the device has parked. */
  get inFlight(): number {
    return this.#inFlight;
  }
  protected get queue(): Virtqueue {
    assert(this.#queue !== undefined, 'virtio: the queue is not attached');
    return this.#queue;
  }
  protected get state(): QueueState {
    return this.queue.state;
  }

  /**
   * Begins to serve the queue in `aio`, and kicks itself once: what came while nobody listened is found
   * (rule V6 of SPEC.md). A ring that is not in order makes the device need a reset instead.
   */
  attach(aio: AioLoop): void {
    assert(this.#life === 'detached', `virtio: attach while ${this.#life}`);
    aio.assertHome();
    this.#aio = aio;
    const ring = checkRing(this.env, this.index);
    if (ring.kind === 'fault') {
      failDevice(this.env, this.index, ring.fault);
      this.#life = 'drained';
      return;
    }
    this.#queue = openVirtqueue(this.env, this.index, ring);
    this.#notifyBh = aio.bhNew(`${this.name}/notify`, () => this.#publish());
    this.#serve();
  }

  /** Name of its source in the context. */
  get name(): string {
    return `virtio${this.env.dev}/vq${this.index}`;
  }

  /** Leaves the loop. Only when drained. */
  detach(): void {
    assert(this.#life === 'drained', `virtio: detach while ${this.#life}`);
    this.#notifyBh?.delete();
    this.#notifyBh = undefined;
    this.#queue = undefined;
    this.#aio = undefined;
    this.#life = 'detached';
  }

  /**
   * Takes no more buffers and calls `done` once none is in flight; from inside the call if that is so
   * already. Kicks from now on stay in the notifier.
   */
  drainBegin(done: () => void): void {
    if (this.#life === 'drained') {
      done();
      return;
    }
    assert(this.#life === 'serving', `virtio: drain while ${this.#life}`);
    this.#life = 'draining';
    this.#trace(TRACE.drain_begin, this.#context, this.#inFlight);
    this.#aio?.setEventNotifier(this.#notifier, null);
    this.#polling = false;
    this.state.set(Q.drained, 1);
    this.#trace(TRACE.drain_detach_notifiers, this.#context);
    this.#drained = done;
    this.hurry();
    this.#finishDrain();
  }

  /** Goes on where it was: the end of a drain that moved nothing. */
  drainEnd(): void {
    assert(this.#life === 'drained', `virtio: drain end while ${this.#life}`);
    if (this.#queue !== undefined) this.#serve();
  }

  #serve(): void {
    this.#life = 'serving';
    if (this.state.get(Q.drained) !== 0) this.#trace(TRACE.drain_self_kick, this.#context);
    this.state.set(Q.drained, 0);
    const waits = this.workWaits?.bind(this);
    const handlers: EventNotifierHandlers = { ioRead: () => this.#kicked() };
    const polled: EventNotifierHandlers | undefined = waits && {
      ...handlers,
      ioPoll: waits,
      ioPollReady: () => this.#run(0, true),
      ioPollBegin: () => {
        this.#polling = true;
        this.queue.disableNotification();
      },
      ioPollEnd: () => {
        this.#polling = false;
        this.queue.enableNotification();
      },
    };
    this.#aio?.setEventNotifier(this.#notifier, polled ?? handlers, this.name);
    this.queue.enableNotification();
    this.#notifier.set();
  }

  get #context(): number {
    return this.state.get(Q.context);
  }
  #trace(event: number, a2 = 0, a3 = 0): void {
    this.env.tracer.emit(event, this.env.dev, this.index, a2, a3);
  }

  #finishDrain(): void {
    if (this.#life !== 'draining' || this.#inFlight > 0 || this.#running) return;
    this.#notifyBh?.cancel();
    this.#publish();
    this.#life = 'drained';
    const done = this.#drained;
    this.#drained = undefined;
    done?.();
  }

  #kicked(): void {
    const stampNs = this.#notifier.stampNs;
    if (this.#notifier.testAndClear()) this.#run(stampNs, false);
  }

  #run(kickNs: number, polled: boolean): void {
    if (!this.isServing) return;
    this.#running = true;
    this.state.addF64(polled ? Q.polledRuns : Q.runs, 1);
    this.work(kickNs);
    this.#publish();
    this.#running = false;
    this.#finishDrain();
  }

  #publish(): void {
    this.queue.flush();
    this.queue.tellCounted();
  }

  /** May buffers be taken now? */
  protected get isServing(): boolean {
    return this.#life === 'serving' && !needsReset(this.env);
  }
  /** The poll loop looks at the queue: no kicks wanted. */
  protected get isPolling(): boolean {
    return this.#polling;
  }

  /** Takes the next chain, if there is one; valid until the next call. A fault of the driver's stops the device. */
  protected take(kickNs: number, nowNs = this.env.clock.nowNs()): DescriptorChain | undefined {
    const chain = this.#chain;
    if (!this.#checked(this.queue.pop(chain, nowNs))) return undefined;
    this.#inFlight += 1;
    this.#kickNs[chain.key] = kickNs;
    return chain;
  }
  /** Looks at the next chain without taking it. */
  protected peek(): DescriptorChain | undefined {
    return this.#checked(this.queue.peek(this.#chain)) ? this.#chain : undefined;
  }

  #checked(result: PopResult): boolean {
    if (result !== POP_CHAIN && result !== POP_EMPTY) failDevice(this.env, this.index, result);
    return result === POP_CHAIN;
  }

  /** Lets the context's other sources have their turn, and comes back. */
  protected workLater(): void {
    this.#notifier.set();
  }

  /**
   * Returns a buffer with `written` bytes written. The driver sees it, and is told, with the batch.
   * @param nowNs - when it was done, if the caller has just looked
   */
  protected complete(element: VirtQueueElement, written: number, nowNs = this.env.clock.nowNs()): void {
    const { queue } = this;
    const { state } = queue;
    const { mem } = this.env;
    recordLatency(mem, state.addr + Q.latency, nowNs - state.sinceNsAt(element.key));
    const kickNs = this.#kickNs[element.key] as number;
    if (kickNs > 0) recordLatency(mem, state.addr + Q.latencyFromKick, nowNs - kickNs);
    queue.fill(element, written, nowNs);
    this.#inFlight -= 1;
    if (this.#running) return; // the run publishes
    if (this.#life !== 'draining') {
      this.#notifyBh?.schedule();
      return;
    }
    this.#trace(TRACE.drain_poll, this.#inFlight);
    this.#finishDrain();
  }

  /** A buffer the device keeps without working on it (rerror/werror=stop): a drain does not wait for it. */
  protected park(): void {
    this.#inFlight -= 1;
    this.state.set(Q.parked, this.state.get(Q.parked) + 1);
    this.#finishDrain();
  }
  /** It works on it again. */
  protected unpark(): void {
    this.#inFlight += 1;
    this.state.set(Q.parked, this.state.get(Q.parked) - 1);
  }

  /** The request can't be answered at all: the driver broke the device's rules. The buffer is not returned. */
  protected fail(fault: Parameters<typeof failDevice>[2]): void {
    this.#inFlight -= 1;
    failDevice(this.env, this.index, fault);
  }
}

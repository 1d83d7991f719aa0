import { assert } from '../../base/assert.ts';
import { TRACE } from '../../trace/schema.ts';
import { raiseUsedBuffer, type VirtioEnv } from '../env.ts';
import type { VirtioFault } from '../fault.ts';
import { VirtioDeviceLayout, VirtQueueLayout } from '../layout.ts';
import type { DescriptorChain, VirtQueueElement } from './chain.ts';
import { CountedRequests } from './counted-requests.ts';
import { QueueState } from './queue-state.ts';

const Q = VirtQueueLayout.at;

/** Outcomes of `pop` besides a VirtioFault (1…). */
export const POP_CHAIN = 0;
export const POP_EMPTY = -1;
export type PopResult = typeof POP_CHAIN | typeof POP_EMPTY | VirtioFault;

/** Where a queue's three areas are in the shared memory (already checked), and how the driver agreed to use them. */
export interface RingAreas {
  readonly size: number;
  /** Descriptor table, or the packed ring. */
  readonly desc: number;
  /** Available ring, or the driver's event suppression. */
  readonly driver: number;
  /** Used ring, or the device's event suppression. */
  readonly device: number;
  readonly indirect: boolean;
  readonly eventIdx: boolean;
}

/**
 * The device's end of a virtqueue. Belongs to the context that serves the queue; all its state is in shared
 * memory (VirtQueueLayout), so another context can make its own and go on.
 *
 * Rules (tests bear the numbers):
 *  - Q1 a chain is handed out only after every descriptor in it was checked against guest RAM.
 *  - Q2 each descriptor is read once; what the driver changes afterwards has no effect on what was checked.
 *  - Q3 used entries are visible before the used index (or flags) that announce them.
 *  - Q4 after `enableNotification` the caller looks at `hasWork` once more: a kick suppressed before it is
 *    never missed.
 *  - Q5 a fault leaves the queue where it was: nothing is taken, nothing is written to guest memory.
 */
export abstract class Virtqueue {
  readonly env: VirtioEnv;
  readonly index: number;
  readonly state: QueueState;
  readonly size: number;
  readonly areas: RingAreas;
  /** Chains taken from now on are followed in the trace; else counted. */
  follows = true;
  /** Of those that are not. */
  readonly counted = new CountedRequests();
  /** Filled and not yet flushed. */
  protected pending = 0;

  constructor(env: VirtioEnv, index: number, areas: RingAreas) {
    this.env = env;
    this.index = index;
    this.areas = areas;
    this.size = areas.size;
    this.state = new QueueState(env.mem, env.slotAddr, index);
  }

  /** Is there a chain to take? Cheap, no side effects: for polling. */
  abstract hasWork(): boolean;
  /** Parses the next chain and leaves it where it is. On anything but POP_CHAIN `chain` means nothing. */
  abstract peek(chain: DescriptorChain): PopResult;
  /** Moves past the chain just peeked. */
  protected abstract advance(chain: DescriptorChain): void;
  /** Writes a used entry; `written` is the bytes written from the start of the device-writable part. */
  protected abstract writeUsed(element: VirtQueueElement, written: number): void;
  /** Makes the used entries written since the last flush visible to the driver. */
  protected abstract publish(): void;
  /** Is an interrupt due for what was published since this was last asked? */
  protected abstract wantsInterrupt(): boolean;
  /** The value the driver asked to be interrupted at, for the trace. */
  protected abstract usedEvent(): number;
  /** Asks the driver for no kicks, as far as it heeds that. */
  abstract disableNotification(): void;
  /** Asks the driver for a kick with the next chain. Look at `hasWork` afterwards (Q4). */
  abstract enableNotification(): void;

  /**
   * Takes the next chain. On anything but POP_CHAIN the content of `chain` means nothing.
   * @param nowNs - what the chain's latency is counted from; who takes several at once reads the clock once
   */
  pop(chain: DescriptorChain, nowNs = this.env.clock.nowNs()): PopResult {
    const result = this.peek(chain);
    if (result === POP_CHAIN) {
      this.advance(chain);
      this.#take(chain, nowNs);
    }
    return result;
  }

  /**
   * Returns a buffer. Not visible to the driver until `flush`.
   * @param nowNs - for the trace, if the caller has just looked
   */
  fill(element: VirtQueueElement, written: number, nowNs = 0): void {
    const { state } = this;
    assert(state.requestAt(element.key) === element.req, 'virtqueue: a buffer returned twice');
    this.writeUsed(element, written);
    state.setRequestAt(element.key, 0, 0);
    state.set(Q.inFlight, state.get(Q.inFlight) - 1);
    state.set(Q.inFlightSlots, state.get(Q.inFlightSlots) - element.slots);
    state.addF64(Q.completions, 1);
    this.pending += 1;
    const { tracer, dev } = this.env;
    const { followed } = element;
    this.counted.filled += followed ? 0 : 1;
    tracer.emitFor(
      followed,
      nowNs,
      TRACE.virtqueue_fill,
      dev,
      this.index,
      element.head,
      element.req,
      written,
    );
  }

  /** Makes filled buffers visible and interrupts the driver if it wants that. */
  flush(): void {
    if (this.pending === 0) return;
    const { env, state } = this;
    this.publish();
    const { tracer, dev } = env;
    // All of it happens at once: one reading of the clock, for the first of these events that is on.
    let told = tracer.emit(TRACE.virtqueue_flush, dev, this.index, this.pending, state.get(Q.usedIdx));
    this.pending = 0;
    const wanted = this.wantsInterrupt();
    if (tracer.enabled(TRACE.virtio_notify)) {
      const suppressed = wanted ? 0 : 1;
      const usedIdx = state.get(Q.usedIdx);
      const usedEvent = this.usedEvent();
      told = told
        ? tracer.emitSame(TRACE.virtio_notify, dev, this.index, suppressed, usedIdx, usedEvent)
        : tracer.emit(TRACE.virtio_notify, dev, this.index, suppressed, usedIdx, usedEvent);
    }
    if (!wanted) {
      state.addF64(Q.interruptsSuppressed, 1);
      return;
    }
    if (tracer.enabled(TRACE.virtio_notify_irqfd)) {
      const gsi = env.mem.load32(env.slotAddr + VirtioDeviceLayout.at.gsi);
      if (told) tracer.emitSame(TRACE.virtio_notify_irqfd, dev, this.index, gsi);
      else tracer.emit(TRACE.virtio_notify_irqfd, dev, this.index, gsi);
    }
    state.addF64(Q.interrupts, 1);
    raiseUsedBuffer(env);
  }

  /** Tells the trace what became of requests that are not followed: at the end of what is done at once. */
  tellCounted(): void {
    this.counted.tell(this.env.tracer, this.env.dev, this.index, this.state.get(Q.lastAvailIdx));
  }

  /** Buffers filled and not yet flushed. */
  get unpublished(): number {
    return this.pending;
  }

  get inFlight(): number {
    return this.state.get(Q.inFlight);
  }

  /** Books a chain as taken: gives it a request id and a place in the in-flight table. */
  #take(chain: DescriptorChain, nowNs: number): void {
    const { env, state } = this;
    const sequence = state.get(Q.nextRequest);
    state.set(Q.nextRequest, sequence + 1);
    chain.req = requestId(env.dev, this.index, sequence);
    state.setRequestAt(chain.key, chain.req, nowNs);
    state.set(Q.inFlight, state.get(Q.inFlight) + 1);
    state.set(Q.inFlightSlots, state.get(Q.inFlightSlots) + chain.slots);
    state.addF64(Q.requests, 1);
    const next = state.get(Q.lastAvailIdx);
    chain.followed = this.follows;
    this.counted.popped += chain.followed ? 0 : 1;
    env.tracer.emitFor(
      chain.followed,
      nowNs,
      TRACE.virtqueue_pop,
      env.dev,
      this.index,
      chain.head,
      chain.req,
      next,
    );
  }
}

/**
 * Request ids are unique over the machine's queues and never 0: the low nine bits are slot and queue, the
 * others count and wrap after eight million requests of one queue.
 */
export function requestId(dev: number, queue: number, sequence: number): number {
  const place = ((dev & 31) << 4) | (queue & 15);
  const id = ((sequence << 9) | place) >>> 0;
  return id === 0 ? 1 << 9 : id;
}

import type { SharedMemory } from '../base/shared-memory.ts';
import { CONTROL_HOLD, WakeWord } from '../base/wake-word.ts';
import { VirtioDeviceLayout, VirtQueueLayout, virtQueueAddr } from '../virtio/layout.ts';
import { BreakpointTable, type EventSubject, subjectOf } from './breakpoint-table.ts';
import { ContextBlockLayout, MAX_CONTEXTS } from './context-block.ts';
import { VIRT_VIRTIO } from './platform/memory-map.ts';
import type { MachineLayout } from './shared-layout.ts';

/** What held a context: the breakpoint and the event. Plain data; numbers as in the trace. */
export interface BreakHit extends EventSubject {
  readonly breakpoint: number;
  /** Number of the thread it happened on, as in the trace. */
  readonly thread: number;
}

const NONE = 0xffff_ffff;
const HIT_FREE = 0;
const HIT_WRITING = 1;
const HIT_WRITTEN = 2;

/** The virtio-mmio slot behind a PLIC source. */
const slotOfGsi = (gsi: number): number | undefined => {
  const slot = gsi - VIRT_VIRTIO.irq;
  return slot >= 0 && slot < VIRT_VIRTIO.count ? slot : undefined;
};

/**
 * One thread's side of the breakpoints: what its tracer calls with an event some breakpoint is for. A match in a
 * context's thread holds that context; one on a hart holds the contexts that serve the device the event is about, before
 * they see its kick. `main` is never held (Holds.find says why). The context stops before its next dispatch (H4).
 */
export class BreakWatch {
  readonly #mem: SharedMemory;
  readonly #layout: MachineLayout;
  readonly #thread: number;
  readonly #table: BreakpointTable;
  readonly #stop: () => void;

  /** @param stop ends the iteration in progress, for a thread that runs a context */
  constructor(mem: SharedMemory, layout: MachineLayout, thread: number, stop: () => void) {
    this.#mem = mem;
    this.#layout = layout;
    this.#thread = thread;
    this.#table = new BreakpointTable(mem, layout.breakpoints);
    this.#stop = stop;
  }

  /** Where its tracer finds which events to tell. */
  get mask(): number {
    return BreakpointTable.maskAt(this.#layout.breakpoints);
  }

  /** An event some breakpoint is for. */
  readonly event = (event: number, args: readonly number[]): void => {
    const subject = subjectOf(event, args, slotOfGsi);
    if (this.#thread < MAX_CONTEXTS) {
      const breakpoint = this.#table.match(subject, this.#thread);
      if (breakpoint === 0 || this.#thread === 0) return;
      this.#stop();
      this.#hold(this.#thread, breakpoint, subject);
      return;
    }
    for (const context of this.#serving(subject)) {
      const breakpoint = this.#table.match(subject, context);
      if (breakpoint !== 0 && context !== 0) this.#hold(context, breakpoint, subject);
    }
  };

  /** Contexts that serve what an event on a hart is about. */
  #serving({ dev, queue }: EventSubject): ReadonlySet<number> {
    const slotAddr = dev === undefined ? undefined : this.#layout.virtioSlots[dev];
    if (slotAddr === undefined) return new Set();
    const queues =
      queue === undefined
        ? Array.from({ length: this.#mem.load32(slotAddr + VirtioDeviceLayout.at.queueCount) }, (_, i) => i)
        : [queue];
    return new Set(
      queues.map((each) => this.#mem.load32(virtQueueAddr(slotAddr, each) + VirtQueueLayout.at.context)),
    );
  }

  #hold(context: number, breakpoint: number, subject: EventSubject): void {
    const mem = this.#mem;
    const { at } = ContextBlockLayout;
    const block = this.#layout.contexts[context] as number;
    const wake = new WakeWord(mem, block + at.wake);
    // What comes while it is held is counted, but does not hold it anew; its own steps are told of theirs.
    if ((wake.control & CONTROL_HOLD) !== 0 && context !== this.#thread) return;
    if (mem.cas32(block + at.hitState, HIT_FREE, HIT_WRITING) === HIT_FREE) {
      mem.store32(block + at.hitBreakpoint, breakpoint);
      mem.store32(block + at.hitThread, this.#thread);
      mem.store32(block + at.hitEvent, subject.event);
      mem.store32(block + at.hitDev, subject.dev ?? NONE);
      mem.store32(block + at.hitQueue, subject.queue ?? NONE);
      mem.store32(block + at.hitReq, subject.req ?? NONE);
      // ORDER: before the control bit; pairs with takeBreakHit(), which runs after the bit was seen.
      mem.store32(block + at.hitState, HIT_WRITTEN);
    }
    wake.request(CONTROL_HOLD);
  }
}

/** Context's thread: what held it, once; undefined if that was no breakpoint. */
export function takeBreakHit(mem: SharedMemory, block: number): BreakHit | undefined {
  const { at } = ContextBlockLayout;
  if (mem.load32(block + at.hitState) !== HIT_WRITTEN) return undefined;
  const value = (field: 'hitDev' | 'hitQueue' | 'hitReq'): number | undefined => {
    const word = mem.load32(block + at[field]);
    return word === NONE ? undefined : word;
  };
  const hit: BreakHit = {
    breakpoint: mem.load32(block + at.hitBreakpoint),
    thread: mem.load32(block + at.hitThread),
    event: mem.load32(block + at.hitEvent),
    ctx: undefined,
    dev: value('hitDev'),
    queue: value('hitQueue'),
    req: value('hitReq'),
  };
  mem.store32(block + at.hitState, HIT_FREE);
  return hit;
}

import { VirtioFault } from '../fault.ts';
import { VirtQueueLayout } from '../layout.ts';
import {
  AVAIL_F_NO_INTERRUPT,
  DESC_BYTES,
  DESC_F_INDIRECT,
  DESC_F_NEXT,
  DESC_F_WRITE,
  USED_F_NO_NOTIFY,
} from '../spec.ts';
import type { DescriptorChain, VirtQueueElement } from './chain.ts';
import { POP_CHAIN, POP_EMPTY, type PopResult, type RingAreas, Virtqueue } from './virtqueue.ts';
import type { VirtioEnv } from '../env.ts';

const Q = VirtQueueLayout.at;

/** Was `eventIdx` passed by the move from `oldIdx` to `newIdx`? (virtio 2.7.7.2, modulo 2^16) */
export const needEvent = (eventIdx: number, newIdx: number, oldIdx: number): boolean =>
  ((newIdx - eventIdx - 1) & 0xffff) < ((newIdx - oldIdx) & 0xffff);

/** The device's end of a split virtqueue (virtio 2.7). */
export class SplitVirtqueue extends Virtqueue {
  readonly #availIdxAddr: number;
  readonly #availRing: number;
  readonly #usedEventAddr: number;
  readonly #usedIdxAddr: number;
  readonly #usedRing: number;
  readonly #availEventAddr: number;
  readonly #mask: number;

  constructor(env: VirtioEnv, index: number, areas: RingAreas) {
    super(env, index, areas);
    const { driver, device, size } = areas;
    this.#availIdxAddr = driver + 2;
    this.#availRing = (driver + 4) >>> 1;
    this.#usedEventAddr = driver + 4 + 2 * size;
    this.#usedIdxAddr = device + 2;
    this.#usedRing = (device + 4) >>> 2;
    this.#availEventAddr = device + 4 + 8 * size;
    this.#mask = size - 1;
  }

  hasWork(): boolean {
    return this.env.mem.load16(this.#availIdxAddr) !== this.state.get(Q.lastAvailIdx);
  }

  peek(chain: DescriptorChain): PopResult {
    const { state, env } = this;
    const lastAvail = state.get(Q.lastAvailIdx);
    // ORDER: pairs with the driver's barrier between writing the ring entry and the index (2.7.13.3.1).
    const waiting = (env.mem.load16(this.#availIdxAddr) - lastAvail) & 0xffff;
    if (waiting === 0) return POP_EMPTY;
    if (waiting > this.size) return VirtioFault.AvailJump;
    if (state.get(Q.inFlight) >= this.size) return VirtioFault.InFlightExceeded;
    const head = env.mem.u16[this.#availRing + (lastAvail & this.#mask)] as number;
    if (head >= this.size) return VirtioFault.HeadOutOfRange;
    if (state.requestAt(head) !== 0) return VirtioFault.HeadInFlight;
    const fault = this.#parse(chain, head);
    return fault === 0 ? POP_CHAIN : fault;
  }

  protected advance(): void {
    this.state.set(Q.lastAvailIdx, (this.state.get(Q.lastAvailIdx) + 1) & 0xffff);
  }

  /** Walks a chain: direct descriptors, the last of which may name an indirect table (2.7.5.3.2). */
  #parse(chain: DescriptorChain, head: number): VirtioFault | 0 {
    const { view } = this.env.mem;
    const { ram } = this.env;
    chain.begin(head);
    let table = this.areas.desc;
    let entries = this.size;
    let seen = 0;
    let next = head;
    let indirect = false;
    for (;;) {
      if (++seen > entries) return VirtioFault.ChainLoop;
      const at = table + next * DESC_BYTES;
      const low = view.getUint32(at, true);
      const high = view.getUint32(at + 4, true);
      const length = view.getUint32(at + 8, true);
      const flagsNext = view.getUint32(at + 12, true);
      const flags = flagsNext & 0xffff;
      if ((flags & DESC_F_INDIRECT) !== 0) {
        if (!this.areas.indirect) return VirtioFault.IndirectNotNegotiated;
        if (indirect) return VirtioFault.IndirectNested;
        if ((flags & DESC_F_NEXT) !== 0) return VirtioFault.IndirectWithNext;
        if (length === 0 || length % DESC_BYTES !== 0) return VirtioFault.IndirectLength;
        table = ram.translate(low, high, length);
        if (table < 0) return VirtioFault.IndirectOutsideRam;
        indirect = true;
        entries = length / DESC_BYTES;
        seen = 0;
        next = 0;
        continue;
      }
      const fault = chain.add(ram, low, high, length, (flags & DESC_F_WRITE) !== 0);
      if (fault !== 0) return fault;
      if ((flags & DESC_F_NEXT) === 0) return 0;
      next = flagsNext >>> 16;
      if (next >= entries) return VirtioFault.NextOutOfRange;
    }
  }

  protected writeUsed(element: VirtQueueElement, written: number): void {
    const at = this.#usedRing + ((this.state.get(Q.usedIdx) + this.pending) & this.#mask) * 2;
    const words = this.env.mem.u32;
    words[at] = element.head;
    words[at + 1] = written;
  }

  protected publish(): void {
    const usedIdx = (this.state.get(Q.usedIdx) + this.pending) & 0xffff;
    this.state.set(Q.usedIdx, usedIdx);
    // ORDER: a sequentially consistent store: the entries before it are visible first (Q3), and it is
    // visible before wantsInterrupt() reads the driver's wish (2.7.8.2: full barrier on both sides).
    this.env.mem.store16(this.#usedIdxAddr, usedIdx);
  }

  protected wantsInterrupt(): boolean {
    const { state, env } = this;
    const usedIdx = state.get(Q.usedIdx);
    if (!this.areas.eventIdx) {
      return (env.mem.load16(this.areas.driver) & AVAIL_F_NO_INTERRUPT) === 0;
    }
    const old = state.get(Q.signalledUsed);
    state.set(Q.signalledUsed, usedIdx);
    return needEvent(env.mem.load16(this.#usedEventAddr), usedIdx, old);
  }

  protected usedEvent(): number {
    return this.areas.eventIdx ? this.env.mem.load16(this.#usedEventAddr) : 0;
  }

  disableNotification(): void {
    this.state.set(Q.notifyDisabled, 1);
    // With EVENT_IDX the flag means nothing: leaving avail_event where it is suppresses kicks by itself.
    if (!this.areas.eventIdx) this.env.mem.store16(this.areas.device, USED_F_NO_NOTIFY);
  }

  enableNotification(): void {
    this.state.set(Q.notifyDisabled, 0);
    // ORDER: sequentially consistent, so that the caller's hasWork() comes after it (Q4).
    if (this.areas.eventIdx) this.env.mem.store16(this.#availEventAddr, this.state.get(Q.lastAvailIdx));
    else this.env.mem.store16(this.areas.device, 0);
  }
}

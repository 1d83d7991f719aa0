import type { VirtioEnv } from '../env.ts';
import { VirtioFault } from '../fault.ts';
import { VirtQueueLayout } from '../layout.ts';
import {
  DESC_BYTES,
  DESC_F_INDIRECT,
  DESC_F_NEXT,
  DESC_F_WRITE,
  EVENT_FLAGS_DESC,
  EVENT_FLAGS_DISABLE,
  EVENT_FLAGS_ENABLE,
  PACKED_DESC_F_AVAIL,
  PACKED_DESC_F_USED,
  PACKED_WRAP_BIT,
} from '../spec.ts';
import type { DescriptorChain, VirtQueueElement } from './chain.ts';
import { needEvent } from './split.ts';
import { POP_CHAIN, POP_EMPTY, type PopResult, type RingAreas, Virtqueue } from './virtqueue.ts';

const Q = VirtQueueLayout.at;

/**
 * The device's end of a packed virtqueue (virtio 2.8). `lastAvailIdx` and `usedIdx` are slots, each with a
 * wrap counter, which starts at 1.
 */
export class PackedVirtqueue extends Virtqueue {
  /** Free keys of the in-flight table, as a stack. */
  readonly #freeKeys: Uint16Array;
  #freeCount = 0;
  /** Flags of the first used descriptor since the last publish, written last (Q3), and where they go. */
  #firstFlags = 0;
  #firstFlagsAddr = 0;
  readonly #ring: number;

  constructor(env: VirtioEnv, index: number, areas: RingAreas) {
    super(env, index, areas);
    this.#ring = areas.desc;
    this.#freeKeys = new Uint16Array(this.size);
    for (let key = this.size - 1; key >= 0; key--) {
      if (this.state.requestAt(key) === 0) this.#freeKeys[this.#freeCount++] = key;
    }
  }

  hasWork(): boolean {
    return this.#isAvailable(
      this.env.mem.load16(this.#ring + this.state.get(Q.lastAvailIdx) * DESC_BYTES + 14),
    );
  }

  #isAvailable(flags: number): boolean {
    const wrap = this.state.get(Q.lastAvailWrap) !== 0;
    return ((flags & PACKED_DESC_F_AVAIL) !== 0) === wrap && ((flags & PACKED_DESC_F_USED) !== 0) !== wrap;
  }

  peek(chain: DescriptorChain): PopResult {
    const { env, state } = this;
    const first = state.get(Q.lastAvailIdx);
    // ORDER: pairs with the driver's barrier between writing a chain and its first flags (2.8.21.1).
    const firstFlags = env.mem.load16(this.#ring + first * DESC_BYTES + 14);
    if (!this.#isAvailable(firstFlags)) return POP_EMPTY;
    const free = this.size - state.get(Q.inFlightSlots);
    if (free <= 0 || this.#freeCount === 0) return VirtioFault.InFlightExceeded;
    chain.begin(first);
    const fault = this.#parse(chain, firstFlags, free);
    return fault === 0 ? POP_CHAIN : fault;
  }

  protected advance(chain: DescriptorChain): void {
    const { state } = this;
    chain.key = this.#freeKeys[--this.#freeCount] as number;
    const next = chain.head + chain.slots;
    const wrapped = next >= this.size;
    state.set(Q.lastAvailIdx, wrapped ? next - this.size : next);
    if (wrapped) state.set(Q.lastAvailWrap, state.get(Q.lastAvailWrap) ^ 1);
  }

  /** Walks consecutive slots; a chain is either direct or one indirect descriptor (2.8.7). */
  #parse(chain: DescriptorChain, firstFlags: number, free: number): VirtioFault | 0 {
    const { ram, mem } = this.env;
    const { view } = mem;
    let slot = chain.head;
    let flags = firstFlags;
    let slots = 0;
    for (;;) {
      if (++slots > this.size) return VirtioFault.ChainLoop;
      if (slots > free) return VirtioFault.InFlightExceeded;
      const at = this.#ring + slot * DESC_BYTES;
      const low = view.getUint32(at, true);
      const high = view.getUint32(at + 4, true);
      const length = view.getUint32(at + 8, true);
      const idFlags = view.getUint32(at + 12, true);
      if (slots > 1) flags = idFlags >>> 16;
      let fault: VirtioFault | 0;
      if ((flags & DESC_F_INDIRECT) !== 0) {
        if (slots > 1) return VirtioFault.IndirectAfterDirect;
        fault = this.#parseIndirect(chain, flags, low, high, length);
      } else {
        fault = chain.add(ram, low, high, length, (flags & DESC_F_WRITE) !== 0);
      }
      if (fault !== 0) return fault;
      if ((flags & DESC_F_NEXT) === 0) {
        // 2.8.6: the buffer id is in the last descriptor of the list.
        chain.bufferId = idFlags & 0xffff;
        chain.slots = slots;
        return 0;
      }
      slot = slot + 1 === this.size ? 0 : slot + 1;
    }
  }

  /** A packed indirect table is used from end to end; of its flags only WRITE counts (2.8.7). */
  #parseIndirect(
    chain: DescriptorChain,
    flags: number,
    low: number,
    high: number,
    length: number,
  ): VirtioFault | 0 {
    const { ram, mem } = this.env;
    if (!this.areas.indirect) return VirtioFault.IndirectNotNegotiated;
    if ((flags & DESC_F_NEXT) !== 0) return VirtioFault.IndirectWithNext;
    if (length === 0 || length % DESC_BYTES !== 0) return VirtioFault.IndirectLength;
    const table = ram.translate(low, high, length);
    if (table < 0) return VirtioFault.IndirectOutsideRam;
    for (let at = table; at < table + length; at += DESC_BYTES) {
      const entryFlags = mem.view.getUint16(at + 14, true);
      if ((entryFlags & DESC_F_INDIRECT) !== 0) return VirtioFault.IndirectNested;
      const fault = chain.add(
        ram,
        mem.view.getUint32(at, true),
        mem.view.getUint32(at + 4, true),
        mem.view.getUint32(at + 8, true),
        (entryFlags & DESC_F_WRITE) !== 0,
      );
      if (fault !== 0) return fault;
    }
    return 0;
  }

  protected writeUsed(element: VirtQueueElement, written: number): void {
    const { mem } = this.env;
    const { state } = this;
    const slot = state.get(Q.usedIdx);
    const wrap = state.get(Q.usedWrap);
    const at = this.#ring + slot * DESC_BYTES;
    mem.u32[(at + 8) >>> 2] = written;
    mem.u16[(at + 12) >>> 1] = element.bufferId;
    const flags =
      (wrap !== 0 ? PACKED_DESC_F_AVAIL | PACKED_DESC_F_USED : 0) | (written > 0 ? DESC_F_WRITE : 0);
    if (this.pending === 0) {
      this.#firstFlags = flags;
      this.#firstFlagsAddr = at + 14;
    } else {
      mem.store16(at + 14, flags);
    }
    const next = slot + element.slots;
    const wrapped = next >= this.size;
    state.set(Q.usedIdx, wrapped ? next - this.size : next);
    if (wrapped) state.set(Q.usedWrap, wrap ^ 1);
    this.#freeKeys[this.#freeCount++] = element.key;
  }

  protected publish(): void {
    // ORDER: sequentially consistent: every used descriptor behind it is visible first (Q3), and it is
    // visible before wantsInterrupt() reads the driver's wish (2.8.21.3.1).
    this.env.mem.store16(this.#firstFlagsAddr, this.#firstFlags);
  }

  protected wantsInterrupt(): boolean {
    const { state, env } = this;
    const used = state.get(Q.usedIdx);
    const wrap = state.get(Q.usedWrap) !== 0 ? PACKED_WRAP_BIT : 0;
    const old = state.get(Q.signalledUsed);
    state.set(Q.signalledUsed, used | wrap);
    const flags = env.mem.load16(this.areas.driver + 2) & 3;
    if (flags === EVENT_FLAGS_DISABLE) return false;
    if (flags !== EVENT_FLAGS_DESC || !this.areas.eventIdx) return true;
    // An offset under the other wrap counter lies one lap behind.
    const behind = (offsetWrap: number): number =>
      (offsetWrap & ~PACKED_WRAP_BIT) - ((offsetWrap & PACKED_WRAP_BIT) === wrap ? 0 : this.size);
    return needEvent(behind(env.mem.load16(this.areas.driver)), used, behind(old));
  }

  protected usedEvent(): number {
    return this.env.mem.load16(this.areas.driver);
  }

  disableNotification(): void {
    this.state.set(Q.notifyDisabled, 1);
    this.env.mem.store16(this.areas.device + 2, EVENT_FLAGS_DISABLE);
  }

  enableNotification(): void {
    const { state, env } = this;
    state.set(Q.notifyDisabled, 0);
    if (this.areas.eventIdx) {
      const wrap = state.get(Q.lastAvailWrap) !== 0 ? PACKED_WRAP_BIT : 0;
      env.mem.store16(this.areas.device, state.get(Q.lastAvailIdx) | wrap);
    }
    // ORDER: after the offset, and before the caller's hasWork() (Q4).
    env.mem.store16(this.areas.device + 2, this.areas.eventIdx ? EVENT_FLAGS_DESC : EVENT_FLAGS_ENABLE);
  }
}

import { assert } from '../../base/assert.ts';
import {
  DESC_BYTES,
  DESC_F_INDIRECT,
  DESC_F_NEXT,
  DESC_F_WRITE,
  EVENT_FLAGS_DESC,
  EVENT_FLAGS_DISABLE,
  EVENT_FLAGS_ENABLE,
} from '../spec.ts';
import type { GuestMemory } from './fake-driver.ts';
import {
  crossed,
  type FakeBuffer,
  type FakeQueue,
  type FakeQueueOptions,
  type FakeUsed,
} from './fake-queue.ts';

const AVAIL = 1 << 7;
const USED = 1 << 15;

/** The driver's end of a packed virtqueue (virtio 2.8.21, 2.8.22). */
export class FakePackedQueue implements FakeQueue {
  readonly size: number;
  readonly desc: number;
  readonly driver: number;
  readonly device: number;
  readonly guest: GuestMemory;
  readonly options: FakeQueueOptions;
  readonly #freeIds: number[];
  readonly #slotsOf = new Map<number, number>();
  free: number;
  next = 0;
  wrap = true;
  lastUsed = 0;
  usedWrap = true;
  /** Slots made available in all, and at the last publish: for the kick decision. */
  #added = 0;
  #published = 0;

  constructor(guest: GuestMemory, size: number, options: FakeQueueOptions) {
    this.guest = guest;
    this.size = size;
    this.options = options;
    this.desc = guest.alloc(size * DESC_BYTES, 16);
    this.driver = guest.alloc(4, 4);
    this.device = guest.alloc(4, 4);
    guest.bytes(this.desc, size * DESC_BYTES).fill(0);
    guest.setU32(this.driver, 0);
    guest.setU32(this.device, 0);
    this.#freeIds = Array.from({ length: size }, (_, i) => size - 1 - i);
    this.free = size;
  }

  /** Writes a descriptor but for its flags. */
  writeDesc(at: number, addr: number | bigint, length: number, id: number): void {
    this.guest.setU64(at, addr);
    this.guest.setU32(at + 8, length);
    this.guest.setU16(at + 12, id);
  }

  /** Flags that make a slot available under the present wrap counter. */
  availFlags(wrap = this.wrap): number {
    return wrap ? AVAIL : USED;
  }

  add(buffers: readonly FakeBuffer[], indirect = false): number {
    const slots = indirect ? 1 : buffers.length;
    assert(slots <= this.free, 'fake driver: ring full');
    const id = this.#freeIds.pop();
    assert(id !== undefined, 'fake driver: out of ids');
    let entries = buffers.map((buffer) => ({
      addr: buffer.addr,
      length: buffer.length,
      flags: buffer.writable ? DESC_F_WRITE : 0,
    }));
    if (indirect) {
      const table = this.guest.alloc(buffers.length * DESC_BYTES);
      for (const [i, entry] of entries.entries()) {
        this.writeDesc(table + i * DESC_BYTES, entry.addr, entry.length, 0);
        this.guest.setU16(table + i * DESC_BYTES + 14, entry.flags);
      }
      entries = [{ addr: table, length: buffers.length * DESC_BYTES, flags: DESC_F_INDIRECT }];
    }
    const first = this.desc + this.next * DESC_BYTES;
    let firstFlags = 0;
    for (const [i, entry] of entries.entries()) {
      const at = this.desc + this.next * DESC_BYTES;
      const flags = entry.flags | (i < entries.length - 1 ? DESC_F_NEXT : 0) | this.availFlags();
      this.writeDesc(at, entry.addr, entry.length, id);
      if (i === 0) firstFlags = flags;
      else this.guest.setU16(at + 14, flags);
      this.next += 1;
      if (this.next === this.size) {
        this.next = 0;
        this.wrap = !this.wrap;
      }
    }
    this.guest.mem.store16(this.guest.at(first + 14), firstFlags);
    this.free -= slots;
    this.#added += slots;
    this.#slotsOf.set(id, slots);
    return id;
  }

  publish(): boolean {
    const moved = this.#added - this.#published;
    this.#published = this.#added;
    if (moved === 0) return false;
    const flags = this.guest.u16(this.device + 2) & 3;
    if (flags === EVENT_FLAGS_DISABLE) return false;
    if (flags === EVENT_FLAGS_ENABLE) return true;
    const wish = this.guest.u16(this.device);
    let event = wish & 0x7fff;
    if (((wish & 0x8000) !== 0) !== this.wrap) event -= this.size;
    return crossed(event & 0xffff, this.next, (this.next - moved) & 0xffff);
  }

  takeUsed(): FakeUsed[] {
    const used: FakeUsed[] = [];
    for (;;) {
      const at = this.desc + this.lastUsed * DESC_BYTES;
      const flags = this.guest.mem.load16(this.guest.at(at + 14));
      const isUsed = ((flags & AVAIL) !== 0) === this.usedWrap && ((flags & USED) !== 0) === this.usedWrap;
      if (!isUsed) break;
      const token = this.guest.u16(at + 12);
      const slots = this.#slotsOf.get(token);
      assert(slots !== undefined, `fake driver: device returned ${token}, which it did not have`);
      this.#slotsOf.delete(token);
      this.#freeIds.push(token);
      this.free += slots;
      used.push({ token, length: (flags & DESC_F_WRITE) !== 0 ? this.guest.u32(at + 8) : 0 });
      this.lastUsed += slots;
      if (this.lastUsed >= this.size) {
        this.lastUsed -= this.size;
        this.usedWrap = !this.usedWrap;
      }
    }
    if (used.length > 0) this.wantInterrupts('next');
    return used;
  }

  wantInterrupts(wish: 'none' | 'next' | number): void {
    if (wish === 'none') {
      this.guest.setU16(this.driver + 2, EVENT_FLAGS_DISABLE);
      return;
    }
    if (!this.options.eventIdx) {
      this.guest.setU16(this.driver + 2, EVENT_FLAGS_ENABLE);
      return;
    }
    let slot = this.lastUsed + (wish === 'next' ? 0 : wish - 1);
    let wrap = this.usedWrap;
    if (slot >= this.size) {
      slot -= this.size;
      wrap = !wrap;
    }
    this.guest.setU16(this.driver, slot | (wrap ? 0x8000 : 0));
    this.guest.setU16(this.driver + 2, EVENT_FLAGS_DESC);
  }
}

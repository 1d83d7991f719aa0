import { assert } from '../../base/assert.ts';
import { DESC_BYTES, DESC_F_INDIRECT, DESC_F_NEXT, DESC_F_WRITE } from '../spec.ts';
import type { GuestMemory } from './fake-driver.ts';
import {
  crossed,
  type FakeBuffer,
  type FakeQueue,
  type FakeQueueOptions,
  type FakeUsed,
} from './fake-queue.ts';

/** The driver's end of a split virtqueue (virtio 2.7.13, 2.7.14). */
export class FakeSplitQueue implements FakeQueue {
  readonly size: number;
  readonly desc: number;
  readonly driver: number;
  readonly device: number;
  readonly guest: GuestMemory;
  readonly options: FakeQueueOptions;
  readonly #freeHeads: number[];
  readonly #chains = new Map<number, number[]>();
  /** Next available index, and the one the device was last told. */
  availIdx = 0;
  published = 0;
  lastUsed = 0;

  constructor(guest: GuestMemory, size: number, options: FakeQueueOptions) {
    this.guest = guest;
    this.size = size;
    this.options = options;
    this.desc = guest.alloc(size * DESC_BYTES, 16);
    this.driver = guest.alloc(6 + 2 * size, 2);
    this.device = guest.alloc(6 + 8 * size, 4);
    guest.bytes(this.desc, size * DESC_BYTES).fill(0);
    guest.bytes(this.driver, 6 + 2 * size).fill(0);
    guest.bytes(this.device, 6 + 8 * size).fill(0);
    this.#freeHeads = Array.from({ length: size }, (_, i) => size - 1 - i);
  }

  get free(): number {
    return this.#freeHeads.length;
  }

  /** Writes one descriptor into a table. */
  writeDesc(
    table: number,
    index: number,
    addr: number | bigint,
    length: number,
    flags: number,
    next: number,
  ): void {
    const at = table + index * DESC_BYTES;
    this.guest.setU64(at, addr);
    this.guest.setU32(at + 8, length);
    this.guest.setU16(at + 12, flags);
    this.guest.setU16(at + 14, next);
  }

  /** Puts a head into the available ring, without publishing it. */
  pushHead(head: number): void {
    this.guest.setU16(this.driver + 4 + (this.availIdx % this.size) * 2, head);
    this.availIdx = (this.availIdx + 1) & 0xffff;
  }

  add(buffers: readonly FakeBuffer[], indirect = false): number {
    assert(buffers.length > 0, 'fake driver: empty chain');
    const slots = this.#freeHeads.splice(-(indirect ? 1 : buffers.length));
    assert(slots.length === (indirect ? 1 : buffers.length), 'fake driver: ring full');
    const head = slots[0] as number;
    let table = this.desc;
    let places = slots;
    if (indirect) {
      table = this.guest.alloc(buffers.length * DESC_BYTES);
      places = buffers.map((_, i) => i);
      this.writeDesc(this.desc, head, table, buffers.length * DESC_BYTES, DESC_F_INDIRECT, 0);
    }
    for (const [i, buffer] of buffers.entries()) {
      const last = i === buffers.length - 1;
      const flags = (buffer.writable ? DESC_F_WRITE : 0) | (last ? 0 : DESC_F_NEXT);
      this.writeDesc(
        table,
        places[i] as number,
        buffer.addr,
        buffer.length,
        flags,
        last ? 0 : (places[i + 1] as number),
      );
    }
    this.#chains.set(head, slots);
    this.pushHead(head);
    return head;
  }

  publish(): boolean {
    const old = this.published;
    this.guest.mem.store16(this.guest.at(this.driver + 2), this.availIdx);
    this.published = this.availIdx;
    if (old === this.availIdx) return false;
    if (!this.options.eventIdx) return (this.guest.u16(this.device) & 1) === 0;
    return crossed(this.guest.u16(this.device + 4 + 8 * this.size), this.availIdx, old);
  }

  takeUsed(): FakeUsed[] {
    const used: FakeUsed[] = [];
    const idx = this.guest.mem.load16(this.guest.at(this.device + 2));
    while (this.lastUsed !== idx) {
      const at = this.device + 4 + (this.lastUsed % this.size) * 8;
      const token = this.guest.u32(at);
      const chain = this.#chains.get(token);
      assert(chain !== undefined, `fake driver: device returned ${token}, which it did not have`);
      this.#chains.delete(token);
      this.#freeHeads.push(...chain);
      used.push({ token, length: this.guest.u32(at + 4) });
      this.lastUsed = (this.lastUsed + 1) & 0xffff;
    }
    if (this.options.eventIdx && used.length > 0) this.wantInterrupts('next');
    return used;
  }

  wantInterrupts(wish: 'none' | 'next' | number): void {
    this.guest.setU16(this.driver, wish === 'none' ? 1 : 0);
    if (!this.options.eventIdx) return;
    // One behind the last used index is 65535 buffers away.
    const ahead = wish === 'none' ? -1 : wish === 'next' ? 0 : wish - 1;
    this.guest.setU16(this.driver + 4 + 2 * this.size, (this.lastUsed + ahead) & 0xffff);
  }
}

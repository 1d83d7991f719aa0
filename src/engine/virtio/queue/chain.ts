import type { GuestRam } from '../../base/guest-ram.ts';
import { IoVector } from '../../base/io-vector.ts';
import { VirtioFault } from '../fault.ts';
import { CHAIN_SEGMENTS_MAX } from '../spec.ts';

/** What has to be remembered of a buffer to return it: the part of a chain that outlives parsing. */
export interface VirtQueueElement {
  /** Its place in the queue's in-flight table; split: the head. */
  key: number;
  /** Index of the first descriptor: split, in the table; packed, the slot. */
  head: number;
  /** Packed: the buffer id the driver wrote. Split: the head again. */
  bufferId: number;
  /** Packed: slots the chain took. Split: 1, its entry in the available ring. */
  slots: number;
  /** Request id, for traces. */
  req: number;
  /** What happens to it is recorded in the trace; else it is counted. */
  followed: boolean;
}

/**
 * One descriptor chain, parsed: where its device-readable and device-writable bytes are. Preallocated by
 * the queue's user and filled by `Virtqueue.pop`; every address in it has been checked.
 */
export class DescriptorChain implements VirtQueueElement {
  key = 0;
  head = 0;
  bufferId = 0;
  slots = 0;
  req = 0;
  followed = true;
  /** Descriptors seen, direct and indirect. */
  segments = 0;
  readonly readable = new IoVector(16);
  readonly writable = new IoVector(16);

  begin(head: number): void {
    this.key = head;
    this.head = head;
    this.bufferId = head;
    this.slots = 1;
    this.req = 0;
    this.segments = 0;
    this.readable.clear();
    this.writable.clear();
  }

  /** Appends one buffer descriptor; 0, or what is wrong with it. */
  add(ram: GuestRam, low: number, high: number, length: number, writable: boolean): VirtioFault | 0 {
    if (++this.segments > CHAIN_SEGMENTS_MAX) return VirtioFault.TooManySegments;
    if (length === 0) return VirtioFault.ZeroLength;
    if (!writable && this.writable.count > 0) return VirtioFault.ReadableAfterWritable;
    if (this.readable.bytes + this.writable.bytes + length > 0xffff_ffff) return VirtioFault.ChainTooLong;
    const addr = ram.translate(low, high, length);
    if (addr < 0) return VirtioFault.BufferOutsideRam;
    if (writable) this.writable.add(addr, length);
    else this.readable.add(addr, length);
    return 0;
  }
}

/** Copies what `push` needs from one element to another. */
export function copyElement(from: VirtQueueElement, to: VirtQueueElement): void {
  to.key = from.key;
  to.head = from.head;
  to.bufferId = from.bufferId;
  to.slots = from.slots;
  to.req = from.req;
  to.followed = from.followed;
}

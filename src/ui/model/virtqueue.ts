/**
 * Virtqueues as they lie in guest memory (virtio 1.2, 2.7 and 2.8), read for display. What is read was written
 * by the guest at any moment: nothing is trusted, loops and wild indexes end the walk.
 */

export interface Descriptor {
  readonly index: number;
  readonly addr: bigint;
  readonly len: number;
  readonly next: boolean;
  readonly write: boolean;
  readonly indirect: boolean;
}

export interface SplitRing {
  readonly kind: 'split';
  readonly size: number;
  readonly availIdx: number;
  readonly availFlags: number;
  /** Heads the driver made available, by slot. */
  readonly avail: readonly number[];
  /** Index at which the driver asks for the next interrupt (EVENT_IDX). */
  readonly usedEvent: number;
  readonly usedIdx: number;
  readonly usedFlags: number;
  readonly used: readonly { readonly id: number; readonly len: number }[];
  /** Index at which the device asks for the next kick (EVENT_IDX). */
  readonly availEvent: number;
  readonly descriptors: readonly (Descriptor & { readonly nextIndex: number })[];
}

export interface PackedRing {
  readonly kind: 'packed';
  readonly size: number;
  readonly slots: readonly (Descriptor & {
    readonly id: number;
    readonly availBit: boolean;
    readonly usedBit: boolean;
    /** By its two wrap bits alone: `available` and `used` depend on the wrap counter of the reader. */
    readonly same: boolean;
  })[];
  readonly driverEvent: { readonly offset: number; readonly wrap: boolean; readonly flags: number };
  readonly deviceEvent: { readonly offset: number; readonly wrap: boolean; readonly flags: number };
}

const NEXT = 1;
const WRITE = 2;
const INDIRECT = 4;
const PACKED_AVAIL = 1 << 7;
const PACKED_USED = 1 << 15;

export type ReadGuest = (addr: number, bytes: number) => Uint8Array | undefined;

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Reads a split ring; undefined when an area is not in RAM. */
export function readSplitRing(
  read: ReadGuest,
  queue: { readonly size: number; readonly desc: number; readonly driver: number; readonly device: number },
): SplitRing | undefined {
  const { size } = queue;
  const descBytes = read(queue.desc, 16 * size);
  const availBytes = read(queue.driver, 6 + 2 * size);
  const usedBytes = read(queue.device, 6 + 8 * size);
  if (descBytes === undefined || availBytes === undefined || usedBytes === undefined) return undefined;
  const desc = view(descBytes);
  const avail = view(availBytes);
  const used = view(usedBytes);
  return {
    kind: 'split',
    size,
    availFlags: avail.getUint16(0, true),
    availIdx: avail.getUint16(2, true),
    avail: Array.from({ length: size }, (_, i) => avail.getUint16(4 + 2 * i, true)),
    usedEvent: avail.getUint16(4 + 2 * size, true),
    usedFlags: used.getUint16(0, true),
    usedIdx: used.getUint16(2, true),
    used: Array.from({ length: size }, (_, i) => ({
      id: used.getUint32(4 + 8 * i, true),
      len: used.getUint32(8 + 8 * i, true),
    })),
    availEvent: used.getUint16(4 + 8 * size, true),
    descriptors: Array.from({ length: size }, (_, i) => ({
      ...descriptorAt(desc, i, desc.getUint16(16 * i + 12, true)),
      nextIndex: desc.getUint16(16 * i + 14, true),
    })),
  };
}

/** Reads a packed ring; undefined when an area is not in RAM. */
export function readPackedRing(
  read: ReadGuest,
  queue: { readonly size: number; readonly desc: number; readonly driver: number; readonly device: number },
): PackedRing | undefined {
  const descBytes = read(queue.desc, 16 * queue.size);
  const driverBytes = read(queue.driver, 4);
  const deviceBytes = read(queue.device, 4);
  if (descBytes === undefined || driverBytes === undefined || deviceBytes === undefined) return undefined;
  const desc = view(descBytes);
  const event = (bytes: Uint8Array) => {
    const word = view(bytes).getUint16(0, true);
    return { offset: word & 0x7fff, wrap: (word & 0x8000) !== 0, flags: view(bytes).getUint16(2, true) & 3 };
  };
  return {
    kind: 'packed',
    size: queue.size,
    slots: Array.from({ length: queue.size }, (_, i) => {
      const flags = desc.getUint16(16 * i + 14, true);
      const availBit = (flags & PACKED_AVAIL) !== 0;
      const usedBit = (flags & PACKED_USED) !== 0;
      return {
        ...descriptorAt(desc, i, flags),
        id: desc.getUint16(16 * i + 12, true),
        availBit,
        usedBit,
        same: availBit === usedBit,
      };
    }),
    driverEvent: event(driverBytes),
    deviceEvent: event(deviceBytes),
  };
}

const descriptorAt = (desc: DataView, index: number, flags: number): Descriptor => ({
  index,
  addr: desc.getBigUint64(16 * index, true),
  len: desc.getUint32(16 * index + 8, true),
  next: (flags & NEXT) !== 0,
  write: (flags & WRITE) !== 0,
  indirect: (flags & INDIRECT) !== 0,
});

/** The chain that starts at a head; ends at a loop or a wild index, and says so. */
export function chainOf(
  ring: SplitRing,
  head: number,
): { readonly chain: readonly Descriptor[]; readonly broken: boolean } {
  const chain: Descriptor[] = [];
  const seen = new Set<number>();
  for (let at = head; ; ) {
    const descriptor = ring.descriptors[at];
    if (descriptor === undefined || seen.has(at)) return { chain, broken: true };
    seen.add(at);
    chain.push(descriptor);
    if (!descriptor.next) return { chain, broken: false };
    at = descriptor.nextIndex;
  }
}

/** Entries between two free-running 16-bit indexes. */
export const distance = (from: number, to: number): number => (to - from) & 0xffff;

/**
 * The rule by which EVENT_IDX suppresses a notification (virtio 1.2, 2.7.10): going from `oldIdx` to `newIdx`
 * notifies if it passes `event`.
 */
export const needsEvent = (event: number, newIdx: number, oldIdx: number): boolean =>
  ((newIdx - event - 1) & 0xffff) < ((newIdx - oldIdx) & 0xffff);

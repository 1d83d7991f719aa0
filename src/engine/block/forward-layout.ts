import { struct } from '../base/struct.ts';

/** Requests under way between two contexts at most; a power of two. The rest waits with its submitter. */
export const FORWARD_SLOTS = 64;
/**
 * Pieces of memory per slot; a longer list takes several slots. As many as a sector has bytes, so that
 * however short the pieces are, a full slot holds at least one sector and a list can be cut there.
 */
export const FORWARD_PIECES = 512;

/**
 * A disk as another context sees it: what it is, and two rings of slot numbers. Head and tail count and wrap
 * at 2^32; each ring has one writer and one reader, and can't overflow since it has a place for every slot.
 */
export const ForwardLayout = struct(
  'Forward',
  {
    /** Size of the disk. */
    bytes: 'f64',
    /** 1 once an owner has published what the disk is. */
    published: 'u32',
    readOnly: 'u32',
    canDiscard: 'u32',
    /** Counts changes of the size. */
    resizes: 'u32',
    spare0: 'bytes:40',
    /** Written by the submitter. */
    submitHead: 'u32',
    doneTail: 'u32',
    spare1: 'bytes:56',
    /** Written by the owner. */
    doneHead: 'u32',
    submitTail: 'u32',
    spare2: 'bytes:56',
    submitRing: `u32[${FORWARD_SLOTS}]`,
    doneRing: `u32[${FORWARD_SLOTS}]`,
  },
  64,
);

/** One request on its way. Written by the submitter before it goes into the ring; `result` by the owner. */
export const ForwardSlotLayout = struct(
  'ForwardSlot',
  {
    offset: 'f64',
    bytes: 'f64',
    kind: 'u32',
    mayUnmap: 'u32',
    id: 'u32',
    dev: 'u32',
    followed: 'u32',
    pieces: 'u32',
    result: 'u32',
    addrs: `u32[${FORWARD_PIECES}]`,
    lengths: `u32[${FORWARD_PIECES}]`,
  },
  64,
);

/** Bytes of shared memory one submitter's way to a disk takes; zeroed before use. */
export const FORWARD_BYTES = ForwardLayout.size + FORWARD_SLOTS * ForwardSlotLayout.size;

export const slotAddr = (base: number, slot: number): number =>
  base + ForwardLayout.size + slot * ForwardSlotLayout.size;

/** Request kinds by number; `resize` travels the same way. */
export const FORWARD_KINDS = ['read', 'write', 'flush', 'discard', 'write-zeroes', 'resize'] as const;
export type ForwardKind = (typeof FORWARD_KINDS)[number];

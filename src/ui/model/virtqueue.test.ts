import { describe, expect, it } from 'vitest';
import { chainOf, distance, needsEvent, readPackedRing, readSplitRing } from './virtqueue.ts';

const memory = new Uint8Array(0x1000);
const dv = new DataView(memory.buffer);
const read = (addr: number, bytes: number): Uint8Array | undefined =>
  addr + bytes <= memory.length ? memory.subarray(addr, addr + bytes) : undefined;

function putDescriptor(at: number, addr: bigint, len: number, a: number, b: number): void {
  dv.setBigUint64(at, addr, true);
  dv.setUint32(at + 8, len, true);
  dv.setUint16(at + 12, a, true);
  dv.setUint16(at + 14, b, true);
}

describe('split ring', () => {
  const queue = { size: 4, desc: 0x100, driver: 0x200, device: 0x300 };
  putDescriptor(0x100, 0x8000_1000n, 16, 1, 2); // 0 → 2, NEXT
  putDescriptor(0x120, 0x8000_2000n, 4096, 3, 3); // 2 → 3, NEXT|WRITE
  putDescriptor(0x130, 0x8000_3000n, 1, 2, 0); // 3, WRITE
  putDescriptor(0x110, 0n, 0, 1, 1); // 1 → 1: a loop
  dv.setUint16(0x202, 0xffff, true); // avail.idx
  dv.setUint16(0x204 + 2 * 2, 0, true);
  dv.setUint16(0x20c, 0xfffe, true); // used_event
  dv.setUint16(0x302, 0xfffd, true); // used.idx
  dv.setUint32(0x304 + 8, 3, true); // used[1].id
  dv.setUint32(0x304 + 12, 4097, true);
  dv.setUint16(0x324, 7, true); // avail_event

  it('reads both halves where the specification puts them', () => {
    const ring = readSplitRing(read, queue);
    expect(ring).toMatchObject({ availIdx: 0xffff, usedIdx: 0xfffd, usedEvent: 0xfffe, availEvent: 7 });
    expect(ring?.used[1]).toEqual({ id: 3, len: 4097 });
    expect(distance(ring?.usedIdx ?? 0, ring?.availIdx ?? 0)).toBe(2);
  });
  it('follows a chain, and stops at loops and wild indexes', () => {
    const ring = readSplitRing(read, queue);
    if (ring === undefined) throw new Error('not read');
    expect(chainOf(ring, 0)).toMatchObject({
      broken: false,
      chain: [{ index: 0 }, { index: 2, write: true }, { index: 3 }],
    });
    expect(chainOf(ring, 1)).toMatchObject({ broken: true, chain: [{ index: 1 }] });
    expect(chainOf(ring, 9)).toEqual({ broken: true, chain: [] });
  });
  it('is undefined outside RAM', () => {
    expect(readSplitRing(read, { ...queue, device: 0xff0 })).toBeUndefined();
  });
});

describe('packed ring', () => {
  it('reads wrap bits and event areas', () => {
    putDescriptor(0x400, 0x8000_0000n, 512, 9, 1 << 7);
    putDescriptor(0x410, 0x8000_0000n, 512, 9, (1 << 7) | (1 << 15) | 2);
    dv.setUint16(0x500, 0x8005, true);
    dv.setUint16(0x502, 2, true);
    const ring = readPackedRing(read, { size: 2, desc: 0x400, driver: 0x500, device: 0x600 });
    expect(ring?.slots[0]).toMatchObject({ id: 9, availBit: true, usedBit: false, same: false });
    expect(ring?.slots[1]).toMatchObject({ availBit: true, usedBit: true, same: true, write: true });
    expect(ring?.driverEvent).toEqual({ offset: 5, wrap: true, flags: 2 });
  });
});

describe('EVENT_IDX', () => {
  it('notifies when the index passes the event, also across the wrap', () => {
    expect(needsEvent(5, 6, 5)).toBe(true);
    expect(needsEvent(6, 6, 5)).toBe(false);
    expect(needsEvent(0xffff, 1, 0xfffe)).toBe(true);
    expect(needsEvent(3, 2, 0xfffe)).toBe(false);
  });
});

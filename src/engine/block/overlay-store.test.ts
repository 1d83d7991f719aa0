import { beforeEach, describe, expect, it } from 'vitest';
import { IoVector } from '../base/io-vector.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { BLK_OK, EIO, ENOSPC, ENOTSUP } from './block-backend.ts';
import { CLUSTER_BYTES, MemoryStore } from './memory-store.ts';
import { OverlayStore } from './overlay-store.ts';
import { RawStore } from './raw-store.ts';
import { FakeDiskFile } from './testing/fake-disk-file.ts';

const mem = new SharedMemory(new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true }));
const DISK = 16 * CLUSTER_BYTES;

let file: FakeDiskFile;
let arena: SharedMemory;
let overlay: OverlayStore;
beforeEach(() => {
  file = new FakeDiskFile(DISK);
  file.data.fill(0xbb);
  arena = new SharedMemory(MemoryStore.allocate(DISK, { maxBytes: 4 * DISK }));
  overlay = new OverlayStore(mem, new RawStore(mem, file, true), new MemoryStore(mem, arena));
});

function at(addr: number, bytes: number): IoVector {
  const iov = new IoVector();
  iov.add(addr, bytes);
  return iov;
}
function write(offset: number, bytes: number, value: number): void {
  mem.u8.fill(value, 0, bytes);
  expect(overlay.write(at(0, bytes), offset)).toBe(BLK_OK);
}
/** Byte values in a range, runs folded: [value, length]…. */
function runs(offset: number, bytes: number): [number, number][] {
  expect(overlay.read(at(65536, bytes), offset)).toBe(BLK_OK);
  const folded: [number, number][] = [];
  for (const byte of mem.u8.subarray(65536, 65536 + bytes)) {
    const last = folded.at(-1);
    if (last?.[0] === byte) last[1] += 1;
    else folded.push([byte, 1]);
  }
  return folded;
}

describe('an image that shall not change', () => {
  it('shows what was written here and, around it, what was there', () => {
    write(CLUSTER_BYTES + 512, 512, 0x11);
    write(3 * CLUSTER_BYTES - 512, CLUSTER_BYTES + 1024, 0x22);
    expect(runs(0, 6 * CLUSTER_BYTES)).toEqual([
      [0xbb, CLUSTER_BYTES + 512],
      [0x11, 512],
      [0xbb, CLUSTER_BYTES + CLUSTER_BYTES - 512 - 512 - 512],
      [0x22, CLUSTER_BYTES + 1024],
      [0xbb, 2 * CLUSTER_BYTES - 512],
    ]);
    expect(file.data.every((byte) => byte === 0xbb)).toBe(true);
    expect(file.calls.write).toBe(0);
  });

  it('zeroes and discards hide the image', () => {
    expect(overlay.writeZeroes(512, 2 * CLUSTER_BYTES)).toBe(BLK_OK);
    expect(overlay.discard(8 * CLUSTER_BYTES, CLUSTER_BYTES)).toBe(BLK_OK);
    expect(runs(0, 3 * CLUSTER_BYTES)).toEqual([
      [0xbb, 512],
      [0, 2 * CLUSTER_BYTES],
      [0xbb, CLUSTER_BYTES - 512],
    ]);
    expect(runs(8 * CLUSTER_BYTES, CLUSTER_BYTES)).toEqual([[0, CLUSTER_BYTES]]);
    write(8 * CLUSTER_BYTES, 512, 0x33);
    expect(runs(8 * CLUSTER_BYTES, CLUSTER_BYTES)).toEqual([
      [0x33, 512],
      [0, CLUSTER_BYTES - 512],
    ]);
  });

  it('grows beyond the image, into zeroes, but does not shrink', () => {
    expect(overlay.resize(2 * DISK)).toBe(BLK_OK);
    expect(runs(DISK - 512, 1024)).toEqual([
      [0xbb, 512],
      [0, 512],
    ]);
    write(DISK + 512, 512, 0x44);
    expect(runs(DISK, 1536)).toEqual([
      [0, 512],
      [0x44, 512],
      [0, 512],
    ]);
    expect(overlay.resize(DISK)).toBe(ENOTSUP);
  });

  it('an image that ends inside a cluster', () => {
    file = new FakeDiskFile(CLUSTER_BYTES + 512);
    file.data.fill(0xcc);
    const bytes = 2 * CLUSTER_BYTES;
    const memory = new SharedMemory(MemoryStore.allocate(bytes));
    overlay = new OverlayStore(mem, new RawStore(mem, file, true), new MemoryStore(mem, memory));
    write(CLUSTER_BYTES + 1024, 512, 0x55);
    expect(runs(0, bytes)).toEqual([
      [0xcc, CLUSTER_BYTES + 512],
      [0, 512],
      [0x55, 512],
      [0, CLUSTER_BYTES - 1536],
    ]);
  });

  it('the next owner finds what was written', () => {
    write(0, CLUSTER_BYTES, 0x66);
    overlay.close();
    overlay = new OverlayStore(mem, new RawStore(mem, file.reopen(), true), new MemoryStore(mem, arena));
    expect(runs(0, CLUSTER_BYTES)).toEqual([[0x66, CLUSTER_BYTES]]);
  });

  it('a failing image fails the reads and copies that need it, and nothing else', () => {
    write(0, CLUSTER_BYTES, 0x77);
    const broken = new Error('gone');
    file.failures.set('read', broken);
    expect(overlay.write(at(0, 512), 2 * CLUSTER_BYTES)).toBe(EIO);
    file.failures.set('read', broken);
    expect(runs(0, CLUSTER_BYTES)).toEqual([[0x77, CLUSTER_BYTES]]);
    expect(overlay.read(at(0, 512), 2 * CLUSTER_BYTES)).toBe(EIO);
  });
});

describe('memory', () => {
  it('is taken for what is written, given back when discarded, and used again clean', () => {
    const store = new MemoryStore(mem, new SharedMemory(MemoryStore.allocate(DISK)));
    expect(store.allocatedClusters).toBe(0);
    mem.u8.fill(1, 0, 4 * CLUSTER_BYTES);
    store.write(at(0, 4 * CLUSTER_BYTES), 0);
    expect(store.allocatedClusters).toBe(4);
    store.discard(CLUSTER_BYTES, 2 * CLUSTER_BYTES);
    expect(store.allocatedClusters).toBe(2);
    store.write(at(0, 512), 8 * CLUSTER_BYTES);
    expect(store.allocatedClusters).toBe(3);
    store.read(at(0, CLUSTER_BYTES), 8 * CLUSTER_BYTES);
    expect(mem.u8.subarray(512, CLUSTER_BYTES).every((byte) => byte === 0)).toBe(true);
  });

  it('ends with ENOSPC, not with somebody else’s bytes', () => {
    const capacity = 2 * CLUSTER_BYTES;
    const store = new MemoryStore(mem, new SharedMemory(MemoryStore.allocate(DISK, { capacity })));
    expect(store.write(at(0, capacity), 0)).toBe(BLK_OK);
    expect(store.write(at(0, 512), capacity)).toBe(ENOSPC);
    expect(store.write(at(0, 512), 512)).toBe(BLK_OK);
    store.discard(0, CLUSTER_BYTES);
    expect(store.write(at(0, 512), capacity)).toBe(BLK_OK);
  });

  it('shrinking forgets what was behind the end', () => {
    const store = new MemoryStore(mem, new SharedMemory(MemoryStore.allocate(DISK)));
    mem.u8.fill(1, 0, CLUSTER_BYTES);
    store.write(at(0, CLUSTER_BYTES), DISK - CLUSTER_BYTES);
    expect(store.resize(DISK - 512)).toBe(BLK_OK);
    expect(store.resize(DISK)).toBe(BLK_OK);
    store.read(at(0, CLUSTER_BYTES), DISK - CLUSTER_BYTES);
    expect([mem.u8[CLUSTER_BYTES - 513], mem.u8[CLUSTER_BYTES - 512]]).toEqual([1, 0]);
    expect(store.resize(DISK + CLUSTER_BYTES)).toBe(ENOSPC);
  });
});

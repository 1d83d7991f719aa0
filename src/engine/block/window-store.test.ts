import { describe, expect, it } from 'vitest';
import { IoVector } from '../base/io-vector.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { BLK_OK, ENOTSUP } from './block-backend.ts';
import { MemoryStore } from './memory-store.ts';
import { WindowStore } from './window-store.ts';

function make() {
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  const below = new MemoryStore(mem, new SharedMemory(MemoryStore.allocate(64 * 1024)));
  const iov = new IoVector();
  iov.add(1024, 512);
  return { mem, below, iov };
}

describe('WindowStore', () => {
  it('shifts every access and ends where it is told', () => {
    const { mem, below, iov } = make();
    const window = new WindowStore(below, 4096, 8192);
    expect(window.bytes).toBe(8192);
    mem.u8.fill(0x5a, 1024, 1536);
    expect(window.write(iov, 512)).toBe(BLK_OK);
    const seen = new Uint8Array(512);
    expect(below.readInto(seen, 4096 + 512)).toBe(BLK_OK);
    expect(seen.every((byte) => byte === 0x5a)).toBe(true);
    expect(below.readInto(seen, 4096)).toBe(BLK_OK);
    expect(seen.every((byte) => byte === 0)).toBe(true);
    expect(window.writeZeroes(512, 512, false)).toBe(BLK_OK);
    expect(below.readInto(seen, 4096 + 512)).toBe(BLK_OK);
    expect(seen.every((byte) => byte === 0)).toBe(true);
  });

  it('reaches to the end without a size, and cannot be resized', () => {
    const { below } = make();
    const window = new WindowStore(below, 4096, undefined);
    expect(window.bytes).toBe(60 * 1024);
    expect(window.resize()).toBe(ENOTSUP);
  });
});

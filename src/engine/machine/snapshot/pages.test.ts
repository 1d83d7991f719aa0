import { describe, expect, it } from 'vitest';
import { SharedMemory } from '../../base/shared-memory.ts';
import { packPages, unpackPages } from './pages.ts';

const PAGE = 4096;
const memory = (): SharedMemory =>
  new SharedMemory(new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true }));

describe('packed pages', () => {
  it('leave out what is zero, and come back where they were', () => {
    const from = memory();
    from.u8.fill(0x11, PAGE, 2 * PAGE);
    from.u8[20 * PAGE + 4095] = 7;
    from.u8[40 * PAGE] = 9;
    const packed = packPages(from, PAGE, 39 * PAGE);
    expect(packed?.length).toBe(5 + 2 * PAGE);
    const to = memory();
    unpackPages(packed, to, PAGE, 39 * PAGE, true);
    // Not toEqual, which takes seconds for this.
    expect(Buffer.compare(to.u8.subarray(0, 40 * PAGE), from.u8.subarray(0, 40 * PAGE))).toBe(0);
    expect(to.u8[40 * PAGE]).toBe(0);
  });

  it('make the rest of the range zero, and nothing beyond it', () => {
    const to = memory();
    to.u8.fill(0xff);
    unpackPages(undefined, to, 2 * PAGE, 3 * PAGE, false);
    expect(to.u8[2 * PAGE - 1]).toBe(0xff);
    expect(to.u8.subarray(2 * PAGE, 5 * PAGE).every((byte) => byte === 0)).toBe(true);
    expect(to.u8[5 * PAGE]).toBe(0xff);
  });

  it('are none where all is zero', () => {
    expect(packPages(memory(), 0, 16 * PAGE)).toBeUndefined();
  });
});

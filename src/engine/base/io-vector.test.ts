import { describe, expect, it } from 'vitest';
import { IoVector } from './io-vector.ts';
import { SharedMemory } from './shared-memory.ts';

const list = (of: IoVector): [number, number][] =>
  Array.from({ length: of.count }, (_, i) => [of.addrs[i] as number, of.lengths[i] as number]);

function vector(...pieces: [number, number][]): IoVector {
  const made = new IoVector(1);
  for (const [addr, length] of pieces) made.add(addr, length);
  return made;
}

describe('IoVector', () => {
  it('joins what is adjacent, leaves out what is empty, grows', () => {
    const made = vector([100, 10], [110, 5], [50, 0], [200, 1], [199, 1]);
    expect(list(made)).toEqual([
      [100, 15],
      [200, 1],
      [199, 1],
    ]);
    expect(made.bytes).toBe(17);
    made.clear();
    expect([made.count, made.bytes]).toEqual([0, 0]);
  });

  it('does not join beyond 32 bits of length', () => {
    const made = vector([0, 0xffff_ffff], [0xffff_ffff, 1]);
    expect(made.count).toBe(2);
  });

  it('appends slices wherever they begin and end', () => {
    const from = vector([0, 10], [100, 10], [200, 10]);
    for (let offset = 0; offset <= 30; offset++) {
      for (let bytes = 0; bytes <= 30 - offset; bytes++) {
        const slice = new IoVector();
        slice.addSlice(from, offset, bytes);
        const flat = list(slice).flatMap(([addr, length]) => Array.from({ length }, (_, i) => addr + i));
        const all = list(from).flatMap(([addr, length]) => Array.from({ length }, (_, i) => addr + i));
        expect(flat).toEqual(all.slice(offset, offset + bytes));
        expect(slice.bytes).toBe(bytes);
      }
    }
    expect(() => new IoVector().addSlice(from, 25, 6)).toThrow('beyond the end');
  });

  it('is cut off anywhere', () => {
    for (let bytes = 0; bytes <= 35; bytes++) {
      const made = vector([0, 10], [100, 10], [200, 10]);
      made.truncate(bytes);
      expect(made.bytes).toBe(Math.min(bytes, 30));
      expect(list(made).reduce((sum, [, length]) => sum + length, 0)).toBe(made.bytes);
    }
  });

  it('copies in and out from any place', () => {
    const mem = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
    const made = vector([10, 3], [20, 4], [40, 5]);
    const bytes = Uint8Array.from({ length: 12 }, (_, i) => i + 1);
    expect(made.copyFrom(mem, bytes)).toBe(12);
    expect([mem.u8[10], mem.u8[20], mem.u8[44]]).toEqual([1, 4, 12]);
    for (let offset = 0; offset <= 12; offset++) {
      const into = new Uint8Array(20);
      expect(made.copyTo(mem, into, offset)).toBe(12 - offset);
      expect(into.subarray(0, 12 - offset)).toEqual(bytes.subarray(offset));
    }
    expect(made.copyFrom(mem, Uint8Array.of(99, 98), 6)).toBe(2);
    expect([mem.u8[23], mem.u8[40]]).toEqual([99, 98]);
    made.fillZero(mem);
    expect(made.copyTo(mem, new Uint8Array(12))).toBe(12);
    expect(mem.u8.every((byte) => byte === 0)).toBe(true);
  });
});

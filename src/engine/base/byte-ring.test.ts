import { describe, expect, it } from 'vitest';
import { SharedMemory } from './shared-memory.ts';
import { ByteRing, ByteRingLayout } from './byte-ring.ts';

const RING = 64;
function board(capacity = 16) {
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  return { mem, ring: new ByteRing(mem, RING, capacity) };
}
const bytes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));
function take(ring: ByteRing, count = Infinity): string {
  const into = new Uint8Array(Math.min(count, ring.used));
  ring.skip(ring.peek(into));
  return String.fromCharCode(...into);
}

describe('ByteRing', () => {
  it('R1: keeps the order around the end of the buffer', () => {
    const { ring } = board();
    for (let i = 0; i < 20; i++) {
      expect(ring.put(bytes(`item-${String(i).padStart(2, '0')}`))).toBe(7);
      expect(take(ring)).toBe(`item-${String(i).padStart(2, '0')}`);
    }
  });

  it('R2: takes what fits and says how much', () => {
    const { ring } = board();
    expect([ring.used, ring.free]).toEqual([0, 16]);
    expect(ring.put(bytes('0123456789'))).toBe(10);
    expect(ring.put(bytes('abcdefghij'))).toBe(6);
    expect([ring.put(bytes('z')), ring.putByte(1), ring.free]).toEqual([0, false, 0]);
    expect(take(ring, 3)).toBe('012');
    expect(ring.putByte('!'.charCodeAt(0))).toBe(true);
    expect(take(ring)).toBe('3456789abcdef!');
  });

  it('single bytes: peek leaves, take removes', () => {
    const { ring } = board();
    expect([ring.peekByte(), ring.takeByte()]).toEqual([undefined, undefined]);
    ring.put(bytes('ab'));
    expect([ring.peekByte(), ring.takeByte(), ring.takeByte(), ring.takeByte()]).toEqual([
      97,
      97,
      98,
      undefined,
    ]);
  });

  it('counts on where its 32-bit counters wrap', () => {
    const { mem, ring } = board();
    mem.store32(RING + ByteRingLayout.at.head, 0xffff_fffa);
    mem.store32(RING + ByteRingLayout.at.tail, 0xffff_fffa);
    expect(ring.put(bytes('0123456789abcdefgh'))).toBe(16);
    expect([ring.used, ring.free, take(ring)]).toEqual([16, 0, '0123456789abcdef']);
    expect(ring.used).toBe(0);
  });

  it('R3: a wish for space is granted once', () => {
    const { ring } = board();
    expect(ring.takeWanting()).toBe(false);
    ring.wantSpace();
    expect([ring.takeWanting(), ring.takeWanting()]).toEqual([true, false]);
  });

  it('refuses a capacity that is not a power of two', () => {
    expect(() => board(12)).toThrow('power of two');
  });
});

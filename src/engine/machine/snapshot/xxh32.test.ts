import { describe, expect, it } from 'vitest';
import { xxh32 } from './xxh32.ts';

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0));

describe('xxh32', () => {
  it('is that of the reference implementation', () => {
    expect(xxh32(ascii(''))).toBe(0x02cc_5d05);
    expect(xxh32(ascii('a'))).toBe(0x550d_7456);
    expect(xxh32(ascii('abc'))).toBe(0x32d1_53ff);
    expect(xxh32(ascii('Nobody inspects the spammish repetition'))).toBe(0xe229_3b2f);
  });

  it('is the same wherever the bytes lie, and another after a change of any one bit', () => {
    const bytes = Uint8Array.from({ length: 67 }, (_, i) => (i * 37 + (i >> 3)) & 0xff);
    const want = xxh32(bytes, 5);
    const apart = new Uint8Array(80);
    for (let shift = 0; shift < 5; shift++) {
      apart.set(bytes, shift);
      expect(xxh32(apart.subarray(shift, shift + bytes.length), 5)).toBe(want);
    }
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(xxh32(changed, 5)).not.toBe(want);
    }
    expect(xxh32(bytes, 6)).not.toBe(want);
  });
});

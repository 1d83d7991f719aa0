import { Buffer } from 'node:buffer';
import { expect, it } from 'vitest';
import { decodeText, encodeBytes } from './text-encoding.ts';

const TEXTS = ['', 'a', 'ab', 'abc', 'abcd', 'Grüße, 世界 🙂\n\0', '\u{10ffff}\u0800\u07ff'];

it('agrees with Node on text, both ways', () => {
  for (const text of TEXTS) {
    const bytes = Buffer.from(text);
    expect(encodeBytes(bytes, 'utf8')).toBe(text);
    expect(Buffer.from(decodeText(text, 'utf8') ?? [])).toEqual(bytes);
    expect(encodeBytes(bytes, 'base64')).toBe(bytes.toString('base64'));
    expect(Buffer.from(decodeText(bytes.toString('base64'), 'base64') ?? [])).toEqual(bytes);
  }
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  expect(decodeText(encodeBytes(all, 'base64'), 'base64')).toEqual(all);
});

it('replaces what is not UTF-8, and refuses what is not base64', () => {
  const replaced = (...bytes: number[]): string => encodeBytes(Uint8Array.from(bytes), 'utf8');
  expect(replaced(0x61, 0xff, 0x62)).toBe('a\ufffdb');
  expect(replaced(0xc3)).toBe('\ufffd');
  expect(replaced(0xc0, 0xaf)).toBe('\ufffd\ufffd');
  expect(replaced(0xed, 0xa0, 0x80)).toBe('\ufffd\ufffd\ufffd');
  expect(decodeText('\ud800', 'utf8')).toEqual(Uint8Array.of(0xef, 0xbf, 0xbd));
  for (const text of ['abc', 'ab=c', '====', 'a$bc'])
    expect(decodeText(text, 'base64'), text).toBeUndefined();
});

import { describe, expect, it } from 'vitest';
import { AssertionError } from './assert.ts';
import { type FieldType, struct } from './struct.ts';

describe('struct', () => {
  it('puts fields in order, each at its natural alignment', () => {
    const layout = struct('Mixed', { a: 'u8', b: 'u16', c: 'u8', d: 'u32', e: 'u8', f: 'f64', g: 'u64' });
    expect(layout.at).toEqual({ a: 0, b: 2, c: 4, d: 8, e: 12, f: 16, g: 24 });
    expect(layout.size).toBe(32);
  });

  it('takes arrays by their element and raw bytes as they come', () => {
    const layout = struct('Arrays', { tag: 'bytes:3', words: 'u32[3]', one: 'u8', nums: 'f64[2]' });
    expect(layout.at).toEqual({ tag: 0, words: 4, one: 16, nums: 24 });
    expect(layout.size).toBe(40);
  });

  it('rounds the size up to what is asked for', () => {
    expect(struct('Line', { a: 'u32' }, 64).size).toBe(64);
    expect(struct('Lines', { a: 'bytes:65' }, 64).size).toBe(128);
    expect(struct('Word', { a: 'u8' }).size).toBe(8);
    expect(struct('Nothing', {}).size).toBe(0);
  });

  it('refuses a type it does not know', () => {
    expect(() => struct('Wrong', { a: 'i13' as FieldType })).toThrow(AssertionError);
  });
});

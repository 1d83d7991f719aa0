import { describe, expect, it } from 'vitest';
import { bytes, compact, count, duration, percent, rate } from './format.ts';

describe('format', () => {
  it('counts with thin spaces', () => {
    expect(count(1234567)).toBe('1\u202f234\u202f567');
    expect(count(999)).toBe('999');
  });
  it('never prints a factor that rounds to four digits', () => {
    expect([999, 999.6, 1234, 99_960, 999_600].map(compact)).toEqual([
      '999',
      '1.00k',
      '1.23k',
      '100k',
      '1.00M',
    ]);
  });
  it('prints bytes in binary units', () => {
    expect([512, 4096, 1536, 256 * 2 ** 20].map(bytes)).toEqual(['512 B', '4 KiB', '1.50 KiB', '256 MiB']);
  });
  it('does not pretend to know less than two clock steps', () => {
    expect([9_999, 38_000, 4.2e6, 1.5e9].map(duration)).toEqual(['<10 µs', '38.0 µs', '4.20 ms', '1.50 s']);
  });
  it('keeps slow rates and small shares above zero', () => {
    expect([0, 0.01, 2.25, 1500].map(rate)).toEqual(['0', '<0.1', '2.3', '1.50k']);
    expect([0, 0.001, 0.5, 1].map(percent)).toEqual(['0 %', '<1 %', '50 %', '100 %']);
  });
});

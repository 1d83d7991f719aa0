import { describe, expect, it } from 'vitest';
import { msToFullSecond } from './full-second.ts';

describe('the full second', () => {
  it('is the next multiple of 1,000 ms', () => {
    expect(msToFullSecond(5000)).toBe(1000);
    expect(msToFullSecond(5001)).toBe(999);
    expect(msToFullSecond(5500)).toBe(500);
  });

  it('is not the one that a timer was a little early for', () => {
    expect(msToFullSecond(5990)).toBe(1010);
  });

  it('may be meant to be a little later', () => {
    expect(msToFullSecond(5000, 8)).toBe(1008);
    expect(msToFullSecond(5500, 8)).toBe(508);
    expect(msToFullSecond(5008, 8)).toBe(1000);
  });
});

import { describe, expect, it } from 'vitest';
import { SpinBackoff } from './spin-backoff.ts';

/** Spins in vain at each time it may, in steps of 0.1 ms; answers the times. */
function spinsUntil(backoff: SpinBackoff, fromNs: number, untilNs: number): number[] {
  const spins: number[] = [];
  for (let at = fromNs; at < untilNs; at += 100_000) {
    if (!backoff.maySpin(at)) continue;
    spins.push(at);
    backoff.spun(false, at);
  }
  return spins;
}

describe('spinning in vain', () => {
  it('may happen twice, then there is a pause that doubles with each probe, up to 8 ms', () => {
    const spins = spinsUntil(new SpinBackoff(), 0, 32_000_000);
    const pauses = spins.slice(1).map((at, i) => at - (spins[i] as number));
    expect(pauses).toEqual([100_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000, 8_000_000, 8_000_000]);
  });

  it('is forgotten when one finds something', () => {
    const backoff = new SpinBackoff();
    const probe = spinsUntil(backoff, 0, 10_000_000).at(-1) as number;
    expect(backoff.maySpin(probe + 1_000_000)).toBe(false);
    backoff.spun(true, probe);
    expect(backoff.maySpin(probe + 1_000_000)).toBe(true);
    expect(spinsUntil(backoff, 20_000_000, 22_000_000)).toEqual([20_000_000, 20_100_000, 21_100_000]);
  });
});

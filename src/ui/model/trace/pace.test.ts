import { describe, expect, it } from 'vitest';
import { type Found, Pace } from './pace.ts';

const NOTHING: Found = { records: 0, perSecond: 0, fill: 0, fillNow: 0 };

/** A pace whose machine has been quiet since 10 s, at 20 s. */
function sleeper(): Pace {
  const pace = new Pace();
  pace.wake(10_000);
  pace.found(20_000, NOTHING);
  return pace;
}

describe('Pace', () => {
  it('turns more often the fuller the rings are', () => {
    const pace = new Pace();
    pace.wake(1000);
    pace.found(1000, NOTHING);
    const quiet = pace.wait(1000, true);
    pace.found(1000, { ...NOTHING, perSecond: 50_000 });
    const busy = pace.wait(1000, true);
    pace.found(1000, { ...NOTHING, perSecond: 50_000, fill: 0.5, fillNow: 0.5 });
    const full = pace.wait(1000, true);
    expect([quiet > busy, busy > full]).toEqual([true, true]);
  });

  it('keeps its rhythm while the rings fill at the same speed, and none gets full', () => {
    const pace = new Pace();
    // Records for a whole ring each 32 ms.
    const share = (ms: number): Found => ({ ...NOTHING, perSecond: 1e6, fill: ms / 32, fillNow: ms / 32 });
    let now = 1000;
    pace.found(now, share(50));
    const waits: number[] = [];
    for (let turn = 0; turn < 20; turn++) {
      const wait = pace.wait(now, true);
      now += wait;
      pace.found(now, share(wait));
      waits.push(wait);
    }
    expect(Math.max(...waits.slice(2)) / 32).toBeLessThan(0.5);
    expect(Math.max(...waits.slice(2))).toBeCloseTo(Math.min(...waits.slice(2)), 6);
  });

  it('asleep it reads on, and tells at the full second only', () => {
    const pace = sleeper();
    expect(pace.tells(20_000)).toBe(true);
    expect(pace.tells(20_500)).toBe(false);
    expect(pace.wait(20_300, true)).toBe(700);
    expect(pace.wait(20_000, false)).toBe(1000);
    // Where nothing can tell it that a ring fills, it looks.
    expect(pace.wait(20_300, true, false)).toBe(250);
  });

  it.each<[string, (pace: Pace) => void]>([
    ['somebody at work', (pace) => pace.wake(20_500)],
    ['a burst', (pace) => pace.found(20_500, { ...NOTHING, records: 1001 })],
    ['a ring that fills', (pace) => pace.found(20_500, { ...NOTHING, fill: 0.3, fillNow: 0.3 })],
  ])('%s wakes it', (_, cause) => {
    const pace = sleeper();
    cause(pace);
    pace.found(20_500, NOTHING);
    expect(pace.tells(20_500)).toBe(true);
  });
});

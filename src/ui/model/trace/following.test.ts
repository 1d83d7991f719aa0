import { expect, it } from 'vitest';
import { Following, ONE_OF } from './following.ts';

/** A machine whose threads have so many events a second each, looked at every 50 ms. */
function rig(cores: number) {
  const following = new Following(cores);
  const binned = new Map<number, number>();
  let ms = 0;
  const run = (seconds: number, ...perSecond: readonly number[]): number => {
    for (let i = 0; i < seconds * 20; i++) {
      ms += 50;
      perSecond.forEach((n, thread) => binned.set(thread, (binned.get(thread) ?? 0) + n / 20));
      following.look(
        ms,
        [...binned].map(([thread, n]) => ({ thread, binned: n * 0.75, lost: n * 0.25 })),
      );
    }
    return following.oneOf;
  };
  return { following, run };
}

it('follows every request where there are few, and where there is a core for who looks', () => {
  expect(rig(2).run(2, 200_000, 200_000)).toBe(1);
  expect(rig(4).run(2, 2e6, 60_000)).toBe(1);
});

it('follows one of so many where there are many and no core is left, until there are few', () => {
  const { run } = rig(2);
  expect(run(0.2, 2e6, 60_000)).toBe(ONE_OF);
  // It stays so at a lower rate, too: what is counted only makes the machine faster.
  expect(run(1, 350_000, 60_000)).toBe(ONE_OF);
  expect(run(0.2, 150_000, 60_000)).toBe(1);
  expect(run(1, 350_000, 60_000)).toBe(1);
});

it('follows every request when a person asks for it', () => {
  const { following, run } = rig(2);
  run(1, 2e6, 60_000);
  following.every = true;
  expect(run(0.2, 2e6, 60_000)).toBe(1);
  following.every = false;
  expect(run(0.2, 2e6, 60_000)).toBe(ONE_OF);
});

it('begins anew with another machine, whose threads have had nothing', () => {
  const { following, run } = rig(2);
  run(1, 2e6, 60_000);
  following.clear();
  expect(following.oneOf).toBe(1);
  following.look(10_000_000, [{ thread: 0, binned: 5, lost: 0 }]);
  expect(following.oneOf).toBe(1);
});

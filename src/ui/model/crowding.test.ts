import { expect, it } from 'vitest';
import type { BoardSnapshot } from '../../engine/vm.ts';
import { Crowding } from './crowding.ts';

/** Looks each 100 ms at a machine whose one context and one hart are awake for these shares of the time. */
function rig(cores: number) {
  const crowding = new Crowding(cores);
  const at = { timeNs: 0, busyNs: 0, idleNs: 0 };
  const run = (seconds: number, context: number, hart: number, state = 'running'): boolean => {
    for (let i = 0; i < seconds * 10; i++) {
      at.timeNs += 1e8;
      at.busyNs += context * 1e8;
      at.idleNs += (1 - hart) * 1e8;
      crowding.look({
        timeNs: at.timeNs,
        contexts: [{ index: 0, busyNs: at.busyNs, pollingNs: 0 }],
        harts: [{ index: 0, state, idleNs: at.idleNs }],
      } as unknown as BoardSnapshot);
    }
    return crowding.crowded;
  };
  return { crowding, run };
}

it('a machine that leaves less than a core is in need of the rest', () => {
  const { run } = rig(2);
  expect(run(3, 0.02, 0.1)).toBe(false);
  expect(run(3, 0.4, 0.9)).toBe(true);
});

it('with a core to spare nothing is crowded', () => {
  expect(rig(4).run(5, 1, 1)).toBe(false);
});

it('on one core it is who has more of it', () => {
  const { run } = rig(1);
  expect(run(3, 0.2, 0.2)).toBe(false);
  expect(run(3, 0.3, 0.5)).toBe(true);
});

it('a moment makes no difference, and what is a little less goes on being crowded', () => {
  const { run } = rig(2);
  run(3, 0.1, 0.5);
  expect(run(0.1, 0.6, 1)).toBe(false);
  expect(run(3, 0.6, 1)).toBe(true);
  expect(run(3, 0.1, 0.8)).toBe(true);
  expect(run(3, 0.1, 0.3)).toBe(false);
});

it('a hart that is paused takes no core, however long it was awake', () => {
  const { run } = rig(2);
  run(3, 0.6, 1);
  expect(run(3, 0, 1, 'paused')).toBe(false);
});

it('another machine begins anew', () => {
  const { crowding, run } = rig(2);
  run(3, 1, 1);
  crowding.clear();
  expect(crowding.crowded).toBe(false);
});

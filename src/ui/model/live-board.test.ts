import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { BoardSnapshot, Vm } from '../../engine/vm.ts';
import { pageFrames } from './frame-queue.ts';
import { LiveBoard } from './live-board.ts';

beforeEach(() => vi.useFakeTimers({ now: 5000 }));
afterEach(() => {
  pageFrames.rest(false);
  pageFrames.together();
  vi.useRealTimers();
});

/** A machine of one context that iterates so often a second, and the board that looks at it. */
function rig() {
  const machine = { perSecond: 0, busy: 0, looks: [] as number[] };
  let iterations = 0;
  let busyNs = 0;
  let at = performance.now();
  const board = new LiveBoard(1);
  const vm = {
    board: () => {
      const now = performance.now();
      iterations += (machine.perSecond * (now - at)) / 1000;
      busyNs += machine.busy * (now - at) * 1e6;
      at = now;
      machine.looks.push(performance.timeOrigin + now);
      const context = {
        index: 0,
        id: 'main',
        state: 'blocked',
        sources: [],
        iterations: Math.round(iterations),
        busyNs,
        pollingNs: 0,
      };
      return { timeNs: now * 1e6, contexts: [context], devices: [], harts: [] } as unknown as BoardSnapshot;
    },
  } as unknown as Vm;
  /** Times of the looks in the next `ms`. */
  const during = async (ms: number): Promise<readonly number[]> => {
    machine.looks.length = 0;
    await vi.advanceTimersByTimeAsync(ms);
    return machine.looks.slice();
  };
  return { board, vm, machine, during };
}

it('looks often at a machine at work, and at full seconds at one that sleeps', async () => {
  const { board, vm, machine, during } = rig();
  machine.perSecond = 5000;
  board.attach(vm);
  expect((await during(2000)).length).toBeGreaterThanOrEqual(19);
  machine.perSecond = 20;
  await during(3000);
  const looks = await during(5000);
  expect(looks.length).toBe(5);
  expect(new Set(looks.map((look) => look % 1000)).size).toBe(1);
  machine.perSecond = 5000;
  await during(1100);
  expect((await during(1000)).length).toBeGreaterThanOrEqual(9);
});

it('looks less often at a machine that wants the cores itself, and tells every listener to numbers all the same', async () => {
  const { board, vm, machine, during } = rig();
  let told = 0;
  const others = Array.from({ length: 11 }, () => board.onNumbers(() => {}));
  board.onNumbers(() => told++);
  Object.assign(machine, { perSecond: 5000, busy: 0.9 });
  board.attach(vm);
  await during(2000);
  expect(board.crowded).toBe(true);
  told = 0;
  const looks = await during(3000);
  expect(looks.length).toBe(15);
  expect(told).toBe(5);
  board.flooded = true;
  await during(1000);
  told = 0;
  expect((await during(3000)).length).toBe(3);
  expect(told).toBe(3);
  board.flooded = false;
  machine.busy = 0.2;
  await during(3000);
  expect(board.crowded).toBe(false);
  expect((await during(1000)).length).toBeGreaterThanOrEqual(9);
  for (const off of others) off();
});

it('whoever comes wakes it, and those who ask are told', async () => {
  const { board, vm, during } = rig();
  board.attach(vm);
  await during(3000);
  let told = 0;
  board.onWake(() => told++);
  board.wake();
  expect(told).toBe(1);
  expect((await during(900)).length).toBeGreaterThanOrEqual(8);
});

it('has one timer however often it is woken, and none once it is detached, even by who is told of a look', async () => {
  const { board, vm, during } = rig();
  board.attach(vm);
  await during(3000);
  let looks = 0;
  const off = board.onFrame(() => {
    // Commands do this when they are done; a look while it sleeps is no exception.
    if (looks++ === 0) board.wake();
  });
  await during(1100);
  expect(vi.getTimerCount()).toBe(1);
  off();
  board.onFrame(() => board.detach());
  await during(2000);
  expect(vi.getTimerCount()).toBe(0);
});

it('tells every listener to numbers within half a second, awake, and at each look, asleep', async () => {
  const { board, vm, machine, during } = rig();
  const told = Array.from({ length: 12 }, () => 0);
  for (const i of told.keys()) board.onNumbers(() => void (told[i] = (told[i] ?? 0) + 1));
  machine.perSecond = 5000;
  board.attach(vm);
  await during(1050);
  for (const times of told) expect(times).toBeGreaterThanOrEqual(2);
  machine.perSecond = 0;
  await during(3000);
  told.fill(0);
  await during(2000);
  expect(new Set(told)).toEqual(new Set([2]));
});

it('asleep all changes of the page are made in the task of its look, and at once when it is woken', async () => {
  const { board, vm, during } = rig();
  board.attach(vm);
  await during(3000);
  const made: number[] = [];
  const make = (): void => {
    pageFrames.add('counts', () => made.push(performance.now()));
    pageFrames.soon('status', () => made.push(performance.now()));
  };
  make();
  await during(1);
  expect(made).toEqual([]);
  const looks: number[] = [];
  board.onFrame(() => looks.push(performance.now()));
  await during(1000);
  expect(made).toEqual([looks[0], looks[0]]);
  make();
  board.wake();
  await during(1);
  expect(made.length).toBe(4);
});

it('what waits for the look is not lost with the machine', async () => {
  const { board, vm, during } = rig();
  board.attach(vm);
  await during(3000);
  let made = false;
  pageFrames.add('counts', () => (made = true));
  board.detach();
  await during(1);
  expect(made).toBe(true);
});

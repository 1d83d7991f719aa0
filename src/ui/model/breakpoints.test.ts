import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { BoardSnapshot, Vm } from '../../engine/vm.ts';
import { Breakpoints } from './breakpoints.ts';
import { LiveBoard } from './live-board.ts';
import type { VmController } from './vm-controller.ts';

beforeEach(() => vi.useFakeTimers({ now: 5000 }));
afterEach(() => vi.useRealTimers());

it('asks a machine at work for its breakpoints every two seconds, one that sleeps not, and again when somebody comes', async () => {
  let asked = 0;
  let all: readonly object[] = [];
  const vm = {
    board: () =>
      ({ timeNs: performance.now() * 1e6, contexts: [], devices: [], harts: [] }) as unknown as BoardSnapshot,
    qmp: () => {
      asked++;
      return Promise.resolve({ ok: true, value: all });
    },
  } as unknown as Vm;
  const board = new LiveBoard();
  const breakpoints = new Breakpoints({ board, vm, onVm: () => {} } as unknown as VmController);
  board.attach(vm);
  const stop = breakpoints.follow();
  const wake = setInterval(() => board.wake(), 500);
  await vi.advanceTimersByTimeAsync(6100);
  expect(asked).toBeGreaterThanOrEqual(3);
  expect(asked).toBeLessThanOrEqual(4);
  clearInterval(wake);
  await vi.advanceTimersByTimeAsync(3000);
  asked = 0;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toBe(0);
  all = [{ id: 1, event: 'virtqueue_pop', hits: 0 }];
  board.wake();
  await vi.advanceTimersByTimeAsync(200);
  expect(breakpoints.store.getState().all).toEqual(all);
  stop();
  board.wake();
  await vi.advanceTimersByTimeAsync(5000);
  expect(asked).toBe(1);
  board.detach();
});

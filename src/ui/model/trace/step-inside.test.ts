import { expect, it } from 'vitest';
import { stepInside } from './step-inside.ts';
import { batchOf, type Row } from './testing.ts';
import { TraceModel } from './trace-model.ts';

const DEV = 7;
const HART = 16;
const MS = 1e6;
const US = 1e3;
const modelOf = (rows: readonly Row[]): TraceModel => {
  const model = new TraceModel({ firstHart: HART, firstGsi: 1, records: 4096, slices: 4096, requests: 64 });
  model.reduce(batchOf(rows));
  return model;
};

/** One dispatch of thread 1 that takes two requests and answers them. */
const dispatch = (t: number): Row[] => [
  [t, 1, 'source_dispatch_begin', 1, 3, 0],
  [t, 1, 'source_dispatch_begin', 1, 4, 0],
  [t + 10 * US, 1, 'virtqueue_pop', DEV, 0, 5, 512, 1],
  [t + 20 * US, 1, 'virtqueue_pop', DEV, 0, 6, 1024, 2],
  [t + 30 * US, 1, 'blk_co_preadv', DEV, 512, 64, 0, 4096],
  [t + 40 * US, HART, 'virtio_queue_notify', DEV, 0, 3],
  [t + 45 * US, 1, 'blk_co_pwritev', DEV, 1024, 80, 0, 4096],
  [t + 50 * US, 1, 'virtqueue_flush', DEV, 0, 2, 2],
  [t + 50 * US, 1, 'virtio_notify', DEV, 0, 0, 2, 1],
  [t + 60 * US, 1, 'virtio_notify_irqfd', DEV, 0, 8],
  [t + 70 * US, 1, 'source_dispatch_end', 1, 4, 1],
  [t + 70 * US, 1, 'source_dispatch_end', 1, 3, 1],
];
const guest = (t: number): Row[] => [
  [t, HART, 'plic_claim', 0, 1 + DEV],
  [t + 10 * US, HART, 'virtio_interrupt_ack', DEV, 1],
];
const brief = (model: TraceModel, since: number) =>
  stepInside(model, 1, 1, since)?.stages.map(({ event, n, first, last }) => [
    event,
    n,
    first / US,
    last / US,
  ]);

it('a step is told by its stages, each event once, in order; the guest’s part comes after it', () => {
  const model = modelOf([
    ...dispatch(MS),
    [2 * MS, 1, 'context_hold', 1, 1],
    ...dispatch(3 * MS),
    [3.1 * MS, 1, 'context_step', 1, 1, 70_000],
    ...guest(3.2 * MS),
  ]);
  expect(stepInside(model, 1, 1, 2.5 * MS)).toMatchObject({ at: 3.1 * MS, dispatches: 1, lost: 0 });
  expect(brief(model, 2.5 * MS)).toEqual([
    ['virtqueue_pop', 2, 10, 20],
    ['blk_co_preadv', 2, 30, 45],
    ['virtqueue_flush', 1, 50, 50],
    ['virtio_notify_irqfd', 1, 60, 60],
    ['plic_claim', 1, 200, 200],
    ['virtio_interrupt_ack', 1, 210, 210],
  ]);
});

it('a step that has not come yet is not the one before', () => {
  const model = modelOf([
    [2 * MS, 1, 'context_hold', 1, 1],
    ...dispatch(3 * MS),
    [3.1 * MS, 1, 'context_step', 1, 1, 70_000],
  ]);
  expect(stepInside(model, 1, 1, 3.2 * MS)).toBeUndefined();
  expect(stepInside(model, 1, 2, 0)).toBeUndefined();
});

it('of a context that ran until it was stopped only the last dispatch counts', () => {
  const model = modelOf([
    [MS, 1, 'context_hold', 1, 0],
    ...dispatch(2 * MS),
    ...dispatch(3 * MS),
    [3.1 * MS, 1, 'context_hold', 1, 1],
  ]);
  expect(stepInside(model, 1, 1, 3 * MS)).toMatchObject({ dispatches: 1 });
  expect(brief(model, 3 * MS)?.[0]).toEqual(['virtqueue_pop', 2, 10, 20]);
  const running = modelOf([...dispatch(MS), [2 * MS, 1, 'context_hold', 1, 0]]);
  expect(stepInside(running, 1, 1, 0)).toBeUndefined();
});

it('says what the ring lost meanwhile', () => {
  const model = new TraceModel({ firstHart: HART, firstGsi: 1, records: 4096, slices: 4096, requests: 64 });
  const rows: Row[] = [
    [MS, 1, 'context_hold', 1, 1],
    ...dispatch(2 * MS),
    [2.1 * MS, 1, 'context_step', 1, 1, 70_000],
  ];
  model.reduce(batchOf(rows, [{ thread: 1, from: 2.01 * MS, to: 2.02 * MS, lost: 9 }]));
  expect(stepInside(model, 1, 1, MS)?.lost).toBe(9);
});

it('an interrupt that was suppressed is said', () => {
  const model = modelOf([
    [MS, 1, 'context_hold', 1, 1],
    [2 * MS, 1, 'source_dispatch_begin', 1, 3, 0],
    [2 * MS, 1, 'virtio_notify', DEV, 0, 1, 2, 9],
    [2 * MS, 1, 'source_dispatch_end', 1, 3, 1],
    [2 * MS, 1, 'context_step', 1, 1, 0],
  ]);
  expect(stepInside(model, 1, 1, MS)?.stages.map(({ label }) => label)).toEqual(['interrupt suppressed']);
});

import { expect, it } from 'vitest';
import { contextRecords } from './context-records.ts';
import { batchOf, type Row } from './testing.ts';
import { TraceModel } from './trace-model.ts';

const rows: readonly Row[] = [
  [1000, 1, 'source_dispatch_begin', 1, 3, 0],
  [2000, 0, 'source_dispatch_begin', 0, 1, 0],
  [2000, 1, 'source_dispatch_begin', 1, 3, 0],
  [3000, 1, 'source_attach', 1, 4],
  [4000, 1, 'source_detach', 1, 4],
  // Thread 0 dispatches what is context 1's.
  [5000, 0, 'source_dispatch_begin', 1, 3, 0],
];

it('dispatches are told by the thread that wrote them, from then on only', () => {
  const model = new TraceModel({ firstHart: 16, firstGsi: 1, records: 64, slices: 64, requests: 64 });
  model.reduce(batchOf(rows));
  expect(contextRecords(model, 2000)).toEqual([
    { context: 0, own: 1, foreign: 0, attached: 0, detached: 0 },
    { context: 1, own: 1, foreign: 1, attached: 1, detached: 1 },
  ]);
  expect(contextRecords(model, 6000)).toEqual([]);
});

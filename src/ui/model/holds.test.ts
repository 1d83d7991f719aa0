import { describe, expect, it } from 'vitest';
import type { BoardSnapshot, ContextSnapshot } from '../../engine/vm.ts';
import { breakpointInWords } from './breakpoints.ts';
import { stepInWords, stopInWords, waitingInWords } from './holds.ts';

const context = { id: 'ctx0', index: 1 } as ContextSnapshot;
const boardWith = (...queues: readonly { context: number; waiting: number | undefined }[]) =>
  ({ devices: [{ id: 'disk0', queues }] }) as unknown as BoardSnapshot;

describe('what waits for a held context', () => {
  it.each([
    [boardWith({ context: 1, waiting: 14 }), '14 wait in the ring of disk0'],
    [boardWith({ context: 1, waiting: 1 }), '1 waits in the ring of disk0'],
    [boardWith({ context: 1, waiting: 2 }, { context: 1, waiting: 3 }), '5 wait in the ring of disk0'],
    [boardWith({ context: 2, waiting: 14 }), 'nothing waits'],
    [boardWith({ context: 1, waiting: undefined }), 'nothing waits'],
    [undefined, 'nothing waits'],
  ])('%#: is said in words', (board, words) => {
    expect(waitingInWords(board, context)).toBe(words);
  });
});

describe('what a step did', () => {
  it('is one sentence, with the device where there is one', () => {
    const kick = {
      name: 'virtio7/vq0',
      kind: 'fd',
      ns: 38_000,
      device: 'disk0',
      driver: 'virtio-blk',
      queue: 0,
    };
    const bh = { name: 'completions', kind: 'bh', ns: 1000 };
    expect(stepInWords('ctx0', { id: 'ctx0', dispatched: [kick] })).toBe(
      'ctx0 dispatched virtio-blk kick (disk0 queue 0), 38.0 µs',
    );
    expect(stepInWords('ctx0', { dispatched: [bh, kick] })).toBe(
      'ctx0 dispatched bottom half completions, <10 µs; virtio-blk kick (disk0 queue 0), 38.0 µs',
    );
    expect(stepInWords('ctx0', { dispatched: [] })).toBe('ctx0 dispatched nothing: nothing was ready');
  });
});

describe('where a context stopped', () => {
  it.each([
    [
      { event: 'virtio_queue_notify', device: 'disk0', queue: 0 },
      'ctx0 stopped before the kick of disk0 queue 0',
    ],
    [
      { event: 'virtqueue_pop', device: 'disk0', queue: 1, request: 4208 },
      'ctx0 stopped after the dispatch with virtqueue_pop: request #4208 of disk0 queue 1',
    ],
    [{ event: 'aio_bh_dispatch' }, 'ctx0 stopped after the dispatch with aio_bh_dispatch'],
  ])('%j', (at, words) => {
    expect(stopInWords('ctx0', at)).toBe(words);
  });

  it('is added to the step that ran into a breakpoint', () => {
    const dispatched = [{ name: 'a', kind: 'bh', ns: 0 }];
    expect(stepInWords('ctx0', { dispatched, stopped: { event: 'virtqueue_pop' } })).toBe(
      'ctx0 dispatched bottom half a, <10 µs · ctx0 stopped after the dispatch with virtqueue_pop',
    );
  });
});

describe('a breakpoint', () => {
  it.each([
    [{ event: 'virtqueue_pop' }, 'virtqueue_pop'],
    [{ event: 'virtqueue_pop', device: 'disk0', queue: 0 }, 'virtqueue_pop of disk0 queue 0'],
    [{ event: 'virtqueue_fill', request: 7, context: 'ctx0' }, 'virtqueue_fill, request #7 in ctx0'],
  ])('%j', (spec, words) => {
    expect(breakpointInWords(spec)).toBe(words);
  });
});

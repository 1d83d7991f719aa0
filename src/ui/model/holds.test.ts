import { describe, expect, it } from 'vitest';
import type { BoardSnapshot, ContextSnapshot } from '../../engine/vm.ts';
import { stepInWords, waitingInWords } from './holds.ts';

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

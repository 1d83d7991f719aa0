import { expect, it } from 'vitest';
import type { BoardSnapshot, ContextSnapshot, DeviceSnapshot, QueueSnapshot } from '../../../engine/vm.ts';
import { LOOP_DEFECTS } from './loop-defects.ts';
import type { Fact, Look } from './scenario.ts';

interface Numbers {
  readonly seconds: number;
  readonly kicks: readonly number[];
  readonly ran: readonly number[];
  readonly signals: readonly number[];
  readonly completions: readonly number[];
  readonly aio?: { readonly id: number; readonly dispatches: number };
}

function board({
  seconds,
  kicks,
  ran,
  signals,
  completions,
  aio = { id: 1, dispatches: 0 },
}: Numbers): BoardSnapshot {
  const handlers = ran.map((dispatches, i) => ({
    id: 10 + i,
    name: `virtio7/vq${i}`,
    kind: 'fd',
    dispatches,
    signals: signals[i],
  }));
  const context = {
    index: 1,
    id: 'ctx0',
    sources: [{ ...aio, name: 'ctx0/aio', kind: 'aio' }, ...handlers],
  } as unknown as ContextSnapshot;
  const disk = {
    id: 'disk0',
    qomPath: '/machine/peripheral/disk0',
    slot: 7,
    queues: kicks.map((n, index) => ({
      index,
      kicks: n,
      completions: completions[index] ?? 0,
    })) as unknown as readonly QueueSnapshot[],
  } as unknown as DeviceSnapshot;
  return {
    timeNs: seconds * 1e9,
    runState: 'running',
    contexts: [context],
    devices: [disk],
    harts: [],
  };
}

function said(
  id: string,
  since: Numbers,
  now: Numbers,
  facts: readonly (readonly [string, Fact])[] = [],
  before = since,
) {
  const disk = board(now).devices[0];
  if (disk === undefined) throw new Error('no disk');
  const look: Look = {
    frame: { now: board(now), before: board(before), seconds: now.seconds - before.seconds },
    since: board(since),
    disk,
    move: undefined,
    atPrompt: true,
    place: { from: 'ctx0', to: 'ctx1' },
    facts: new Map(facts),
  };
  return LOOP_DEFECTS.steps.find((step) => step.id === id)?.done?.(look);
}

const idle = { kicks: [0, 0], ran: [0, 0], signals: [0, 0], completions: [0, 0] };
// Queue 0 was so busy that the device let others have their turn once, and signalled itself to come back.
const busy = { kicks: [50, 7], ran: [51, 6], signals: [51, 7], completions: [400, 80] };

it('D5 waits for the load to be over, and says so if a handler ran without a signal', () => {
  const start = { seconds: 0, ...idle };
  expect(said('d5', start, { seconds: 9, ...busy })).toBeUndefined();
  const end = { seconds: 9, ...busy };
  expect(said('d5', start, end, [], { ...end, seconds: 8 })).toBe(
    'The handler of queue 0 ran 51 times for 51 signals (50 kicks); of queue 1 6 times for 7 signals (7 kicks).',
  );
  // Drained for a moment, as for a snapshot: the second queue has no handler yet.
  expect(said('d5', start, { ...end, ran: [51] }, [], { ...end, seconds: 8 })).toBeUndefined();
  const wrong = { ...end, ran: [51, 8] };
  expect(said('d5', start, wrong, [], { ...wrong, seconds: 8 })).toContain(
    'more often than it was signalled',
  );
});

it('D3 names those that another thread dispatched, and says when nothing was recorded', () => {
  const records = (foreign: number) =>
    [['owners', { records: [{ context: 1, own: 90, foreign, attached: 0, detached: 0 }] }]] as const;
  const [from, to] = [
    { seconds: 0, ...idle },
    { seconds: 4, ...busy },
  ];
  expect(said('d3', from, to)).toBeUndefined();
  expect(said('d3', from, to, records(0))).toBe(
    'Dispatches by the context’s own thread: 90 of ctx0; by another thread: 0.',
  );
  expect(said('d3', from, to, records(2))).toContain('by another thread: 2.');
  expect(said('d3', from, to, [['owners', { records: [] }]])).toContain('The trace kept no dispatch');
});

it('D6 tells a source that was replaced, one that was detached, and a queue that stands still', () => {
  const facts = (detached: number) =>
    [['change', { records: [{ context: 1, own: 9, foreign: 0, attached: detached, detached }] }]] as const;
  const from = { seconds: 0, ...idle, aio: { id: 1, dispatches: 10 } };
  const to = { seconds: 9, ...busy, aio: { id: 1, dispatches: 60 } };
  expect(said('d6', from, to)).toBeUndefined();
  expect(said('d6', from, to, facts(0))).toBe(
    'ctx0/aio is the same source as before, dispatched 50 times meanwhile; sources detached: 0, attached: 0; both queues are served.',
  );
  const other = { ...to, aio: { id: 5, dispatches: 60 }, completions: [400, 0] };
  expect(said('d6', from, other, facts(1))).toContain('another source than before');
  expect(said('d6', from, other, facts(1))).toContain('detached: 1, attached: 1; queue 1 stands still');
});

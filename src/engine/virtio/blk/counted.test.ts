import { describe, expect, it } from 'vitest';
import { BLK_OK, EIO } from '../../block/block-backend.ts';
import { TRACE, TRACE_EVENTS } from '../../trace/schema.ts';
import { BlkMachine } from '../testing/blk-machine.ts';
import { VIRTIO_BLK_S_IOERR } from './spec.ts';

const SUMS: readonly number[] = [TRACE.virtqueue_counted, TRACE.virtio_blk_counted];

/** Rounds of requests of many sorts: single, merged, flushes, an id, one beyond the end, and one that fails. */
function machine(followOneOf: number, manual = false): BlkMachine {
  const m = new BlkMachine();
  m.tracer.followOneOf = followOneOf;
  m.boot();
  m.disk.fault = ({ offset }) => (offset === 512 * 100 ? EIO : BLK_OK);
  m.disk.manual = manual;
  for (let round = 0; round < 6; round++) {
    m.addRead(round * 16, 4096);
    m.addRead(512 + round * 64, 512);
    m.addRead(513 + round * 64, 512);
    m.addFlush();
    m.addGetId();
    m.addRead(1 << 20, 512);
    m.addRead(100, 512);
    m.turn();
    if (!manual) continue;
    m.disk.finishAll();
    m.turn();
  }
  return m;
}

/** How often each event happened: its records, and those only counted. */
function times({ tracer }: BlkMachine): readonly (readonly [string, number])[] {
  return TRACE_EVENTS.filter(({ id }) => !SUMS.includes(id)).map(
    ({ id, name }) => [name, tracer.of(id).length + (tracer.counted.get(id) ?? 0)] as const,
  );
}

/** Sums over the records of an event, argument by argument from the third. */
const sums = ({ tracer }: BlkMachine, event: number): readonly number[] =>
  [2, 3, 4].map((i) => tracer.of(event).reduce((sum, args) => sum + (args[i] as number), 0));

describe.each([
  ['answered at once', false],
  ['answered later', true],
])('requests that are not followed, %s', (_name, manual) => {
  it('F1: every event is recorded or counted, as often as where all are followed', () => {
    const all = machine(1, manual);
    const some = machine(3, manual);
    expect(all.tracer.counted.size).toBe(0);
    expect(some.tracer.counted.get(TRACE.virtqueue_pop)).toBe(4 * 7);
    expect(some.tracer.of(TRACE.virtqueue_pop)).toHaveLength(2 * 7);
    expect(times(some)).toEqual(times(all));
    for (const event of SUMS) expect(all.tracer.of(event)).toEqual([]);
  });

  it('F2: their sums are told when what was done at once is done', () => {
    const m = machine(3, manual);
    const [popped, filled] = sums(m, TRACE.virtqueue_counted);
    expect([popped, filled]).toEqual([4 * 7, 4 * 7]);
    // Of seven, five go to the disk, merged or not.
    expect(sums(m, TRACE.virtio_blk_counted)).toEqual([4 * 5, 4 * 5, 4 * (4096 + 3 * 512)]);
  });
});

it('F1: a batch is followed as a whole: what is recorded of a request is all there is', () => {
  const { tracer } = machine(3);
  const reqs = (event: number, arg: number): readonly number[] =>
    tracer.of(event).map((args) => args[arg] as number);
  const popped = reqs(TRACE.virtqueue_pop, 3);
  expect(reqs(TRACE.virtqueue_fill, 3).toSorted((a, b) => a - b)).toEqual(popped);
  for (const req of reqs(TRACE.virtio_blk_handle_read, 1)) expect(popped).toContain(req);
  for (const req of reqs(TRACE.virtio_blk_submit_multireq, 1)) expect(popped).toContain(req);
});

it('F3: an error is recorded, whoever is followed', () => {
  const statuses = machine(3)
    .tracer.of(TRACE.virtio_blk_req_complete)
    .filter(([, , status]) => status === VIRTIO_BLK_S_IOERR);
  // In each of six rounds one beyond the end and one that fails.
  expect(statuses).toHaveLength(12);
});

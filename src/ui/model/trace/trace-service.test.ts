import { describe, expect, it } from 'vitest';
import { SharedMemory } from '../../../engine/base/shared-memory.ts';
import { initTraceMask, traceRingBytes, TraceRingWriter } from '../../../engine/trace/ring.ts';
import { TRACE } from '../../../engine/trace/schema.ts';
import type { FromAggregator, Summary } from './protocol.ts';
import { TraceService } from './trace-service.ts';

const CAPACITY = 256;
const MASK = 64;
const BELL = 100;
const FOLLOW = 104;
const FIRST_RING = 128;
const THREADS = 3;

/** A machine's rings, the service that reads them, and a clock both share. */
function rig(cores?: number) {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2, shared: true });
  const mem = new SharedMemory(memory);
  initTraceMask(mem, MASK);
  const rings = Array.from({ length: THREADS }, (_, i) => FIRST_RING + i * traceRingBytes(CAPACITY));
  let nowMs = 5000;
  const clock = { nowNs: () => (nowMs - 5000) * 1e6 };
  const writers = rings.map(
    (ring, thread) =>
      new TraceRingWriter(mem, { ring, capacity: CAPACITY, mask: MASK, thread, clock, follow: FOLLOW }),
  );
  const posted: FromAggregator[] = [];
  const service = new TraceService(
    (message) => posted.push(message),
    () => nowMs,
    cores === undefined ? {} : { cores },
  );
  service.receive({
    type: 'machine',
    attachment: {
      memory,
      mask: MASK,
      follow: FOLLOW,
      bell: BELL,
      rings,
      firstHart: 2,
      epoch: 5000,
      firstVirtioGsi: 1,
    },
  });
  service.receive({ type: 'summaries', wanted: true });
  const summary = (): Summary => {
    const last = posted.findLast((message) => message.type === 'summary');
    if (last === undefined) throw new Error('no summary was posted');
    return last.summary;
  };
  return { service, writers, posted, summary, advance: (ms: number) => (nowMs += ms), now: () => nowMs };
}

describe('TraceService', () => {
  it('counts exactly at any load: emitted = binned + lost once the rings are read', () => {
    const { service, writers, summary, advance } = rig();
    let emitted = 0;
    let seed = 3;
    for (let round = 0; round < 400; round++) {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      // Now and then more than a ring holds.
      const burst = round % 50 === 0 ? 1000 : (seed >>> 9) % 200;
      for (let i = 0; i < burst; i++, emitted++)
        writers[(seed >>> (i & 7)) % THREADS]?.emit(TRACE.virtio_set_status, 1, 2);
      advance(20);
      service.tick();
    }
    advance(300);
    service.tick();
    const { written, binned, lost, perEvent } = summary();
    expect(lost).toBeGreaterThan(0);
    expect(written + lost).toBe(emitted);
    expect(binned).toBe(written);
    expect(perEvent[TRACE.virtio_set_status]).toBe(binned);
  });

  it('has the machine follow fewer requests where it has more events than can be looked at and no core to spare', () => {
    const { service, writers, posted, summary, advance } = rig(2);
    let batch = 0;
    let followed = 0;
    /** Two threads at a million events a second each, for so many ms. */
    const load = (ms: number): number => {
      followed = 0;
      for (let i = 0; i < ms * 10; i++) {
        advance(0.1);
        for (const writer of [writers[0], writers[2]]) {
          if (writer === undefined) continue;
          const follows = writer.follows(batch++);
          if (follows) followed++;
          for (let k = 0; k < 100; k++) writer.emitFor(follows, 0, TRACE.virtio_set_status, 1, 2);
        }
        service.tick();
      }
      return followed / (ms * 20);
    };
    load(200);
    expect(load(200)).toBeCloseTo(1 / 16);
    advance(1000);
    service.tick();
    const { followOneOf, written, binned, lost, onlyCounted, perEvent } = summary();
    expect([followOneOf, written, perEvent[TRACE.virtio_set_status]]).toEqual([1, binned, binned]);
    expect(binned + lost).toBe(400 * 20 * 100);
    expect(onlyCounted).toBeGreaterThan(0.9 * 200 * 20 * 100);
    service.receive({ type: 'follow', every: true });
    expect(load(300)).toBe(1);

    // A machine that is gone in the midst of it is told of as often as any other.
    service.receive({ type: 'follow', every: false });
    load(300);
    service.receive({ type: 'machine-gone' });
    const told = (): number => posted.filter(({ type }) => type === 'summary').length;
    advance(1000);
    service.tick();
    expect(summary().followOneOf).toBe(1);
    const before = told();
    for (let i = 0; i < 8; i++) {
      advance(250);
      service.receive({ type: 'wake' });
      service.tick();
    }
    expect(told() - before).toBe(8);
  });

  it('asks to be called sooner when a ring fills quickly', () => {
    const { service, writers, advance } = rig();
    advance(20);
    const idle = service.tick();
    for (let i = 0; i < CAPACITY / 2; i++) writers[0]?.emit(TRACE.virtio_set_status, 1, 2);
    advance(20);
    expect(service.tick()).toBeLessThan(idle);
  });

  it('sleeps with a quiet machine: told at full seconds only, until something happens or somebody comes', () => {
    const { service, writers, posted, advance, now } = rig();
    const turns = (ms: number): number[] => {
      const from = posted.length;
      const told: number[] = [];
      for (const end = now() + ms; now() < end; ) {
        advance(service.tick());
        told.push(...posted.slice(from + told.length).map(() => now()));
      }
      return told;
    };
    expect(turns(4000).length).toBeGreaterThan(10);
    turns(2000);
    expect(turns(5000).length).toBeLessThanOrEqual(6);
    for (let i = 0; i < CAPACITY - 1; i++) writers[0]?.emit(TRACE.virtio_set_status, 1, 2);
    expect(turns(1000).length).toBeGreaterThan(2);
    turns(6000);
    expect(turns(5000).length).toBeLessThanOrEqual(6);
    service.receive({ type: 'wake' });
    expect(turns(1000).length).toBeGreaterThan(2);
  });

  it('a machine that is gone is read to its end', () => {
    const { service, writers, summary, advance } = rig();
    writers[1]?.emit(TRACE.system_reset);
    service.receive({ type: 'machine-gone' });
    advance(300);
    service.tick();
    expect(summary().binned).toBe(1);
  });

  it('tells and draws nothing while nobody sees the page, and counts everything', () => {
    const { service, writers, posted, summary, advance } = rig();
    service.receive({ type: 'visible', visible: false });
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < 200; i++) writers[0]?.emit(TRACE.virtio_set_status, 1, 2);
      advance(300);
      service.tick();
    }
    expect(posted).toEqual([]);
    service.receive({ type: 'visible', visible: true });
    advance(300);
    service.tick();
    expect(summary().binned).toBe(2000);
    expect(summary().lost).toBe(0);
  });
});

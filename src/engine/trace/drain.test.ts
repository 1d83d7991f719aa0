import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { TraceDrain } from './drain.ts';
import { initTraceMask, setTraceEnabled, traceRingBytes, TraceRingReader, TraceRingWriter } from './ring.ts';
import { TRACE } from './schema.ts';

const CAPACITY = 8;
const MASK = 64;
const RING = 128;

function rig(threads: number) {
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  initTraceMask(mem, MASK);
  const rings = Array.from({ length: threads }, (_, i) => RING + i * traceRingBytes(CAPACITY));
  const clock = new VirtualClock();
  const writers = rings.map(
    (ring, thread) => new TraceRingWriter(mem, { ring, capacity: CAPACITY, mask: MASK, thread, clock }),
  );
  return { mem, rings, clock, writers, drain: new TraceDrain(mem, rings) };
}

const kick = TRACE.virtio_queue_notify;

describe('TraceDrain', () => {
  it('merges the threads by time, equal times in the order of threads', () => {
    const { clock, writers, drain } = rig(3);
    for (const [time, thread, arg] of [
      [10, 2, 0],
      [20, 0, 1],
      [20, 2, 2],
      [30, 1, 3],
      [40, 2, 4],
    ] as const) {
      clock.set(time);
      writers[thread]?.emit(kick, arg);
    }
    const batch = drain.drain(100);
    expect([...batch.time.subarray(0, batch.count)]).toEqual([10, 20, 20, 30, 40]);
    expect([...batch.what.subarray(0, batch.count)].map((what) => what >>> 16)).toEqual([2, 0, 2, 1, 2]);
    expect(Array.from({ length: batch.count }, (_, i) => batch.args[i * 5])).toEqual([0, 1, 2, 3, 4]);
  });

  it('keeps what is newer than asked for the next call, so that a late thread is still in order', () => {
    const { clock, writers, drain } = rig(2);
    clock.set(50);
    writers[0]?.emit(kick, 1);
    expect(drain.drain(40).count).toBe(0);
    clock.set(45);
    writers[1]?.emit(kick, 2);
    const batch = drain.drain(60);
    expect([...batch.time.subarray(0, batch.count)]).toEqual([45, 50]);
    expect(drain.taken).toBe(2);
  });

  it('taken + lost is what was emitted, whatever the rhythm', () => {
    const { clock, writers, drain } = rig(2);
    let emitted = 0;
    let handed = 0;
    let seed = 7;
    for (let round = 0; round < 500; round++) {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      for (let i = 0; i < (seed >>> 8) % 20; i++) {
        clock.advance(5);
        writers[(seed >>> (i & 15)) & 1]?.emit(kick, emitted++);
      }
      handed += drain.drain(clock.nowNs() - 20, clock.nowNs()).count;
    }
    handed += drain.drain(Infinity, clock.nowNs()).count;
    expect(drain.taken + drain.lost).toBe(emitted);
    expect(handed).toBe(drain.taken);
    expect(drain.lost).toBeGreaterThan(0);
  });

  it('leaves what is too new in its ring: there is room for no more until it is handed on', () => {
    const { clock, writers, drain } = rig(1);
    for (let i = 0; i < CAPACITY; i++) {
      clock.set(100 + i);
      writers[0]?.emit(kick, i);
    }
    expect(drain.drain(99 + CAPACITY / 2).count).toBe(CAPACITY / 2);
    for (let i = CAPACITY; i < 2 * CAPACITY; i++) {
      clock.set(100 + i);
      writers[0]?.emit(kick, i);
    }
    const batch = drain.drain(Infinity, 1000);
    expect(Array.from({ length: batch.count }, (_, i) => batch.args[i * 5])).toEqual(
      Array.from({ length: CAPACITY }, (_, i) => CAPACITY / 2 + i),
    );
    const from = 100 + CAPACITY + CAPACITY / 2 - 1;
    expect(batch.gaps).toEqual([{ thread: 0, from, to: 1000, lost: CAPACITY / 2 }]);
  });

  it('says when a full ring lost, and of which thread', () => {
    const { clock, writers, drain } = rig(2);
    for (let i = 0; i < CAPACITY + 5; i++) {
      clock.set(100 + i);
      writers[1]?.emit(kick);
    }
    const batch = drain.drain(200);
    expect(batch.gaps).toEqual([{ thread: 1, from: 100 + CAPACITY - 1, to: 200, lost: 5 }]);
    expect(drain.fill).toBe(1);
  });

  it('counts on when head and lost wrap at 2^32', () => {
    const { mem, rings, clock, drain: first } = rig(1);
    first.drain(0);
    const ring = rings[0] as number;
    mem.store32(ring, 0xffff_fffe); // head
    mem.store32(ring + 64, 0xffff_fffe); // tail
    const writer = new TraceRingWriter(mem, { ring, capacity: CAPACITY, mask: MASK, thread: 0, clock });
    const drain = new TraceDrain(mem, rings);
    for (let i = 0; i < 4; i++) writer.emit(kick, i);
    const batch = drain.drain(1);
    expect(Array.from({ length: batch.count }, (_, i) => batch.args[i * 5])).toEqual([0, 1, 2, 3]);
    expect(drain.taken).toBe(4);
  });

  it('hands on what was only counted, by thread and event, and it is not lost when rings are full', () => {
    const { clock, writers, drain, rings, mem } = rig(2);
    clock.set(10);
    for (let i = 0; i < 3 * CAPACITY; i++) writers[1]?.emitFor(false, 0, kick, i);
    writers[0]?.emitFor(false, 0, TRACE.virtqueue_pop);
    writers[1]?.emit(kick);
    const batch = drain.drain(100);
    expect([batch.count, batch.counted]).toEqual([
      1,
      [
        { thread: 0, event: TRACE.virtqueue_pop, n: 1 },
        { thread: 1, event: kick, n: 3 * CAPACITY },
      ],
    ]);
    expect(drain.drain(100).counted).toEqual([]);
    writers[1]?.emitFor(false, 0, kick);
    expect(drain.drain(100).counted).toEqual([{ thread: 1, event: kick, n: 1 }]);
    expect([drain.taken, drain.counted, drain.lost]).toEqual([1, 3 * CAPACITY + 2, 0]);
    const written = rings.map((ring) => new TraceRingReader(mem, ring).written);
    expect(written).toEqual([1, 3 * CAPACITY + 2]);
  });

  it('says how many batches of requests are followed: all at first', () => {
    const { mem, rings, clock } = rig(1);
    const follow = 96;
    const [ring = 0] = rings;
    const writer = new TraceRingWriter(mem, {
      ring,
      capacity: CAPACITY,
      mask: MASK,
      thread: 0,
      clock,
      follow,
    });
    const followed = (): readonly number[] => [0, 1, 2, 3, 4, 5, 6, 7, 8].filter((i) => writer.follows(i));
    expect(followed()).toHaveLength(9);
    const drain = new TraceDrain(mem, rings, follow);
    drain.followOneOf(4);
    expect(followed()).toEqual([0, 4, 8]);
    drain.followOneOf(1);
    expect(followed()).toHaveLength(9);
  });

  it('an event that is off is not written', () => {
    const { mem, writers, drain } = rig(1);
    setTraceEnabled(mem, MASK, kick, false);
    writers[0]?.emit(kick);
    writers[0]?.emitFor(false, 0, kick);
    expect(drain.drain(1)).toMatchObject({ count: 0, counted: [] });
  });
});

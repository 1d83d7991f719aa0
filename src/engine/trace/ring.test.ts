import { describe, expect, it } from 'vitest';
import { SharedMemory } from '../base/shared-memory.ts';
import { TraceDrain } from './drain.ts';
import { initTraceMask, setTraceEnabled, TraceRingReader, TraceRingWriter } from './ring.ts';
import { TRACE } from './schema.ts';

const MASK = 64;
const RING = 128;

/** A writer on a clock whose every reading is 10 ns later, and the times of what it wrote. */
function rig() {
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  initTraceMask(mem, MASK);
  let readings = 0;
  const clock = { nowNs: () => ++readings * 10 };
  const writer = new TraceRingWriter(mem, { ring: RING, capacity: 8, mask: MASK, thread: 0, clock });
  const drain = new TraceDrain(mem, [RING]);
  const times = (): number[] => {
    const batch = drain.drain(Infinity);
    return [...batch.time.subarray(0, batch.count)];
  };
  return { mem, writer, times, readings: () => readings };
}

describe('TraceRingWriter', () => {
  it('a record bears the time it is written, or the one its caller has', () => {
    const { writer, times, readings } = rig();
    expect(writer.emit(TRACE.virtqueue_pop, 1)).toBe(true);
    writer.emitSame(TRACE.virtio_blk_handle_read, 1);
    writer.emitAt(14, TRACE.virtqueue_fill, 1);
    expect(readings()).toBe(1);
    writer.emit(TRACE.virtqueue_flush, 1);
    expect(times()).toEqual([10, 10, 14, 20]);
  });

  it('of an event that is off the clock is not read, and it says so', () => {
    const { mem, writer, times, readings } = rig();
    setTraceEnabled(mem, MASK, TRACE.virtqueue_flush, false);
    expect([writer.emit(TRACE.virtqueue_flush, 1), readings()]).toEqual([false, 0]);
    expect(writer.emit(TRACE.virtio_notify, 1)).toBe(true);
    expect(times()).toEqual([10]);
  });

  it('of a record that finds no room it says so, and counts it as lost', () => {
    const { mem, writer } = rig();
    const written = Array.from({ length: 9 }, () => writer.emit(TRACE.virtqueue_pop, 1));
    expect(written).toEqual([...Array<boolean>(8).fill(true), false]);
    expect(new TraceRingReader(mem, RING).lost).toBe(1);
  });

  it('rings the bell when a ring is half full, and not again before it has been read', () => {
    const { mem } = rig();
    const bell = 120;
    const writer = new TraceRingWriter(mem, {
      ring: RING,
      capacity: 16,
      mask: MASK,
      thread: 0,
      clock: { nowNs: () => 1 },
      bell,
    });
    const drain = new TraceDrain(mem, [RING]);
    const emit = (n: number): number => {
      for (let i = 0; i < n; i++) writer.emit(TRACE.virtqueue_pop, i);
      return mem.load32(bell);
    };
    expect(emit(8)).toBe(1);
    drain.drain(Infinity);
    // 9 … 24: looked at by 12, 16, 20 and 24; half full by 16.
    expect([emit(4), emit(4)]).toEqual([1, 2]);
    drain.drain(Infinity);
    expect(emit(7)).toBe(2);
  });

  it('never goes back in time, whatever time it is given', () => {
    const { writer, times } = rig();
    writer.emit(TRACE.virtqueue_pop, 1);
    writer.emitAt(3, TRACE.virtqueue_fill, 1);
    expect(times()).toEqual([10, 10]);
  });
});

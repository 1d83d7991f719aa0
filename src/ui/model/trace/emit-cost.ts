import { SharedMemory } from '../../../engine/base/shared-memory.ts';
import { initTraceMask, traceRingBytes, TraceRingWriter } from '../../../engine/trace/ring.ts';
import { TRACE } from '../../../engine/trace/schema.ts';

const CAPACITY = 2048;
const ROUNDS = 96;
const MASK = 64;
const RING = 128;

/** What one event costs, in ns: written to a ring, or only counted. */
export interface EventCost {
  readonly written: number;
  readonly counted: number;
}

/**
 * What one event costs in this browser: the lower quartile of some rounds on a ring of its own, with
 * the clock the machine's threads use. The clock is coarse, so a round is many events; the lower quartile, because rounds
 * in which the code was not yet compiled or the thread had to wait for a core say nothing about it.
 */
export function measureEmit(nowMs: () => number): EventCost {
  const pages = Math.ceil((RING + traceRingBytes(CAPACITY)) / 65536);
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
  initTraceMask(mem, MASK);
  const clock = { nowNs: () => nowMs() * 1e6 };
  const written: number[] = [];
  const counted: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const writer = new TraceRingWriter(mem, { ring: RING, capacity: CAPACITY, mask: MASK, thread: 0, clock });
    const began = nowMs();
    for (let i = 0; i < CAPACITY; i++) writer.emit(TRACE.virtqueue_pop, 1, 0, i, i, i);
    const between = nowMs();
    for (let i = 0; i < CAPACITY; i++) writer.emitFor(false, 0, TRACE.virtqueue_pop, 1, 0, i, i, i);
    counted.push(((nowMs() - between) * 1e6) / CAPACITY);
    written.push(((between - began) * 1e6) / CAPACITY);
    // Room for the next round: nobody reads this ring.
    mem.store32(RING, 0);
  }
  return { written: lowerQuartile(written), counted: lowerQuartile(counted) };
}

const lowerQuartile = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 2] ?? 0;

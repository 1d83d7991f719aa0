import { describe, expect, it } from 'vitest';
import { SharedMemory } from '../base/shared-memory.ts';
import { CONTROL_HOLD, WakeWord } from '../base/wake-word.ts';
import { initTraceMask, TraceRingWriter } from '../trace/ring.ts';
import { TRACE } from '../trace/schema.ts';
import { VirtioDeviceLayout, VirtQueueLayout, virtQueueAddr } from '../virtio/layout.ts';
import { BreakWatch, takeBreakHit } from './break-watch.ts';
import { BreakpointTable, MAX_BREAKPOINTS } from './breakpoint-table.ts';
import { ContextBlockLayout, MAX_CONTEXTS } from './context-block.ts';
import { VIRT_VIRTIO } from './platform/memory-map.ts';
import { layoutMachine } from './shared-layout.ts';

const layout = layoutMachine({ ramBytes: 0x10_0000, harts: 1 });
const SLOT = 7;
const HART = MAX_CONTEXTS;

/** A machine's memory with a disk in slot 7 whose queue 0 is in context 1, queue 1 in context 2, queue 2 in `main`. */
function machine() {
  const pages = Math.ceil(layout.totalBytes / 65536);
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
  initTraceMask(mem, layout.traceMask);
  const slot = layout.virtioSlots[SLOT] as number;
  mem.store32(slot + VirtioDeviceLayout.at.queueCount, 3);
  for (const [queue, context] of [1, 2, 0].entries())
    mem.store32(virtQueueAddr(slot, queue) + VirtQueueLayout.at.context, context);
  const stopped: number[] = [];
  const tracer = (thread: number) => {
    const breaks = new BreakWatch(mem, layout, thread, () => stopped.push(thread));
    const ring = layout.traceRings[thread] as number;
    const { traceMask: mask, traceFollow: follow, traceRecords: capacity } = layout;
    const clock = { nowNs: () => 0 };
    return new TraceRingWriter(mem, { ring, capacity, mask, follow, thread, clock, breaks });
  };
  const block = (context: number): number => layout.contexts[context] as number;
  const wake = (context: number) => new WakeWord(mem, block(context) + ContextBlockLayout.at.wake);
  const held = () => [0, 1, 2].filter((context) => (wake(context).control & CONTROL_HOLD) !== 0);
  const hit = (context: number) => takeBreakHit(mem, block(context));
  return { mem, tracer, wake, held, hit, stopped, table: new BreakpointTable(mem, layout.breakpoints) };
}

describe('breakpoints', () => {
  it('hold the context an event happens in, at once, and say for what', () => {
    const { table, tracer, held, hit, stopped } = machine();
    table.put(5, { events: [TRACE.virtqueue_pop] });
    const ctx1 = tracer(1);
    ctx1.emit(TRACE.virtqueue_fill, SLOT, 0, 3, 99, 512);
    expect(held()).toEqual([]);
    ctx1.emit(TRACE.virtqueue_pop, SLOT, 0, 3, 99, 4);
    expect(held()).toEqual([1]);
    expect(stopped).toEqual([1]);
    expect(hit(1)).toEqual({
      breakpoint: 5,
      thread: 1,
      event: TRACE.virtqueue_pop,
      ctx: undefined,
      dev: SLOT,
      queue: 0,
      req: 99,
    });
    expect(hit(1)).toBeUndefined();
    expect(table.hits(5)).toBe(1);
  });

  it('stop at an event that is only counted, and while there is one every request is followed', () => {
    const { mem, table, tracer, held, hit } = machine();
    const ctx1 = tracer(1);
    mem.store32(layout.traceFollow, 15);
    expect([ctx1.follows(16), ctx1.follows(17)]).toEqual([true, false]);
    table.put(5, { events: [TRACE.virtqueue_pop] });
    ctx1.emitFor(false, 0, TRACE.virtqueue_pop, SLOT, 0, 3, 99, 4);
    expect(held()).toEqual([1]);
    expect(hit(1)).toMatchObject({ breakpoint: 5, dev: SLOT, req: 99 });
    expect(ctx1.follows(17)).toBe(true);
    table.remove(5);
    expect(ctx1.follows(17)).toBe(false);
  });

  it('the first event of a hold is the one it is for; the others are counted', () => {
    const { table, tracer, hit } = machine();
    table.put(5, { events: [TRACE.virtqueue_pop] });
    const ctx1 = tracer(1);
    for (const req of [10, 11, 12]) ctx1.emit(TRACE.virtqueue_pop, SLOT, 0, 0, req);
    expect(hit(1)).toMatchObject({ req: 10 });
    expect(table.hits(5)).toBe(3);
  });

  it.each([
    [{ ctx: 1 }, [1]],
    [{ ctx: 2 }, []],
    [{ dev: SLOT }, [1]],
    [{ dev: 6 }, []],
    [{ queue: 0 }, [1]],
    [{ queue: 1 }, []],
    [{ req: 99 }, [1]],
    [{ req: 98 }, []],
  ])('filter by %j', (filter, expected) => {
    const { table, tracer, held } = machine();
    table.put(1, { events: [TRACE.virtqueue_fill, TRACE.virtqueue_pop], ...filter });
    tracer(1).emit(TRACE.virtqueue_pop, SLOT, 0, 3, 99, 4);
    expect(held()).toEqual(expected);
  });

  it('on a hart hold the contexts that serve what the event is about, but never main', () => {
    const { table, tracer, held, wake, hit } = machine();
    const hart = tracer(HART);
    table.put(1, { events: [TRACE.virtio_queue_notify, TRACE.plic_claim] });
    hart.emit(TRACE.virtio_queue_notify, SLOT, 2, 0);
    expect(held()).toEqual([]);
    hart.emit(TRACE.virtio_queue_notify, SLOT, 1, 0);
    expect(held()).toEqual([2]);
    expect(hit(2)).toMatchObject({ thread: HART, dev: SLOT, queue: 1 });
    wake(2).revoke(CONTROL_HOLD);
    hart.emit(TRACE.plic_claim, 0, VIRT_VIRTIO.irq + SLOT);
    expect(held()).toEqual([1, 2]);
    expect(hit(1)).toMatchObject({ event: TRACE.plic_claim, dev: SLOT, queue: undefined });
  });

  it('in main are counted and hold nothing', () => {
    const { table, tracer, held, stopped } = machine();
    table.put(1, { events: [TRACE.virtqueue_pop] });
    tracer(0).emit(TRACE.virtqueue_pop, SLOT, 2, 0, 1);
    expect([held(), stopped, table.hits(1)]).toEqual([[], [], 1]);
  });

  it('that are removed hold nothing, and leave their place', () => {
    const { table, tracer, held } = machine();
    for (let id = 1; id <= MAX_BREAKPOINTS; id++)
      expect(table.put(id, { events: [TRACE.virtqueue_pop] })).toBe(true);
    expect(table.put(99, { events: [TRACE.virtqueue_pop] })).toBe(false);
    for (let id = 1; id <= MAX_BREAKPOINTS; id++) table.remove(id);
    tracer(1).emit(TRACE.virtqueue_pop, SLOT, 0, 0, 1);
    expect(held()).toEqual([]);
    expect(table.put(99, { events: [TRACE.virtqueue_pop] })).toBe(true);
  });
});

import { describe, expect, it } from 'vitest';
import { TRACE } from '../../trace/schema.ts';
import { VirtioFault } from '../fault.ts';
import { DESC_BYTES, DESC_F_NEXT } from '../spec.ts';
import { BlkMachine } from '../testing/blk-machine.ts';
import { crossed } from '../testing/fake-queue.ts';
import type { FakePackedQueue } from '../testing/fake-packed-queue.ts';
import { needEvent } from './split.ts';

describe('needEvent (virtio 2.7.7.2)', () => {
  it.each([
    // event, new, old, wanted
    [0, 1, 0, true], // the first buffer, asked for at once
    [1, 1, 0, false], // not before one more
    [1, 2, 0, true],
    [0, 0, 0, false], // nothing was added
    [5, 5, 3, false],
    [5, 6, 3, true],
    [2, 6, 3, false], // passed before
    [0xffff, 0, 0xffff, true], // across the end of 16 bits
    [0xffff, 3, 0xfffe, true],
    [0, 3, 0xfffe, true],
    [3, 3, 0xfffe, false],
  ])('event %i, from %3$i to %i: %s', (event, newIdx, oldIdx, wanted) => {
    expect(needEvent(event, newIdx, oldIdx)).toBe(wanted);
    expect(crossed(event, newIdx, oldIdx)).toBe(wanted);
  });
});

describe.each([
  ['split', false],
  ['packed', true],
] as const)('interrupts the driver asked for (%s)', (_name, packed) => {
  /** Completes `count` requests one by one; returns after which of them the line rose. */
  function risesAfter(m: BlkMachine, count: number): number[] {
    const after: number[] = [];
    for (let i = 1; i <= count; i++) {
      const before = m.rises;
      m.disk.finish();
      m.run();
      if (m.rises > before) after.push(i);
      m.driver.interrupt();
    }
    return after;
  }
  const machine = (): BlkMachine => {
    const m = new BlkMachine({ transport: { packed }, config: { requestMerging: false } }).boot({
      queueSize: 16,
    });
    m.disk.manual = true;
    return m;
  };
  /** Puts requests in flight that take one slot each. */
  const fill = (m: BlkMachine, count: number): void => {
    for (let i = 0; i < count; i++) m.addRead(i * 8, 512, { indirect: true });
    m.driver.kick();
    m.run();
  };

  it.each([1, 2, 3, 7])('after %i buffers, wherever the ring is', (wish) => {
    const m = machine();
    for (let place = 0; place < 40; place++) {
      fill(m, 7);
      m.driver.queue().wantInterrupts(wish);
      const after = risesAfter(m, 7);
      expect(after, `place ${place}`).toEqual([wish]);
      m.driver.queue().takeUsed();
      m.run();
    }
  });

  it('none at all', () => {
    const m = machine();
    fill(m, 7);
    m.driver.queue().wantInterrupts('none');
    expect(risesAfter(m, 7)).toEqual([]);
    expect(m.tracer.of(TRACE.virtio_notify).at(-1)?.[2]).toBe(1); // suppressed
  });

  it('a batch that passes the wish interrupts once', () => {
    const m = machine();
    fill(m, 7);
    m.driver.queue().wantInterrupts(4);
    m.disk.finishAll();
    m.run();
    expect(m.rises).toBe(1);
    expect(m.tracer.of(TRACE.virtqueue_flush)).toHaveLength(1);
  });

  it('a full lap in one batch is seen as such', () => {
    const m = machine();
    for (let lap = 0; lap < 3; lap++) {
      fill(m, 16);
      m.disk.finishAll();
      m.run();
      expect(m.driver.interrupt().used, `lap ${lap}`).toBe(true);
      expect(m.driver.queue().takeUsed()).toHaveLength(16);
    }
  });
});

describe.each([
  ['split', false],
  ['packed', true],
] as const)('kicks the device asks for (%s)', (_name, packed) => {
  it('one per batch; none while it works or polls (Q4)', () => {
    const m = new BlkMachine({ transport: { packed } }).boot({ queueSize: 16 });
    const loop = m.loops[0];
    const notifier = m.notifiers[0];
    if (loop === undefined || notifier === undefined) throw new Error('no loop');
    for (let i = 0; i < 40; i++) {
      m.addRead(0, 512);
      expect(m.driver.kick(), `buffer ${i}`).toBe(true);
      m.run();
      m.driver.queue().takeUsed();
    }
    const handlers = loop.handlersOf(notifier);
    handlers?.ioPollBegin?.();
    expect(handlers?.ioPoll?.()).toBe(false);
    let kicks = 0;
    for (let i = 0; i < 40; i++) {
      m.addRead(0, 512);
      if (m.driver.kick()) kicks += 1;
      expect(handlers?.ioPoll?.()).toBe(true);
      handlers?.ioPollReady?.();
      expect(handlers?.ioPoll?.()).toBe(false);
      expect(m.driver.queue().takeUsed()).toHaveLength(1);
    }
    // A split ring can't take back the wish it had already published: one kick may still come.
    expect(kicks).toBeLessThanOrEqual(packed ? 0 : 1);
    handlers?.ioPollEnd?.();
    m.addRead(0, 512);
    expect(m.driver.kick()).toBe(true);
    m.run();
    expect(m.driver.queue().takeUsed()).toHaveLength(1);
  });

  it('Q4 a buffer that came without a kick while polling ended is found by the last look', () => {
    const m = new BlkMachine({ transport: { packed } }).boot({ queueSize: 16 });
    const notifier = m.notifiers[0];
    if (notifier === undefined) throw new Error('no notifier');
    const handlers = m.loops[0]?.handlersOf(notifier);
    handlers?.ioPollBegin?.();
    m.addRead(0, 512);
    m.driver.queue().publish();
    handlers?.ioPollEnd?.();
    expect(handlers?.ioPoll?.()).toBe(true);
  });

  it('Q4 a buffer that came without a kick at the end of a run is found by the same run', () => {
    const m = new BlkMachine({ transport: { packed } }).boot({ queueSize: 16 });
    let late: { token: number } | undefined;
    m.disk.fault = () => {
      // While the device works, another hart adds a buffer and sees that no kick is wanted.
      if (late === undefined) {
        late = m.addRead(8, 512);
        m.driver.queue().publish();
      }
      return 0;
    };
    const first = m.addRead(0, 512);
    m.driver.kick();
    m.run();
    expect(
      m.driver
        .queue()
        .takeUsed()
        .map((used) => used.token),
    ).toEqual([first.token, late?.token]);
  });

  it('a driver that adds without end does not keep the context to itself', () => {
    const m = new BlkMachine({ transport: { packed } }).boot({ queueSize: 16 });
    let added = 0;
    m.disk.fault = () => {
      m.driver.queue().takeUsed();
      if (added++ < 500) {
        m.addRead(0, 512);
        m.driver.queue().publish();
      }
      return 0;
    };
    m.addRead(0, 512);
    m.driver.kick();
    m.loops[0]?.iterate();
    // One run is bounded; the rest follows in later iterations, without a kick of the driver's.
    expect(added).toBeLessThan(100);
    m.run();
    expect(added).toBe(501);
  });
});

it('a packed chain that runs into slots in flight', () => {
  const m = new BlkMachine({ transport: { packed: true } }).boot({ queueSize: 6 });
  const ring = m.driver.queue() as FakePackedQueue;
  m.disk.manual = true;
  m.addRead(0, 512);
  m.driver.kick();
  m.run();
  // Slots 3, 4, 5 are free; the chain goes on into slot 0, which is not.
  for (const slot of [3, 4, 5, 0]) {
    const at = ring.desc + slot * DESC_BYTES;
    ring.writeDesc(at, m.guest.alloc(16), 16, 9);
    m.guest.setU16(at + 14, ring.availFlags(slot !== 0) | (slot === 0 ? 0 : DESC_F_NEXT));
  }
  m.driver.setReg(0x50, 0);
  m.run();
  expect(m.tracer.of(TRACE.virtio_error)).toEqual([[3, 0, VirtioFault.InFlightExceeded]]);
});

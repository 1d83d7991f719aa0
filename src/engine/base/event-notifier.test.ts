import { describe, expect, it } from 'vitest';
import { VirtualClock } from './clock.ts';
import { EventNotifier, EventNotifierLayout } from './event-notifier.ts';
import { SharedMemory } from './shared-memory.ts';
import { WakeWord } from './wake-word.ts';

const TABLE = 4096;
const make = () => {
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  const clock = new VirtualClock(1000);
  const notifier = () => new EventNotifier(mem, clock, TABLE, 3);
  return {
    mem,
    clock,
    notifier: notifier(),
    same: notifier(),
    a: new WakeWord(mem, 64),
    b: new WakeWord(mem, 128),
  };
};

describe('EventNotifier', () => {
  it('is readable from the first set until it is cleared, whoever set it', () => {
    const { notifier, same } = make();
    expect([notifier.isSet(), notifier.testAndClear()]).toEqual([false, false]);
    same.set();
    same.set();
    expect(notifier.isSet()).toBe(true);
    expect([notifier.sets, notifier.taken]).toEqual([2, 0]);
    expect(notifier.testAndClear()).toBe(true);
    expect([notifier.isSet(), notifier.testAndClear()]).toEqual([false, false]);
    expect([notifier.sets, notifier.taken]).toEqual([2, 2]);
  });

  it('wakes the thread that polls it, and nobody without one', () => {
    const { notifier, a, b } = make();
    notifier.set();
    const before = [a.sequence, b.sequence];
    notifier.setHome(b.addr);
    notifier.set();
    expect([a.sequence, b.sequence]).toEqual([before[0], (before[1] as number) + 1]);
  });

  it('E1: a set before, during or after a change of home is found by the new home', () => {
    for (const moment of ['before', 'after'] as const) {
      const { notifier, same, a, b } = make();
      notifier.setHome(a.addr);
      if (moment === 'before') same.set();
      notifier.setHome(b.addr);
      const ticket = b.prepareSleep();
      if (moment === 'after') same.set();
      // The new home looks at the count once it has announced its sleep; a later set changes the ticket.
      const found = notifier.isSet() || b.sleep(ticket, 50e6) === 'not-equal';
      expect(found, moment).toBe(true);
      expect(notifier.testAndClear()).toBe(true);
    }
  });

  it('E1: a set that read the old home while it changed is found by looking', () => {
    const { mem, notifier, a, b } = make();
    notifier.setHome(a.addr);
    // The setter's two halves: the count, then the wake of the home it saw, with the change in between.
    mem.add32(notifier.addr + EventNotifierLayout.at.count, 1);
    notifier.setHome(b.addr);
    expect(notifier.isSet()).toBe(true);
  });

  it('is stamped with the time of the set that made it readable', () => {
    const { clock, notifier } = make();
    notifier.set();
    clock.advance(500);
    notifier.set();
    expect(notifier.stampNs).toBe(1000);
    notifier.testAndClear();
    notifier.set();
    expect(notifier.stampNs).toBe(1500);
  });

  it('has its place in the table, beside its neighbours', () => {
    const { mem, clock, notifier } = make();
    expect(notifier.addr).toBe(TABLE + 3 * EventNotifierLayout.size);
    const next = new EventNotifier(mem, clock, TABLE, 4);
    notifier.set();
    expect(next.isSet()).toBe(false);
  });
});

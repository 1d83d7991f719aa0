import { describe, expect, it } from 'vitest';
import { pattern } from '../testing/blk-machine.ts';
import { TestMachine } from '../testing/test-machine.ts';
import { RNG_REQUEST_MAX, VirtioRngDataPlane, virtioRngModel } from './rng.ts';

function rngMachine(): TestMachine {
  const m = new TestMachine();
  let served = 0;
  m.plug(virtioRngModel, () => {
    const notifier = m.notifiers[0];
    if (notifier === undefined) throw new Error('no notifier');
    return new VirtioRngDataPlane(m.env, notifier, (into) => {
      into.set(pattern(into.length, ++served));
    });
  });
  m.driver.init();
  return m;
}

describe('virtio-rng', () => {
  it('fills every buffer, each with bytes of its own', () => {
    const m = rngMachine();
    const addrs = [m.guest.alloc(64), m.guest.alloc(300)];
    m.driver.queue().add([{ addr: addrs[0] ?? 0, length: 64, writable: true }]);
    m.driver.queue().add([{ addr: addrs[1] ?? 0, length: 300, writable: true }], true);
    m.driver.kick();
    m.run();
    expect(
      m.driver
        .queue()
        .takeUsed()
        .map((used) => used.length),
    ).toEqual([64, 300]);
    expect(m.guest.bytes(addrs[0] ?? 0, 64)).toEqual(pattern(64, 1));
    expect(m.guest.bytes(addrs[1] ?? 0, 300)).toEqual(pattern(300, 2));
  });

  it('fills a very long buffer in part, and returns a readable one as it is', () => {
    const m = rngMachine();
    const addr = m.guest.alloc(RNG_REQUEST_MAX * 2);
    m.driver.queue().add([{ addr, length: RNG_REQUEST_MAX * 2, writable: true }]);
    m.driver.queue().add([{ addr, length: 16, writable: false }]);
    m.driver.kick();
    m.run();
    expect(
      m.driver
        .queue()
        .takeUsed()
        .map((used) => used.length),
    ).toEqual([RNG_REQUEST_MAX, 0]);
    expect(m.guest.bytes(addr + RNG_REQUEST_MAX, 64).every((byte) => byte === 0)).toBe(true);
  });
});

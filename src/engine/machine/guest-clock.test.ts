import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { GuestClock } from './guest-clock.ts';

const make = () => {
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  const host = new VirtualClock(5_000_000);
  return { host, clock: new GuestClock(mem, 64, host), elsewhere: new GuestClock(mem, 64, host) };
};

describe('GuestClock', () => {
  it('stands at 0 until it is started, whatever the host clock shows', () => {
    const { host, clock } = make();
    host.advance(1e9);
    expect(clock.ns()).toBe(0);
    clock.start();
    expect(clock.ns()).toBe(0);
    host.advance(250);
    expect([clock.ns(), clock.ticks()]).toEqual([250, 2]);
  });

  it('stands still while stopped and goes on from there, in every thread', () => {
    const { host, clock, elsewhere } = make();
    clock.start();
    host.advance(1000);
    clock.stop();
    host.advance(1e9);
    expect([clock.ns(), elsewhere.ns()]).toEqual([1000, 1000]);
    clock.start();
    host.advance(500);
    expect([clock.ns(), elsewhere.ns()]).toEqual([1500, 1500]);
  });

  it('is not moved by a second start or stop', () => {
    const { host, clock } = make();
    clock.start();
    host.advance(300);
    clock.start();
    expect(clock.ns()).toBe(300);
    clock.stop();
    host.advance(300);
    clock.stop();
    expect(clock.ns()).toBe(300);
  });

  it('goes on from the time it is set to while stopped', () => {
    const { host, clock } = make();
    clock.set(7e9);
    expect(clock.ticks()).toBe(70_000_000);
    clock.start();
    host.advance(100);
    expect(clock.ns()).toBe(7e9 + 100);
  });

  it('can not be set while it runs: the next stop would undo it', () => {
    const { clock } = make();
    clock.start();
    expect(() => clock.set(7e9)).toThrow('stopped');
  });
});

import { expect, it } from 'vitest';
import { VirtualClock } from '../../base/clock.ts';
import { TestLoop, TestNotifiers } from '../../block/testing/test-loop.ts';
import { GoldfishRtc } from './goldfish-rtc.ts';
import { MmioBus } from './mmio.ts';
import { RtcAlarm } from './rtc-alarm.ts';
import { testMemory } from './testing/hooked-memory.ts';

const START = 1_789_000_000_123_456_789n;

function board() {
  const mem = testMemory();
  const clock = new VirtualClock(5_000);
  const notifiers = new TestNotifiers();
  const changed = notifiers.make();
  const loop = new TestLoop('main/aio', clock, notifiers);
  let line = false;
  const rtc = new GoldfishRtc(
    mem,
    64,
    { set: (level) => (line = level) },
    changed,
    () => START + BigInt(clock.nowNs()),
  );
  const alarm = new RtcAlarm(loop.aio, rtc, changed);
  const bus = new MmioBus();
  bus.map(0, 0x1000, rtc);
  const advance = (ns: number): void => {
    clock.advance(ns);
    loop.run();
  };
  const time = (): bigint => BigInt(bus.read(0, 4) ?? 0) | (BigInt(bus.read(4, 4) ?? 0) << 32n);
  const setAlarm = (at: bigint): void => {
    bus.write(0x0c, 4, Number(at >> 32n), 0);
    bus.write(0x08, 4, Number(at & 0xffff_ffffn), 0);
    loop.run();
  };
  return { bus, clock, rtc, alarm, loop, advance, time, setAlarm, line: () => line };
}

it('RTC1: reading TIME_LOW latches TIME_HIGH', () => {
  const b = board();
  expect(b.time()).toBe(START + 5_000n);
  const low = b.bus.read(0, 4);
  b.clock.advance(60e9);
  expect([b.bus.read(4, 4), b.bus.read(0, 4) === low]).toEqual([Number(START >> 32n), false]);
  expect(b.bus.read(0, 8)).toBe(START + 60_000_005_000n);
});

it('keeps the time the guest sets, over a reset as well', () => {
  const b = board();
  b.bus.write(4, 4, 1, 0);
  b.bus.write(0, 4, 2, 0);
  b.advance(1000);
  expect(b.time()).toBe((1n << 32n) + 1002n);
  b.rtc.reset();
  expect(b.time()).toBe((1n << 32n) + 1002n);
});

it('RTC3: an alarm raises the line when it is due, once, if enabled', () => {
  const b = board();
  b.bus.write(0x10, 4, 1, 0);
  b.setAlarm(b.time() + 1_000_000n);
  expect([b.line(), b.bus.read(0x18, 4)]).toEqual([false, 1]);
  b.advance(999_999);
  expect(b.line()).toBe(false);
  b.advance(1);
  expect([b.line(), b.bus.read(0x18, 4)]).toEqual([true, 0]);
  b.bus.write(0x1c, 4, 1, 0);
  expect(b.line()).toBe(false);
  b.advance(10e9);
  expect(b.line()).toBe(false);
});

it('a pending alarm interrupts when interrupts are enabled later', () => {
  const b = board();
  b.setAlarm(b.time() + 10n);
  b.advance(10);
  expect(b.line()).toBe(false);
  b.bus.write(0x10, 4, 1, 0);
  expect(b.line()).toBe(true);
});

it('RTC2: an alarm in the past fires at once', () => {
  const b = board();
  b.bus.write(0x10, 4, 1, 0);
  b.setAlarm(b.time() - 1n);
  expect(b.line()).toBe(true);
});

it('a cleared or replaced alarm does not fire, and setting the time moves it', () => {
  const b = board();
  b.bus.write(0x10, 4, 1, 0);
  b.setAlarm(b.time() + 100n);
  b.bus.write(0x14, 4, 1, 0);
  b.advance(200);
  expect(b.line()).toBe(false);
  const alarm = b.time() + 1000n;
  b.setAlarm(alarm);
  b.bus.write(4, 4, Number(alarm >> 32n), 0);
  b.bus.write(0, 4, Number(alarm & 0xffff_ffffn), 0);
  b.loop.run();
  expect(b.line()).toBe(true);
});

it('after close the timer is gone', () => {
  const b = board();
  b.bus.write(0x10, 4, 1, 0);
  b.setAlarm(b.time() + 100n);
  b.alarm.close();
  b.advance(200);
  expect(b.line()).toBe(false);
});

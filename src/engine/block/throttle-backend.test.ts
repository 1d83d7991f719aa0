import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { BLK_OK } from './block-backend.ts';
import { NullStore } from './null-store.ts';
import { StoreBackend } from './store-backend.ts';
import { FakeRequest } from './testing/fake-request.ts';
import { TestLoop, TestNotifiers } from './testing/test-loop.ts';
import { ThrottleBackend } from './throttle-backend.ts';
import { isThrottled, NO_THROTTLE, throttleLimits, type ThrottleOptions } from './throttle-limits.ts';

const mem = new SharedMemory(new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true }));

async function board(options: ThrottleOptions) {
  const limits = throttleLimits(options);
  if (!limits.ok) throw new Error(limits.error.desc);
  const clock = new VirtualClock(1_000_000_000);
  const loop = new TestLoop('ctx0/aio', clock, new TestNotifiers());
  const child = new StoreBackend('null0', () => Promise.resolve(new NullStore(mem, 2 ** 30)));
  const throttle = new ThrottleBackend('throttle0', child, limits.value);
  expect(await throttle.attach(loop.aio)).toBe(BLK_OK);
  const start = clock.nowNs();
  const completed: [kind: string, ms: number][] = [];
  const submit = (kind: 'read' | 'write' | 'flush', bytes = 4096, count = 1): void => {
    for (let i = 0; i < count; i++) {
      const request = new FakeRequest(kind, 0, kind === 'flush' ? [] : [[0, bytes]]);
      request.onComplete = () => completed.push([kind, (clock.nowNs() - start) / 1e6]);
      throttle.submit(request);
    }
  };
  /** Turns the loop each millisecond. */
  const passMs = (ms: number): void => {
    for (let i = 0; i < ms; i++) {
      clock.advance(1_000_000);
      loop.run();
    }
  };
  return { throttle, submit, passMs, completed, count: () => completed.length };
}

describe('limits', () => {
  it('iops-total: a tenth of a second at once, then the rate', async () => {
    const b = await board({ 'iops-total': 100 });
    b.submit('read', 4096, 500);
    expect(b.count()).toBe(11); // until the bucket is fuller than 10
    b.passMs(1000);
    expect(b.count()).toBe(111);
    b.passMs(1000);
    expect(b.count()).toBe(211);
    expect(b.throttle.inFlight).toBe(289);
  });

  it('bps-total counts bytes of both directions together', async () => {
    const b = await board({ 'bps-total': 1_000_000 });
    b.submit('read', 10_240, 100);
    b.submit('write', 10_240, 100);
    b.passMs(1000);
    // 100 kB at once and 1 MB in the second after, in whole requests.
    expect(b.count()).toBeGreaterThanOrEqual(1_100_000 / 10_240);
    expect(b.count()).toBeLessThanOrEqual(1_100_000 / 10_240 + 2);
  });

  it('iops-read holds reads back and lets writes and flushes through', async () => {
    const b = await board({ 'iops-read': 10 });
    b.submit('read', 512, 5);
    b.submit('write', 512, 5);
    b.submit('flush');
    expect(b.completed.filter(([kind]) => kind === 'read').length).toBe(2);
    expect(b.completed.filter(([kind]) => kind !== 'read').length).toBe(6);
  });

  it('iops-size makes a large request count as several', async () => {
    const b = await board({ 'iops-total': 100, 'iops-size': 4096 });
    b.submit('read', 65_536, 20);
    b.passMs(1000);
    // 16 operations each: (10 + 100) / 16, and the one that overfills the bucket.
    expect(b.count()).toBe(7);
  });

  it('bursts: -max for -max-length seconds, then the average', async () => {
    const b = await board({ 'iops-total': 100, 'iops-total-max': 1000, 'iops-total-max-length': 2 });
    b.submit('read', 512, 5000);
    b.passMs(1000);
    const first = b.count();
    expect(first).toBeGreaterThan(1000);
    expect(first).toBeLessThan(1150);
    b.passMs(9000);
    // The bucket of 2000 and ten seconds of 100.
    expect(b.count()).toBeGreaterThan(2950);
    expect(b.count()).toBeLessThan(3050);
    const before = b.count();
    b.passMs(1000);
    expect(b.count() - before).toBe(100);
  });

  it('keeps the order of each direction', async () => {
    const b = await board({ 'iops-total': 10 });
    const order: number[] = [];
    for (let i = 0; i < 10; i++) {
      const request = new FakeRequest('write', i * 512, [[0, 512]]);
      request.onComplete = () => order.push(i);
      b.throttle.submit(request);
    }
    b.passMs(2000);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('B8: a drain does not wait for the clock', async () => {
    const b = await board({ 'iops-total': 1 });
    b.submit('read', 512, 50);
    let drained = false;
    b.throttle.drain(() => (drained = true));
    expect([drained, b.count(), b.throttle.inFlight]).toEqual([true, 50, 0]);
  });

  it('can be changed while requests wait', async () => {
    const b = await board({ 'iops-total': 1 });
    b.submit('read', 512, 50);
    expect(b.count()).toBe(1);
    b.throttle.setLimits(NO_THROTTLE);
    expect(b.count()).toBe(50);
  });
});

it('options are checked as QEMU checks them', () => {
  const refusal = (options: ThrottleOptions) => {
    const result = throttleLimits(options);
    return result.ok ? 'ok' : result.error.desc;
  };
  expect(refusal({})).toBe('ok');
  expect(refusal({ 'bps-total': 1, 'bps-read': 1 })).toMatch(/bps-total and bps-read or bps-write exclude/);
  expect(refusal({ 'iops-total': 1, 'bps-write': 1 })).toBe('ok');
  expect(refusal({ 'iops-total-max': 5 })).toMatch(/needs iops-total/);
  expect(refusal({ 'iops-total': 5, 'iops-total-max': 4 })).toMatch(/lower than/);
  expect(refusal({ 'iops-total': 5, 'iops-total-max-length': 2 })).toMatch(/needs iops-total-max/);
  expect(refusal({ 'iops-total': 5, 'iops-total-max': 9, 'iops-total-max-length': 0 })).toMatch(/at least 1/);
  expect(refusal({ 'bps-read': -1 })).toMatch(/whole numbers/);
  expect(refusal({ 'bps-read': 1.5 })).toMatch(/whole numbers/);
  expect(isThrottled(NO_THROTTLE)).toBe(false);
});

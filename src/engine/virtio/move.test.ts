import { describe, expect, it } from 'vitest';
import { BLK_OK, EIO } from '../block/block-backend.ts';
import { TRACE } from '../trace/schema.ts';
import { MMIO } from './spec.ts';
import { pattern, sameBytes } from './testing/blk-machine.ts';
import { MovableMachine } from './testing/movable-machine.ts';

const machine = (packed = false): MovableMachine =>
  new MovableMachine({ loops: 3, transport: { packed } }).boot({ queueSize: 16 }) as MovableMachine;

const drainSteps = (m: MovableMachine): string[] =>
  m.tracer.records
    .filter(({ event }) => event >= TRACE.drain_begin && event <= TRACE.drain_self_kick)
    .map(({ event }) => Object.entries(TRACE).find(([, id]) => id === event)?.[0] ?? '');

describe.each([
  ['split', false],
  ['packed', true],
] as const)('a queue (%s) moves to another context', (_name, packed) => {
  it('idle: and is served there', () => {
    const m = machine(packed);
    const { result } = m.move(1);
    expect(result?.outcome).toEqual({ kind: 'moved' });
    m.run();
    expect(m.loops.map((loop) => loop.handlerCount)).toEqual([0, 1, 0]);
    const write = m.addWrite(0, pattern(512));
    expect(m.turn()).toEqual([{ token: write.token, length: 1 }]);
    expect(drainSteps(m)).toEqual([
      'drain_begin',
      'drain_detach_notifiers',
      'drain_agree',
      'drain_commit',
      'drain_self_kick',
      'drain_end',
    ]);
  });

  it('V1, V3 waits for what is in flight, and takes nothing new meanwhile', () => {
    const m = machine(packed);
    m.disk.manual = true;
    const before = [m.addRead(0, 512), m.addRead(50, 512)];
    m.driver.kick();
    m.run();
    const outcome = m.move(2);
    const queued = m.addRead(100, 512);
    m.driver.queue().publish();
    m.driver.setReg(MMIO.QueueNotify, 0);
    m.run();
    expect(outcome.result).toBeUndefined();
    expect(m.disk.held).toHaveLength(2);
    m.clock.advance(2_000_000);
    m.disk.finish();
    expect(outcome.result).toBeUndefined();
    m.disk.finish();
    expect(outcome.result).toEqual({ outcome: { kind: 'moved' }, inFlight: 2, downtimeNs: 2_000_000 });
    m.run();
    // V2: the kick that fell in the gap is heard in the new context.
    expect(m.disk.held).toHaveLength(1);
    m.disk.finish();
    m.run();
    const used = m.driver
      .queue()
      .takeUsed()
      .map((entry) => entry.token);
    expect(used.toSorted((a, b) => a - b)).toEqual(
      [...before, queued].map((request) => request.token).toSorted((a, b) => a - b),
    );
    expect(m.tracer.of(TRACE.drain_poll).map((args) => args[2])).toEqual([1, 0]);
  });

  it('V6 a buffer made available in the gap without a kick is found', () => {
    const m = machine(packed);
    m.disk.manual = true;
    m.addRead(0, 512);
    m.driver.kick();
    m.run();
    m.move(1);
    const silent = m.addRead(100, 512);
    m.driver.queue().publish(); // and no write to QueueNotify
    m.disk.manual = false;
    m.disk.finish();
    m.run();
    expect(m.statusOf(silent)).toBe(0);
  });

  it('V4 refused: the same context goes on, what came meanwhile included', () => {
    const m = machine(packed);
    m.disk.manual = true;
    m.addRead(0, 512);
    m.driver.kick();
    m.run();
    m.refusal = 'the file is open elsewhere';
    const outcome = m.move(1);
    m.addRead(100, 512);
    m.driver.queue().publish();
    m.disk.manual = false;
    m.disk.finish();
    m.run();
    expect(outcome.result?.outcome).toEqual({
      kind: 'refused',
      by: 'disk',
      reason: 'the file is open elsewhere',
    });
    expect(m.contextOf(0)).toBe(0);
    expect(m.loops.map((loop) => loop.handlerCount)).toEqual([1, 0, 0]);
    expect(m.driver.queue().takeUsed()).toHaveLength(2);
    expect(drainSteps(m)).toEqual([
      'drain_begin',
      'drain_detach_notifiers',
      'drain_poll',
      'drain_agree',
      'drain_abort',
      'drain_self_kick',
      'drain_end',
    ]);
  });

  it('V5 a hand-over that fails is taken back', () => {
    const m = machine(packed);
    m.failure = { party: 'disk', reason: 'could not be opened there' };
    const { result } = m.move(1);
    expect(result?.outcome.kind).toBe('refused');
    m.run();
    expect(m.contextOf(0)).toBe(0);
    const read = m.addRead(0, 512);
    expect(m.turn()).toEqual([{ token: read.token, length: 513 }]);
  });

  it('V3, K5 stopped requests travel and end in the new context', () => {
    const m = new MovableMachine({ loops: 2, config: { werror: 'stop' }, transport: { packed } });
    m.boot({ queueSize: 16 });
    m.disk.fault = () => EIO;
    const stopped = [m.addWrite(0, pattern(1536, 5), { pieces: 700 }), m.addWrite(30, pattern(512, 6))];
    m.turn();
    m.disk.fault = () => BLK_OK;
    // Its slots are written over by later requests, as a packed ring allows.
    for (let i = 0; i < 40; i++) {
      m.addRead(i, 512);
      expect(m.turn()).toHaveLength(1);
    }
    expect(m.move(1).result?.outcome).toEqual({ kind: 'moved' });
    m.run();
    expect(m.dataPlane().parkedCount).toBe(2);
    m.dataPlane().resume();
    m.run();
    expect(
      m.driver
        .queue()
        .takeUsed()
        .map((used) => used.token),
    ).toEqual(stopped.map((request) => request.token));
    expect(m.disk.data.subarray(0, 1536)).toEqual(pattern(1536, 5));
    expect(m.disk.data.subarray(30 * 512, 31 * 512)).toEqual(pattern(512, 6));
  });

  it('V7 a reset asked for during a move waits for its end', () => {
    const m = machine(packed);
    m.disk.manual = true;
    m.addRead(0, 512);
    m.driver.kick();
    m.run();
    const outcome = m.move(1);
    const order: string[] = [];
    m.device.reset(() => order.push(`reset after ${outcome.result?.outcome.kind ?? 'nothing'}`));
    m.run();
    expect(m.driver.status).not.toBe(0);
    expect(order).toEqual([]);
    m.disk.finish();
    m.run();
    expect(order).toEqual(['reset after moved']);
    expect(m.driver.status).toBe(0);
    expect(m.loops.map((loop) => loop.handlerCount)).toEqual([0, 0, 0]);
  });

  it('K1 back and forth under load, at any moment: every request once, every byte right', () => {
    let seed = packed ? 11 : 5;
    const random = (n: number): number => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return (seed >>> 8) % n;
    };
    const m = new MovableMachine({ loops: 3, transport: { packed }, ramBytes: 16 * 1024 * 1024 });
    m.boot({ queueSize: 32 });
    m.disk.manual = true;
    const expected = m.disk.data.slice();
    const open = new Map<number, { sector: number; content: Uint8Array | undefined; data: number }>();
    let issued = 0;
    let ended = 0;
    let moves = 0;
    let pending = m.move(0);
    while (issued < 1500 || open.size > 0) {
      const action = random(10);
      if (action < 4 && issued < 1500 && m.driver.queue().free >= 4) {
        // One sector is used by one request at a time, so that the outcome is defined.
        const sector = random(500);
        if ([...open.values()].some((entry) => entry.sector === sector)) continue;
        const content = random(2) === 0 ? pattern(512, issued + 1) : undefined;
        const indirect = random(2) === 0;
        const request =
          content === undefined
            ? m.addRead(sector, 512, { indirect })
            : m.addWrite(sector, content, { indirect });
        open.set(request.token, { sector, content, data: request.data });
        issued += 1;
        if (content !== undefined) expected.set(content, sector * 512);
        m.driver.kick();
      } else if (action < 6 && m.disk.held.length > 0) {
        m.disk.finish(random(m.disk.held.length));
      } else if (action < 8) {
        for (const loop of m.loops) if (random(2) === 0) loop.iterate();
      } else if (action === 8 && pending.result !== undefined) {
        m.refusal = random(4) === 0 ? 'not now' : undefined;
        pending = m.move(random(3));
        moves += 1;
      } else {
        for (const { token } of m.driver.queue().takeUsed()) {
          const entry = open.get(token);
          expect(entry, 'a buffer came back that was not out').toBeDefined();
          open.delete(token);
          ended += 1;
          if (entry?.content === undefined) {
            const at = (entry?.sector ?? 0) * 512;
            expect(sameBytes(m.guest.bytes(entry?.data ?? 0, 512), expected.subarray(at, at + 512))).toBe(
              true,
            );
          }
        }
        if (issued >= 1500) {
          m.disk.finishAll();
          m.run();
        }
      }
    }
    expect(ended).toBe(1500);
    expect(moves).toBeGreaterThan(50);
    expect(sameBytes(m.disk.data, expected)).toBe(true);
    expect(m.tracer.of(TRACE.virtio_error)).toEqual([]);
  });
});

it('several queues move together, each from where it is', () => {
  const m = new MovableMachine({ loops: 3, config: { numQueues: 3 } });
  m.boot({ queueSize: 16 });
  m.move(2, [1]);
  expect([0, 1, 2].map((queue) => m.contextOf(queue))).toEqual([0, 2, 0]);
  expect(m.move(1, [0, 1, 2]).result?.outcome).toEqual({ kind: 'moved' });
  m.run();
  expect([0, 1, 2].map((queue) => m.contextOf(queue))).toEqual([1, 1, 1]);
  for (const queue of [0, 1, 2]) {
    const read = m.addRead(queue, 512, { queue });
    expect(m.turn(queue)).toEqual([{ token: read.token, length: 513 }]);
  }
});

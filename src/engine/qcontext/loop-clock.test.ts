import { describe, expect, it } from 'vitest';
import { EventNotifier } from '../base/event-notifier.ts';
import { CONTROL_QUIT, WakeWord } from '../base/wake-word.ts';
import { TRACE } from '../trace/schema.ts';
import { nullTracer, RecordingTracer } from '../trace/tracer.ts';
import { LoopClock } from './loop-clock.ts';
import { createThreadContext } from './thread-context.ts';
import { LoneThreadMemory } from './testing.ts';

/** A clock of which every reading is another time, so that readings can be told apart. */
function counting() {
  let ns = 0;
  return { nowNs: () => ++ns, readings: () => ns };
}

describe('the clock of a loop', () => {
  it('T1: outside of the loop and in callbacks each reading is new', () => {
    const clock = new LoopClock(counting());
    expect([clock.nowNs(), clock.nowNs()]).toEqual([1, 2]);
    clock.inLoop = true;
    clock.callbackBegins();
    expect([clock.nowNs(), clock.nowNs()]).toEqual([3, 4]);
    clock.callbackBegins();
    expect(clock.nowNs()).toBe(5);
    clock.callbackEnds();
    expect([clock.nowNs(), clock.nowNs()]).toEqual([6, 7]);
  });

  it('T2: in the loop they are one until a callback has passed, or the loop asks anew', () => {
    const clock = new LoopClock(counting());
    clock.inLoop = true;
    expect([clock.nowNs(), clock.nowNs()]).toEqual([1, 1]);
    clock.callbackBegins();
    clock.callbackEnds();
    expect([clock.nowNs(), clock.nowNs()]).toEqual([2, 2]);
    expect([clock.readNs(), clock.nowNs()]).toEqual([3, 3]);
    clock.inLoop = false;
    expect([clock.nowNs(), clock.nowNs()]).toEqual([4, 5]);
  });

  it('T2: a wake costs two readings with all trace events on, whoever wants to know the time', async () => {
    const source = counting();
    const clock = new LoopClock(source);
    const mem = new LoneThreadMemory();
    const wake = new WakeWord(mem, 64);
    const notifier = new EventNotifier(mem, { nowNs: () => 0 }, 4096, 1);
    const times: number[] = [];
    const tracer = new RecordingTracer();
    const { aio, loop } = createThreadContext({
      id: 'ctx0',
      index: 1,
      wake,
      clock,
      tracer: {
        ...nullTracer,
        enabled: () => true,
        nameId: (kind, name) => tracer.nameId(kind, name),
        emit: (event: number, ...args: number[]) => {
          times.push(clock.nowNs());
          return tracer.emit(event, ...args);
        },
        emitAt: (timeNs: number, event: number, ...args: number[]) => {
          times.push(timeNs);
          return tracer.emit(event, ...args);
        },
      },
      isReadable: () => notifier.isSet(),
      macrotask: () => Promise.resolve(),
      maySpin: () => false,
      log: { warning: () => {} },
    });
    const rounds = 10;
    const readings: number[] = [];
    const handler = {
      ioRead: () => {
        notifier.testAndClear();
        readings.push(source.readings());
        if (readings.length === rounds) wake.request(CONTROL_QUIT);
        notifier.set();
      },
    };
    aio.setEventNotifier(notifier, handler, 'echo');
    notifier.set();
    await loop.runUntilQuit();
    const perWake = readings.slice(1).map((at, i) => at - (readings[i] ?? 0));
    expect(perWake).toEqual(Array.from({ length: rounds - 1 }, () => 2));
    expect(tracer.of(TRACE.source_dispatch_begin).length).toBeGreaterThanOrEqual(2 * rounds);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });
});

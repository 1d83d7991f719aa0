import { describe, expect, it } from 'vitest';
import { TRACE } from '../trace/schema.ts';
import { RecordingTracer } from '../trace/tracer.ts';
import { AioContext } from './aio-context.ts';
import type { EventNotifierHandlers } from './aio-interface.ts';
import { type FakeNotifier, VirtualLoop } from './testing.ts';

const MS = 1_000_000;

/** An AioContext run in both ways: as a source of a context, and polled on its own. */
function harness(attached: boolean): {
  loop: VirtualLoop;
  aio: AioContext;
  tracer: RecordingTracer;
  errors: string[];
  step: (blocking: boolean) => boolean;
} {
  const loop = new VirtualLoop();
  const tracer = new RecordingTracer();
  const errors: string[] = [];
  const aio = new AioContext({
    name: 'ctx0/aio',
    clock: loop.clock,
    tracer,
    wakeup: () => loop.context.wakeup(),
    threw: (name, error) => errors.push(`${name}: ${String(error)}`),
  });
  if (attached) aio.attach(loop.context);
  const wait = (set: Parameters<VirtualLoop['look']>[0], timeoutNs: number): void => {
    loop.polls.push(timeoutNs < 0 ? -1 : timeoutNs / MS);
    if (loop.look(set) === 0 && timeoutNs > 0) loop.clock.advance(timeoutNs);
  };
  const step = (blocking: boolean): boolean =>
    attached ? loop.context.iterate(blocking) : aio.poll(blocking, wait);
  return { loop, aio, tracer, errors, step };
}

function handlersOf(notifier: FakeNotifier, run: () => void): EventNotifierHandlers {
  return {
    ioRead: () => {
      if (notifier.testAndClear()) run();
    },
  };
}

describe.each([
  ['attached', true],
  ['standalone', false],
])('AioContext, %s', (_name, attached) => {
  it('A1: scheduled twice, runs once; cancelled, not at all', () => {
    const { aio, step } = harness(attached);
    let runs = 0;
    const bh = aio.bhNew('bh', () => runs++);
    bh.schedule();
    bh.schedule();
    expect(step(true)).toBe(true);
    expect(step(false)).toBe(false);
    expect(runs).toBe(1);
    bh.schedule();
    bh.cancel();
    step(false);
    expect(runs).toBe(1);
    bh.delete();
    bh.schedule();
    step(false);
    expect(runs).toBe(1);
  });

  it('A2: a batch runs last scheduled first, and what it schedules makes the next', () => {
    const { aio, step } = harness(attached);
    const log: string[] = [];
    const next = aio.bhNew('next', () => log.push('next'));
    for (const name of ['1', '2', '3']) {
      aio.bhScheduleOneshot(name, () => {
        log.push(name);
        next.schedule();
      });
    }
    step(false);
    expect(log).toEqual(['3', '2', '1']);
    step(false);
    expect(log).toEqual(['3', '2', '1', 'next']);
  });

  it('A3: an idle bottom half waits at most 10 ms', () => {
    const { aio, step, loop } = harness(attached);
    let runs = 0;
    aio.bhNew('idle', () => runs++).scheduleIdle();
    const progress = step(true);
    expect(runs).toBe(1);
    expect(loop.polls).toEqual([10]);
    // GLib's iterate says that a source was ready; a poll of its own says whether there was progress.
    expect(progress).toBe(attached);
  });

  it('A5: bottom halves, then ready handlers, then timers', () => {
    const { aio, step, loop } = harness(attached);
    const log: string[] = [];
    const notifier = loop.notifier(1);
    aio.setEventNotifier(
      notifier,
      handlersOf(notifier, () => log.push('handler')),
    );
    aio.timerNew('timer', () => log.push('timer')).modNs(loop.clock.nowNs());
    notifier.set();
    aio.bhScheduleOneshot('bh', () => log.push('bh'));
    step(false);
    step(false);
    expect(log).toEqual(['bh', 'handler', 'timer']);
  });

  it('A9: timers by deadline, equal ones in the order of arming; the wait ends with the first', () => {
    const { aio, step, loop } = harness(attached);
    const log: string[] = [];
    const now = loop.clock.nowNs();
    const add = (name: string, at: number): void => aio.timerNew(name, () => log.push(name)).modNs(now + at);
    add('c', 5 * MS);
    add('a', 2 * MS);
    add('b', 2 * MS);
    const gone = aio.timerNew('gone', () => log.push('gone'));
    gone.modNs(now + MS);
    gone.del();
    expect(aio.nextTimerNs).toBe(now + 2 * MS);
    step(true);
    expect(log).toEqual(['a', 'b']);
    expect(loop.clock.nowNs() - now).toBe(2 * MS);
    step(true);
    expect(log).toEqual(['a', 'b', 'c']);
    expect(aio.nextTimerNs).toBe(-1);
  });

  it('A9: a timer that re-arms itself for the future runs once a poll', () => {
    const { aio, step, loop } = harness(attached);
    let runs = 0;
    const timer = aio.timerNew('tick', () => {
      runs++;
      timer.modNs(loop.clock.nowNs() + MS);
    });
    timer.modNs(loop.clock.nowNs());
    step(true);
    expect(runs).toBe(1);
    step(true);
    expect(runs).toBe(2);
  });

  it('A11: a handler removed by another in the same batch does not run', () => {
    const { aio, step, loop } = harness(attached);
    const [one, two] = [loop.notifier(1), loop.notifier(2)];
    const log: string[] = [];
    aio.setEventNotifier(
      one,
      handlersOf(one, () => {
        log.push('one');
        aio.setEventNotifier(two, null);
      }),
    );
    aio.setEventNotifier(
      two,
      handlersOf(two, () => log.push('two')),
    );
    one.set();
    two.set();
    step(false);
    step(false);
    expect(log).toEqual(['one']);
    expect(two.isSet()).toBe(true);
  });

  it('A12: what throws is reported by name and removed, the others go on', () => {
    const { aio, step, loop, errors, tracer } = harness(attached);
    const notifier = loop.notifier(1);
    const oops = (): never => {
      throw new Error('oops');
    };
    aio.setEventNotifier(notifier, { ioRead: oops }, 'vda ioeventfd');
    const bh = aio.bhNew('bad bh', oops);
    aio.timerNew('bad timer', oops).modNs(0);
    notifier.set();
    bh.schedule();
    let good = 0;
    aio.bhScheduleOneshot('good', () => good++);
    for (let i = 0; i < 3; i++) {
      step(false);
      bh.schedule();
    }
    expect(errors).toEqual(['bad bh: Error: oops', 'vda ioeventfd: Error: oops', 'bad timer: Error: oops']);
    expect(tracer.of(TRACE.source_error)).toHaveLength(3);
    expect(good).toBe(1);
  });

  it('A13: a shared bottom half is scheduled by setting its notifier, from anywhere', () => {
    const { aio, step, loop } = harness(attached);
    const notifier = loop.notifier(7);
    let runs = 0;
    const bh = aio.bhNewShared('completion', notifier, () => runs++);
    notifier.set();
    bh.schedule();
    step(false);
    step(false);
    expect(runs).toBe(1);
    bh.delete();
    notifier.set();
    step(false);
    expect(runs).toBe(1);
  });

  it('a poll nested in a handler serves the other handlers', () => {
    const { aio, step, loop } = harness(attached);
    const [one, two] = [loop.notifier(1), loop.notifier(2)];
    const log: string[] = [];
    aio.setEventNotifier(
      one,
      handlersOf(one, () => {
        two.set();
        while (log.length === 0) step(false);
        log.push('one');
      }),
    );
    aio.setEventNotifier(
      two,
      handlersOf(two, () => log.push('two')),
    );
    one.set();
    step(false);
    expect(log).toEqual(['two', 'one']);
  });

  it('reports count dispatches and the time from wake to dispatch', () => {
    const { aio, step, loop } = harness(attached);
    const notifier = loop.notifier(1);
    aio.setEventNotifier(
      notifier,
      handlersOf(notifier, () => {}),
      'kick',
    );
    for (let i = 0; i < 3; i++) {
      notifier.set();
      loop.clock.advance(1000);
      step(false);
    }
    const report = aio.reports().find(({ name }) => name === 'kick');
    expect(report).toMatchObject({ kind: 'fd', dispatches: 3, lastDispatchNs: loop.clock.nowNs() });
    expect(report?.wakeToDispatch.n).toBe(3);
    // 1000 ns lies in the bucket from 896 to 1024 ns.
    expect(report?.wakeToDispatch.p50).toBe(1024);
    expect(report?.wakeToDispatch.p99).toBeUndefined();
  });
});

describe('AioContext as a source', () => {
  it('A4: a schedule wakes only while the context is about to wait', () => {
    const { aio, loop, step, tracer } = harness(true);
    const bh = aio.bhNew('bh', () => {});
    loop.woken = false;
    bh.schedule();
    expect(loop.woken).toBe(false);
    expect(tracer.of(TRACE.aio_notify).at(-1)).toEqual([0, 1]);
    step(false);
    // A schedule between prepare and the wait must wake, or the context would sleep for ever.
    loop.duringPoll = () => {
      loop.duringPoll = undefined;
      bh.schedule();
      expect(loop.woken).toBe(true);
    };
    aio.timerNew('far', () => {}).modNs(loop.clock.nowNs() + 1000 * MS);
    const before = loop.clock.nowNs();
    step(true);
    expect(loop.clock.nowNs()).toBe(before);
    expect(tracer.of(TRACE.aio_notify).at(-1)).toEqual([0, 0]);
  });

  it('G17: gives the poll function nanoseconds beside the milliseconds', () => {
    const { aio, loop } = harness(true);
    aio.timerNew('soon', () => {}).modNs(loop.clock.nowNs() + 1_500_000);
    const timeout = { ns: -1, ms: -1 };
    const source = loop.context.findSourceByName('ctx0/aio');
    expect(source?.funcs.prepare?.(source, timeout)).toBe(false);
    expect(timeout).toEqual({ ms: 2, ns: 1_500_000 });
  });
});

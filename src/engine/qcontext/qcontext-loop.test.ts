import { describe, expect, it } from 'vitest';
import { EventNotifier } from '../base/event-notifier.ts';
import { CONTROL_HOLD, CONTROL_QUIT, CONTROL_YIELD, WakeWord } from '../base/wake-word.ts';
import { TRACE } from '../trace/schema.ts';
import { RecordingTracer } from '../trace/tracer.ts';
import { createIdleSource } from './idle-source.ts';
import { IoHandler } from './io-handler.ts';
import { LoopClock } from './loop-clock.ts';
import { QSource } from './qsource.ts';
import { createThreadContext } from './thread-context.ts';
import { LoneThreadMemory } from './testing.ts';

const WAKE = 64;
const NOTIFIERS = 4096;

function harness(isBehind?: () => boolean) {
  const mem = new LoneThreadMemory();
  const clock = { nowNs: () => performance.now() * 1e6 };
  const wake = new WakeWord(mem, WAKE);
  const log: string[] = [];
  const tracer = new RecordingTracer();
  const thread = createThreadContext({
    id: 'ctx0',
    index: 1,
    wake,
    clock: new LoopClock(clock),
    tracer,
    isReadable: (fd) => new EventNotifier(mem, clock, NOTIFIERS, fd).isSet(),
    macrotask: () =>
      new Promise((resolve) => {
        log.push('macrotask');
        setImmediate(resolve);
      }),
    isBehind,
    log: { warning: (message) => log.push(message) },
  });
  const notifier = (fd: number): EventNotifier => new EventNotifier(mem, clock, NOTIFIERS, fd);
  return { ...thread, wake, log, notifier, tracer };
}

describe('the loop of a thread', () => {
  it('L1: yields for a macrotask and comes back; L3: quits', async () => {
    const { loop, wake, log, context } = harness();
    wake.request(CONTROL_YIELD);
    context.attach(
      createIdleSource(() => {
        log.push('idle');
        wake.request(CONTROL_QUIT);
        return true;
      }),
    );
    await loop.runUntilQuit();
    expect(log).toEqual(['macrotask', 'idle']);
  });

  it('L1: stays yielded until the messages that were posted have come', async () => {
    let missing = 3;
    const { loop, wake, log } = harness(() => --missing > 0);
    wake.request(CONTROL_YIELD);
    // The loop would block this thread for ever; the quit is requested while it is yielded.
    const run = loop.runUntilQuit();
    wake.request(CONTROL_QUIT);
    await run;
    expect(log).toEqual(['macrotask', 'macrotask', 'macrotask']);
  });

  it('L2: dispatches nothing while held, and still yields', async () => {
    const { loop, wake, log, aio, shares } = harness();
    aio.bhScheduleOneshot('bh', () => {
      log.push('bh');
      wake.request(CONTROL_QUIT);
    });
    wake.request(CONTROL_HOLD | CONTROL_YIELD);
    setImmediate(() => {
      log.push('still held');
      wake.revoke(CONTROL_HOLD);
    });
    await loop.runUntilQuit();
    expect(log).toEqual(['macrotask', 'still held', 'bh']);
    expect(shares.blockedNs).toBeGreaterThan(0);
  });

  it('L4: while a tracked promise is open it does not block, nor turn in vain', async () => {
    const { loop, wake, log, observer } = harness();
    const opened = new Promise<string>((resolve) => {
      setTimeout(() => resolve('opened'), 50);
    });
    const use = loop.track(opened).then((what) => {
      log.push(what);
      wake.request(CONTROL_QUIT);
    });
    await loop.runUntilQuit();
    await use;
    expect(log).toContain('opened');
    // It looks at its timers about once per ms.
    expect(observer.iterations).toBeLessThan(200);
  });

  it('L4: a notifier is served at once while a tracked promise is open', async () => {
    const { loop, wake, aio, notifier } = harness();
    const one = notifier(1);
    let release: (() => void) | undefined;
    void loop.track(
      new Promise<void>((resolve) => {
        release = resolve;
      }),
    );
    let served = 0;
    aio.setEventNotifier(
      one,
      {
        ioRead: () => {
          if (!one.testAndClear()) return;
          served++;
          // Set again only now: two that are set before the thread gets to run count as one.
          if (served === 1) setTimeout(() => one.set(), 5);
          else {
            release?.();
            wake.request(CONTROL_QUIT);
          }
        },
      },
      'one',
    );
    setTimeout(() => one.set(), 5);
    await loop.runUntilQuit();
    expect(served).toBe(2);
  });

  it('notifiers reach the AioContext and the fd-handler list, which is found by name', () => {
    const { context, aio, wake, log, notifier, loop, reports } = harness();
    const [one, two] = [notifier(1), notifier(2)];
    aio.setEventNotifier(
      one,
      {
        ioRead: () => {
          if (one.testAndClear()) log.push('one');
        },
      },
      'one',
    );
    IoHandler.find(context)?.setFdHandler(two, () => {
      if (two.testAndClear()) log.push('two');
      wake.request(CONTROL_QUIT);
    });
    expect(one.home).toBe(WAKE);
    one.set();
    two.set();
    expect(loop.run()).toBe('quit');
    expect(log).toEqual(['one', 'two']);
    expect(reports().map(({ name, dispatches }) => [name, dispatches])).toEqual([
      ['ctx0/aio', 1],
      ['iohandler', 1],
      ['one', 1],
    ]);
    // Of a notifier's handler the signals it took as well, of the same moment.
    one.set();
    expect(reports().map(({ signals }) => signals)).toEqual([undefined, undefined, 1]);
    aio.setEventNotifier(one, null);
    expect(one.home).toBe(0);
    // One that comes back under its name, as a device's does after a drain, goes on counting.
    aio.setEventNotifier(one, { ioRead: () => {} }, 'one');
    aio.setEventNotifier(notifier(3), { ioRead: () => {} }, 'one');
    expect(reports().map(({ name, dispatches }) => [name, dispatches])).toEqual([
      ['ctx0/aio', 1],
      ['iohandler', 1],
      ['one', 1],
      ['one', 0],
    ]);
  });

  it('G19: a handler in the fd-handler list that throws is removed by itself', () => {
    const { context, wake, log, notifier, loop } = harness();
    const [bad, good] = [notifier(1), notifier(2)];
    const list = IoHandler.find(context);
    list?.setFdHandler(bad, () => {
      throw new Error('oops');
    });
    list?.setFdHandler(good, () => wake.request(CONTROL_QUIT));
    bad.set();
    good.set();
    expect(loop.run()).toBe('quit');
    expect(log).toEqual(['the handler of fd 1 threw and is removed: Error: oops']);
    expect(IoHandler.find(context)).toBe(list);
  });
});

describe('a held context', () => {
  /** Runs `look` while the loop is held and has yielded; then lets it go and quit. */
  async function whileHeld(
    prepare: (thread: ReturnType<typeof harness>) => void,
    look: (thread: ReturnType<typeof harness>) => void,
  ) {
    const thread = harness();
    const { loop, wake } = thread;
    let failure: unknown;
    prepare(thread);
    wake.request(CONTROL_HOLD | CONTROL_YIELD);
    setImmediate(() => {
      // A throw here would leave the loop asleep for ever.
      try {
        expect(loop.isHeld).toBe(true);
        look(thread);
      } catch (error) {
        failure = error;
      }
      wake.revoke(CONTROL_HOLD);
      // Runs after whatever else is ready: the last of A5.
      thread.aio.timerNew('end', () => wake.request(CONTROL_QUIT)).modNs(thread.aio.nowNs());
    });
    await loop.runUntilQuit();
    if (failure !== undefined) throw failure;
    return thread;
  }
  const say = (thread: ReturnType<typeof harness>, names: string) => {
    for (const name of names.split(' ')) thread.aio.bhScheduleOneshot(name, () => thread.log.push(name));
  };
  const ran = ({ log }: ReturnType<typeof harness>) => log.filter((line) => line !== 'macrotask');

  it('L2: is held all the while it answers messages, as traces and shares say', async () => {
    const held: boolean[] = [];
    const { tracer, shares } = await whileHeld(
      () => {},
      (thread) => {
        thread.wake.request(CONTROL_YIELD);
        setImmediate(() => held.push(thread.shares.state === 'held' || !thread.loop.isHeld));
      },
    );
    expect(held).toEqual([true]);
    expect(tracer.of(TRACE.context_hold)).toEqual([
      [1, 1],
      [1, 0],
    ]);
    expect(shares.blockedNs).toBeGreaterThan(0);
  });

  it('L5: a quit ends it although it is held', async () => {
    const thread = harness();
    say(thread, 'never');
    thread.wake.request(CONTROL_HOLD | CONTROL_QUIT);
    await thread.loop.runUntilQuit();
    expect(ran(thread)).toEqual([]);
  });

  it('H1, H2: a step dispatches one callback and says which and for how long; the rest stays ready', async () => {
    const thread = await whileHeld(
      (t) => say(t, 'a b c'),
      (t) => {
        const [step, ...more] = t.loop.step(1);
        expect(step).toMatchObject({ name: 'c', kind: 'bh' });
        expect(step?.ns).toBeGreaterThanOrEqual(0);
        expect(more).toEqual([]);
        expect(ran(t)).toEqual(['c']);
        expect(t.loop.step(1).map(({ name }) => name)).toEqual(['b']);
        expect(ran(t)).toEqual(['c', 'b']);
      },
    );
    // Released, it goes on with nothing lost and in the order of A2.
    expect(ran(thread)).toEqual(['c', 'b', 'a']);
    expect(thread.tracer.of(TRACE.context_step).map(([index, n]) => [index, n])).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  it('H2: a step of an iteration dispatches all that is ready, once', async () => {
    await whileHeld(
      (t) => {
        say(t, 'a');
        const bh = t.aio.bhNew('again', () => bh.schedule());
        bh.schedule();
      },
      (t) => {
        expect(t.loop.step(Infinity).map(({ name }) => name)).toEqual(['again', 'a']);
        expect(t.loop.step(Infinity).map(({ name }) => name)).toEqual(['again']);
      },
    );
  });

  it('H3: by single steps everybody gets a turn: bottom halves, handlers, timers, in the order of A5', async () => {
    await whileHeld(
      (t) => {
        const bh = t.aio.bhNew('bh', () => bh.schedule());
        bh.schedule();
        for (const fd of [1, 2]) {
          const notifier = t.notifier(fd);
          // Always set again: a handler that is busy must not keep the next from its turn.
          t.aio.setEventNotifier(notifier, { ioRead: () => {} }, `fd ${fd}`);
          notifier.set();
        }
        const timer = t.aio.timerNew('timer', () => timer.modNs(t.aio.nowNs()));
        timer.modNs(0);
      },
      (t) => {
        const names = Array.from({ length: 8 }, () => t.loop.step(1)[0]?.name);
        expect(names).toEqual(['bh', 'fd 1', 'fd 2', 'timer', 'bh', 'fd 1', 'fd 2', 'timer']);
      },
    );
  });

  it('H2: a step of a loop with nothing to do dispatches nothing; one that is not held is not stepped', async () => {
    const thread = await whileHeld(
      () => {},
      (t) => expect(t.loop.step(1)).toEqual([]),
    );
    say(thread, 'a');
    expect(thread.loop.step(1)).toEqual([]);
    expect(ran(thread)).toEqual([]);
  });

  it('H5: a hold asked for before a notifier is set is seen before its handler runs', () => {
    const thread = harness();
    const { loop, wake, aio, log } = thread;
    const notifier = thread.notifier(1);
    aio.setEventNotifier(notifier, { ioRead: () => log.push('served') }, 'kick');
    // In the midst of an iteration, as a hart may: after prepare, before the look at the notifiers.
    const asking = new QSource(
      {
        prepare: () => {
          wake.request(CONTROL_HOLD);
          notifier.set();
          wake.request(CONTROL_YIELD);
          return false;
        },
        dispatch: () => true,
      },
      'hart',
    );
    thread.context.attach(asking);
    expect(loop.run()).toBe('yield');
    expect(ran(thread)).toEqual([]);
    expect(loop.isHeld).toBe(true);
  });

  it('H1: goes on with a gate that a hold had closed which was over before it was seen', () => {
    const thread = harness();
    say(thread, 'a');
    thread.gate.close();
    thread.aio.timerNew('end', () => thread.wake.request(CONTROL_QUIT)).modNs(0);
    expect(thread.loop.run()).toBe('quit');
    expect(ran(thread)).toEqual(['a']);
  });

  it('H4: a gate closed within a dispatch ends the iteration after it', () => {
    const thread = harness();
    const { loop, wake, gate } = thread;
    for (const name of ['a', 'b'])
      thread.aio.bhScheduleOneshot(name, () => {
        thread.log.push(name);
        wake.request(CONTROL_HOLD | CONTROL_YIELD);
        gate.close();
      });
    expect(loop.run()).toBe('yield');
    expect(ran(thread)).toEqual(['b']);
    wake.revoke(CONTROL_HOLD);
    expect(loop.run()).toBe('yield');
    expect(ran(thread)).toEqual(['b', 'a']);
  });
});

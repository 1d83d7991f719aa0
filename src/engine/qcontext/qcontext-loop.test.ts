import { describe, expect, it } from 'vitest';
import { EventNotifier } from '../base/event-notifier.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { CONTROL_HOLD, CONTROL_QUIT, CONTROL_YIELD, WakeWord } from '../base/wake-word.ts';
import { RecordingTracer } from '../trace/tracer.ts';
import { createIdleSource } from './idle-source.ts';
import { IoHandler } from './io-handler.ts';
import { createThreadContext } from './thread-context.ts';

const WAKE = 64;
const NOTIFIERS = 4096;

function harness(isBehind?: () => boolean) {
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  const clock = { nowNs: () => performance.now() * 1e6 };
  const wake = new WakeWord(mem, WAKE);
  const log: string[] = [];
  const thread = createThreadContext({
    id: 'ctx0',
    index: 1,
    wake,
    clock,
    tracer: new RecordingTracer(),
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
  return { ...thread, wake, log, notifier };
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

  it('L4: while a tracked promise is open it yields instead of sleeping', async () => {
    const { loop, wake, log } = harness();
    const opened = new Promise<string>((resolve) => {
      setTimeout(() => resolve('opened'), 5);
    });
    const use = loop.track(opened).then((what) => {
      log.push(what);
      wake.request(CONTROL_QUIT);
    });
    await loop.runUntilQuit();
    await use;
    expect(log.at(-1)).toBe('opened');
    expect(log[0]).toBe('macrotask');
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
    aio.setEventNotifier(one, null);
    expect(one.home).toBe(0);
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

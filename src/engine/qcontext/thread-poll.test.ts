import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { EventNotifier } from '../base/event-notifier.ts';
import { SharedMemory, type WaitOutcome } from '../base/shared-memory.ts';
import { CONTROL_QUIT, CONTROL_WAKE, CONTROL_YIELD, WakeWord } from '../base/wake-word.ts';
import { AioContext } from './aio-context.ts';
import { LoopClock } from './loop-clock.ts';
import { IO_IN, PollSet } from './poll-fd.ts';
import { ThreadPoll } from './thread-poll.ts';
import { TimeShares } from './time-shares.ts';

const WAKE = 64;
const NOTIFIERS = 4096;

/** Memory whose futex wait takes no time: it moves the virtual clock instead, after `beforeWait` ran. */
class TestMemory extends SharedMemory {
  readonly clock: VirtualClock;
  beforeWait: (() => void) | undefined;
  readonly waits: number[] = [];

  constructor(clock: VirtualClock) {
    super(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
    this.clock = clock;
  }

  override wait32(addr: number, expected: number, timeoutNs: number): WaitOutcome {
    this.beforeWait?.();
    if (this.load32(addr) !== expected) return 'not-equal';
    this.waits.push(timeoutNs);
    if (timeoutNs !== Infinity) this.clock.advance(timeoutNs);
    return 'timed-out';
  }
}

function harness(maySpin = true) {
  const clock = new VirtualClock(1_000_000);
  const mem = new TestMemory(clock);
  const wake = new WakeWord(mem, WAKE);
  const notifier = new EventNotifier(mem, clock, NOTIFIERS, 3);
  notifier.setHome(WAKE);
  let looks = 0;
  const hooks = { onLook: (_look: number): void => {}, onTick: (): void => {} };
  const poll = new ThreadPoll({
    wake,
    clock: new LoopClock({
      nowNs: () => {
        hooks.onTick();
        return clock.nowNs();
      },
    }),
    isReadable: (fd) => {
      const readable = new EventNotifier(mem, clock, NOTIFIERS, fd).isSet();
      hooks.onLook(++looks);
      return readable;
    },
    maySpin: () => maySpin,
    shares: new TimeShares(clock),
  });
  const set = new PollSet();
  set.push(3, IO_IN);
  return { clock, mem, wake, notifier, poll, set, hooks };
}

describe('the poll function of a thread', () => {
  it('P1: a signal after the first look is found before the sleep', () => {
    const { mem, notifier, poll, set, hooks } = harness();
    hooks.onLook = (look) => {
      if (look === 1) notifier.set();
    };
    expect(poll.wait(set, -1)).toBe(1);
    expect(mem.waits).toEqual([]);
  });

  it('P1: a signal after the last look ends the futex wait at once', () => {
    const { mem, notifier, poll, set } = harness();
    mem.beforeWait = () => notifier.set();
    expect(poll.wait(set, -1)).toBe(1);
    expect(mem.waits).toEqual([]);
    expect(set.fds[0]?.revents).toBe(IO_IN);
  });

  it('P1: a signal before the poll needs no wait', () => {
    const { mem, notifier, poll, set } = harness();
    notifier.set();
    expect(poll.wait(set, -1)).toBe(1);
    expect(mem.waits).toEqual([]);
  });

  it('P2: control bits keep the wait from beginning, whenever they are set', () => {
    for (const bit of [CONTROL_YIELD, CONTROL_QUIT, CONTROL_WAKE]) {
      const early = harness();
      early.wake.request(bit);
      early.poll.wait(early.set, -1);
      expect(early.mem.waits).toEqual([]);
      const late = harness();
      late.mem.beforeWait = () => late.wake.request(bit);
      late.poll.wait(late.set, -1);
      expect(late.mem.waits).toEqual([]);
    }
  });

  it('reads the clock once before a sleep and once after: in a browser that costs as much as a look at an fd', () => {
    const { notifier, mem, poll, set, hooks } = harness();
    let readings = 0;
    hooks.onTick = () => readings++;
    mem.beforeWait = () => notifier.set();
    expect([poll.wait(set, -1), readings]).toEqual([1, 2]);
    notifier.testAndClear();
    expect([poll.wait(set, 5000), readings]).toEqual([1, 4]);
  });

  it('G20: a wakeup before the poll keeps it from sleeping, once', () => {
    const { mem, wake, poll, set } = harness();
    poll.wakeup();
    wake.request(CONTROL_WAKE);
    poll.wait(set, 5000);
    expect(mem.waits).toEqual([]);
    poll.wait(set, 5000);
    expect(mem.waits).toEqual([5000]);
  });

  it('P3: waits as long as it may, in the finer unit if there is one', () => {
    const { mem, poll, set } = harness();
    poll.poll(set, 2);
    set.timeoutNs = 1_500_000;
    poll.poll(set, 2);
    poll.poll(set, 1);
    poll.poll(set, 0);
    expect(mem.waits).toEqual([2_000_000, 1_500_000, 1_000_000]);
    set.timeoutNs = -1;
    poll.poll(set, -1);
    expect(mem.waits.at(-1)).toBe(Infinity);
  });
});

describe('spinning', () => {
  function polled(maySpin = true) {
    const setup = harness(maySpin);
    const aio = new AioContext({ name: 'aio', clock: setup.clock, wakeAddr: WAKE });
    const log: string[] = [];
    let work = 0;
    aio.setEventNotifier(setup.notifier, {
      ioRead: () => {
        if (setup.notifier.testAndClear()) log.push('read');
      },
      ioPoll: () => work > 0,
      ioPollReady: () => {
        work = 0;
        log.push('polled');
      },
      ioPollBegin: () => log.push('begin'),
      ioPollEnd: () => log.push('end'),
    });
    setup.poll.addPoller(aio);
    // Looking takes time, or polling would never end.
    setup.hooks.onTick = () => setup.clock.advance(500);
    const step = (): boolean => aio.poll(true, (set, timeoutNs) => setup.poll.wait(set, timeoutNs));
    // The notifier fires 3 µs after the loop fell asleep: next time polling would have found it.
    setup.mem.beforeWait = () => {
      setup.clock.advance(3000);
      setup.notifier.set();
    };
    step();
    step();
    setup.mem.beforeWait = undefined;
    return { ...setup, aio, log, step, produce: () => work++ };
  }

  it('A6, A7: finds work without a wake, and ends with notifications on', () => {
    const { log, step, produce, hooks, clock, mem } = polled();
    log.length = 0;
    let ticks = 0;
    hooks.onTick = () => {
      clock.advance(500);
      if (++ticks === 5) produce();
    };
    expect(step()).toBe(true);
    expect(log).toEqual(['begin', 'polled']);
    // Nothing comes: polling gives up after its time, and the thread sleeps.
    log.length = 0;
    mem.beforeWait = () => {
      log.push('sleep');
      produce();
    };
    step();
    expect(log).toEqual(['end', 'sleep']);
  });

  it('A14: after two spins in vain it sleeps at once for a while, then tries again', () => {
    const { log, step, mem, clock, notifier } = polled();
    mem.beforeWait = () => {
      log.push('sleep');
      clock.advance(3000);
      notifier.set();
    };
    const next = (): string[] => {
      log.length = 0;
      step();
      return [...log];
    };
    const inVain = ['begin', 'end', 'sleep', 'read'];
    // The first in vain was the one that taught it to spin.
    expect([next(), next(), next()]).toEqual([inVain, ['sleep', 'read'], ['sleep', 'read']]);
    clock.advance(1_000_000);
    expect([next(), next()]).toEqual([inVain, ['sleep', 'read']]);
  });

  it('A10: does not spin while more threads are awake than there are cores', () => {
    const { log, step, mem, notifier } = polled(false);
    log.length = 0;
    mem.beforeWait = () => notifier.set();
    step();
    expect(log).toEqual(['read']);
  });
});

import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventNotifier } from '../../../src/engine/base/event-notifier.ts';
import { WakeWord } from '../../../src/engine/base/wake-word.ts';
import { Random } from '../random.ts';
import { PLACES } from './jobs.ts';
import { bundleWorker, createMemory, startJob } from './run-jobs.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const clock = { nowNs: (): number => Number(process.hrtime.bigint()) };

describe('contexts on threads of their own', () => {
  let file = '';
  beforeAll(async () => {
    file = await bundleWorker(root);
  });
  afterAll(() => rmSync(file, { force: true }));

  it.each([
    ['a handler', false],
    ['a bottom half scheduled from another thread', true],
  ])('P1: of 20,000 signals at random moments none is lost by %s', async (_what, bottomHalf) => {
    const rounds = 20_000;
    const memory = createMemory();
    const random = new Random(1);
    const signal = new EventNotifier(memory, clock, PLACES.notifiers, 1);
    const answer = new EventNotifier(memory, clock, PLACES.notifiers, 2);
    // This thread sleeps on a wake word of its own until the answer is there.
    const wake = new WakeWord(memory, PLACES.wake(1));
    answer.setHome(wake.addr);
    const job = { job: 'echo', memory: memory.memory, thread: 0, inFd: 1, outFd: 2 } as const;
    const { ready, report } = startJob(file, { ...job, rounds, leads: false, bottomHalf });
    await ready;
    let lost = 0;
    for (let i = 0; i < rounds && lost === 0; i++) {
      // From "still dispatching the last one" to "fast asleep".
      const until = clock.nowNs() + random.below(40_000);
      while (clock.nowNs() < until);
      signal.set();
      const deadline = clock.nowNs() + 2e9;
      while (!answer.testAndClear()) {
        const ticket = wake.prepareSleep();
        if (answer.isSet()) wake.cancelSleep();
        else wake.sleep(ticket, 100e6);
        if (clock.nowNs() > deadline && !answer.isSet()) {
          lost++;
          break;
        }
      }
    }
    expect(lost).toBe(0);
    expect(signal.sets).toBe(rounds);
    await report;
  });

  it('A7: a producer that is silent while it is polled loses nothing', async () => {
    const rounds = 20_000;
    const memory = createMemory();
    const random = new Random(2);
    const signal = new EventNotifier(memory, clock, PLACES.notifiers, 1);
    const [avail, used, silent] = [PLACES.word(0), PLACES.word(1), PLACES.word(2)];
    const places = { inFd: 1, avail, used, silent };
    const { ready, report } = startJob(file, {
      job: 'queue',
      memory: memory.memory,
      thread: 0,
      rounds,
      ...places,
    });
    await ready;
    let stuckAt = 0;
    for (let i = 1; i <= rounds && stuckAt === 0; i++) {
      const until = clock.nowNs() + random.below(60_000);
      while (clock.nowNs() < until);
      memory.store32(avail, i);
      if (memory.load32(silent) === 0) signal.set();
      const deadline = clock.nowNs() + 2e9;
      while (memory.load32(used) !== i && stuckAt === 0) {
        memory.wait32(used, i - 1, 100e6);
        if (clock.nowNs() > deadline) stuckAt = i;
      }
    }
    expect(stuckAt).toBe(0);
    const { polled = 0, signalled = 0 } = await report;
    expect(polled + signalled).toBe(rounds);
    // Both ways were taken, so the changes between them were.
    expect(Math.min(polled, signalled)).toBeGreaterThan(0);
  });

  it('P1: two contexts that wake each other never both sleep', async () => {
    const rounds = 20_000;
    const memory = createMemory();
    const job = { job: 'echo', memory: memory.memory, rounds } as const;
    const b = startJob(file, { ...job, thread: 1, inFd: 2, outFd: 1, leads: false });
    await b.ready;
    const a = startJob(file, { ...job, thread: 0, inFd: 1, outFd: 2, leads: true });
    const { roundTripsNs } = await a.report;
    await b.report;
    expect(roundTripsNs.every((ns) => ns > 0 && ns < 2e9)).toBe(true);
  });
});

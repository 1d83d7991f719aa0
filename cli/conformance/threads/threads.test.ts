import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventNotifier } from '../../../src/engine/base/event-notifier.ts';
import { WakeWord } from '../../../src/engine/base/wake-word.ts';
import { Random } from '../generator.ts';
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

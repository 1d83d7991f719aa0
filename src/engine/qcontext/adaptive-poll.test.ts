import { describe, expect, it } from 'vitest';
import { AdaptivePoll, DEFAULT_POLL_PARAMS, POLL_IDLE_NS } from './adaptive-poll.ts';
import { AioHandler } from './aio-handler.ts';
import { SourceStats } from './source-stats.ts';
import { FakeNotifier } from './testing.ts';

function polledHandler(work: { left: number }, log: string[] = []): AioHandler {
  return new AioHandler(
    new FakeNotifier(1),
    {
      ioRead: () => {},
      ioPoll: () => work.left > 0,
      ioPollReady: () => work.left--,
      ioPollBegin: () => log.push('begin'),
      ioPollEnd: () => log.push('end'),
    },
    'queue',
    1,
    new SourceStats(),
  );
}

describe('adaptive polling', () => {
  it('A6: starts at 4 µs, doubles to the maximum, and shrinks to nothing', () => {
    const poll = new AdaptivePoll(DEFAULT_POLL_PARAMS);
    const handler = polledHandler({ left: 0 });
    const times: number[] = [];
    for (const blockNs of [10_000, 10_000, 10_000, 10_000, 20_000, 20_000, 20_000, 1_000_000]) {
      poll.adjust(handler, blockNs);
      times.push(handler.pollNs);
    }
    // Once the time covers the wait there is nothing to change; a wait beyond the maximum gives up.
    expect(times).toEqual([4000, 8000, 16_000, 16_000, 32_000, 32_000, 32_000, 0]);
  });

  it('A6: poll-grow, poll-shrink and poll-max-ns', () => {
    const poll = new AdaptivePoll({ maxNs: 50_000, grow: 4, shrink: 3 });
    const handler = polledHandler({ left: 0 });
    const after = (blockNs: number): number => {
      poll.adjust(handler, blockNs);
      return handler.pollNs;
    };
    expect([after(45_000), after(45_000), after(45_000)]).toEqual([4000, 16_000, 50_000]);
    expect([after(60_000), after(60_000)]).toEqual([16_666, 5555]);
  });

  it('A6: each handler has its own time, and the longest counts', () => {
    const poll = new AdaptivePoll(DEFAULT_POLL_PARAMS);
    const [a, b] = [polledHandler({ left: 0 }), polledHandler({ left: 0 })];
    poll.add(a);
    poll.add(b);
    poll.adjust(a, 30_000);
    poll.adjust(b, 30_000);
    poll.adjust(b, 30_000);
    expect([a.pollNs, b.pollNs, poll.maxNs]).toEqual([4000, 8000, 8000]);
  });

  it('with poll-max-ns 0 nothing is polled', () => {
    const poll = new AdaptivePoll({ maxNs: 0, grow: 0, shrink: 0 });
    const handler = polledHandler({ left: 1 });
    poll.add(handler);
    poll.adjust(handler, 10);
    expect([poll.maxNs, handler.polled, poll.once(0)]).toEqual([0, false, false]);
  });

  it('A7: the end of polling turns notifications on before it looks for the last time', () => {
    const log: string[] = [];
    const work = { left: 0 };
    const poll = new AdaptivePoll(DEFAULT_POLL_PARAMS);
    const handler = polledHandler(work, log);
    handler.handlers.ioPollEnd = () => {
      log.push('end');
      // The producer had seen notifications off and put work in without a kick.
      work.left = 1;
    };
    poll.add(handler);
    poll.begin();
    poll.begin();
    expect(poll.once(0)).toBe(false);
    expect(poll.end()).toBe(true);
    expect(handler.pollReady).toBe(true);
    expect(log).toEqual(['begin', 'end']);
    expect(poll.end()).toBe(false);
  });

  it('A8: a handler idle for 7 s leaves, one with work stays', () => {
    const poll = new AdaptivePoll(DEFAULT_POLL_PARAMS);
    const [idle, busy] = [polledHandler({ left: 0 }), polledHandler({ left: 100 })];
    poll.add(idle);
    poll.add(busy);
    poll.begin();
    poll.dropIdle(0);
    poll.once(POLL_IDLE_NS / 2);
    expect(poll.dropIdle(POLL_IDLE_NS - 1)).toBe(false);
    expect([idle.polled, busy.polled]).toEqual([true, true]);
    poll.dropIdle(POLL_IDLE_NS);
    expect([idle.polled, busy.polled]).toEqual([false, true]);
    expect(idle.pollStarted).toBe(false);
  });
});

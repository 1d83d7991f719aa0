import { describe, expect, it } from 'vitest';
import { HALT_POLL_MAX_NS, HALT_POLL_START_NS, HaltPoll } from './halt-poll.ts';

describe('halt polling', () => {
  it('does not spin before it has paid', () => {
    expect(new HaltPoll().ns).toBe(0);
  });

  it('grows while waits end soon after it gave up, up to its limit', () => {
    const poll = new HaltPoll();
    const times = [0, 0, 0, 0, 0, 0].map(() => {
      poll.waited(HALT_POLL_MAX_NS - 1);
      return poll.ns;
    });
    expect(times.slice(0, 3)).toEqual([HALT_POLL_START_NS, 2 * HALT_POLL_START_NS, 4 * HALT_POLL_START_NS]);
    expect(times.at(-1)).toBe(HALT_POLL_MAX_NS);
  });

  it('keeps a time that was long enough', () => {
    const poll = new HaltPoll();
    poll.waited(50_000);
    poll.waited(5000);
    expect(poll.ns).toBe(HALT_POLL_START_NS);
  });

  it('ends with the first long wait: an idle guest costs nothing', () => {
    const poll = new HaltPoll();
    for (let i = 0; i < 10; i++) poll.waited(100_000);
    expect(poll.ns).toBeGreaterThanOrEqual(100_000);
    for (let i = 0; i < 3; i++) {
      poll.waited(4_000_000);
      expect(poll.ns).toBe(0);
    }
  });
});

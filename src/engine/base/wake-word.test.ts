import { describe, expect, it } from 'vitest';
import { SharedMemory, type WaitOutcome } from './shared-memory.ts';
import { CONTROL_HOLD, CONTROL_QUIT, CONTROL_YIELD, WakeWord, WakeWordLayout } from './wake-word.ts';

/** Counts futex calls; a sleep that would last is a failed test, not a hanging one. */
class CountingMemory extends SharedMemory {
  notifies = 0;
  readonly waits: WaitOutcome[] = [];
  override notify32(addr: number, count?: number): number {
    this.notifies += 1;
    return super.notify32(addr, count);
  }
  override wait32(addr: number, expected: number, timeoutNs: number): WaitOutcome {
    const outcome = super.wait32(addr, expected, Math.min(timeoutNs, 50e6));
    this.waits.push(outcome);
    return outcome;
  }
}

const make = () => {
  const mem = new CountingMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
  return { mem, wake: new WakeWord(mem, 128), other: new WakeWord(mem, 128) };
};

describe('WakeWord', () => {
  it('W1: a wake between prepareSleep and sleep is not lost', () => {
    const { wake, other } = make();
    const ticket = wake.prepareSleep();
    expect(other.wake()).toBe(true);
    expect(wake.sleep(ticket, Infinity)).toBe('not-equal');
    expect(wake.isSleeping).toBe(false);
  });

  it('W1: nor is one before prepareSleep whose cause is looked at after it', () => {
    const { wake, other } = make();
    other.request(CONTROL_QUIT);
    const ticket = wake.prepareSleep();
    expect(wake.control & CONTROL_QUIT).toBe(CONTROL_QUIT);
    wake.cancelSleep();
    // Had the owner slept nevertheless, it would have slept: the ticket is of after the wake.
    expect(wake.sleep(ticket, 1e6)).toBe('timed-out');
  });

  it('W2: a wake while the owner is awake makes no futex call', () => {
    const { mem, wake, other } = make();
    expect(other.wake()).toBe(false);
    wake.prepareSleep();
    wake.cancelSleep();
    expect(other.wake()).toBe(false);
    expect(mem.notifies).toBe(0);
    expect(mem.load32(wake.addr + WakeWordLayout.at.wakes)).toBe(2);
    expect(mem.load32(wake.addr + WakeWordLayout.at.futexWakes)).toBe(0);
  });

  it('W4: an asynchronous sleep that is over leaves no waiter behind', async () => {
    const { mem, wake, other } = make();
    const ticket = wake.prepareSleep();
    const woken = wake.sleepAsync(ticket, 60e9);
    wake.endSleepAsync();
    await woken;
    expect(mem.notify32(wake.addr)).toBe(0);
    const asleep = wake.sleepAsync(wake.prepareSleep(), 60e9);
    expect(other.wake()).toBe(true);
    await asleep;
    expect(wake.sleepAsync(ticket, 60e9)).toBeInstanceOf(Promise);
    wake.endSleepAsync();
  });

  it('W3: any number of wakes before a sleep end one sleep', () => {
    const { wake, other } = make();
    const ticket = wake.prepareSleep();
    for (let i = 0; i < 5; i++) other.wake();
    expect(wake.sleep(ticket, Infinity)).toBe('not-equal');
    expect(wake.sleep(wake.prepareSleep(), 1e6)).toBe('timed-out');
  });

  it('changes its sequence with every wake, and wraps', () => {
    const { mem, wake, other } = make();
    mem.store32(wake.addr + WakeWordLayout.at.seq, 0xffff_ffff);
    const ticket = wake.prepareSleep();
    other.wake();
    expect(wake.sequence).toBe(0);
    expect(wake.sleep(ticket, Infinity)).toBe('not-equal');
    // A ticket above 2^31 compares as the same word.
    mem.store32(wake.addr + WakeWordLayout.at.seq, 0xffff_fff0);
    expect(wake.sleep(wake.prepareSleep(), 1e6)).toBe('timed-out');
  });

  it('takes only the control bits asked for, and tells which were set', () => {
    const { wake, other } = make();
    other.request(CONTROL_YIELD | CONTROL_HOLD);
    expect(wake.takeControl(CONTROL_YIELD | CONTROL_QUIT)).toBe(CONTROL_YIELD);
    expect(wake.control).toBe(CONTROL_HOLD);
    other.revoke(CONTROL_HOLD);
    expect(wake.control).toBe(0);
  });
});

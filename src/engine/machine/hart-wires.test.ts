import { beforeEach, describe, expect, it } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { SharedMemory, type WaitOutcome } from '../base/shared-memory.ts';
import {
  ATTENTION_EXIT,
  ATTENTION_FENCE,
  ATTENTION_IRQ,
  FENCE_I,
  FENCE_VMA,
  HART_ATTENTION,
  HART_FENCE_ACK,
  HART_FENCE_KIND,
  HART_FENCE_REQUEST,
  HART_IRQ_LINES,
  HART_SLEEPING,
} from '../cpu/layout.ts';
import { HartWires } from './hart-wires.ts';

const AREAS = [0x1_0000, 0x2_0000];

/** Tells how sleeps ended. One that lasts 50 ms would have lasted for ever. */
class WatchedMemory extends SharedMemory {
  readonly waits: WaitOutcome[] = [];
  notified = 0;
  override notify32(addr: number, count?: number): number {
    this.notified++;
    return super.notify32(addr, count);
  }
  override wait32(addr: number, expected: number, timeoutNs: number): WaitOutcome {
    const outcome = super.wait32(addr, expected, Math.min(timeoutNs, 50e6));
    this.waits.push(outcome);
    return outcome;
  }
}

let mem: WatchedMemory;
let wires: HartWires;
const word = (hart: number, field: number): number => mem.load32((AREAS[hart] as number) + field);

beforeEach(() => {
  mem = new WatchedMemory(new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true }));
  wires = new HartWires(mem, AREAS);
});

describe('the spin of a hart', () => {
  it('ends with attention, which nobody had to wake it for', () => {
    const clock = new VirtualClock();
    const looks = {
      nowNs: () => {
        // Between two rounds of looks, as another thread would.
        if (clock.nowNs() === 3000) wires.set(0, 1 << 9, true);
        clock.advance(1000);
        return clock.nowNs();
      },
    };
    expect(wires.spin(0, looks, 10_000)).toBe(true);
    expect(clock.nowNs()).toBe(4000);
    expect(mem.notified).toBe(0);
    expect(mem.waits).toEqual([]);
  });

  it('ends with its time', () => {
    const clock = new VirtualClock();
    const looks = {
      nowNs: () => {
        clock.advance(1000);
        return clock.nowNs();
      },
    };
    expect(wires.spin(0, looks, 10_000)).toBe(false);
    expect(clock.nowNs()).toBe(10_000);
  });
});

describe('the sleep of a hart', () => {
  it('does not begin with attention due', () => {
    wires.set(0, 1 << 9, true);
    wires.sleep(0, Infinity);
    expect(mem.waits).toEqual([]);
    expect(word(0, HART_SLEEPING)).toBe(0);
  });

  it('does not begin when there is no need', () => {
    wires.sleep(0, Infinity, () => true);
    expect(mem.waits).toEqual([]);
    expect(word(0, HART_SLEEPING)).toBe(0);
  });

  it('ends at once when it is woken after the last look', () => {
    wires.sleep(0, Infinity, () => {
      wires.interrupt(0);
      return false;
    });
    expect(mem.waits).toEqual(['not-equal']);
    expect(word(0, HART_ATTENTION)).toBe(ATTENTION_EXIT);
  });

  it('is announced before the last look, so that whoever wakes then notifies', () => {
    let sleeping = 0;
    wires.sleep(0, 1e6, () => {
      sleeping = word(0, HART_SLEEPING);
      return false;
    });
    expect(sleeping).toBe(1);
    expect(mem.waits).toEqual(['timed-out']);
  });

  it("is not ended by another hart's wires", () => {
    wires.sleep(0, Infinity, () => {
      wires.interrupt(1);
      return false;
    });
    expect(mem.waits).toEqual(['timed-out']);
  });
});

describe('lines into a hart', () => {
  it('are raised and lowered bit by bit, and both make it look', () => {
    wires.set(1, 0b1010, true);
    wires.set(1, 0b0010, false);
    expect(word(1, HART_IRQ_LINES)).toBe(0b1000);
    expect(word(1, HART_ATTENTION) & ATTENTION_IRQ).toBe(ATTENTION_IRQ);
    expect(word(0, HART_IRQ_LINES)).toBe(0);
  });

  it('lead to harts there are', () => {
    expect(() => wires.set(2, 1, true)).toThrow('no hart 2');
  });
});

describe('remote fences', () => {
  it('are done when the acknowledgement reaches their number, not before', () => {
    const first = wires.requestFence(1, FENCE_I);
    const second = wires.requestFence(1, FENCE_VMA);
    expect(word(1, HART_FENCE_KIND)).toBe(FENCE_I | FENCE_VMA);
    expect(word(1, HART_ATTENTION)).toBe(ATTENTION_FENCE);
    const addr = (AREAS[1] as number) + HART_FENCE_ACK;
    expect([wires.fenceDone(1, first), wires.fenceDone(1, second)]).toEqual([false, false]);
    mem.store32(addr, first);
    expect([wires.fenceDone(1, first), wires.fenceDone(1, second)]).toEqual([true, false]);
    mem.store32(addr, second);
    expect([wires.fenceDone(1, first), wires.fenceDone(1, second)]).toEqual([true, true]);
  });

  it('are numbered modulo 2^32', () => {
    const area = AREAS[0] as number;
    mem.store32(area + HART_FENCE_REQUEST, 0xffff_ffff);
    mem.store32(area + HART_FENCE_ACK, 0xffff_ffff);
    const ticket = wires.requestFence(0, FENCE_I);
    expect(ticket).toBe(0);
    expect(wires.fenceDone(0, ticket)).toBe(false);
    mem.store32(area + HART_FENCE_ACK, 0);
    expect(wires.fenceDone(0, ticket)).toBe(true);
  });

  it('are waited for a little, not for ever', () => {
    wires.waitFence(1);
    expect(mem.waits).toEqual(['timed-out']);
  });
});

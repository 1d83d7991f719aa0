import { describe, expect, it } from 'vitest';
import { MIP_MEIP, MIP_SEIP } from '../../cpu/layout.ts';
import type { HartLines } from './hart-lines.ts';
import { Plic, plicBytes } from './plic.ts';
import type { HookedMemory } from './testing/hooked-memory.ts';
import { everyInterleaving, hookedMemory } from './testing/hooked-memory.ts';

const HARTS = 2;
const PLIC = 64;
const PENDING = 0x1000;
const CLAIM = (context: number) => 0x20_0004 + context * 0x1000;
const THRESHOLD = (context: number) => 0x20_0000 + context * 0x1000;
const ENABLE = (context: number, word = 0) => 0x2000 + context * 0x80 + word * 4;
const PRIORITY = (source: number) => source * 4;
/** S mode of harts 0 and 1. */
const S0 = 1;
const S1 = 3;

/** The harts' lines in the same memory, so that setting one is a step another thread can overtake. */
class SharedLines implements HartLines {
  readonly #mem: HookedMemory;
  readonly #base = 64 + Math.ceil(plicBytes(HARTS) / 64) * 64;
  constructor(mem: HookedMemory) {
    this.#mem = mem;
  }
  set(hart: number, bit: number, level: boolean): void {
    if (level) this.#mem.or32(this.#base + hart * 64, bit);
    else this.#mem.and32(this.#base + hart * 64, ~bit);
  }
  get(hart: number): number {
    return this.#mem.load32(this.#base + hart * 64);
  }
}

/** One memory for all boards: thousands are made. */
const shared = hookedMemory(1);

function board() {
  const mem = shared;
  mem.cancel();
  mem.u8.fill(0, 0, 4096);
  const lines = new SharedLines(mem);
  const plic = new Plic(mem, PLIC, HARTS, lines);
  const enable = (context: number, source: number, priority = 1) => {
    plic.write(PRIORITY(source), 4, priority);
    const at = ENABLE(context, source >>> 5);
    plic.write(at, 4, (plic.read(at, 4) | (1 << (source & 31))) >>> 0);
  };
  return { mem, lines, plic, enable };
}

describe('PLIC registers', () => {
  it('has QEMU virt contexts: M then S of each hart', () => {
    const { plic, lines, enable } = board();
    enable(0, 5);
    plic.setIrq(5, true);
    expect(lines.get(0)).toBe(MIP_MEIP);
    enable(S1, 5);
    expect(lines.get(1)).toBe(MIP_SEIP);
  });

  it('shows pending bits, which cannot be written', () => {
    const { plic } = board();
    plic.setIrq(8, true);
    plic.setIrq(40, true);
    plic.write(PENDING, 4, 0xffff_ffff);
    expect(plic.read(PENDING, 4)).toBe(1 << 8);
    expect(plic.read(PENDING + 4, 4)).toBe(1 << 8);
  });

  it('keeps three bits of priority and threshold, and no source 0', () => {
    const { plic } = board();
    plic.write(PRIORITY(3), 4, 0xff);
    plic.write(PRIORITY(0), 4, 7);
    plic.write(THRESHOLD(S0), 4, 0x1f);
    plic.write(ENABLE(S0), 4, 0xffff_ffff);
    expect(plic.read(PRIORITY(3), 4)).toBe(7);
    expect(plic.read(PRIORITY(0), 4)).toBe(0);
    expect(plic.read(THRESHOLD(S0), 4)).toBe(7);
    expect(plic.read(ENABLE(S0), 4)).toBe(0xffff_fffe);
  });

  it('answers 0 beyond its sources and contexts and ignores writes there', () => {
    const { plic } = board();
    for (const offset of [PRIORITY(96), PENDING + 12, ENABLE(4), ENABLE(0, 3), CLAIM(4), CLAIM(0) + 4]) {
      plic.write(offset, 4, 0xffff_ffff);
      expect(plic.read(offset, 4), offset.toString(16)).toBe(0);
    }
  });

  it('a source of priority 0 never interrupts, and one at the threshold does not', () => {
    const { plic, lines, enable } = board();
    enable(S0, 5, 0);
    plic.setIrq(5, true);
    expect(lines.get(0)).toBe(0);
    plic.write(PRIORITY(5), 4, 3);
    expect(lines.get(0)).toBe(MIP_SEIP);
    plic.write(THRESHOLD(S0), 4, 3);
    expect(lines.get(0)).toBe(0);
    expect(plic.read(CLAIM(S0), 4)).toBe(0);
    plic.write(THRESHOLD(S0), 4, 2);
    expect(lines.get(0)).toBe(MIP_SEIP);
  });

  it('a level that drops before the claim takes its interrupt back', () => {
    const { plic, lines, enable } = board();
    enable(S0, 5);
    plic.setIrq(5, true);
    plic.setIrq(5, false);
    expect(lines.get(0)).toBe(0);
    expect(plic.read(CLAIM(S0), 4)).toBe(0);
  });

  it('P4: the highest priority first, the lowest number among equals', () => {
    const { plic, enable } = board();
    for (const [source, priority] of [
      [70, 5],
      [3, 2],
      [40, 5],
      [10, 2],
    ] as const) {
      enable(S0, source, priority);
      plic.setIrq(source, true);
    }
    expect([0, 1, 2, 3, 4].map(() => plic.read(CLAIM(S0), 4))).toEqual([40, 70, 3, 10, 0]);
  });

  it('P3: completing a source whose line is still high makes it pending again', () => {
    const { plic, lines, enable } = board();
    enable(S0, 8);
    plic.setIrq(8, true);
    expect(plic.read(CLAIM(S0), 4)).toBe(8);
    expect(lines.get(0)).toBe(0);
    plic.write(CLAIM(S0), 4, 8);
    expect(lines.get(0)).toBe(MIP_SEIP);
    expect(plic.read(CLAIM(S0), 4)).toBe(8);
    plic.setIrq(8, false);
    plic.write(CLAIM(S0), 4, 8);
    expect(lines.get(0)).toBe(0);
  });

  it('a raise between claim and complete is delivered after the complete', () => {
    const { plic, lines, enable } = board();
    enable(S0, 8);
    plic.setIrq(8, true);
    plic.read(CLAIM(S0), 4);
    plic.setIrq(8, false);
    plic.setIrq(8, true);
    expect(lines.get(0)).toBe(0);
    plic.write(CLAIM(S0), 4, 8);
    expect(lines.get(0)).toBe(MIP_SEIP);
  });

  it('reset forgets settings and claims but not the lines', () => {
    const { plic, lines, enable } = board();
    enable(S0, 8);
    plic.setIrq(8, true);
    plic.read(CLAIM(S0), 4);
    plic.reset();
    expect(lines.get(0)).toBe(0);
    expect(plic.read(PENDING, 4)).toBe(1 << 8);
    enable(S0, 8);
    expect(plic.read(CLAIM(S0), 4)).toBe(8);
  });
});

describe('PLIC under every interleaving of two threads', () => {
  /** P5, computed from the registers alone. */
  const settled = (b: ReturnType<typeof board>, where: string) => {
    for (const [hart, context] of [
      [0, S0],
      [1, S1],
    ] as const) {
      let due = false;
      for (let source = 1; source < 96; source++) {
        const bit = 1 << (source & 31);
        const word = source >>> 5;
        due ||=
          (b.plic.read(PENDING + word * 4, 4) & b.plic.read(ENABLE(context, word), 4) & bit) !== 0 &&
          b.plic.read(PRIORITY(source), 4) > b.plic.read(THRESHOLD(context), 4);
      }
      expect((b.lines.get(hart) & MIP_SEIP) !== 0, `${where}: line of hart ${hart}`).toBe(due);
    }
  };
  const operations: Record<string, (b: ReturnType<typeof board>) => void> = {
    'raise 5': (b) => b.plic.setIrq(5, true),
    'lower 5': (b) => b.plic.setIrq(5, false),
    'raise 6': (b) => b.plic.setIrq(6, true),
    'lower 6': (b) => b.plic.setIrq(6, false),
    'claim on hart 0': (b) => void b.plic.read(CLAIM(S0), 4),
    'claim on hart 1': (b) => void b.plic.read(CLAIM(S1), 4),
    'complete 6 on hart 0': (b) => b.plic.write(CLAIM(S0), 4, 6),
    'disable all': (b) => b.plic.write(ENABLE(S0), 4, 0),
    'enable all': (b) => b.plic.write(ENABLE(S0), 4, 0xffff_fffe),
    'raise the threshold': (b) => b.plic.write(THRESHOLD(S0), 4, 7),
    'lower the threshold': (b) => b.plic.write(THRESHOLD(S0), 4, 0),
    'priority 0 for 5': (b) => b.plic.write(PRIORITY(5), 4, 0),
  };
  const starts: Record<string, (b: ReturnType<typeof board>) => void> = {
    'nothing pending': () => {},
    '5 pending': (b) => b.plic.setIrq(5, true),
    '6 claimed and low': (b) => {
      b.plic.setIrq(6, true);
      b.plic.read(CLAIM(S0), 4);
      b.plic.setIrq(6, false);
    },
    '6 claimed and high, threshold up': (b) => {
      b.plic.setIrq(6, true);
      b.plic.read(CLAIM(S0), 4);
      b.plic.write(THRESHOLD(S0), 4, 7);
    },
  };

  it('P1, P5: whatever overtakes whatever, the lines end up right', () => {
    let points = 0;
    for (const [startName, start] of Object.entries(starts)) {
      for (const [mainName, main] of Object.entries(operations)) {
        for (const [intruderName, intruder] of Object.entries(operations)) {
          points += everyInterleaving(() => {
            const b = board();
            for (const source of [5, 6]) {
              b.enable(S0, source);
              b.enable(S1, source);
            }
            start(b);
            return {
              mem: b.mem,
              main: () => main(b),
              intruder: () => intruder(b),
              check: (where) =>
                settled(b, `${startName}: ${mainName}, overtaken by ${intruderName}, ${where}`),
            };
          });
        }
      }
    }
    expect(points).toBeGreaterThan(5000);
  });

  it('P2: two harts that claim at once do not both get the source', () => {
    everyInterleaving(() => {
      const b = board();
      b.enable(S0, 5);
      b.enable(S1, 5);
      b.plic.setIrq(5, true);
      const claimed: number[] = [];
      return {
        mem: b.mem,
        main: () => claimed.push(b.plic.read(CLAIM(S0), 4)),
        intruder: () => claimed.push(b.plic.read(CLAIM(S1), 4)),
        check: (where) =>
          expect(
            claimed.toSorted((x, y) => x - y),
            where,
          ).toEqual([0, 5]),
      };
    });
  });
});

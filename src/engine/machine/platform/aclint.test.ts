import { expect, it } from 'vitest';
import { MIP_MSIP } from '../../cpu/layout.ts';
import { Aclint } from './aclint.ts';
import { MmioBus } from './mmio.ts';
import { everyInterleaving, hookedMemory } from './testing/hooked-memory.ts';

const MTIMECMP = (hart: number) => 0x4000 + 8 * hart;
const MTIME = 0xbff8;
const NEVER = (1n << 64n) - 1n;

function board() {
  const mem = hookedMemory();
  const lines = [0, 0];
  const LINES = 1024;
  const attended: number[] = [];
  let ticks = 0;
  const aclint = new Aclint(mem, 64, {
    count: 2,
    lines: {
      set: (hart, bit, level) => {
        if (level) mem.or32(LINES + hart * 4, bit);
        else mem.and32(LINES + hart * 4, ~bit);
      },
    },
    timeTicks: () => ticks,
    mtimecmpAddr: (hart) => 2048 + hart * 64,
    timerChanged: (hart) => attended.push(hart),
  });
  const bus = new MmioBus();
  bus.map(0, 0x1_0000, aclint);
  return {
    mem,
    bus,
    aclint,
    attended,
    lines,
    line: (hart: number) => mem.load32(LINES + hart * 4),
    cell: (hart: number) => BigInt.asUintN(64, mem.load64(2048 + hart * 64)),
    setTicks: (n: number) => (ticks = n),
  };
}

it('msip raises the hart’s software interrupt; only bit 0 is there', () => {
  const b = board();
  b.bus.write(4, 4, 0xffff_ffff, 0);
  expect(b.bus.read(4, 4)).toBe(1);
  expect([b.line(0), b.line(1)]).toEqual([0, MIP_MSIP]);
  b.bus.write(4, 4, 0xffff_fffe, 0);
  expect(b.line(1)).toBe(0);
});

it('an IPI that crosses its acknowledgement leaves line and register agreeing', () => {
  everyInterleaving(() => {
    const b = board();
    b.bus.write(4, 4, 1, 0);
    return {
      mem: b.mem,
      main: () => b.bus.write(4, 4, 0, 0),
      intruder: () => b.bus.write(4, 4, 1, 0),
      check: (where) => expect(b.line(1) === MIP_MSIP, where).toBe(b.bus.read(4, 4) === 1),
    };
  });
});

it('mtimecmp is the hart’s cell, written whole or in halves, and the hart is told', () => {
  const b = board();
  b.bus.write(MTIMECMP(1), 8, 0x89ab_cdef, 0x0123_4567);
  expect(b.cell(1)).toBe(0x0123_4567_89ab_cdefn);
  expect(b.bus.read(MTIMECMP(1), 8)).toBe(0x0123_4567_89ab_cdefn);
  b.bus.write(MTIMECMP(1) + 4, 4, 0xffff_ffff, 0);
  b.bus.write(MTIMECMP(1), 4, 5, 0);
  expect(b.cell(1)).toBe(0xffff_ffff_0000_0005n);
  expect(b.attended).toEqual([1, 1, 1]);
});

it('no thread sees a deadline before both the old and the new one', () => {
  const oldDeadline = 0x1_ffff_ffffn;
  const newDeadline = 0x2_0000_0000n;
  everyInterleaving(() => {
    const b = board();
    b.bus.write(MTIMECMP(0), 8, Number(oldDeadline & 0xffff_ffffn), Number(oldDeadline >> 32n));
    let seen = NEVER;
    return {
      mem: b.mem,
      main: () => b.bus.write(MTIMECMP(0), 8, Number(newDeadline & 0xffff_ffffn), Number(newDeadline >> 32n)),
      intruder: () => (seen = b.cell(0)),
      check: (where) => expect(seen >= oldDeadline, where).toBe(true),
    };
  });
});

it('mtime shows the guest clock beyond 32 bits and is not writable', () => {
  const b = board();
  b.setTicks(0x12_3456_789a);
  expect(b.bus.read(MTIME, 8)).toBe(0x12_3456_789a);
  expect(b.bus.read(MTIME, 4)).toBe(0x3456_789a);
  expect(b.bus.read(MTIME + 4, 4)).toBe(0x12);
  b.bus.write(MTIME, 8, 0, 0);
  expect(b.bus.read(MTIME, 8)).toBe(0x12_3456_789a);
});

it('reset disarms timers and clears software interrupts', () => {
  const b = board();
  b.bus.write(0, 4, 1, 0);
  b.aclint.reset();
  expect(b.line(0)).toBe(0);
  expect([b.cell(0), b.cell(1)]).toEqual([NEVER, NEVER]);
});

it('harts that do not exist read as zero', () => {
  const b = board();
  b.bus.write(8, 4, 1, 0);
  b.bus.write(MTIMECMP(2), 8, 1, 1);
  expect([b.bus.read(8, 4), b.bus.read(MTIMECMP(2), 8)]).toEqual([0, 0n]);
});

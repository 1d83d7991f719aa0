import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
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
  HART_MTIMECMP,
  MIP_MEIP,
  MIP_MTIP,
  MIP_SSIP,
  MIP_STIP,
  PRIV_M,
  PRIV_S,
} from './layout.ts';
import { addi, csrrw, ECALL, jal, jalr, ld, nop, WFI } from './testing/encode.ts';
import { CAUSE, CSR, DATA, HartRig, M_HANDLER, RAM, S_HANDLER } from './testing/hart-rig.ts';
import { AD, PageTable, RWX } from './testing/page-table.ts';

const module = new WebAssembly.Module(
  readFileSync(new URL('../../../build/wasm/interp.wasm', import.meta.url)),
);
const rig = new HartRig(module);
const { hart } = rig;
const LOOP = [addi(6, 6, 1), jal(0, -4)];
const MIE = 1n << 3n;

describe('run', () => {
  it('H4: executes exactly its budget, wherever that ends', () => {
    for (const budget of [1, 2, 3, 1000, 1023, 1024, 1025, 5000]) {
      rig.start(LOOP);
      expect(rig.step(budget)).toEqual({ kind: 'budget' });
      expect(hart.executed).toBe(BigInt(budget));
      expect(hart.getX(6)).toBe(BigInt(Math.ceil(budget / 2)));
      expect(hart.pc).toBe(BigInt(RAM + 4 * (budget % 2)));
    }
  });

  it('with no budget does nothing', () => {
    rig.start(LOOP);
    expect(rig.step(0).kind).toBe('budget');
    expect(hart.executed).toBe(0n);
    expect(hart.pc).toBe(BigInt(RAM));
  });

  it('H4: arrives at the same state in slices of any size', () => {
    // Page crossings, a straddling instruction and traps on the way.
    const setUp = (): void => {
      rig.start([addi(5, 5, 1), ECALL, jal(0, 0x1ff2)]);
      rig.program(RAM + 0x1ffa, addi(6, 6, 3), addi(7, 7, 5), jalr(0, 8, 0));
      rig.program(M_HANDLER, csrrw(9, CSR.mepc, 0), addi(9, 9, 4), csrrw(0, CSR.mepc, 9), 0x30200073);
      hart.setX(8, BigInt(RAM));
    };
    const state = (): string => [5, 6, 7, 9].map((i) => hart.getX(i)).join() + hart.pc;
    setUp();
    rig.step(999);
    const expected = state();
    for (const slice of [1, 2, 5, 100]) {
      setUp();
      while (hart.executed < 999n) rig.step(Math.min(slice, 999 - Number(hart.executed)));
      expect(state(), `slices of ${slice}`).toBe(expected);
    }
  });

  it('reset starts from zero in the given mode', () => {
    rig.start([addi(5, 5, 1)]);
    rig.step();
    hart.writeCsr(CSR.mscratch, 5n);
    hart.reset(BigInt(RAM), 1n, 2n, PRIV_S);
    expect([hart.getX(5), hart.getX(10), hart.getX(11)]).toEqual([0n, 1n, 2n]);
    expect([hart.pc, hart.privilege, hart.executed, rig.csr(CSR.mscratch)]).toEqual([
      BigInt(RAM),
      PRIV_S,
      0n,
      0n,
    ]);
  });

  it('reads registers that do not exist as undefined', () => {
    expect(hart.readCsr(0x7ff)).toBeUndefined();
    expect(hart.readCsr(CSR.mhartid)).toBe(0n);
  });
});

describe('exits', () => {
  it('ECALL from S mode is an SBI call when that is built in, behind the instruction', () => {
    const sbi = new HartRig(module, { builtInSbi: true });
    sbi.start([ECALL, addi(10, 10, 1)], PRIV_S);
    expect(sbi.step(10)).toEqual({ kind: 'sbi' });
    expect(sbi.hart.pc).toBe(BigInt(RAM + 4));
    expect(sbi.hart.executed).toBe(1n);
    sbi.hart.setX(10, 41n);
    sbi.step();
    expect(sbi.hart.getX(10)).toBe(42n);
  });

  it('ECALL from S mode traps otherwise, and from U mode always', () => {
    rig.start([ECALL], PRIV_S);
    rig.step();
    expect(rig.machineTrap()?.cause).toBe(CAUSE.ecallS);
    const sbi = new HartRig(module, { builtInSbi: true });
    sbi.start([ECALL], 0);
    expect(sbi.step().kind).toBe('budget');
    expect(sbi.hart.pc).toBe(BigInt(S_HANDLER));
    expect(sbi.csr(CSR.scause)).toBe(CAUSE.ecallU);
  });

  it('WFI tells the next deadline of the timers that are enabled', () => {
    const wfi = (mie: bigint, mtimecmp: bigint, stimecmp: bigint) => {
      rig.start([WFI]);
      hart.writeCsr(CSR.menvcfg, 1n << 63n);
      hart.writeCsr(CSR.mie, mie);
      rig.memory.store64(rig.base + HART_MTIMECMP, mtimecmp);
      hart.setTimer(stimecmp);
      return rig.step(10);
    };
    expect(wfi(0n, 500n, 400n)).toEqual({ kind: 'wfi', deadlineTicks: Infinity });
    expect(wfi(BigInt(MIP_MTIP | MIP_STIP), 500n, 400n)).toEqual({ kind: 'wfi', deadlineTicks: 400 });
    expect(wfi(BigInt(MIP_MTIP), 500n, 400n)).toEqual({ kind: 'wfi', deadlineTicks: 500 });
    expect(wfi(BigInt(MIP_MTIP), -1n, 400n)).toEqual({ kind: 'wfi', deadlineTicks: Infinity });
    expect(hart.pc).toBe(BigInt(RAM + 4));
  });

  it('attention set from outside ends the run soon, and once', () => {
    rig.start(LOOP);
    rig.memory.or32(rig.base + HART_ATTENTION, ATTENTION_EXIT);
    expect(rig.step(100_000)).toEqual({ kind: 'attention' });
    expect(hart.executed).toBeLessThanOrEqual(1024n);
    expect(rig.step(10)).toEqual({ kind: 'budget' });
  });
});

describe('H10: timers', () => {
  it('mtimecmp raises MTIP when the time has come, and lowers it when it is moved on', () => {
    rig.start(LOOP);
    rig.memory.store64(rig.base + HART_MTIMECMP, 1000n);
    rig.ticks = 999;
    expect(rig.csr(CSR.mip)).toBe(0n);
    rig.ticks = 1000;
    expect(rig.csr(CSR.mip)).toBe(BigInt(MIP_MTIP));
    rig.memory.store64(rig.base + HART_MTIMECMP, 2000n);
    expect(rig.csr(CSR.mip)).toBe(0n);
    rig.ticks = 0;
  });

  it('stimecmp raises STIP; writing a time that is past interrupts at once', () => {
    rig.start([csrrw(0, CSR.stimecmp, 5), nop()], PRIV_S);
    rig.program(S_HANDLER, nop());
    rig.ticks = 77;
    hart.writeCsr(CSR.sie, BigInt(MIP_STIP));
    hart.writeCsr(CSR.sstatus, 2n);
    hart.setX(5, 77n);
    rig.step(2);
    expect(hart.pc).toBe(BigInt(S_HANDLER + 4));
    expect(rig.csr(CSR.scause)).toBe((1n << 63n) | 5n);
    rig.ticks = 0;
  });

  it('the time that passes during a run is noticed', () => {
    rig.start(LOOP);
    rig.program(M_HANDLER, ...LOOP);
    hart.writeCsr(CSR.mie, BigInt(MIP_MTIP));
    hart.writeCsr(CSR.mstatus, MIE);
    rig.memory.store64(rig.base + HART_MTIMECMP, 3n);
    let calls = 0;
    Object.defineProperty(rig, 'ticks', { get: () => calls++, configurable: true });
    rig.step(100_000);
    Object.defineProperty(rig, 'ticks', { value: 0, writable: true, configurable: true });
    expect(rig.csr(CSR.mcause)).toBe((1n << 63n) | 7n);
  });
});

describe('the shared words', () => {
  it('H1: a line set by another thread interrupts the run under way', () => {
    rig.start([addi(6, 6, 1), ld(7, 5, 0), jal(0, -8)]);
    rig.program(M_HANDLER, ...LOOP);
    hart.setX(5, 0x1000_0000n);
    hart.writeCsr(CSR.mie, BigInt(MIP_MEIP));
    hart.writeCsr(CSR.mstatus, MIE);
    let reads = 0;
    // The device raises its line in the middle of a bus access.
    rig.busRead = () => {
      if (++reads === 5) {
        rig.memory.or32(rig.base + HART_IRQ_LINES, MIP_MEIP);
        rig.memory.or32(rig.base + HART_ATTENTION, ATTENTION_IRQ);
      }
      return 0;
    };
    rig.step(10_000);
    hart.setIrqLine(MIP_MEIP, false);
    expect(rig.csr(CSR.mcause)).toBe((1n << 63n) | 11n);
    expect(reads).toBeLessThan(400);
  });

  it('H1: that interrupt comes within 1,024 instructions, whenever the line was set', () => {
    let latest = 0n;
    for (let round = 0; round < 200; round++) {
      rig.start([ld(7, 5, 0), ...LOOP]);
      rig.program(M_HANDLER, jal(0, 0));
      hart.setX(5, 0x1000_0000n);
      hart.setX(6, 0n);
      hart.writeCsr(CSR.mie, BigInt(MIP_MEIP));
      hart.writeCsr(CSR.mstatus, MIE);
      rig.busRead = () => {
        rig.memory.or32(rig.base + HART_IRQ_LINES, MIP_MEIP);
        rig.memory.or32(rig.base + HART_ATTENTION, ATTENTION_IRQ);
        return 0;
      };
      rig.step(5000);
      hart.setIrqLine(MIP_MEIP, false);
      expect(rig.csr(CSR.mcause)).toBe((1n << 63n) | 11n);
      const instructions = 2n * hart.getX(6);
      if (instructions > latest) latest = instructions;
    }
    expect(latest).toBeLessThanOrEqual(1024n);
  });

  it('an IPI sets SSIP', () => {
    rig.start(LOOP);
    rig.memory.or32(rig.base + HART_IRQ_LINES, MIP_SSIP);
    expect(rig.csr(CSR.mip)).toBe(BigInt(MIP_SSIP));
    rig.memory.and32(rig.base + HART_IRQ_LINES, ~MIP_SSIP);
  });

  it('H3: a remote fence is carried out, then acknowledged', () => {
    rig.start([ld(7, 5, 0), jalr(1, 8, 0)], PRIV_S);
    const table = new PageTable(rig, 'sv39', RAM + 0x30_0000);
    table.map(BigInt(RAM), RAM, RWX | AD);
    table.map(0x1000_0000n, DATA, RWX | AD);
    hart.writeCsr(CSR.satp, table.satp);
    rig.poke64(DATA, 1n);
    rig.poke64(DATA + 0x1000, 2n);
    rig.program(RAM + 0x800, addi(9, 0, 1));
    hart.setX(5, 0x1000_0000n);
    hart.setX(8, BigInt(RAM + 0x800));
    rig.step(3);
    expect([hart.getX(7), hart.getX(9)]).toEqual([1n, 1n]);

    table.map(0x1000_0000n, DATA + 0x1000, RWX | AD);
    rig.program(RAM + 0x800, addi(9, 0, 2));
    rig.memory.or32(rig.base + HART_FENCE_KIND, FENCE_I | FENCE_VMA);
    const request = rig.memory.add32(rig.base + HART_FENCE_REQUEST, 1) + 1;
    rig.memory.or32(rig.base + HART_ATTENTION, ATTENTION_FENCE);
    hart.pc = BigInt(RAM);
    rig.step(3);
    expect([hart.getX(7), hart.getX(9)]).toEqual([2n, 2n]);
    expect(rig.memory.load32(rig.base + HART_FENCE_ACK)).toBe(request);
    expect(rig.memory.load32(rig.base + HART_FENCE_KIND)).toBe(0);
  });

  it('harts in one memory do not disturb each other', () => {
    const other = new HartRig(module);
    rig.start(LOOP);
    other.start([addi(6, 6, 2), jal(0, -4)]);
    for (let i = 0; i < 10; i++) {
      rig.step(100);
      other.step(100);
    }
    expect(hart.getX(6)).toBe(500n);
    expect(other.hart.getX(6)).toBe(1000n);
    expect(hart.privilege).toBe(PRIV_M);
  });
});

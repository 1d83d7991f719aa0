import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PRIV_M, PRIV_S, PRIV_U } from '../layout.ts';
import { csrrc, csrrs, csrrw, iType, nop, OPCODE } from '../testing/encode.ts';
import { CAUSE, CSR, HartRig, RAM, S_HANDLER } from '../testing/hart-rig.ts';

const rig = new HartRig(
  new WebAssembly.Module(readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url))),
  { hartId: 3 },
);
const { hart } = rig;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;

/** CSR instructions with a 5-bit immediate. */
const csrrwi = (rd: number, csr: number, imm: number): number => iType(OPCODE.system, 5, rd, imm, csr);
const csrrsi = (rd: number, csr: number, imm: number): number => iType(OPCODE.system, 6, rd, imm, csr);
const csrrci = (rd: number, csr: number, imm: number): number => iType(OPCODE.system, 7, rd, imm, csr);

/** Whether `word` executes in `priv`, rather than being illegal there. */
function executes(word: number, priv: 0 | 1 | 3, setUp: () => void = () => {}): boolean {
  rig.start([word], priv);
  hart.writeCsr(CSR.medeleg, 0n);
  setUp();
  rig.step();
  if (hart.pc === BigInt(RAM + 4)) return true;
  expect(rig.machineTrap()).toEqual({ cause: CAUSE.illegal, epc: BigInt(RAM), tval: BigInt(word) });
  return false;
}

describe('Zicsr instructions', () => {
  it.each([
    ['csrrw', csrrw(7, CSR.mscratch, 5), 0b1100n],
    ['csrrs', csrrs(7, CSR.mscratch, 5), 0b1110n],
    ['csrrc', csrrc(7, CSR.mscratch, 5), 0b0010n],
    ['csrrwi', csrrwi(7, CSR.mscratch, 12), 0b1100n],
    ['csrrsi', csrrsi(7, CSR.mscratch, 12), 0b1110n],
    ['csrrci', csrrci(7, CSR.mscratch, 12), 0b0010n],
  ])('%s', (_, word, after) => {
    rig.start([word]);
    hart.writeCsr(CSR.mscratch, 0b1010n);
    hart.setX(5, 0b1100n);
    rig.step();
    expect(hart.getX(7)).toBe(0b1010n);
    expect(rig.csr(CSR.mscratch)).toBe(after);
  });

  it('rd and rs1 may be the same register', () => {
    rig.start([csrrw(5, CSR.mscratch, 5)]);
    hart.writeCsr(CSR.mscratch, 1n);
    hart.setX(5, 2n);
    rig.step();
    expect(hart.getX(5)).toBe(1n);
    expect(rig.csr(CSR.mscratch)).toBe(2n);
  });

  it('a read-only register may be read with x0 or 0, not written', () => {
    expect(executes(csrrs(7, CSR.mhartid, 0), PRIV_M)).toBe(true);
    expect(hart.getX(7)).toBe(3n);
    expect(executes(csrrci(7, CSR.mhartid, 0), PRIV_M)).toBe(true);
    expect(executes(csrrs(7, CSR.mhartid, 5), PRIV_M)).toBe(false);
    expect(executes(csrrw(7, CSR.mhartid, 0), PRIV_M)).toBe(false);
  });

  it('funct3 4 is reserved, and so is a CSR that does not exist', () => {
    expect(executes(iType(OPCODE.system, 4, 7, 5, CSR.mscratch), PRIV_M)).toBe(false);
    for (const csr of [0x004, 0x107, 0x301 + 0x100, 0x3a1, 0x3c0, 0x7a0, 0x7b0, 0xc20, 0xf20])
      expect(executes(csrrs(7, csr, 0), PRIV_M), csr.toString(16)).toBe(false);
  });

  it('the number says which privilege is needed', () => {
    for (const [csr, least] of [
      [CSR.sscratch, PRIV_S],
      [CSR.mscratch, PRIV_M],
      [CSR.mhartid, PRIV_M],
      [CSR.stimecmp, PRIV_S],
      [CSR.satp, PRIV_S],
    ] as const)
      for (const priv of [PRIV_U, PRIV_S, PRIV_M] as const)
        expect(executes(csrrs(7, csr, 0), priv), `${csr.toString(16)} in ${priv}`).toBe(priv >= least);
  });
});

/** What reads back after all ones, then after zero, was written. */
const FIELDS: [name: string, csr: number, ones: bigint, zero: bigint][] = [
  ['mstatus', CSR.mstatus, 0x8000_000a_007e_79aan, 0xa_0000_0000n],
  ['sstatus', CSR.sstatus, 0x8000_0002_000c_6122n, 0x2_0000_0000n],
  ['misa', CSR.misa, 0x8000_0000_0014_112dn, 0x8000_0000_0014_112dn],
  ['medeleg', CSR.medeleg, 0xb3ffn, 0n],
  ['mideleg', CSR.mideleg, 0x222n, 0n],
  ['mie', CSR.mie, 0xaaan, 0n],
  ['mtvec', CSR.mtvec, 0xffff_ffff_ffff_fffcn, 0n],
  ['stvec', CSR.stvec, 0xffff_ffff_ffff_fffcn, 0n],
  ['mcounteren', CSR.mcounteren, 0xffff_ffffn, 0n],
  ['scounteren', CSR.scounteren, 0xffff_ffffn, 0n],
  ['menvcfg', CSR.menvcfg, 0x8000_0000_0000_0001n, 0n],
  ['senvcfg', 0x10a, 1n, 0n],
  ['mscratch', CSR.mscratch, ALL_ONES, 0n],
  ['sscratch', CSR.sscratch, ALL_ONES, 0n],
  ['mepc', CSR.mepc, ALL_ONES - 1n, 0n],
  ['sepc', CSR.sepc, ALL_ONES - 1n, 0n],
  ['mcause', CSR.mcause, ALL_ONES, 0n],
  ['scause', CSR.scause, ALL_ONES, 0n],
  ['mtval', CSR.mtval, ALL_ONES, 0n],
  ['stval', CSR.stval, ALL_ONES, 0n],
  ['stimecmp', CSR.stimecmp, ALL_ONES, 0n],
  ['mip', CSR.mip, 0x222n, 0n],
  ['mcountinhibit', 0x320, 0n, 0n],
  ['mhpmcounter3', 0xb03, 0n, 0n],
  ['mhpmevent31', 0x33f, 0n, 0n],
];

describe('fields', () => {
  it.each(FIELDS)('%s', (_, csr, ones, zero) => {
    rig.start([]);
    hart.writeCsr(csr, ALL_ONES);
    expect(rig.csr(csr).toString(16)).toBe(ones.toString(16));
    hart.writeCsr(csr, 0n);
    expect(rig.csr(csr).toString(16)).toBe(zero.toString(16));
  });

  it('mtvec and stvec know direct and vectored mode', () => {
    rig.start([]);
    for (const csr of [CSR.mtvec, CSR.stvec]) {
      hart.writeCsr(csr, 0x8000_0001n);
      expect(rig.csr(csr)).toBe(0x8000_0001n);
    }
  });

  it('mstatus.MPP keeps its value when mode 2 is written', () => {
    rig.start([]);
    hart.writeCsr(CSR.mstatus, 1n << 11n);
    hart.writeCsr(CSR.mstatus, 2n << 11n);
    expect((rig.csr(CSR.mstatus) >> 11n) & 3n).toBe(1n);
  });

  it('satp takes Bare, Sv39 and Sv48 only; an unsupported mode changes nothing', () => {
    rig.start([]);
    for (const mode of [8n, 9n]) {
      hart.writeCsr(CSR.satp, (mode << 60n) | 0xfff_ffff_ffff_ffffn);
      expect(rig.csr(CSR.satp)).toBe((mode << 60n) | 0xfff_ffff_ffff_ffffn);
    }
    hart.writeCsr(CSR.satp, 10n << 60n);
    expect(rig.csr(CSR.satp) >> 60n).toBe(9n);
    hart.writeCsr(CSR.satp, 0n);
    expect(rig.csr(CSR.satp)).toBe(0n);
  });

  it('sstatus, sie and sip are windows on the machine registers', () => {
    rig.start([]);
    hart.writeCsr(CSR.mideleg, 0x22n);
    hart.writeCsr(CSR.mie, 0xaaan);
    expect(rig.csr(CSR.sie)).toBe(0x22n);
    hart.writeCsr(CSR.sie, 0n);
    expect(rig.csr(CSR.mie)).toBe(0xa88n);
    hart.writeCsr(CSR.sie, ALL_ONES);
    expect(rig.csr(CSR.mie)).toBe(0xaaan);
    hart.writeCsr(CSR.mip, 0x222n);
    expect(rig.csr(CSR.sip)).toBe(0x22n);
    // Of the bits in sip, S mode can change SSIP only.
    hart.writeCsr(CSR.sip, 0n);
    expect(rig.csr(CSR.mip)).toBe(0x220n);
    hart.writeCsr(CSR.mstatus, 0n);
    hart.writeCsr(CSR.sstatus, ALL_ONES);
    expect(rig.csr(CSR.mstatus) & 0x88n).toBe(0n);
    expect(rig.csr(CSR.mstatus) & 0x2n).toBe(2n);
  });

  it('with Sstc on, mip.STIP cannot be written', () => {
    rig.start([]);
    hart.writeCsr(CSR.menvcfg, 1n << 63n);
    hart.writeCsr(CSR.mip, 0x222n);
    expect(rig.csr(CSR.mip)).toBe(0x202n);
  });

  it('fflags, frm and fcsr share their bits, and writing them makes FS dirty', () => {
    rig.start([]);
    hart.writeCsr(CSR.mstatus, 1n << 13n);
    hart.writeCsr(CSR.fcsr, ALL_ONES);
    expect(rig.csr(CSR.fflags)).toBe(0x1fn);
    expect(rig.csr(CSR.frm)).toBe(7n);
    expect(rig.csr(CSR.mstatus) & 0x8000_0000_0000_6000n).toBe(0x8000_0000_0000_6000n);
    hart.writeCsr(CSR.frm, 2n);
    hart.writeCsr(CSR.fflags, 5n);
    expect(rig.csr(CSR.fcsr)).toBe(0x45n);
  });

  it('fcsr is illegal while FS is off', () => {
    for (const csr of [CSR.fflags, CSR.frm, CSR.fcsr]) {
      expect(executes(csrrs(7, csr, 0), PRIV_M)).toBe(false);
      expect(executes(csrrs(7, csr, 0), PRIV_M, () => hart.writeCsr(CSR.mstatus, 1n << 13n))).toBe(true);
    }
  });
});

describe('counters', () => {
  it('cycle and instret count instructions exactly', () => {
    rig.start([nop(), nop(), csrrs(7, CSR.instret, 0), csrrs(8, CSR.cycle, 0), csrrs(9, CSR.minstret, 0)]);
    rig.step(5);
    expect([hart.getX(7), hart.getX(8), hart.getX(9)]).toEqual([2n, 3n, 4n]);
    expect(hart.executed).toBe(5n);
  });

  it('the count is the same however execution is sliced', () => {
    const words = [...Array<number>(10).fill(nop()), csrrs(7, CSR.instret, 0)];
    for (const slice of [1, 2, 3, 7, 11]) {
      rig.start(words);
      while (hart.executed < 11n) rig.step(Math.min(slice, 11 - Number(hart.executed)));
      expect(hart.getX(7)).toBe(10n);
    }
  });

  it('a written value is read by the next instruction', () => {
    rig.start([
      csrrw(0, CSR.minstret, 5),
      csrrs(7, CSR.instret, 0),
      csrrw(0, CSR.mcycle, 6),
      csrrs(8, CSR.cycle, 0),
    ]);
    hart.setX(5, 1000n);
    hart.setX(6, 5n);
    rig.step(4);
    expect(hart.getX(7)).toBe(1000n);
    expect(hart.getX(8)).toBe(5n);
  });

  it('a trapping instruction takes a cycle but does not retire', () => {
    rig.start([0]);
    rig.program(0x8000_8000, csrrs(7, CSR.instret, 0), csrrs(8, CSR.cycle, 0));
    rig.step(3);
    expect(hart.getX(7)).toBe(0n);
    expect(hart.getX(8)).toBe(2n);
  });

  it('time is the clock passed in', () => {
    rig.ticks = 123_456_789;
    rig.start([csrrs(7, CSR.time, 0)]);
    rig.step();
    expect(hart.getX(7)).toBe(123_456_789n);
    rig.ticks = 0;
  });

  it('mcounteren guards S and U mode, scounteren U mode', () => {
    for (const [bit, csr] of [
      [0n, CSR.cycle],
      [1n, CSR.time],
      [2n, CSR.instret],
      [5n, 0xc05],
    ] as const) {
      const word = csrrs(7, csr, 0);
      const enable = (m: bigint, s: bigint) => () => {
        hart.writeCsr(CSR.mcounteren, m << bit);
        hart.writeCsr(CSR.scounteren, s << bit);
      };
      expect(executes(word, PRIV_M, enable(0n, 0n))).toBe(true);
      expect(executes(word, PRIV_S, enable(0n, 1n))).toBe(false);
      expect(executes(word, PRIV_S, enable(1n, 0n))).toBe(true);
      expect(executes(word, PRIV_U, enable(1n, 0n))).toBe(false);
      expect(executes(word, PRIV_U, enable(1n, 1n))).toBe(true);
    }
  });

  it('stimecmp needs menvcfg.STCE and mcounteren.TM in S mode', () => {
    const word = csrrw(0, CSR.stimecmp, 5);
    expect(executes(word, PRIV_S)).toBe(true);
    expect(executes(word, PRIV_S, () => hart.writeCsr(CSR.menvcfg, 0n))).toBe(false);
    expect(executes(word, PRIV_S, () => hart.writeCsr(CSR.mcounteren, 5n))).toBe(false);
    expect(executes(word, PRIV_M, () => hart.writeCsr(CSR.menvcfg, 0n))).toBe(true);
  });
});

describe('virtualization bits of mstatus', () => {
  const status = (bit: bigint) => () => hart.writeCsr(CSR.mstatus, 1n << bit);

  it('TVM makes satp and sfence.vma illegal in S mode', () => {
    for (const word of [csrrs(7, CSR.satp, 0), csrrw(0, CSR.satp, 0), 0x12000073]) {
      expect(executes(word, PRIV_S)).toBe(true);
      expect(executes(word, PRIV_S, status(20n))).toBe(false);
      expect(executes(word, PRIV_M, status(20n))).toBe(true);
    }
    expect(executes(0x12000073, PRIV_U)).toBe(false);
  });

  it('illegal instructions are delegated like the rest', () => {
    rig.start([csrrs(7, CSR.mscratch, 0)], PRIV_S);
    rig.step();
    expect(hart.pc).toBe(BigInt(S_HANDLER));
    expect(rig.csr(CSR.stval)).toBe(BigInt(csrrs(7, CSR.mscratch, 0)));
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  MIP_MEIP,
  MIP_MSIP,
  MIP_MTIP,
  MIP_SEIP,
  MIP_SSIP,
  MIP_STIP,
  PRIV_M,
  PRIV_S,
  PRIV_U,
} from '../layout.ts';
import { addi, csrrs, csrrw, EBREAK, ECALL, lw, MRET, nop, SRET, sw, WFI } from '../testing/encode.ts';
import { CAUSE, CSR, HartRig, M_HANDLER, RAM, S_HANDLER } from '../testing/hart-rig.ts';

const module = new WebAssembly.Module(
  readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url)),
);
const rig = new HartRig(module);
const { hart } = rig;

const SIE = 1n << 1n;
const MIE = 1n << 3n;
const SPIE = 1n << 5n;
const MPIE = 1n << 7n;
const SPP = 1n << 8n;
const MPRV = 1n << 17n;
const mpp = (priv: number): bigint => BigInt(priv) << 11n;
const INTERRUPT = 1n << 63n;

/** mstatus without the read-only fields. */
const status = (): bigint => rig.csr(CSR.mstatus) & 0x7f_ffffn;

describe('exceptions', () => {
  const CASES: [name: string, words: number[], cause: bigint, tval: bigint][] = [
    ['an illegal instruction', [0xffff_ffff], CAUSE.illegal, 0xffff_ffffn],
    ['ebreak', [EBREAK], CAUSE.breakpoint, BigInt(RAM)],
    ['a load', [lw(7, 0, 0x40)], CAUSE.loadAccess, 0x40n],
    ['a store', [sw(7, 0, 0x44)], CAUSE.storeAccess, 0x44n],
  ];

  it.each(CASES)('%s traps to M mode', (_, words, cause, tval) => {
    rig.start(words);
    hart.writeCsr(CSR.mstatus, MIE);
    rig.step();
    expect(rig.machineTrap()).toEqual({ cause, epc: BigInt(RAM), tval });
    expect(status()).toBe(MPIE | mpp(PRIV_M));
    expect(hart.privilege).toBe(PRIV_M);
  });

  it.each(CASES)('%s is delegated to S mode', (_, words, cause, tval) => {
    for (const priv of [PRIV_U, PRIV_S] as const) {
      rig.start(words, priv);
      hart.writeCsr(CSR.mstatus, SIE | MIE);
      rig.step();
      expect(hart.pc).toBe(BigInt(S_HANDLER));
      expect(hart.privilege).toBe(PRIV_S);
      expect([rig.csr(CSR.scause), rig.csr(CSR.sepc), rig.csr(CSR.stval)]).toEqual([
        cause,
        BigInt(RAM),
        tval,
      ]);
      expect(status()).toBe(MIE | SPIE | (priv === PRIV_S ? SPP : 0n));
      expect(rig.csr(CSR.mcause)).toBe(0n);
    }
  });

  it('medeleg does not hand M-mode traps down', () => {
    rig.start([EBREAK]);
    hart.writeCsr(CSR.medeleg, 0xffffn);
    rig.step();
    expect(rig.machineTrap()?.cause).toBe(CAUSE.breakpoint);
  });

  it('ecall says where it comes from', () => {
    for (const [priv, cause] of [
      [PRIV_U, CAUSE.ecallU],
      [PRIV_S, CAUSE.ecallS],
      [PRIV_M, CAUSE.ecallM],
    ] as const) {
      rig.start([ECALL], priv);
      hart.writeCsr(CSR.medeleg, 0n);
      rig.step();
      expect(rig.machineTrap()).toEqual({ cause, epc: BigInt(RAM), tval: 0n });
    }
  });

  it('exceptions ignore the vectored mode', () => {
    rig.start([EBREAK]);
    hart.writeCsr(CSR.mtvec, BigInt(M_HANDLER + 1));
    rig.step();
    expect(hart.pc).toBe(BigInt(M_HANDLER));
  });

  it('a handler that cannot be fetched faults again and again, and still uses up the budget', () => {
    rig.start([EBREAK]);
    hart.writeCsr(CSR.mtvec, 0x100n);
    expect(rig.step(50).kind).toBe('budget');
    expect(hart.pc).toBe(0x100n);
    expect(rig.csr(CSR.mcause)).toBe(CAUSE.fetchAccess);
    expect(hart.executed).toBe(50n);
  });
});

describe('returns', () => {
  it.each([PRIV_U, PRIV_S, PRIV_M] as const)('mret to mode %i', (priv) => {
    rig.start([MRET]);
    hart.writeCsr(CSR.mepc, BigInt(RAM + 0x100));
    hart.writeCsr(CSR.mstatus, mpp(priv) | MPIE | MPRV);
    rig.step();
    expect(hart.pc).toBe(BigInt(RAM + 0x100));
    expect(hart.privilege).toBe(priv);
    expect(status()).toBe(MIE | MPIE | (priv === PRIV_M ? MPRV : 0n));
  });

  it.each([PRIV_U, PRIV_S] as const)('sret to mode %i', (priv) => {
    rig.start([SRET], PRIV_S);
    hart.writeCsr(CSR.sepc, BigInt(RAM + 0x100));
    hart.writeCsr(CSR.mstatus, (priv === PRIV_S ? SPP : 0n) | SIE | MPRV);
    rig.step();
    expect(hart.pc).toBe(BigInt(RAM + 0x100));
    expect(hart.privilege).toBe(priv);
    expect(status()).toBe(SPIE);
  });

  it('need their privilege, and sret also TSR clear', () => {
    const illegal = (word: number, priv: 0 | 1, tsr: boolean): boolean => {
      rig.start([word], priv);
      hart.writeCsr(CSR.medeleg, 0n);
      if (tsr) hart.writeCsr(CSR.mstatus, 1n << 22n);
      rig.step();
      return rig.machineTrap()?.cause === CAUSE.illegal;
    };
    expect(illegal(MRET, PRIV_S, false)).toBe(true);
    expect(illegal(MRET, PRIV_U, false)).toBe(true);
    expect(illegal(SRET, PRIV_U, false)).toBe(true);
    expect(illegal(SRET, PRIV_S, true)).toBe(true);
    expect(illegal(SRET, PRIV_S, false)).toBe(false);
  });
});

/** Runs one instruction with the given interrupts pending and enabled; the code of the one taken. */
function taken(
  lines: number,
  setup: { priv?: 0 | 1 | 3; mstatus?: bigint; mie?: number; mideleg?: number } = {},
): { code: number; to: 'M' | 'S' } | undefined {
  rig.start([nop()], setup.priv ?? PRIV_M);
  hart.writeCsr(CSR.mstatus, setup.mstatus ?? MIE);
  hart.writeCsr(CSR.mie, BigInt(setup.mie ?? 0xfff));
  hart.writeCsr(CSR.mideleg, BigInt(setup.mideleg ?? 0));
  // Software bits for what has no line.
  hart.writeCsr(CSR.menvcfg, 0n);
  hart.writeCsr(CSR.mip, BigInt(lines & MIP_STIP));
  hart.setIrqLine(lines & ~MIP_STIP, true);
  rig.program(M_HANDLER, nop());
  rig.program(S_HANDLER, nop());
  rig.step();
  hart.setIrqLine(0xfff, false);
  const at = hart.pc;
  if (at === BigInt(RAM + 4)) return undefined;
  const to = at === BigInt(M_HANDLER + 4) ? 'M' : 'S';
  expect(at).toBe(BigInt((to === 'M' ? M_HANDLER : S_HANDLER) + 4));
  const cause = rig.csr(to === 'M' ? CSR.mcause : CSR.scause);
  expect(cause & INTERRUPT).toBe(INTERRUPT);
  expect(rig.csr(to === 'M' ? CSR.mepc : CSR.sepc)).toBe(BigInt(RAM));
  return { code: Number(cause & 0xffn), to };
}

describe('interrupts', () => {
  it('are taken in the order MEI, MSI, MTI, SEI, SSI, STI', () => {
    const order = [MIP_MEIP, MIP_MSIP, MIP_MTIP, MIP_SEIP, MIP_SSIP, MIP_STIP];
    for (const [index, bit] of order.entries()) {
      const lower = order.slice(index).reduce((sum, each) => sum | each, 0);
      expect(taken(lower)).toEqual({ code: Math.log2(bit), to: 'M' });
    }
  });

  it('need their bit in mie', () => {
    expect(taken(MIP_MEIP, { mie: MIP_MTIP })).toBeUndefined();
    expect(taken(MIP_MEIP | MIP_MTIP, { mie: MIP_MTIP })).toEqual({ code: 7, to: 'M' });
  });

  it('for the current mode need its enable bit; for a higher mode they don’t; a lower mode’s wait', () => {
    const delegated = { mideleg: 0x222 };
    expect(taken(MIP_MEIP, { mstatus: 0n })).toBeUndefined();
    expect(taken(MIP_MEIP, { mstatus: 0n, priv: PRIV_S })).toEqual({ code: 11, to: 'M' });
    expect(taken(MIP_MEIP, { mstatus: 0n, priv: PRIV_U })).toEqual({ code: 11, to: 'M' });
    expect(taken(MIP_SEIP, { ...delegated, priv: PRIV_M })).toBeUndefined();
    expect(taken(MIP_SEIP, { ...delegated, priv: PRIV_S, mstatus: 0n })).toBeUndefined();
    expect(taken(MIP_SEIP, { ...delegated, priv: PRIV_S, mstatus: SIE })).toEqual({ code: 9, to: 'S' });
    expect(taken(MIP_SEIP, { ...delegated, priv: PRIV_U, mstatus: 0n })).toEqual({ code: 9, to: 'S' });
    expect(taken(MIP_SEIP, { priv: PRIV_S, mstatus: 0n })).toEqual({ code: 9, to: 'M' });
  });

  it('machine interrupts come before delegated ones', () => {
    expect(taken(MIP_MTIP | MIP_SEIP, { mideleg: 0x222, priv: PRIV_U })).toEqual({ code: 7, to: 'M' });
  });

  it('are vectored by code where the vector says so', () => {
    rig.start([nop()]);
    hart.writeCsr(CSR.mtvec, BigInt(M_HANDLER + 1));
    hart.writeCsr(CSR.mie, 0x888n);
    hart.writeCsr(CSR.mstatus, MIE);
    hart.setIrqLine(MIP_MTIP, true);
    rig.program(M_HANDLER + 28, nop());
    rig.step();
    hart.setIrqLine(MIP_MTIP, false);
    expect(hart.pc).toBe(BigInt(M_HANDLER + 28 + 4));
  });

  it('come right after the instruction that enables them', () => {
    for (const [word, setUp] of [
      [csrrs(0, CSR.mstatus, 5), () => hart.writeCsr(CSR.mie, 0x800n)],
      [csrrw(0, CSR.mie, 6), () => hart.writeCsr(CSR.mstatus, MIE)],
      [MRET, () => hart.writeCsr(CSR.mie, 0x800n)],
    ] as const) {
      rig.start([word, addi(7, 7, 1), addi(7, 7, 1)]);
      hart.writeCsr(CSR.mepc, BigInt(RAM + 4));
      setUp();
      if (word === MRET) hart.writeCsr(CSR.mstatus, MPIE | mpp(PRIV_M));
      hart.setX(5, MIE);
      hart.setX(6, 0x800n);
      hart.setIrqLine(MIP_MEIP, true);
      rig.program(M_HANDLER, nop());
      rig.step(2);
      hart.setIrqLine(MIP_MEIP, false);
      expect(hart.pc).toBe(BigInt(M_HANDLER + 4));
      expect(rig.csr(CSR.mepc)).toBe(BigInt(RAM + 4));
      expect(hart.getX(7)).toBe(0n);
    }
  });

  it('SSIP raised from outside is cleared by writing sip', () => {
    rig.start([csrrw(0, CSR.sip, 0)], PRIV_S);
    hart.setIrqLine(MIP_SSIP, true);
    expect(rig.csr(CSR.sip)).toBe(BigInt(MIP_SSIP));
    rig.step();
    expect(rig.csr(CSR.sip)).toBe(0n);
  });

  it('the external line does not leak into the software bit of mip.SEIP', () => {
    rig.start([csrrs(7, CSR.mip, 5)]);
    hart.setX(5, BigInt(MIP_SSIP));
    hart.setIrqLine(MIP_SEIP, true);
    rig.step();
    expect(hart.getX(7)).toBe(BigInt(MIP_SEIP));
    hart.setIrqLine(MIP_SEIP, false);
    expect(rig.csr(CSR.mip)).toBe(BigInt(MIP_SSIP));
  });
});

describe('wfi', () => {
  it('goes on at once while an enabled interrupt is pending, even one that cannot be taken', () => {
    rig.start([WFI, nop()]);
    hart.writeCsr(CSR.mie, BigInt(MIP_MTIP));
    hart.setIrqLine(MIP_MTIP, true);
    expect(rig.step(2).kind).toBe('budget');
    hart.setIrqLine(MIP_MTIP, false);
    expect(hart.pc).toBe(BigInt(RAM + 8));
  });

  it('is illegal in U mode, and in S mode under TW', () => {
    for (const [priv, mstatus, legal] of [
      [PRIV_U, 0n, false],
      [PRIV_S, 0n, true],
      [PRIV_S, 1n << 21n, false],
      [PRIV_M, 1n << 21n, true],
    ] as const) {
      rig.start([WFI], priv);
      hart.writeCsr(CSR.medeleg, 0n);
      hart.writeCsr(CSR.mstatus, mstatus);
      const exit = rig.step();
      expect(exit.kind).toBe(legal ? 'wfi' : 'budget');
      expect(rig.machineTrap()?.cause).toBe(legal ? undefined : CAUSE.illegal);
    }
  });
});

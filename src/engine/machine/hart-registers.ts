import type { SharedMemory } from '../base/shared-memory.ts';
import * as layout from '../cpu/layout.ts';
import type { HartRegisters } from '../qom/machine-ops.ts';

const CSRS: readonly (readonly [name: string, at: number])[] = [
  ['mstatus', layout.HART_MSTATUS],
  ['mip', layout.HART_MIP],
  ['mie', layout.HART_MIE],
  ['mideleg', layout.HART_MIDELEG],
  ['medeleg', layout.HART_MEDELEG],
  ['mtvec', layout.HART_MTVEC],
  ['stvec', layout.HART_STVEC],
  ['mepc', layout.HART_MEPC],
  ['sepc', layout.HART_SEPC],
  ['mcause', layout.HART_MCAUSE],
  ['scause', layout.HART_SCAUSE],
  ['mtval', layout.HART_MTVAL],
  ['stval', layout.HART_STVAL],
  ['mscratch', layout.HART_MSCRATCH],
  ['sscratch', layout.HART_SSCRATCH],
  ['satp', layout.HART_SATP],
];

/** Registers of a paused hart, from its area in shared memory. */
export function readRegisters(mem: SharedMemory, area: number): HartRegisters {
  const u64 = (at: number): bigint => BigInt.asUintN(64, mem.load64(area + at));
  const bank = (at: number): bigint[] => Array.from({ length: 32 }, (_, i) => u64(at + i * 8));
  const priv = mem.load32(area + layout.HART_PRIV);
  return {
    pc: u64(layout.HART_PC),
    x: bank(layout.HART_X),
    f: bank(layout.HART_F),
    csrs: CSRS.map(([name, at]) => [name, u64(at)] as const),
    mode: priv === layout.PRIV_M ? 'M' : priv === layout.PRIV_S ? 'S' : 'U',
  };
}

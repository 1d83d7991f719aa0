import { fail } from './error.ts';

const ABI = `zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7
  s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6`.split(/\s+/);

const REGISTERS: ReadonlyMap<string, number> = new Map([
  ...ABI.map((name, index): [string, number] => [name, index]),
  ...ABI.map((_, index): [string, number] => [`x${index}`, index]),
  ['fp', 8],
]);

/** Control and status registers by the names of the privileged manual; others may be given by number. */
const CSRS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    cycle: 0xc00,
    time: 0xc01,
    instret: 0xc02,
    sstatus: 0x100,
    sie: 0x104,
    stvec: 0x105,
    scounteren: 0x106,
    sscratch: 0x140,
    sepc: 0x141,
    scause: 0x142,
    stval: 0x143,
    sip: 0x144,
    satp: 0x180,
    mstatus: 0x300,
    misa: 0x301,
    medeleg: 0x302,
    mideleg: 0x303,
    mie: 0x304,
    mtvec: 0x305,
    mcounteren: 0x306,
    mscratch: 0x340,
    mepc: 0x341,
    mcause: 0x342,
    mtval: 0x343,
    mip: 0x344,
    pmpcfg0: 0x3a0,
    pmpaddr0: 0x3b0,
    mcycle: 0xb00,
    minstret: 0xb02,
    mvendorid: 0xf11,
    marchid: 0xf12,
    mimpid: 0xf13,
    mhartid: 0xf14,
  }),
);

/** Whether a word names an integer register. */
export function isRegister(name: string): boolean {
  return REGISTERS.has(name);
}

/** The number of an integer register, by ABI name or `x0`…`x31`. */
export function registerNumber(name: string): number {
  return REGISTERS.get(name) ?? fail(`'${name}' is not an integer register`);
}

/** The number of a CSR known by name, or undefined. */
export function csrNumber(name: string): number | undefined {
  return CSRS.get(name);
}

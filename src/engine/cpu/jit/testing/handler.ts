/** Trap handlers of the lockstep checker's programs. */
import { bType, iType, MRET, OPCODE, rType } from '../../testing/encode.ts';
import { CSR } from '../../testing/hart-rig.ts';

/** Bytes of a program, from `start`; what is executed outside of it starts over. */
export const PROGRAM_BYTES = 0x4000;
/** Where a program in virtual memory is seen a second time: this far above its physical address. */
export const ALIAS = 0x4000_0000;

const [START, SCRATCH, AT] = [29, 30, 31];
const addi = (rd: number, rs1: number, imm: number): number => iType(OPCODE.opImm, 0, rd, rs1, imm);
const shift = (left: boolean, rd: number, rs1: number, by: number): number =>
  iType(OPCODE.opImm, left ? 1 : 5, rd, rs1, by);
const csrrs = (rd: number, csr: number): number => iType(OPCODE.system, 2, rd, 0, csr);
const csrw = (csr: number, rs1: number): number => iType(OPCODE.system, 1, 0, rs1, csr);

/**
 * A handler in M mode that goes on behind the instruction that trapped, whatever its length. After an interrupt it
 * goes on at the same place with all of them switched off. A pc that is not in the program or its alias starts over
 * at the address in x29. It uses x30 and x31 and expects mscratch for nothing.
 */
export function skippingHandler(): number[] {
  return [
    csrrs(SCRATCH, CSR.mcause),
    bType(5, SCRATCH, 0, 12),
    csrw(CSR.mie, 0),
    MRET,
    csrrs(AT, CSR.mepc),
    // The program lies at a multiple of 2³⁰, as does its alias.
    shift(true, SCRATCH, AT, 34),
    shift(false, SCRATCH, SCRATCH, 34 + Math.log2(PROGRAM_BYTES)),
    bType(1, SCRATCH, 0, 16),
    rType(OPCODE.op, 0, 0x20, SCRATCH, AT, START),
    shift(false, SCRATCH, SCRATCH, 31),
    bType(0, SCRATCH, 0, 12),
    csrw(CSR.mepc, START),
    MRET,
    // Where it is in memory, whichever way it was reached.
    shift(true, SCRATCH, AT, 34),
    shift(false, SCRATCH, SCRATCH, 34),
    rType(OPCODE.op, 0, 0, SCRATCH, SCRATCH, START),
    iType(OPCODE.load, 5, SCRATCH, SCRATCH, 0),
    iType(OPCODE.opImm, 7, SCRATCH, SCRATCH, 3),
    addi(SCRATCH, SCRATCH, -3),
    addi(AT, AT, 2),
    bType(1, SCRATCH, 0, 8),
    addi(AT, AT, 2),
    csrw(CSR.mepc, AT),
    MRET,
  ];
}

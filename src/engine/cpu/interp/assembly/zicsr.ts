/** The CSR instructions: as the interpreter executes them, and as translated code has them carried out. */
import { HART_MIE } from '../../layout';
import { Cause, MSTATUS_SIE, MSTATUS_SPIE, MSTATUS_SPP } from './cause';
import { csrIllegal, csrModifyBase, csrRead, csrWrite, SSTATUS } from './csr';
import { enter } from './pages';
import { cell, fieldFunct3, fieldRd, fieldRs1, getX, privilege, setX } from './state';
import { pendingBits, resume, takeException } from './trap';

const CSR_SSTATUS: u32 = 0x100;
/** What is changed of sstatus by going into and out of critical sections and traps; the rest is known elsewhere, too. */
const SSTATUS_PLAIN: u64 = MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP;

/** CSRRS and CSRRC with x0 or 0 don't write. */
@inline
function writes(insn: u32): bool {
  return (fieldFunct3(insn) & 3) == 1 || fieldRs1(insn) != 0;
}

/** Whether the number of the CSR allows the access from the current mode. */
@inline
function allowed(insn: u32): bool {
  const csr = insn >> 20;
  return privilege() >= ((csr >> 8) & 3) && !(writes(insn) && csr >> 10 == 3);
}

/** What the instruction makes of the value it read. */
function written(insn: u32, old: u64): u64 {
  const funct3 = fieldFunct3(insn);
  const source = fieldRs1(insn);
  const operand = funct3 & 4 ? <u64>source : getX(source);
  if ((funct3 & 3) == 1) return operand;
  const base = csrModifyBase(insn >> 20, old);
  return (funct3 & 3) == 2 ? base | operand : base & ~operand;
}

/** Executes the instruction at `pc` and enters what follows it. */
export function execCsr(insn: u32, pc: u64): void {
  if (!allowed(insn)) return takeException(Cause.ILLEGAL, insn, pc);
  const old = csrRead(insn >> 20);
  if (csrIllegal) return takeException(Cause.ILLEGAL, insn, pc);
  if (writes(insn)) {
    csrWrite(insn >> 20, written(insn, old));
    if (csrIllegal) return takeException(Cause.ILLEGAL, insn, pc);
  }
  setX(fieldRd(insn), old);
  // A write may have enabled or raised an interrupt, or moved the code under the pc.
  if (writes(insn)) resume(pc + 4);
  else enter(pc + 4);
}

/**
 * Executes one that decode.ts lets through if it neither traps nor lets an interrupt in nor changes what virtual addresses or
 * floating-point registers mean. False: it might, nothing has happened.
 */
export function tryCsr(insn: u32): bool {
  if (!allowed(insn)) return false;
  const old = csrRead(insn >> 20);
  if (csrIllegal) return false;
  if (writes(insn)) {
    const value = written(insn, old);
    if (insn >> 20 == CSR_SSTATUS) {
      if ((old ^ value) & SSTATUS & ~SSTATUS_PLAIN) return false;
      if ((value & ~old & MSTATUS_SIE) != 0 && (pendingBits() & cell(HART_MIE)) != 0) return false;
    }
    csrWrite(insn >> 20, value);
  }
  setX(fieldRd(insn), old);
  return true;
}

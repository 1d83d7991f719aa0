/** Opcode SYSTEM (Zicsr, environment calls, returns, WFI, SFENCE.VMA), C.EBREAK and FENCE.I. */
import {
  EXIT_SBI,
  EXIT_WFI,
  HART_COUNT_FENCE_IS,
  HART_COUNT_SFENCES,
  HART_MIE,
  HART_WFI_DEADLINE,
  PRIV_M,
  PRIV_S,
  PRIV_U,
} from '../../layout';
import { Cause, MSTATUS_TSR, MSTATUS_TVM, MSTATUS_TW } from './cause';
import { enter, fenceI } from './pages';
import {
  builtInSbi,
  cell,
  count,
  fieldFunct3,
  fieldRs1,
  fieldRs2,
  getX,
  hart,
  mstatus,
  privilege,
} from './state';
import { flushAddress, flushAll, flushAsid } from './tlb';
import { mret, nextDeadline, pendingBits, resume, sret, takeException, updateTimers } from './trap';
import { execCsr } from './zicsr';

/** Why the run loop is to return after this instruction, -1 if it goes on. */
export let exitReason: i32 = -1;

export function clearExit(): void {
  exitReason = -1;
}

function execEcall(pc: u64): void {
  const priv = privilege();
  if (priv == PRIV_S && builtInSbi) {
    exitReason = EXIT_SBI;
    return enter(pc + 4);
  }
  takeException(Cause.ECALL_U + priv, 0, pc);
}

function execWfi(insn: u32, pc: u64): void {
  const priv = privilege();
  if (priv == PRIV_U || (priv == PRIV_S && (mstatus() & MSTATUS_TW) != 0))
    return takeException(Cause.ILLEGAL, insn, pc);
  updateTimers();
  if ((pendingBits() & cell(HART_MIE)) == 0) {
    store<f64>(hart, nextDeadline(), HART_WFI_DEADLINE);
    exitReason = EXIT_WFI;
  }
  resume(pc + 4);
}

function execSfence(insn: u32, pc: u64): void {
  const priv = privilege();
  if (priv == PRIV_U || (priv == PRIV_S && (mstatus() & MSTATUS_TVM) != 0))
    return takeException(Cause.ILLEGAL, insn, pc);
  count(HART_COUNT_SFENCES);
  if (fieldRs1(insn) != 0) flushAddress(getX(fieldRs1(insn)));
  else if (fieldRs2(insn) != 0) flushAsid(getX(fieldRs2(insn)) & 0xffff);
  else flushAll();
  enter(pc + 4);
}

function execPrivileged(insn: u32, pc: u64): void {
  const priv = privilege();
  switch (insn) {
    case 0x00000073:
      return execEcall(pc);
    case 0x00100073:
      return takeException(Cause.BREAKPOINT, pc, pc);
    case 0x10500073:
      return execWfi(insn, pc);
    case 0x10200073:
      if (priv == PRIV_U || (priv == PRIV_S && (mstatus() & MSTATUS_TSR) != 0)) break;
      return sret();
    case 0x30200073:
      if (priv != PRIV_M) break;
      return mret();
    default:
      if ((insn & 0xfe007fff) == 0x12000073) return execSfence(insn, pc);
  }
  takeException(Cause.ILLEGAL, insn, pc);
}

/** Executes the instruction at `pc` and enters what follows it. */
export function execSystem(insn: u32, pc: u64): void {
  if ((insn & 3) != 3) return takeException(Cause.BREAKPOINT, pc, pc);
  if ((insn & 0x7f) == 0x0f) {
    count(HART_COUNT_FENCE_IS);
    fenceI();
    return enter(pc + 4);
  }
  const funct3 = fieldFunct3(insn);
  if (funct3 == 0) return execPrivileged(insn, pc);
  if (funct3 == 4) return takeException(Cause.ILLEGAL, insn, pc);
  execCsr(insn, pc);
}

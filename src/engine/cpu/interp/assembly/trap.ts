/** Traps: exceptions, interrupts, and returning from them. */
import {
  HART_COUNT_INTERRUPTS,
  HART_COUNT_TRAPS,
  HART_IRQ_LINES,
  HART_MCAUSE,
  HART_MEDELEG,
  HART_MENVCFG,
  HART_MEPC,
  HART_MIDELEG,
  HART_MIE,
  HART_MIP,
  HART_MTIMECMP,
  HART_MTVAL,
  HART_MTVEC,
  HART_PRIV,
  HART_SCAUSE,
  HART_SEPC,
  HART_STIMECMP,
  HART_STVAL,
  HART_STVEC,
  MIP_MEIP,
  MIP_MSIP,
  MIP_MTIP,
  MIP_SEIP,
  MIP_SSIP,
  MIP_STIP,
  PRIV_M,
  PRIV_S,
  PRIV_U,
} from '../../layout';
import {
  MENVCFG_STCE,
  MSTATUS_MIE,
  MSTATUS_MPIE,
  MSTATUS_MPP,
  MSTATUS_MPRV,
  MSTATUS_SIE,
  MSTATUS_SPIE,
  MSTATUS_SPP,
} from './cause';
import { timeTicks } from './host';
import { enter } from './pages';
import { builtInSbi, cell, count, hart, mstatus, privilege, setCell, setMstatus, unretire } from './state';
import { updateMode } from './tlb';

/** MTIP and STIP as of the last look at the time. */
let timerPending: u64 = 0;

export function setPrivilege(priv: u32): void {
  store<u32>(hart, priv, HART_PRIV);
  updateMode();
}

function enterHandler(code: u64, interrupt: bool, tval: u64, epc: u64, toSupervisor: bool): void {
  const status = mstatus();
  const priv = privilege();
  const cause = code | (interrupt ? (<u64>1) << 63 : 0);
  let vector: u64;
  if (toSupervisor) {
    setCell(HART_SCAUSE, cause);
    setCell(HART_SEPC, epc);
    setCell(HART_STVAL, tval);
    let next = status & ~(MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_SPP);
    if (status & MSTATUS_SIE) next |= MSTATUS_SPIE;
    if (priv == PRIV_S) next |= MSTATUS_SPP;
    setMstatus(next);
    vector = cell(HART_STVEC);
    setPrivilege(PRIV_S);
  } else {
    setCell(HART_MCAUSE, cause);
    setCell(HART_MEPC, epc);
    setCell(HART_MTVAL, tval);
    let next = status & ~(MSTATUS_MIE | MSTATUS_MPIE | MSTATUS_MPP);
    if (status & MSTATUS_MIE) next |= MSTATUS_MPIE;
    setMstatus(next | ((<u64>priv) << 11));
    vector = cell(HART_MTVEC);
    setPrivilege(PRIV_M);
  }
  const base = vector & ~3;
  enter(interrupt && (vector & 3) == 1 ? base + (code << 2) : base);
}

/** Takes an exception of the instruction at `epc`; nextOp is its handler's first op. */
export function takeException(cause: i32, tval: u64, epc: u64): void {
  unretire();
  count(HART_COUNT_TRAPS);
  const delegated = privilege() != PRIV_M && ((cell(HART_MEDELEG) >> <u64>cause) & 1) != 0;
  enterHandler(<u64>cause, false, tval, epc, delegated);
}

/** Whether stimecmp drives STIP; otherwise it is a bit M mode sets in mip. */
@inline
export function stimecmpActive(): bool {
  return builtInSbi || (cell(HART_MENVCFG) & MENVCFG_STCE) != 0;
}

/** Compares the time with the deadlines. */
export function updateTimers(): void {
  const now = <u64>timeTicks();
  timerPending = 0;
  if (now >= atomic.load<u64>(hart, HART_MTIMECMP)) timerPending |= MIP_MTIP;
  if (stimecmpActive() && now >= atomic.load<u64>(hart, HART_STIMECMP)) timerPending |= MIP_STIP;
}

/** mip as it reads: lines, software bits and timers. */
export function pendingBits(): u64 {
  let software = cell(HART_MIP);
  if (stimecmpActive()) software &= ~(<u64>MIP_STIP);
  return software | <u64>atomic.load<u32>(hart, HART_IRQ_LINES) | timerPending;
}

/** Earliest armed deadline in ticks, for a hart that waits. */
export function nextDeadline(): f64 {
  let deadline = f64.MAX_VALUE * 2.0;
  const mie = cell(HART_MIE);
  const mtimecmp = atomic.load<u64>(hart, HART_MTIMECMP);
  const stimecmp = atomic.load<u64>(hart, HART_STIMECMP);
  if ((mie & MIP_MTIP) != 0 && mtimecmp != ~0) deadline = min(deadline, <f64>mtimecmp);
  if ((mie & MIP_STIP) != 0 && stimecmpActive() && stimecmp != ~0) deadline = min(deadline, <f64>stimecmp);
  return deadline;
}

/** Code of the interrupt to take now, -1 if none; `toSupervisor` as in the mask it came from. */
function highest(mask: u64): i32 {
  if (mask & MIP_MEIP) return 11;
  if (mask & MIP_MSIP) return 3;
  if (mask & MIP_MTIP) return 7;
  if (mask & MIP_SEIP) return 9;
  if (mask & MIP_SSIP) return 1;
  if (mask & MIP_STIP) return 5;
  return -1;
}

/** Takes the most urgent enabled interrupt before the instruction at `pc`; false if there is none. */
export function takeInterrupt(pc: u64): bool {
  const pending = pendingBits() & cell(HART_MIE);
  if (pending == 0) return false;
  const priv = privilege();
  const status = mstatus();
  const mideleg = cell(HART_MIDELEG);
  const machine = pending & ~mideleg;
  const supervisor = pending & mideleg;
  if (machine != 0 && (priv < <u32>PRIV_M || (status & MSTATUS_MIE) != 0)) {
    count(HART_COUNT_INTERRUPTS);
    enterHandler(<u64>highest(machine), true, 0, pc, false);
    return true;
  }
  if (supervisor != 0 && (priv < <u32>PRIV_S || (priv == PRIV_S && (status & MSTATUS_SIE) != 0))) {
    count(HART_COUNT_INTERRUPTS);
    enterHandler(<u64>highest(supervisor), true, 0, pc, true);
    return true;
  }
  return false;
}

/** Goes on at `pc`, or at the handler of an interrupt that may be taken there. */
export function resume(pc: u64): void {
  if (!takeInterrupt(pc)) enter(pc);
}

export function sret(): void {
  const status = mstatus();
  const previous: u32 = status & MSTATUS_SPP ? PRIV_S : PRIV_U;
  let next = status & ~(MSTATUS_SIE | MSTATUS_SPP | MSTATUS_MPRV);
  if (status & MSTATUS_SPIE) next |= MSTATUS_SIE;
  setMstatus(next | MSTATUS_SPIE);
  setPrivilege(previous);
  resume(cell(HART_SEPC));
}

export function mret(): void {
  const status = mstatus();
  const previous = <u32>((status & MSTATUS_MPP) >> 11);
  let next = status & ~(MSTATUS_MIE | MSTATUS_MPP);
  if (status & MSTATUS_MPIE) next |= MSTATUS_MIE;
  if (previous != PRIV_M) next &= ~MSTATUS_MPRV;
  setMstatus(next | MSTATUS_MPIE);
  setPrivilege(previous);
  resume(cell(HART_MEPC));
}

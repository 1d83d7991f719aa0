/** The state a hart starts in. */
import {
  HART_COUNT_TRAPS,
  HART_ID,
  HART_IRQ_LINES,
  HART_MCOUNTEREN,
  HART_MEDELEG,
  HART_MENVCFG,
  HART_MIDELEG,
  HART_MTIMECMP,
  HART_PC,
  HART_PMPADDR,
  HART_PMPCFG,
  HART_PRIV,
  HART_SCOUNTEREN,
  HART_STIMECMP,
  HART_X,
  MIP_SEIP,
  MIP_SSIP,
  MIP_STIP,
  PRIV_M,
} from '../../layout';
import { MENVCFG_STCE } from './cause';
import { resetPages } from './pages';
import { updatePmp } from './pmp';
import { hart, setBuiltInSbi, setCell, setChunk, setX } from './state';
import { resetTlbs } from './tlb';

/** What firmware leaves behind when it enters S mode: everything handed down, all memory open. */
function leaveAsFirmware(): void {
  // All exceptions but ECALL from S and M.
  setCell(HART_MEDELEG, 0xb1ff);
  setCell(HART_MIDELEG, MIP_SSIP | MIP_STIP | MIP_SEIP);
  setCell(HART_MCOUNTEREN, 7);
  setCell(HART_SCOUNTEREN, 7);
  setCell(HART_MENVCFG, MENVCFG_STCE);
  // Entry 0: NAPOT over all addresses, RWX.
  store<u8>(hart, 0x1f, HART_PMPCFG);
  store<u64>(hart, 0x3fffffffffffff, HART_PMPADDR);
}

export function resetHart(hartId: u32, pc: u64, a0: u64, a1: u64, priv: u32, sbi: bool): void {
  // Private cells only: lines belong to devices, request words to whoever waits for an answer.
  memory.fill(hart + HART_X, 0, HART_COUNT_TRAPS - HART_X);
  atomic.and<u32>(hart, ~MIP_SSIP, HART_IRQ_LINES);
  atomic.store<u64>(hart, ~0, HART_MTIMECMP);
  atomic.store<u64>(hart, ~0, HART_STIMECMP);
  setBuiltInSbi(sbi);
  setChunk(0);
  store<u32>(hart, hartId, HART_ID);
  store<u64>(hart, pc, HART_PC);
  store<u32>(hart, priv, HART_PRIV);
  setX(10, a0);
  setX(11, a1);
  if (priv != PRIV_M) leaveAsFirmware();
  updatePmp();
  resetPages();
  resetTlbs();
}

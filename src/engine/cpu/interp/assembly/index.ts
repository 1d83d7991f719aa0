/** Exports of the interpreter module; hart.ts is their only user. Same thread as `run`, between runs. */
import {
  ATTENTION_IRQ,
  HART_ATTENTION,
  HART_BUS_FAULT,
  HART_BUS_HI,
  HART_IRQ_LINES,
  HART_PC,
  HART_PRIV,
  HART_STIMECMP,
  HART_WFI_DEADLINE,
  PAGE_OPS,
  PAGE_TRANSLATED,
  PRIV_M,
} from '../../layout';
import { Cause } from './cause';
import { csrIllegal, csrRead, csrWrite } from './csr';
import { faultCause, translateReadOnly } from './mmu';
import { Op } from './ops';
import { dropTranslation, resetPages } from './pages';
import { updatePmp } from './pmp';
import { resetHart } from './reset';
import {
  executedNow,
  getF as readF,
  getX as readX,
  hart,
  initState,
  privilege,
  setF as writeF,
  setX as writeX,
} from './state';
import { resetTlbs } from './tlb';
import { setPrivilege } from './trap';

export { expandCompressed } from './compressed';
export { fusedDouble as jitFusedDouble, fusedSingle as jitFusedSingle } from './fused';
export { jitAtomic, jitCsr, jitEnterReadable, jitEnterWritable, jitFloat, jitMulHigh } from './jit';
export { run } from './run';

/** Tells the instance where its hart and the guest's RAM are. */
export function init(hartBase: u32, ramOffset: u32, ramBaseLo: u32, ramBaseHi: u32, ramBytes: f64): void {
  initState(hartBase, ramOffset, ((<u64>ramBaseHi) << 32) | ramBaseLo, <u64>ramBytes);
  flush();
}

export function reset(hartId: u32, pc: u64, a0: u64, a1: u64, priv: u32, sbi: u32): void {
  resetHart(hartId, pc, a0, a1, priv, sbi != 0);
}

/** Drops everything derived from RAM or from CSRs: both may have been replaced from outside. */
export function flush(): void {
  updatePmp();
  resetPages();
  resetTlbs();
}

export function getX(index: u32): u64 {
  return readX(index);
}

export function setX(index: u32, value: u64): void {
  writeX(index, value);
}

export function getF(index: u32): u64 {
  return readF(index);
}

export function setF(index: u32, value: u64): void {
  writeF(index, value);
}

export function getPc(): u64 {
  return load<u64>(hart, HART_PC);
}

export function setPc(value: u64): void {
  store<u64>(hart, value & ~1, HART_PC);
}

export function getPriv(): u32 {
  return privilege();
}

export function setPriv(value: u32): void {
  setPrivilege(value);
}

/** Runs `csrRead` with the rights of M mode. */
export function csrExists(csr: u32): u32 {
  peekCsr(csr);
  return csrIllegal ? 0 : 1;
}

export function peekCsr(csr: u32): u64 {
  const priv = privilege();
  store<u32>(hart, PRIV_M, HART_PRIV);
  const value = csrRead(csr);
  store<u32>(hart, priv, HART_PRIV);
  return value;
}

export function pokeCsr(csr: u32, value: u64): void {
  const priv = privilege();
  store<u32>(hart, PRIV_M, HART_PRIV);
  csrWrite(csr, value);
  setPrivilege(priv);
}

export function executed(): u64 {
  return executedNow();
}

/** One of the HART_COUNT_ cells. */
export function counter(offset: u32): u64 {
  return load<u64>(hart + offset);
}

export function wfiDeadline(): f64 {
  return load<f64>(hart, HART_WFI_DEADLINE);
}

export function setIrqLines(mask: u32, level: u32): void {
  if (level != 0) atomic.or<u32>(hart, mask, HART_IRQ_LINES);
  else atomic.and<u32>(hart, ~mask, HART_IRQ_LINES);
  // ORDER: pairs with the exchange in run.ts; the line changes first.
  atomic.or<u32>(hart, ATTENTION_IRQ, HART_ATTENTION);
}

export function setStimecmp(ticks: u64): void {
  atomic.store<u64>(hart, ticks, HART_STIMECMP);
}

export function setBusHi(hi: u32): void {
  store<u32>(hart, hi, HART_BUS_HI);
}

export function setBusFault(): void {
  store<u32>(hart, 1, HART_BUS_FAULT);
}

/** Physical address of `va` for the current mode, −1 if unmapped. */
export function debugTranslate(va: u64): i64 {
  const pa = translateReadOnly(va, privilege());
  return faultCause == Cause.NONE ? <i64>pa : -1;
}

// ── For the translator (jit/) ───────────────────────────────────────────────────────────────────

/** Handler number of ops that are entries of translated code. */
export function jitEntryHandler(): u32 {
  return Op.JIT;
}

/** Makes the op at byte `offset` of a decoded page lead to an entry of the unit in table slot `slot`. */
export function jitEnterHere(page: u32, offset: u32, slot: u32, entry: u32): void {
  const op = <usize>page + PAGE_OPS + (<usize>offset << 2);
  store<u32>(op, <u32>Op.JIT | (entry << 16));
  store<u32>(op, slot, 4);
  store<u32>(page, 1, PAGE_TRANSLATED);
}

/** Makes all entries of a page ordinary ops again. */
export function jitDrop(page: u32): void {
  dropTranslation(page);
}

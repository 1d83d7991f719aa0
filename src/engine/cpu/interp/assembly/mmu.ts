/** Address translation: Bare, Sv39 and Sv48, with A and D set by hardware (as with Svadu). */
import { HART_SATP, PRIV_M, PRIV_S, PRIV_U } from '../../layout';
import { Cause } from './cause';
import { Access, pmpAllows } from './pmp';
import { cell, hart, ramBase, ramBytes, ramOffset } from './state';
import { noteSuperpage } from './tlb';

const PTE_V: u64 = 1;
const PTE_R: u64 = 2;
const PTE_W: u64 = 4;
const PTE_X: u64 = 8;
const PTE_U: u64 = 16;
const PTE_A: u64 = 64;
const PTE_D: u64 = 128;
/** Bits of extensions that are not there (Svnapot, Svpbmt) and reserved ones. */
const PTE_RESERVED: u64 = 0xffc0000000000000;

/** Why the last translate failed; Cause.NONE after a success. */
export let faultCause: i32 = Cause.NONE;
/** translate leaves memory alone (debugger). */
let readOnly: bool = false;

/** Whether [pa, pa + size) is RAM. */
@inline
export function inRam(pa: u64, size: u64): bool {
  return pa - ramBase < ramBytes && pa - ramBase + size <= ramBytes;
}

/** Address in the memory of a RAM address. */
@inline
export function hostOf(pa: u64): usize {
  return ramOffset + <usize>(pa - ramBase);
}

function pageFault(access: Access): u64 {
  faultCause =
    access == Access.EXEC ? Cause.FETCH_PAGE : access == Access.READ ? Cause.LOAD_PAGE : Cause.STORE_PAGE;
  return 0;
}

function accessFault(access: Access): u64 {
  faultCause = accessFaultCause(access);
  return 0;
}

@inline
export function accessFaultCause(access: Access): i32 {
  return access == Access.EXEC
    ? Cause.FETCH_ACCESS
    : access == Access.READ
      ? Cause.LOAD_ACCESS
      : Cause.STORE_ACCESS;
}

function permitted(pte: u64, access: Access, priv: u32, sum: bool, mxr: bool): bool {
  if (pte & PTE_U) {
    if (priv == PRIV_S && (access == Access.EXEC || !sum)) return false;
  } else if (priv == PRIV_U) {
    return false;
  }
  switch (access) {
    case Access.READ:
      return (pte & (mxr ? PTE_R | PTE_X : PTE_R)) != 0;
    case Access.WRITE:
      return (pte & PTE_W) != 0;
    default:
      return (pte & PTE_X) != 0;
  }
}

/**
 * Physical address of `va`, with faultCause telling a failure. PMP is checked for the table walk
 * only; the access itself is the caller's to check.
 */
export function translate(va: u64, access: Access, priv: u32, sum: bool, mxr: bool): u64 {
  faultCause = Cause.NONE;
  const satp = cell(HART_SATP);
  const satpMode = satp >> 60;
  if (priv == PRIV_M || satpMode == 0) return va;
  const levels: i32 = satpMode == 8 ? 3 : 4;
  const unused: u64 = levels == 3 ? 64 - 39 : 64 - 48;
  if (<u64>(<i64>(va << unused) >> unused) != va) return pageFault(access);

  let table = (satp & 0xfffffffffff) << 12;
  let level = levels - 1;
  while (level >= 0) {
    const shift = <u64>(12 + 9 * level);
    const pteAddress = table + (((va >> shift) & 511) << 3);
    if (!inRam(pteAddress, 8) || !pmpAllows(pteAddress, 8, Access.READ, PRIV_S)) return accessFault(access);
    const pteHost = hostOf(pteAddress);
    const pte = load<u64>(pteHost);
    if ((pte & PTE_V) == 0 || (pte & (PTE_R | PTE_W)) == PTE_W || (pte & PTE_RESERVED) != 0)
      return pageFault(access);
    const base = ((pte >> 10) & 0xfffffffffff) << 12;
    if ((pte & (PTE_R | PTE_X)) == 0) {
      if (pte & (PTE_U | PTE_A | PTE_D)) return pageFault(access);
      table = base;
      level--;
      continue;
    }
    if (!permitted(pte, access, priv, sum, mxr)) return pageFault(access);
    const span = ((<u64>1) << shift) - 1;
    if (base & span) return pageFault(access);
    const wanted = access == Access.WRITE ? PTE_A | PTE_D : PTE_A;
    if ((pte & wanted) != wanted && !readOnly) {
      if (!pmpAllows(pteAddress, 8, Access.WRITE, PRIV_S)) return accessFault(access);
      // Another hart may change the entry meanwhile: then walk again from the top.
      if (atomic.cmpxchg<u64>(pteHost, pte, pte | wanted) != pte) {
        table = (satp & 0xfffffffffff) << 12;
        level = levels - 1;
        continue;
      }
    }
    if (level > 0) noteSuperpage(va);
    return base | (va & span);
  }
  return pageFault(access);
}

/** Like a read in the given mode, but sets no A bit. Faults show in faultCause. */
export function translateReadOnly(va: u64, priv: u32): u64 {
  readOnly = true;
  const pa = translate(va, Access.READ, priv, true, true);
  readOnly = false;
  return pa;
}

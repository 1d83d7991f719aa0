/**
 * Software TLBs and the context numbers their tags carry.
 *
 * A context number stands for one satp value since the last flush. Flushing is giving out a new
 * number; only when the 4095 numbers are used up are the tables really cleared. Data and exec
 * tables have numbers of their own, because decoding a page must take away write access to it
 * (data) and fence.i must have every page checked again (exec), and neither concerns the other.
 */
import {
  CONTEXTS,
  DTLB_MODE_BYTES,
  DTLB_WRITE,
  HART_CONTEXTS,
  HART_DTLB,
  HART_SATP,
  HART_SUPERPAGES,
  HART_TLB_END,
  HART_XTLB,
  MMU_MODES,
  PRIV_M,
  PRIV_S,
  TLB_BANK_BYTES,
  TLB_BANKS,
  TLB_BYTES,
} from '../../layout';
import { MSTATUS_MPP, MSTATUS_MPRV, MSTATUS_MXR, MSTATUS_SUM } from './cause';
import { cell, hart, mstatus, privilege } from './state';

/** Tables and context numbers of the current mode; the run loop mirrors the data ones in locals. */
export let dataTlb: usize = 0;
export let dataContext: u64 = 0;
export let execTlb: usize = 0;
export let execContext: u64 = 0;

/** Effective privilege and rights of data accesses, valid with dataTlb. */
export let dataPriv: u32 = 0;
export let dataSum: bool = false;
export let dataMxr: bool = false;

/** Address of the current bank's tables, less HART_DTLB. */
let bank: usize = 0;
let nextContext: u32 = 1;
let currentEntry: usize = 0;
let replaced: u32 = 0;

/** After a change of privilege, MPRV, MPP, SUM or MXR: selects the tables, flushes nothing. */
export function updateMode(): void {
  const status = mstatus();
  const priv = privilege();
  dataPriv = priv == PRIV_M && (status & MSTATUS_MPRV) != 0 ? <u32>((status & MSTATUS_MPP) >> 11) : priv;
  dataSum = (status & MSTATUS_SUM) != 0;
  dataMxr = (status & MSTATUS_MXR) != 0;
  let mode = dataPriv == PRIV_S && dataSum ? 2 : dataPriv;
  if (dataMxr) mode += 4;
  dataTlb = bank + HART_DTLB + mode * DTLB_MODE_BYTES;
  execTlb = bank + HART_XTLB + priv * TLB_BYTES;
}

function clearTables(): void {
  memory.fill(hart + HART_DTLB, 0, HART_TLB_END - HART_DTLB);
  memory.fill(hart + HART_CONTEXTS, 0, CONTEXTS * 16);
  nextContext = 1;
}

/** Cold start of all tables. */
export function resetTlbs(): void {
  clearTables();
  memory.fill(hart + HART_SUPERPAGES, 0, 64);
  selectContext();
}

function newContext(): u32 {
  if (nextContext > 4095) {
    // Numbers start again from 1, so nothing tagged with an old one may remain.
    clearTables();
    store<u64>(currentEntry, cell(HART_SATP));
  }
  return nextContext++;
}

/** Gives the current satp's entry the numbers it lacks and publishes them. */
function activate(): void {
  if (load<u32>(currentEntry, 8) == 0) store<u32>(currentEntry, newContext(), 8);
  if (load<u32>(currentEntry, 12) == 0) store<u32>(currentEntry, newContext(), 12);
  // newContext may have cleared the number assigned just before it.
  if (load<u32>(currentEntry, 8) == 0) store<u32>(currentEntry, newContext(), 8);
  dataContext = load<u32>(currentEntry, 8);
  execContext = load<u32>(currentEntry, 12);
}

/** After a write of satp: translations cached for a value used before are valid again. */
export function selectContext(): void {
  const satp = cell(HART_SATP);
  const base = hart + HART_CONTEXTS;
  let entry: usize = 0;
  for (let i: u32 = 0; i < <u32>CONTEXTS; i++) {
    const candidate = base + ((<usize>i) << 4);
    if (load<u64>(candidate) == satp) {
      entry = candidate;
      break;
    }
  }
  if (entry == 0) {
    entry = base + ((<usize>(replaced & (CONTEXTS - 1))) << 4);
    replaced++;
    store<u64>(entry, satp);
    store<u64>(entry, 0, 8);
  }
  currentEntry = entry;
  bank = hart + (((entry - base) >> 4) & (TLB_BANKS - 1)) * TLB_BANK_BYTES;
  activate();
  updateMode();
}

function dropNumbers(offset: usize): void {
  for (let i: u32 = 0; i < <u32>CONTEXTS; i++)
    store<u32>(hart + HART_CONTEXTS + ((<usize>i) << 4) + offset, 0);
  activate();
}

/** Drops all data translations: a page that was writable no longer is. */
export function flushData(): void {
  dropNumbers(8);
}

/** Drops all fetch translations. */
export function flushExec(): void {
  dropNumbers(12);
}

/** SFENCE.VMA without an address. */
export function flushAll(): void {
  memory.fill(hart + HART_SUPERPAGES, 0, 64);
  memory.fill(hart + HART_CONTEXTS, 0, CONTEXTS * 16);
  selectContext();
}

/** SFENCE.VMA of one ASID. */
export function flushAsid(asid: u64): void {
  for (let i: u32 = 0; i < <u32>CONTEXTS; i++) {
    const entry = hart + HART_CONTEXTS + ((<usize>i) << 4);
    if (((load<u64>(entry) >> 44) & 0xffff) == asid) store<u64>(entry, 0, 8);
  }
  activate();
}

/** Hash of a 1 GiB region: of Sv39's number in it, and of what tells Sv48's halves apart. */
@inline
function regionOf(va: u64): u64 {
  return ((va >> 30) ^ (va >> 39)) & 511;
}

/** SFENCE.VMA of one address, in every context. */
export function flushAddress(va: u64): void {
  const region = regionOf(va);
  if ((load<u64>(hart + HART_SUPERPAGES + ((<usize>(region >> 6)) << 3)) >> (region & 63)) & 1) {
    // A superpage's translations lie all over the tables.
    flushAll();
    return;
  }
  const index = tlbIndex(va);
  for (let i: u32 = 0; i < <u32>TLB_BANKS; i++) {
    const tables = hart + i * TLB_BANK_BYTES + index;
    for (let mode: u32 = 0; mode < <u32>MMU_MODES; mode++) {
      store<u64>(tables + mode * DTLB_MODE_BYTES, 0, HART_DTLB);
      store<u64>(tables + mode * DTLB_MODE_BYTES, 0, HART_DTLB + DTLB_WRITE);
    }
    for (let priv: u32 = 0; priv < 4; priv++) store<u64>(tables + priv * TLB_BYTES, 0, HART_XTLB);
  }
}

/** Remembers that a superpage at `va` is being entered into a table. */
export function noteSuperpage(va: u64): void {
  const region = regionOf(va);
  const word = hart + HART_SUPERPAGES + ((<usize>(region >> 6)) << 3);
  store<u64>(word, load<u64>(word) | ((<u64>1) << (region & 63)));
}

/** Byte offset of an address's entry in any table. */
@inline
export function tlbIndex(va: u64): usize {
  return (<usize>va >> 8) & 0x3ff0;
}

@inline
export function fillData(va: u64, host: usize, write: bool): void {
  const entry = dataTlb + tlbIndex(va);
  const tag = (va & ~0xfff) | dataContext;
  const addend = <u32>(host - <usize>va);
  store<u64>(entry, tag);
  store<u32>(entry, addend, 8);
  if (write) {
    store<u64>(entry, tag, DTLB_WRITE);
    store<u32>(entry, addend, DTLB_WRITE + 8);
  }
}

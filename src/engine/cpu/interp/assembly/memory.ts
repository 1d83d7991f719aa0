/** Loads and stores off the fast path: TLB refill, misaligned and page-crossing accesses, the bus. */
import {
  HART_BUS_FAULT,
  HART_BUS_HI,
  HART_COUNT_BUS_READS,
  HART_COUNT_BUS_WRITES,
  HART_COUNT_TLB_REFILLS,
  HART_F,
  HART_X,
} from '../../layout';
import { Cause } from './cause';
import { mmioRead, mmioWrite } from './host';
import { accessFaultCause, faultCause, hostOf, inRam, translate } from './mmu';
import { Op } from './ops';
import { findPage, isOpen, openIfData, storedToPage } from './pages';
import { Access, pmpAllows, pmpPartial } from './pmp';
import { count, hart } from './state';
import { dataContext, dataMxr, dataPriv, dataSum, dataTlb, fillData, tlbIndex } from './tlb';
import { takeException } from './trap';

/** Why the last access failed, Cause.NONE if it did not, and the address for xtval. */
export let accessCause: i32 = Cause.NONE;
export let accessAddress: u64 = 0;

function fail(cause: i32, va: u64): void {
  accessCause = cause;
  accessAddress = va;
}

function busRead(pa: u64, size: u32, va: u64): u64 {
  count(HART_COUNT_BUS_READS);
  store<u32>(hart, 0, HART_BUS_FAULT);
  store<u32>(hart, 0, HART_BUS_HI);
  const lo = <u32>mmioRead(<u32>pa, <u32>(pa >> 32), size);
  if (load<u32>(hart, HART_BUS_FAULT) != 0) fail(Cause.LOAD_ACCESS, va);
  if (size == 8) return ((<u64>load<u32>(hart, HART_BUS_HI)) << 32) | lo;
  return size == 4 ? lo : lo & ((1 << (size << 3)) - 1);
}

function busWrite(pa: u64, size: u32, value: u64, va: u64): void {
  count(HART_COUNT_BUS_WRITES);
  store<u32>(hart, 0, HART_BUS_FAULT);
  mmioWrite(<u32>pa, <u32>(pa >> 32), size, <u32>value, <u32>(value >> 32));
  if (load<u32>(hart, HART_BUS_FAULT) != 0) fail(Cause.STORE_ACCESS, va);
}

/** Physical address of a data access within one page, permission checked; accessCause on failure. */
function physical(va: u64, size: u32, access: Access): u64 {
  const pa = translate(va, access, dataPriv, dataSum, dataMxr);
  if (faultCause != Cause.NONE) fail(faultCause, va);
  else if (!pmpAllows(pa, size, access, dataPriv)) fail(accessFaultCause(access), va);
  return pa;
}

function readRam(host: usize, size: u32): u64 {
  switch (size) {
    case 1:
      return load<u8>(host);
    case 2:
      return load<u16>(host);
    case 4:
      return load<u32>(host);
    default:
      return load<u64>(host);
  }
}

function writeRam(host: usize, size: u32, value: u64): void {
  switch (size) {
    case 1:
      store<u8>(host, <u8>value);
      return;
    case 2:
      store<u16>(host, <u16>value);
      return;
    case 4:
      store<u32>(host, <u32>value);
      return;
    default:
      store<u64>(host, value);
  }
}

/** Reads within one page, entering it into the TLB where possible. */
function readWithin(va: u64, size: u32): u64 {
  const pa = physical(va, size, Access.READ);
  if (accessCause != Cause.NONE) return 0;
  if (!inRam(pa, size)) return busRead(pa, size, va);
  const host = hostOf(pa);
  if (!pmpPartial) {
    count(HART_COUNT_TLB_REFILLS);
    fillData(va, host, false);
  }
  return readRam(host, size);
}

/** Address of a writable RAM cell of `size` bytes within one page, 0 if it is on the bus or faults. */
export function writableRam(va: u64, size: u32): usize {
  writtenPage = 0;
  const pa = physical(va, size, Access.WRITE);
  if (accessCause != Cause.NONE) return 0;
  if (!inRam(pa, size)) {
    busAddress = pa;
    return 0;
  }
  const host = hostOf(pa);
  writtenPage = findPage(host & ~0xfff);
  if (writtenPage != 0 && isOpen(writtenPage)) writtenPage = 0;
  if (writtenPage == 0 && !pmpPartial) {
    count(HART_COUNT_TLB_REFILLS);
    fillData(va, host, true);
  }
  return host;
}

/** Like writableRam, for an atomic: the bus has none. */
export function writableCell(va: u64, size: u32): usize {
  accessCause = Cause.NONE;
  const host = writableRam(va, size);
  if (host == 0 && accessCause == Cause.NONE) fail(Cause.STORE_ACCESS, va);
  return host;
}

/** Enters a page into the read TLB without reading; false if the access cannot be done that way. */
export function enterReadable(va: u64, size: u32): bool {
  if ((<u32>va & 0xfff) + size > 4096) return false;
  accessCause = Cause.NONE;
  const pa = physical(va, size, Access.READ);
  if (accessCause != Cause.NONE || !inRam(pa, size) || pmpPartial) return false;
  count(HART_COUNT_TLB_REFILLS);
  fillData(va, hostOf(pa), false);
  return true;
}

/** The same for writing. */
export function enterWritable(va: u64, size: u32): bool {
  if ((<u32>va & 0xfff) + size > 4096) return false;
  accessCause = Cause.NONE;
  return writableRam(va, size) != 0 && writtenPage == 0 && !pmpPartial;
}

/** Address of a readable, aligned RAM cell for LR, 0 after a fault. */
export function readableRam(va: u64, size: u32): usize {
  const entry = dataTlb + tlbIndex(va);
  if (load<u64>(entry) == ((va & ~0xfff) | dataContext)) return <usize>va + load<u32>(entry, 8);
  accessCause = Cause.NONE;
  const pa = physical(va, size, Access.READ);
  if (accessCause != Cause.NONE) return 0;
  if (!inRam(pa, size)) {
    fail(Cause.LOAD_ACCESS, va);
    return 0;
  }
  const host = hostOf(pa);
  if (!pmpPartial) {
    count(HART_COUNT_TLB_REFILLS);
    fillData(va, host, false);
  }
  return host;
}

/** The bus address, or the decoded page (0: none), that writableRam found. */
export let busAddress: u64 = 0;
export let writtenPage: usize = 0;

function writeWithin(va: u64, size: u32, value: u64): void {
  const host = writableRam(va, size);
  if (host != 0) {
    writeRam(host, size, value);
    if (writtenPage != 0) storedToPage(writtenPage, host, size);
  } else if (accessCause == Cause.NONE) {
    busWrite(busAddress, size, value, va);
  }
}

/** One of the two parts of an access across pages; only RAM can be accessed in parts. */
function checkPart(va: u64, size: u32, access: Access): void {
  const pa = physical(va, size, access);
  if (accessCause == Cause.NONE && !inRam(pa, size)) fail(accessFaultCause(access), va);
}

/** Both pages must be accessible before the first byte is. */
function checkParts(va: u64, size: u32, inPage: u32, access: Access): bool {
  checkPart(va, inPage, access);
  if (accessCause == Cause.NONE) checkPart(va + inPage, size - inPage, access);
  return accessCause == Cause.NONE;
}

/** Reads `size` bytes at any address; zero-extended. Failure in accessCause and accessAddress. */
export function readVirtual(va: u64, size: u32): u64 {
  accessCause = Cause.NONE;
  const inPage: u32 = 4096 - (<u32>va & 0xfff);
  if (size <= inPage) return readWithin(va, size);
  if (!checkParts(va, size, inPage, Access.READ)) return 0;
  let value: u64 = 0;
  for (let i: u32 = 0; i < size; i++) value |= readWithin(va + i, 1) << (i << 3);
  return value;
}

/** Writes `size` bytes at any address, all or none. */
export function writeVirtual(va: u64, size: u32, value: u64): void {
  accessCause = Cause.NONE;
  const inPage: u32 = 4096 - (<u32>va & 0xfff);
  if (size <= inPage) return writeWithin(va, size, value);
  if (!checkParts(va, size, inPage, Access.WRITE)) return;
  for (let i: u32 = 0; i < size; i++) writeWithin(va + i, 1, value >> (i << 3));
}

/** Completes the load op at `op`; false if it trapped instead. */
export function loadSlow(op: usize, va: u64, pc: u64): bool {
  let value: u64;
  const rd = hart + load<u8>(op, 1);
  switch (<u32>load<u8>(op)) {
    case Op.LB:
      value = <u64>(<i64>(<i8>readVirtual(va, 1)));
      break;
    case Op.LH:
      value = <u64>(<i64>(<i16>readVirtual(va, 2)));
      break;
    case Op.LW:
    case Op.C_LW:
      value = <u64>(<i64>(<i32>readVirtual(va, 4)));
      break;
    case Op.LBU:
      value = readVirtual(va, 1);
      break;
    case Op.LHU:
      value = readVirtual(va, 2);
      break;
    case Op.LWU:
      value = readVirtual(va, 4);
      break;
    case Op.FLW:
      value = readVirtual(va, 4) | 0xffffffff00000000;
      break;
    default:
      value = readVirtual(va, 8);
  }
  if (accessCause != Cause.NONE) {
    takeException(accessCause, accessAddress, pc);
    return false;
  }
  const handler = <u32>load<u8>(op);
  if (handler == Op.FLW || handler == Op.FLD || handler == Op.C_FLD) store<u64>(rd, value, HART_F);
  else store<u64>(rd, value, HART_X);
  return true;
}

/** Completes the store op at `op`; false if it trapped instead. */
export function storeSlow(op: usize, va: u64, pc: u64): bool {
  const rs2 = hart + load<u8>(op, 3);
  switch (<u32>load<u8>(op)) {
    case Op.SB:
      writeVirtual(va, 1, load<u64>(rs2, HART_X));
      break;
    case Op.SH:
      writeVirtual(va, 2, load<u64>(rs2, HART_X));
      break;
    case Op.SW:
    case Op.C_SW:
      writeVirtual(va, 4, load<u64>(rs2, HART_X));
      break;
    case Op.FSW:
      writeVirtual(va, 4, load<u64>(rs2, HART_F));
      break;
    case Op.FSD:
    case Op.C_FSD:
      writeVirtual(va, 8, load<u64>(rs2, HART_F));
      break;
    default:
      writeVirtual(va, 8, load<u64>(rs2, HART_X));
  }
  if (accessCause == Cause.NONE) {
    if (writtenPage != 0) openIfData(writtenPage, op);
    return true;
  }
  takeException(accessCause, accessAddress, pc);
  return false;
}

/** The A extension. RAM is shared by all harts, so every access here is a wasm atomic. */
import { DTLB_WRITE, HART_RESERVATION, HART_RESERVATION_SIZE, HART_RESERVATION_VALUE } from '../../layout';
import { Cause } from './cause';
import { accessCause, readableRam, writtenPage, writableCell } from './memory';
import { storedToPage } from './pages';
import { fieldFunct3, fieldRd, fieldRs1, fieldRs2, getX, hart, setX } from './state';
import { dataContext, dataTlb, tlbIndex } from './tlb';
import { takeException } from './trap';

/** Set by `writable`: the decoded page the cell lies in, 0 if none. */
let decodedPage: usize = 0;

/** Address in the memory of an aligned, writable RAM cell, 0 after a fault (accessCause). */
function writable(va: u64, size: u32): usize {
  const entry = dataTlb + tlbIndex(va) + DTLB_WRITE;
  decodedPage = 0;
  if (load<u64>(entry) == ((va & ~0xfff) | dataContext)) return <usize>va + load<u32>(entry, 8);
  const host = writableCell(va, size);
  decodedPage = host == 0 ? 0 : writtenPage;
  return host;
}

function amo32(host: usize, operation: u32, value: u32): u32 {
  switch (operation) {
    case 0x00:
      return atomic.add<u32>(host, value);
    case 0x01:
      return atomic.xchg<u32>(host, value);
    case 0x04:
      return atomic.xor<u32>(host, value);
    case 0x08:
      return atomic.or<u32>(host, value);
    case 0x0c:
      return atomic.and<u32>(host, value);
    default:
      break;
  }
  let old = atomic.load<u32>(host);
  while (true) {
    let next = old;
    if (operation == 0x10) next = <u32>min<i32>(<i32>old, <i32>value);
    else if (operation == 0x14) next = <u32>max<i32>(<i32>old, <i32>value);
    else if (operation == 0x18) next = min<u32>(old, value);
    else next = max<u32>(old, value);
    const seen = atomic.cmpxchg<u32>(host, old, next);
    if (seen == old) return old;
    old = seen;
  }
}

function amo64(host: usize, operation: u32, value: u64): u64 {
  switch (operation) {
    case 0x00:
      return atomic.add<u64>(host, value);
    case 0x01:
      return atomic.xchg<u64>(host, value);
    case 0x04:
      return atomic.xor<u64>(host, value);
    case 0x08:
      return atomic.or<u64>(host, value);
    case 0x0c:
      return atomic.and<u64>(host, value);
    default:
      break;
  }
  let old = atomic.load<u64>(host);
  while (true) {
    let next = old;
    if (operation == 0x10) next = <u64>min<i64>(<i64>old, <i64>value);
    else if (operation == 0x14) next = <u64>max<i64>(<i64>old, <i64>value);
    else if (operation == 0x18) next = min<u64>(old, value);
    else next = max<u64>(old, value);
    const seen = atomic.cmpxchg<u64>(host, old, next);
    if (seen == old) return old;
    old = seen;
  }
}

/** LR: remembers the cell and its value, against which SC compares. */
function loadReserved(insn: u32, va: u64, size: u32, pc: u64): bool {
  if (va & (size - 1)) {
    takeException(Cause.LOAD_MISALIGNED, va, pc);
    return false;
  }
  const host = readableRam(va, size);
  if (host == 0) {
    takeException(accessCause, va, pc);
    return false;
  }
  store<u32>(hart, <u32>host, HART_RESERVATION);
  store<u32>(hart, size, HART_RESERVATION_SIZE);
  const reserved = size == 4 ? <u64>atomic.load<u32>(host) : atomic.load<u64>(host);
  store<u64>(hart, reserved, HART_RESERVATION_VALUE);
  setX(fieldRd(insn), size == 4 ? <u64>(<i64>(<i32>reserved)) : reserved);
  return true;
}

function storeConditional(insn: u32, va: u64, size: u32, pc: u64): bool {
  if (va & (size - 1)) {
    takeException(Cause.STORE_MISALIGNED, va, pc);
    return false;
  }
  const reservation = <usize>load<u32>(hart, HART_RESERVATION);
  if (reservation == 0) {
    setX(fieldRd(insn), 1);
    return true;
  }
  const host = writable(va, size);
  if (host == 0) {
    takeException(accessCause, va, pc);
    return false;
  }
  let failed: u64 = 1;
  if (host == reservation && load<u32>(hart, HART_RESERVATION_SIZE) == size) {
    const expected = load<u64>(hart, HART_RESERVATION_VALUE);
    const value = getX(fieldRs2(insn));
    const seen =
      size == 4
        ? <u64>atomic.cmpxchg<u32>(host, <u32>expected, <u32>value)
        : atomic.cmpxchg<u64>(host, expected, value);
    if (seen == expected) {
      failed = 0;
      if (decodedPage != 0) storedToPage(decodedPage, host, size);
    }
  }
  store<u32>(hart, 0, HART_RESERVATION);
  setX(fieldRd(insn), failed);
  return true;
}

/** Executes an instruction of opcode AMO; false if it trapped. */
export function execAtomic(insn: u32, pc: u64): bool {
  const funct3 = fieldFunct3(insn);
  const operation = insn >> 27;
  const va = getX(fieldRs1(insn));
  const valid = operation <= 4 || (operation & 3) == 0;
  if ((funct3 != 2 && funct3 != 3) || !valid || (operation == 2 && fieldRs2(insn) != 0)) {
    takeException(Cause.ILLEGAL, insn, pc);
    return false;
  }
  const size: u32 = 1 << funct3;
  if (operation == 2) return loadReserved(insn, va, size, pc);
  if (operation == 3) return storeConditional(insn, va, size, pc);
  if (va & (size - 1)) {
    takeException(Cause.STORE_MISALIGNED, va, pc);
    return false;
  }
  const host = writable(va, size);
  if (host == 0) {
    takeException(accessCause, va, pc);
    return false;
  }
  const value = getX(fieldRs2(insn));
  const old =
    size == 4 ? <u64>(<i64>(<i32>amo32(host, operation, <u32>value))) : amo64(host, operation, value);
  if (decodedPage != 0) storedToPage(decodedPage, host, size);
  setX(fieldRd(insn), old);
  return true;
}

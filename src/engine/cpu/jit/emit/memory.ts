/** Loads, stores, atomics, and CSRs. */
import { DTLB_WRITE } from '../../layout.ts';
import { HELPER, PARAM } from '../abi.ts';
import { atomic, f64, i32, i64 } from '../asm/opcodes.ts';
import { type Insn, OP } from '../decode.ts';
import { csrReadsX } from '../operands.ts';
import { emitBox } from './float-range.ts';
import type { LastPage, UnitCode } from './unit-code.ts';

/** Loads by funct3. */
const LOAD = [i64.load8S, i64.load16S, i64.load32S, i64.load, i64.load8U, i64.load16U, i64.load32U];
/** Stores by funct3. */
const STORE = [i64.store8, i64.store16, i64.store32, i64.store];

/** AMOs that are one wasm instruction, by funct5: for 4 and for 8 bytes. */
const MODIFY: Readonly<Record<number, readonly [number, number]>> = {
  0x00: [atomic.i32Add, atomic.i64Add],
  0x01: [atomic.i32Xchg, atomic.i64Xchg],
  0x04: [atomic.i32Xor, atomic.i64Xor],
  0x08: [atomic.i32Or, atomic.i64Or],
  0x0c: [atomic.i32And, atomic.i64And],
};

/**
 * Leaves in `tlb` the address of the TLB entry of the page of the `size` bytes at the address in `va`.
 *
 * If their page is not in the TLB a helper enters it; if that cannot be (the bus, a fault, bytes in two pages, a page
 * of decoded code) the instruction is left to the interpreter. The entry is looked for at the first byte's place and
 * compared with the last byte's page, so that bytes in two pages miss.
 */
function emitLookup(unit: UnitCode, insn: Insn, size: number, write: boolean): void {
  const { code, va, tlb } = unit;
  code.get(va).op(i32.wrapI64).i32(8).op(i32.shrU).i32(0x3ff0).op(i32.and);
  code.get(PARAM.dataTlb).op(i32.add).tee(tlb).mem(i64.load, table(write));
  code.get(va);
  if (size > 1) code.i64(size - 1).op(i64.add);
  code.i64(-4096).op(i64.and).get(PARAM.dataContext).op(i64.or, i64.ne);
  code.if(undefined, 'unlikely');
  unit.prepareRare(insn);
  code
    .get(va)
    .i32(size)
    .call(write ? HELPER.enterWritable : HELPER.enterReadable);
  unit.leaveRarelyIf();
  code.end();
}

const table = (write: boolean): number => (write ? DTLB_WRITE : 0);

/** Pushes the address in memory of the `size` bytes at the address in `va`, found through the TLB. */
function emitFound(unit: UnitCode, insn: Insn, size: number, write: boolean): void {
  const { code, va, tlb } = unit;
  emitLookup(unit, insn, size, write);
  code
    .get(va)
    .op(i32.wrapI64)
    .get(tlb)
    .mem(i32.load, table(write) + 8)
    .op(i32.add);
}

/** The same where the page is probably the one of the last time. */
function emitFoundAgain(unit: UnitCode, insn: Insn, size: number, write: boolean, last: LastPage): void {
  const { code, va, tlb } = unit;
  const power = (size & (size - 1)) === 0 && size <= 8;
  // An aligned address keeps nothing of its offset; one that isn't equals no page.
  code.get(va).i64(power ? -4096 | (size - 1) : -4096);
  code.op(i64.and).get(last.page).op(i64.ne);
  if (!power) {
    code
      .get(va)
      .i64(size - 1)
      .op(i64.add)
      .i64(-4096);
    code.op(i64.and).get(last.page).op(i64.ne, i32.or);
  }
  code.if(undefined, 'unlikely');
  emitLookup(unit, insn, size, write);
  code
    .get(tlb)
    .mem(i32.load, table(write) + 8)
    .set(last.addend);
  code.get(va).i64(-4096).op(i64.and).set(last.page);
  code.end();
  code.get(va).op(i32.wrapI64).get(last.addend).op(i32.add);
}

/**
 * Pushes an address in memory; the access is at the offset from it that is returned. The first access of a group
 * looks for the page of all of them.
 */
function emitHostAddress(unit: UnitCode, insn: Insn): number {
  const { code } = unit;
  const { write, group } = unit.accesses.get(insn)!;
  if (group.first === insn) {
    unit.x(insn.rs1);
    if (group.low !== 0) code.i64(group.low).op(i64.add);
    code.set(unit.va);
    const size = group.high - group.low;
    const last = unit.lastPage(insn.rs1, write);
    if (last === undefined) emitFound(unit, insn, size, write);
    else emitFoundAgain(unit, insn, size, write, last);
    if (group.members > 1) code.tee(unit.hostLocal(group));
  } else {
    code.get(unit.hostLocal(group));
  }
  return insn.imm - group.low;
}

/** An AMO as one atomic access. */
function emitModify(unit: UnitCode, insn: Insn, [on32, on64]: readonly [number, number]): void {
  const { code, va } = unit;
  const wide = ((insn.bits >>> 12) & 7) === 3;
  const size = wide ? 8 : 4;
  unit.prepareRare(insn);
  unit
    .x(insn.rs1)
    .tee(va)
    .op(i32.wrapI64)
    .i32(size - 1)
    .op(i32.and);
  unit.leaveRarelyIf();
  emitFound(unit, insn, size, true);
  unit.x(insn.rs2);
  if (wide) code.atomic(on64, 3);
  else code.op(i32.wrapI64).atomic(on32, 2).op(i64.extendI32S);
  unit.setX(insn.rd);
}

/** LR, SC and the other AMOs work on the register cells; rd's must be right in case nothing is done. */
function emitAtomic(unit: UnitCode, insn: Insn): void {
  const modify = MODIFY[insn.bits >>> 27];
  if (modify !== undefined) {
    emitModify(unit, insn, modify);
    return;
  }
  unit.spillX(insn.rs1);
  unit.spillX(insn.rs2);
  unit.spillX(insn.rd);
  unit.prepareRare(insn);
  unit.code.i32(insn.bits).i32(unit.resumeAfter(insn)).call(HELPER.atomic);
  unit.reloadX(insn.rd);
  unit.leaveRarelyByStatus();
}

/** CSR instructions work on the register cells, as LR and SC do. */
function emitCsr(unit: UnitCode, insn: Insn): void {
  if (csrReadsX(insn)) unit.spillX(insn.rs1);
  unit.spillX(insn.rd);
  unit.prepareRare(insn);
  unit.code.i32(insn.bits).call(HELPER.csr);
  unit.reloadX(insn.rd);
  unit.leaveRarelyByStatus();
}

/** Emits `insn` if it is one of this file's; says whether it was. */
export function emitMemory(unit: UnitCode, insn: Insn): boolean {
  const { code } = unit;
  const { op, rd, rs2 } = insn;
  if (op >= OP.LOAD && op <= OP.LOAD + 6) {
    const offset = emitHostAddress(unit, insn);
    code.mem(LOAD[op - OP.LOAD]!, offset);
    unit.setX(rd);
    return true;
  }
  if (op >= OP.STORE && op <= OP.STORE + 3) {
    const offset = emitHostAddress(unit, insn);
    unit.x(rs2).mem(STORE[op - OP.STORE]!, offset);
    return true;
  }
  switch (op) {
    case OP.FLW:
    case OP.FLD: {
      unit.checkFloat(insn);
      const offset = emitHostAddress(unit, insn);
      if (op === OP.FLD) code.mem(f64.load, offset);
      else emitBox(unit, () => code.mem(i64.load32U, offset));
      unit.setF(rd);
      return true;
    }
    case OP.FSW:
    case OP.FSD: {
      unit.checkFloat(insn);
      const offset = emitHostAddress(unit, insn);
      if (op === OP.FSD) unit.f(rs2).mem(f64.store, offset);
      else unit.f(rs2).op(i64.reinterpretF64).mem(i64.store32, offset);
      return true;
    }
    case OP.ATOMIC:
      emitAtomic(unit, insn);
      return true;
    case OP.CSR:
      emitCsr(unit, insn);
      return true;
    default:
      return false;
  }
}

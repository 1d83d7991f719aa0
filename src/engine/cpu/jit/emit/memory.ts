/** Loads, stores and atomics. */
import { DTLB_WRITE, HART_F, HART_JIT_VALUE } from '../../layout.ts';
import { HELPER, PARAM } from '../abi.ts';
import { I64, i32, i64 } from '../asm/opcodes.ts';
import { type Insn, OP } from '../decode.ts';
import { emitFloatCheck } from './float.ts';
import type { UnitCode } from './unit-code.ts';

/** Loads by funct3. */
const LOAD = [i64.load8S, i64.load16S, i64.load32S, i64.load, i64.load8U, i64.load16U, i64.load32U];
/** Stores by funct3. */
const STORE = [i64.store8, i64.store16, i64.store32, i64.store];

/** Sets `va` to the address accessed, pushing nothing. */
function emitAddress(unit: UnitCode, { rs1, imm }: Insn): void {
  unit.x(rs1);
  if (imm !== 0) unit.code.i64(imm).op(i64.add);
  unit.code.set(unit.va);
}

/**
 * Pushes whether `va`'s page is in the TLB, and sets `tlb` to the entry. An access of several bytes
 * looks for the page of its last byte at its first byte's place, so crossing a page is a miss.
 */
function emitLookup(unit: UnitCode, size: number, write: boolean): void {
  const { code } = unit;
  code.get(unit.va).op(i32.wrapI64).i32(8).op(i32.shrU).i32(0x3ff0).op(i32.and);
  code.get(PARAM.dataTlb).op(i32.add).tee(unit.tlb);
  code.mem(i64.load, write ? DTLB_WRITE : 0);
  code.get(unit.va);
  if (size > 1) code.i64(size - 1).op(i64.add);
  code.i64(-4096).op(i64.and).get(PARAM.dataContext).op(i64.or, i64.eq);
}

/** Pushes the address in memory that belongs to `va`, after a hit. */
function emitHostAddress(unit: UnitCode, write: boolean): void {
  unit.code
    .get(unit.va)
    .op(i32.wrapI64)
    .get(unit.tlb)
    .mem(i32.load, 8 + (write ? DTLB_WRITE : 0))
    .op(i32.add);
}

/** Pushes what is loaded by funct3. */
function emitLoadValue(unit: UnitCode, insn: Insn, funct3: number): void {
  const { code } = unit;
  emitAddress(unit, insn);
  emitLookup(unit, 1 << (funct3 & 3), false);
  code.if(I64);
  emitHostAddress(unit, false);
  code.mem(LOAD[funct3]!);
  code.else();
  unit.prepareRare(insn);
  code.get(unit.va).i32(funct3).call(HELPER.load);
  unit.leaveRarelyIf();
  unit.loadCell(i64.load, HART_JIT_VALUE);
  code.end();
}

/** Stores the value `push` pushes. */
function emitStoreValue(unit: UnitCode, insn: Insn, funct3: number, push: () => void): void {
  const { code } = unit;
  emitAddress(unit, insn);
  emitLookup(unit, 1 << funct3, true);
  code.if();
  emitHostAddress(unit, true);
  push();
  code.mem(STORE[funct3]!);
  code.else();
  unit.prepareRare(insn);
  code.get(unit.va);
  push();
  code
    .i32(1 << funct3)
    .i32(unit.resumeAfter(insn))
    .call(HELPER.store);
  unit.leaveRarelyByStatus();
  code.end();
}

/** LR, SC and AMO work on the register cells; rd's must be current in case nothing is done. */
function emitAtomic(unit: UnitCode, insn: Insn): void {
  unit.spillX(insn.rs1);
  unit.spillX(insn.rs2);
  unit.spillX(insn.rd);
  unit.prepareRare(insn);
  unit.code.i32(insn.bits).i32(unit.resumeAfter(insn)).call(HELPER.atomic);
  unit.reloadX(insn.rd);
  unit.leaveRarelyByStatus();
}

/** Emits `insn` if it is one of this file's; says whether it was. */
export function emitMemory(unit: UnitCode, insn: Insn): boolean {
  const { code } = unit;
  const { op, rd, rs2 } = insn;
  const cell = (register: number): number => unit.hartBase + HART_F + 8 * register;
  if (op >= OP.LOAD && op <= OP.LOAD + 6) {
    emitLoadValue(unit, insn, op - OP.LOAD);
    unit.setX(rd);
    return true;
  }
  if (op >= OP.STORE && op <= OP.STORE + 3) {
    emitStoreValue(unit, insn, op - OP.STORE, () => unit.x(rs2));
    return true;
  }
  switch (op) {
    case OP.FLW:
    case OP.FLD:
      emitFloatCheck(unit, insn);
      code.i32(0);
      emitLoadValue(unit, insn, op === OP.FLW ? 6 : 3);
      // A single is NaN-boxed.
      if (op === OP.FLW) code.i64(-(2 ** 32)).op(i64.or);
      code.mem(i64.store, cell(rd));
      return true;
    case OP.FSW:
    case OP.FSD:
      emitFloatCheck(unit, insn);
      emitStoreValue(unit, insn, op === OP.FSW ? 2 : 3, () => unit.loadCell(i64.load, HART_F + 8 * rs2));
      return true;
    case OP.ATOMIC:
      emitAtomic(unit, insn);
      return true;
    default:
      return false;
  }
}

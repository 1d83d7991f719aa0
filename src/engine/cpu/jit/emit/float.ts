/** Floating point: registers live in their cells, arithmetic is the interpreter's. */
import { HART_MSTATUS } from '../../layout.ts';
import { HELPER } from '../abi.ts';
import { i32 } from '../asm/opcodes.ts';
import { type Insn, OP } from '../decode.ts';
import type { UnitCode } from './unit-code.ts';

const MSTATUS_FS = 0x6000;

/** Leaves at `insn` unless floating point is on and marked dirty; the interpreter sees to either. */
export function emitFloatCheck(unit: UnitCode, insn: Insn): void {
  unit.prepareRare(insn);
  unit.loadCell(i32.load, HART_MSTATUS).i32(MSTATUS_FS).op(i32.and).i32(MSTATUS_FS).op(i32.ne);
  unit.leaveRarelyIf();
}

const OP_FP = 0x53;
const operation = (insn: Insn): number => ((insn.bits & 0x7f) === OP_FP ? insn.bits >>> 27 : -1);

/** FCVT from and FMV from an integer register. */
export const floatReadsX = (insn: Insn): boolean => operation(insn) === 0x1a || operation(insn) === 0x1e;
/** Comparisons, FCVT to and FMV to an integer register, FCLASS. */
export const floatWritesX = (insn: Insn): boolean =>
  operation(insn) === 0x14 || operation(insn) === 0x18 || operation(insn) === 0x1c;

/** Emits `insn` if it is one of this file's; says whether it was. */
export function emitFloat(unit: UnitCode, insn: Insn): boolean {
  if (insn.op !== OP.FLOAT) return false;
  if (floatReadsX(insn)) unit.spillX(insn.rs1);
  unit.prepareRare(insn);
  unit.code.i32(insn.bits).call(HELPER.float);
  unit.leaveRarelyIf();
  if (floatWritesX(insn)) unit.reloadX(insn.rd);
  return true;
}

/**
 * Floating point: registers live in their cells. Arithmetic on doubles is WebAssembly's where that is exact to the
 * flag, under the same conditions as in the interpreter's run loop; everything else is the interpreter's own.
 */
import { HART_F, HART_FFLAGS, HART_MSTATUS } from '../../layout.ts';
import { HELPER } from '../abi.ts';
import { f64, i32, i64 } from '../asm/opcodes.ts';
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

/** FADD.D, FSUB.D, FMUL.D, FDIV.D and FSQRT.D by funct5. */
const DOUBLE: Readonly<Record<number, number>> = {
  0x00: f64.add,
  0x01: f64.sub,
  0x02: f64.mul,
  0x03: f64.div,
  0x0b: f64.sqrt,
};

/** A result below it is neither overflow, nor infinite, nor a NaN; above the other it is no underflow either. */
const LARGEST = 4.49423283715579e307;
const SMALLEST = 1e-307;

/** The operation that `insn` is if it is arithmetic on doubles that rounds to nearest even or as frm says. */
function doubleOperation(insn: Insn): number | undefined {
  const rounding = (insn.bits >>> 12) & 7;
  const isDouble = ((insn.bits >>> 25) & 3) === 1;
  if (!isDouble || (rounding !== 0 && rounding !== 7)) return undefined;
  const found = operation(insn);
  if (found === 0x0b && insn.rs2 !== 0) return undefined;
  return found < 0 ? undefined : DOUBLE[found];
}

const cell = (unit: UnitCode, register: number): number => unit.hartBase + HART_F + 8 * register;

/**
 * WebAssembly's result stands if floating point is on and dirty, frm says nearest even, the inexact flag is raised
 * already, and the result is well inside the range; else the helper starts over.
 */
function emitDouble(unit: UnitCode, insn: Insn, opcode: number): void {
  const { code } = unit;
  const result = unit.double;
  const sum = opcode === f64.add || opcode === f64.sub;
  code.i32(0).mem(f64.load, cell(unit, insn.rs1));
  if (opcode !== f64.sqrt) code.i32(0).mem(f64.load, cell(unit, insn.rs2));
  code.op(opcode).tee(result).op(f64.abs).f64(LARGEST).op(f64.lt);
  if (!sum) code.get(result).op(f64.abs).f64(SMALLEST).op(f64.gt, i32.and);
  // fflags and frm are two u32 side by side.
  unit.loadCell(i64.load, HART_FFLAGS).i64(-0xffff_ffff).op(i64.and).i64(1).op(i64.eq, i32.and);
  unit.loadCell(i32.load, HART_MSTATUS).i32(MSTATUS_FS).op(i32.and).i32(MSTATUS_FS).op(i32.eq, i32.and);
  code.if();
  code.i32(0).get(result).mem(f64.store, cell(unit, insn.rd));
  code.else();
  emitHelper(unit, insn);
  code.end();
}

function emitHelper(unit: UnitCode, insn: Insn): void {
  unit.prepareRare(insn);
  unit.code.i32(insn.bits).call(HELPER.float);
  unit.leaveRarelyIf();
}

/** Emits `insn` if it is one of this file's; says whether it was. */
export function emitFloat(unit: UnitCode, insn: Insn): boolean {
  if (insn.op !== OP.FLOAT) return false;
  const opcode = doubleOperation(insn);
  if (opcode !== undefined) {
    emitDouble(unit, insn, opcode);
    return true;
  }
  if (floatReadsX(insn)) unit.spillX(insn.rs1);
  emitHelper(unit, insn);
  if (floatWritesX(insn)) unit.reloadX(insn.rd);
  return true;
}

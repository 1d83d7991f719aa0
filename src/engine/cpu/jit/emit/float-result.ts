/** Results of floating-point instructions: WebAssembly's under a condition, else the interpreter's. */
import { HART_F, HART_X } from '../../layout.ts';
import { HELPER } from '../abi.ts';
import { F64, f64, I64, i64 } from '../asm/opcodes.ts';
import type { Insn } from '../decode.ts';
import { floatReadsX, floatWritesX, readsF } from '../operands.ts';
import type { UnitCode } from './unit-code.ts';

/** Calls the interpreter's operation, which works on the cells. */
function callHelper(unit: UnitCode, insn: Insn): void {
  unit.spillF(readsF(insn));
  if (floatReadsX(insn)) unit.spillX(insn.rs1);
  unit.prepareRare(insn);
  unit.code.i32(insn.bits).call(HELPER.float);
  unit.leaveRarelyIf();
}

/** Pops a condition: the result in f`rd` is what `native` pushes if it holds, else the helper's. */
export function emitIf(unit: UnitCode, insn: Insn, native: () => void): void {
  unit.code.if(F64, 'likely');
  native();
  unit.code.else();
  callHelper(unit, insn);
  unit.loadCell(f64.load, HART_F + 8 * insn.rd);
  unit.code.end();
  unit.setF(insn.rd);
}

/** The same for a result in x`rd`. */
export function emitIfX(unit: UnitCode, insn: Insn, native: () => void): void {
  unit.code.if(I64, 'likely');
  native();
  unit.code.else();
  callHelper(unit, insn);
  unit.loadCell(i64.load, HART_X + 8 * insn.rd);
  unit.code.end();
  unit.setX(insn.rd);
}

/** The instruction is the interpreter's in any case. */
export function emitHelper(unit: UnitCode, insn: Insn): void {
  callHelper(unit, insn);
  if (floatWritesX(insn)) {
    unit.reloadX(insn.rd);
  } else {
    unit.loadCell(f64.load, HART_F + 8 * insn.rd);
    unit.setF(insn.rd);
  }
}

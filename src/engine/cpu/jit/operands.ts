/** Which registers an instruction reads and writes, as bit sets; x0 is left out. */
import { type Insn, OP } from './decode.ts';

const OP_FP = 0x53;
/** The upper five bits of funct7 of an OP-FP instruction, −1 for a fused multiply-add. */
export const floatOperation = ({ bits }: Insn): number => ((bits & 0x7f) === OP_FP ? bits >>> 27 : -1);

/** FCVT from and FMV from an integer register. */
export const floatReadsX = (insn: Insn): boolean =>
  floatOperation(insn) === 0x1a || floatOperation(insn) === 0x1e;
/** Comparisons, FCVT to and FMV to an integer register, FCLASS. */
export const floatWritesX = (insn: Insn): boolean =>
  floatOperation(insn) === 0x14 || floatOperation(insn) === 0x18 || floatOperation(insn) === 0x1c;
/** Of OP-FP: additions to divisions, sign injections, minimum and maximum, comparisons. */
const readsTwo = (operation: number): boolean => operation <= 0x05 || operation === 0x14;

/** Of the CSR instructions, those with a register as their operand. */
export const csrReadsX = ({ bits }: Insn): boolean => (bits & 0x4000) === 0;

const within = (op: number, first: number, count: number): boolean => op >= first && op < first + count;

const isStore = (op: number): boolean => within(op, OP.STORE, 4) || op === OP.FSW || op === OP.FSD;
const isBranch = (op: number): boolean => within(op, OP.BRANCH, 8);

const bit = (register: number): number => (1 << register) & ~1;

export function readsX(insn: Insn): number {
  const { op, rs1, rs2 } = insn;
  switch (op) {
    case OP.NOP:
    case OP.FENCE:
    case OP.LI:
    case OP.AUIPC:
    case OP.JAL:
      return 0;
    case OP.FLOAT:
      return floatReadsX(insn) ? bit(rs1) : 0;
    case OP.CSR:
      return csrReadsX(insn) ? bit(rs1) : 0;
    default: {
      const two =
        within(op, OP.ADD, OP.REMUW - OP.ADD + 1) ||
        within(op, OP.STORE, 4) ||
        isBranch(op) ||
        op === OP.ATOMIC;
      return bit(rs1) | (two ? bit(rs2) : 0);
    }
  }
}

export function writesX(insn: Insn): number {
  const { op, rd } = insn;
  if (op === OP.FLOAT) return floatWritesX(insn) ? bit(rd) : 0;
  if (op === OP.NOP || op === OP.FENCE || op === OP.FLW || op === OP.FLD) return 0;
  return isStore(op) || isBranch(op) ? 0 : bit(rd);
}

/** The f registers an instruction reads. */
export function readsF(insn: Insn): number {
  const { op, rs1, rs2, bits } = insn;
  if (op === OP.FSW || op === OP.FSD) return 1 << rs2;
  if (op !== OP.FLOAT || floatReadsX(insn)) return 0;
  const operation = floatOperation(insn);
  if (operation < 0) return (1 << rs1) | (1 << rs2) | (1 << (bits >>> 27));
  return readsTwo(operation) ? (1 << rs1) | (1 << rs2) : 1 << rs1;
}

/** The f register an instruction writes. */
export function writesF(insn: Insn): number {
  const { op, rd } = insn;
  if (op === OP.FLW || op === OP.FLD) return 1 << rd;
  return op === OP.FLOAT && !floatWritesX(insn) ? 1 << rd : 0;
}

/** Loads, stores and everything else of the floating-point extensions. */
export const isFloat = ({ op }: Insn): boolean => op === OP.FLOAT || within(op, OP.FLW, 4);

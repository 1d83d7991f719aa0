/** Which integer registers an instruction reads and writes, as bit sets; x0 is left out. */
import { floatReadsX, floatWritesX } from './emit/float.ts';
import { type Insn, OP } from './decode.ts';

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

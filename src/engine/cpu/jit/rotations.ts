/**
 * Rotations, which RV64GC has no instruction for: two shifts of one register in opposite directions, put together.
 * The shifts stay, for who reads their results; where nobody does, the engine drops them.
 */
import { type Insn, OP } from './decode.ts';
import { writesX } from './operands.ts';

export interface Rotation {
  /** The earlier shift: the register's value is the one to rotate there. */
  readonly first: Insn;
  readonly register: number;
  /** To the right. */
  readonly amount: number;
  /** 32 or 64. */
  readonly bits: number;
}

const COMBINES: ReadonlySet<number> = new Set([OP.OR, OP.XOR, OP.ADD]);

const leftBits = (op: number): number => (op === OP.SLLI ? 64 : op === OP.SLLIW ? 32 : 0);
const rightBits = (op: number): number => (op === OP.SRLI ? 64 : op === OP.SRLIW ? 32 : 0);

/** The rotation that two shifts make, if they do. */
function rotationOf(first: Insn, second: Insn): Rotation | undefined {
  const [left, right] = leftBits(first.op) > 0 ? [first, second] : [second, first];
  const bits = leftBits(left.op);
  if (bits === 0 || rightBits(right.op) !== bits || left.rs1 !== right.rs1 || left.rs1 === 0)
    return undefined;
  if (left.imm + right.imm !== bits || left.imm === 0 || right.imm === 0) return undefined;
  return { first, register: left.rs1, amount: right.imm, bits };
}

/** The rotations of a block, by the instruction that puts the shifts together. */
export function findRotations(insns: readonly Insn[]): Map<Insn, Rotation> {
  const found = new Map<Insn, Rotation>();
  /** By register: the number of the instruction that wrote it last, −1 if none of the block did. */
  const written = new Int32Array(32).fill(-1);
  for (const [i, insn] of insns.entries()) {
    if (COMBINES.has(insn.op) && insn.rs1 !== insn.rs2) {
      const [a, b] = [written[insn.rs1]!, written[insn.rs2]!];
      const [first, second] = [insns[Math.min(a, b)], insns[Math.max(a, b)]];
      const rotation = first === undefined ? undefined : rotationOf(first, second!);
      // Both must have shifted the same value.
      if (rotation !== undefined && !writtenBetween(insns, Math.min(a, b), Math.max(a, b), rotation.register))
        found.set(insn, rotation);
    }
    const register = 31 - Math.clz32(writesX(insn));
    if (register > 0) written[register] = i;
  }
  return found;
}

/** Whether a register is written from the instruction numbered `from` on, up to the one before `to`. */
function writtenBetween(insns: readonly Insn[], from: number, to: number, register: number): boolean {
  for (let i = from; i < to; i++) if (((writesX(insns[i]!) >>> register) & 1) !== 0) return true;
  return false;
}

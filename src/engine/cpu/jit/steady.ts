/**
 * Registers that move through memory in steps: what a loop makes by adding, shifting and masking of what it doesn't change.
 * Accesses through them stay in one page for long; a pointer that was loaded may be anywhere.
 */
import { type Insn, OP } from './decode.ts';
import { readsX, writesX } from './operands.ts';

const STEPS: ReadonlySet<number> = new Set([
  OP.LI,
  OP.AUIPC,
  OP.ADDI,
  OP.ADDIW,
  OP.ADD,
  OP.ADDW,
  OP.SUB,
  OP.SUBW,
  OP.SLLI,
  OP.SLLIW,
  OP.SRLI,
  OP.SRLIW,
  OP.SRAI,
  OP.SRAIW,
  OP.ANDI,
]);

/** The registers, as a bit set, that are steady in a loop of these instructions. */
export function steadyRegisters(loop: readonly Insn[]): number {
  const written = loop.filter((insn) => writesX(insn) !== 0);
  let steady = -1;
  for (let before = 0; before !== steady; ) {
    before = steady;
    for (const insn of written)
      if (!STEPS.has(insn.op) || (readsX(insn) & ~steady) !== 0) steady &= ~writesX(insn);
  }
  return steady;
}

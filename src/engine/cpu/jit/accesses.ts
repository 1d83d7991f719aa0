/**
 * Loads and stores of a block that can share one look into the TLB: same base register with the same
 * value in it, close together, and all loads or all stores.
 */
import { type Insn, OP } from './decode.ts';
import { writesX } from './operands.ts';

export interface Access {
  readonly size: number;
  readonly write: boolean;
  readonly group: AccessGroup;
}

export interface AccessGroup {
  /** The access that looks for all. */
  readonly first: Insn;
  /** Bytes accessed, as distances from the base register: from `low` up to `high`. */
  low: number;
  high: number;
  members: number;
}

/** Beyond this distance accesses are too likely to be in different pages. */
const REACH = 256;

/** Size and direction of a load or store, undefined for other instructions. */
function sizeOf({ op }: Insn): { size: number; write: boolean } | undefined {
  if (op >= OP.LOAD && op < OP.LOAD + 7) return { size: 1 << ((op - OP.LOAD) & 3), write: false };
  if (op >= OP.STORE && op < OP.STORE + 4) return { size: 1 << (op - OP.STORE), write: true };
  switch (op) {
    case OP.FLW:
      return { size: 4, write: false };
    case OP.FLD:
      return { size: 8, write: false };
    case OP.FSW:
      return { size: 4, write: true };
    case OP.FSD:
      return { size: 8, write: true };
    default:
      return undefined;
  }
}

/** The accesses of a block, by instruction. */
export function groupAccesses(insns: readonly Insn[]): Map<Insn, Access> {
  const accesses = new Map<Insn, Access>();
  /** Groups that can be joined, by base register and direction. */
  const open: (AccessGroup | undefined)[] = [];
  for (const insn of insns) {
    const access = sizeOf(insn);
    if (access !== undefined) {
      const { size, write } = access;
      const key = 2 * insn.rs1 + (write ? 1 : 0);
      let group = open[key];
      const low = Math.min(insn.imm, group?.low ?? insn.imm);
      const high = Math.max(insn.imm + size, group?.high ?? 0);
      if (group === undefined || high - low > REACH) {
        group = { first: insn, low: insn.imm, high: insn.imm + size, members: 0 };
        open[key] = group;
      } else {
        group.low = low;
        group.high = high;
      }
      group.members++;
      accesses.set(insn, { size, write, group });
    }
    const written = writesX(insn);
    if (written !== 0) {
      const register = 31 - Math.clz32(written);
      open[2 * register] = undefined;
      open[2 * register + 1] = undefined;
    }
  }
  return accesses;
}

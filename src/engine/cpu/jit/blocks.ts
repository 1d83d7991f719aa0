/** Basic blocks of a code page, as far as the interpreter has seen it. */
import { decode, type Insn, OP } from './decode.ts';

export const PAGE_BYTES = 4096;
const HALFWORDS = PAGE_BYTES / 2;

/** A decoded page as the translator reads it. */
export interface CodePage {
  /** The two bytes at an even offset. */
  halfword(offset: number): number;
  /** Whether the interpreter has met an instruction at this offset. */
  decoded(offset: number): boolean;
  /** 32-bit form of a compressed instruction, 0 if it is reserved. */
  expand(halfword: number): number;
}

/** Where control goes: a block of this page, or (block −1) out of the unit at `offset`. */
export interface Target {
  readonly block: number;
  /** Relative to the page; outside 0…4095 in another page. */
  readonly offset: number;
}

export type BlockEnd =
  | { readonly kind: 'goto'; readonly to: Target }
  | { readonly kind: 'branch'; readonly insn: Insn; readonly taken: Target; readonly next: Target }
  /** JALR */
  | { readonly kind: 'indirect'; readonly insn: Insn }
  /** The instruction at `offset` is the interpreter's. */
  | { readonly kind: 'interpret'; readonly offset: number };

export interface Block {
  readonly offset: number;
  /** Executed in order; a branch or jump that ends the block is its last. */
  readonly insns: readonly Insn[];
  readonly end: BlockEnd;
}

export interface PageBlocks {
  readonly blocks: readonly Block[];
  /** Blocks that are entered from outside, by index, ascending. */
  readonly entries: readonly number[];
}

function insnAt(page: CodePage, offset: number): Insn {
  const low = page.halfword(offset);
  if ((low & 3) !== 3) return decode(page.expand(low), offset, 2);
  if (offset === PAGE_BYTES - 2) return decode(0, offset, 4);
  return decode(low | (page.halfword(offset + 2) << 16), offset, 4);
}

const EXPLAINED = 1;
const LEADER = 2;
const ENTRY = 4;

const isBranch = (insn: Insn): boolean => insn.op >= OP.BRANCH && insn.op < OP.BRANCH + 8;
const endsBlock = (insn: Insn): boolean => isBranch(insn) || insn.op === OP.JAL || insn.op === OP.JALR;

/**
 * Splits the decoded part of a page into blocks. Entries are the instructions nothing in the page
 * leads to, those behind calls and behind what is left to the interpreter, and `forced` offsets.
 */
export function findBlocks(page: CodePage, forced: readonly number[]): PageBlocks {
  const insns: (Insn | undefined)[] = [];
  for (let i = 0; i < HALFWORDS; i++) insns.push(page.decoded(2 * i) ? insnAt(page, 2 * i) : undefined);
  const marks = mark(insns);
  for (const offset of forced) if (insns[offset >> 1] !== undefined) marks[offset >> 1]! |= ENTRY;

  const blockAt = new Int32Array(HALFWORDS).fill(-1);
  const starts: number[] = [];
  for (const [i, insn] of insns.entries()) {
    if (insn === undefined) continue;
    if ((marks[i]! & EXPLAINED) === 0) marks[i]! |= ENTRY;
    if ((marks[i]! & (LEADER | ENTRY)) === 0) continue;
    blockAt[i] = starts.push(i) - 1;
  }
  const target = (offset: number): Target => ({
    block: offset >= 0 && offset < PAGE_BYTES ? blockAt[offset >> 1]! : -1,
    offset,
  });
  const blocks = starts.map((start) => blockFrom(insns, start, blockAt, target));
  const entries: number[] = [];
  for (const [index, start] of starts.entries())
    if ((marks[start]! & ENTRY) !== 0 && blocks[index]!.insns.length > 0) entries.push(index);
  return { blocks, entries };
}

function mark(insns: readonly (Insn | undefined)[]): Uint8Array {
  const marks = new Uint8Array(HALFWORDS + 2);
  const at = (offset: number, bits: number): void => {
    if (offset >= 0 && offset < PAGE_BYTES) marks[offset >> 1]! |= bits;
  };
  for (const insn of insns) {
    if (insn === undefined) continue;
    const next = insn.offset + insn.size;
    if (isBranch(insn)) {
      at(insn.offset + insn.imm, EXPLAINED | LEADER);
      at(next, EXPLAINED | LEADER);
    } else if (insn.op === OP.JAL) {
      at(insn.offset + insn.imm, EXPLAINED | LEADER);
      // A called function is called from elsewhere, too.
      if (insn.rd !== 0) {
        at(insn.offset + insn.imm, ENTRY);
        at(next, ENTRY);
      }
    } else if (insn.op === OP.JALR) {
      if (insn.rd !== 0) at(next, ENTRY);
    } else {
      at(next, insn.op === OP.INTERPRET ? ENTRY : EXPLAINED);
    }
  }
  return marks;
}

function blockFrom(
  insns: readonly (Insn | undefined)[],
  start: number,
  blockAt: Int32Array,
  target: (offset: number) => Target,
): Block {
  const body: Insn[] = [];
  const offset = 2 * start;
  for (let at = offset; ; ) {
    const insn = insns[at >> 1];
    if (insn === undefined || (at !== offset && blockAt[at >> 1] !== -1))
      return { offset, insns: body, end: { kind: 'goto', to: target(at) } };
    if (insn.op === OP.INTERPRET) return { offset, insns: body, end: { kind: 'interpret', offset: at } };
    body.push(insn);
    at += insn.size;
    if (!endsBlock(insn)) continue;
    if (insn.op === OP.JALR) return { offset, insns: body, end: { kind: 'indirect', insn } };
    const taken = target(insn.offset + insn.imm);
    if (insn.op === OP.JAL) return { offset, insns: body, end: { kind: 'goto', to: taken } };
    return { offset, insns: body, end: { kind: 'branch', insn, taken, next: target(at) } };
  }
}

/** Basic blocks of a code page, as far as the interpreter has seen it, and the routines they form. */
import { decode, type Insn, mayBeRefused, OP } from './decode.ts';

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
  /** Where execution comes back to after a call or after an instruction of the interpreter's. */
  readonly resume: number | undefined;
  /** Whether it is entered from outside. */
  readonly entered: boolean;
}

/**
 * Blocks that belong together: all that branches, jumps and returns from calls connect. Targets
 * outside of it are no blocks of it.
 */
export interface Routine {
  readonly blocks: readonly Block[];
  /** Indices of the blocks that are entered from outside, ascending. */
  readonly entries: readonly number[];
  readonly instructions: number;
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
const isCall = (insn: Insn): boolean => (insn.op === OP.JAL || insn.op === OP.JALR) && insn.rd !== 0;

/**
 * Splits the decoded part of a page into blocks, in the order of their offsets. Entered are those
 * nothing in the page leads to, functions called in the page, and what comes after calls and after
 * instructions left to the interpreter.
 */
export function findBlocks(page: CodePage): Block[] {
  const insns: (Insn | undefined)[] = Array.from({ length: HALFWORDS });
  for (let i = 0; i < HALFWORDS; i++) insns[i] = page.decoded(2 * i) ? insnAt(page, 2 * i) : undefined;
  const marks = mark(insns);
  const blockAt = new Int32Array(HALFWORDS).fill(-1);
  const starts: number[] = [];
  for (let i = 0; i < HALFWORDS; i++) {
    if (insns[i] === undefined) continue;
    if ((marks[i]! & EXPLAINED) === 0) marks[i]! |= ENTRY;
    if ((marks[i]! & (LEADER | ENTRY)) !== 0) blockAt[i] = starts.push(i) - 1;
  }
  return starts.map((start) => blockFrom(insns, start, blockAt, (marks[start]! & ENTRY) !== 0));
}

function mark(insns: readonly (Insn | undefined)[]): Uint8Array {
  const marks = new Uint8Array(HALFWORDS);
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
      at(insn.offset + insn.imm, isCall(insn) ? EXPLAINED | ENTRY : EXPLAINED | LEADER);
      if (isCall(insn)) at(next, ENTRY);
    } else if (insn.op === OP.JALR) {
      if (isCall(insn)) at(next, ENTRY);
    } else {
      at(next, insn.op === OP.INTERPRET || mayBeRefused(insn) ? ENTRY : EXPLAINED);
    }
  }
  return marks;
}

function blockFrom(
  insns: readonly (Insn | undefined)[],
  start: number,
  blockAt: Int32Array,
  entered: boolean,
): Block {
  const body: Insn[] = [];
  const offset = 2 * start;
  const target = (to: number): Target => ({
    block: to >= 0 && to < PAGE_BYTES ? blockAt[to >> 1]! : -1,
    offset: to,
  });
  const block = (end: BlockEnd, resume?: number): Block => {
    const back = resume === undefined ? -1 : target(resume).block;
    return {
      offset,
      insns: body,
      end,
      resume: back < 0 ? undefined : back,
      // Nothing is gained by entering where the interpreter has to go on at once.
      entered: entered && body.length > 0,
    };
  };
  for (let at = offset; ; ) {
    const insn = insns[at >> 1];
    if (insn === undefined || (at !== offset && blockAt[at >> 1] !== -1))
      return block({ kind: 'goto', to: target(at) });
    const next = at + insn.size;
    if (insn.op === OP.INTERPRET) return block({ kind: 'interpret', offset: at }, next);
    body.push(insn);
    if (insn.op === OP.JALR) return block({ kind: 'indirect', insn }, isCall(insn) ? next : undefined);
    if (insn.op === OP.JAL) {
      // A call leaves the unit: what is called is another routine.
      const to = isCall(insn) ? { block: -1, offset: at + insn.imm } : target(at + insn.imm);
      return block({ kind: 'goto', to }, isCall(insn) ? next : undefined);
    }
    if (isBranch(insn))
      return block({ kind: 'branch', insn, taken: target(at + insn.imm), next: target(next) });
    at = next;
  }
}

/** The blocks of this page that control goes to at the end of a block. */
export function successorsOf({ end }: Block): number[] {
  if (end.kind === 'goto') return end.to.block < 0 ? [] : [end.to.block];
  if (end.kind !== 'branch') return [];
  const { taken, next } = end;
  if (taken.block < 0) return next.block < 0 ? [] : [next.block];
  return next.block < 0 || next.block === taken.block ? [taken.block] : [taken.block, next.block];
}

/** For every block the number of the routine it belongs to. */
export function groupRoutines(blocks: readonly Block[]): Int32Array {
  const parent = Int32Array.from(blocks.keys());
  const find = (block: number): number => {
    let root = block;
    while (parent[root] !== root) root = parent[root] = parent[parent[root]!]!;
    return root;
  };
  for (const [index, block] of blocks.entries()) {
    for (const next of successorsOf(block)) parent[find(next)] = find(index);
    if (block.resume !== undefined) parent[find(block.resume)] = find(index);
  }
  return parent.map((_, block) => find(block));
}

/**
 * Takes the blocks of one routine out of a page's.
 *
 * @param wanted further blocks to enter
 */
export function extractRoutine(
  blocks: readonly Block[],
  groups: Int32Array,
  group: number,
  wanted: ReadonlySet<number>,
): Routine {
  const numbers = new Int32Array(blocks.length).fill(-1);
  let count = 0;
  for (let i = 0; i < blocks.length; i++) if (groups[i] === group) numbers[i] = count++;
  const move = ({ block, offset }: Target): Target => ({ block: block < 0 ? -1 : numbers[block]!, offset });
  const own: Block[] = [];
  const entries: number[] = [];
  let instructions = 0;
  for (const [index, block] of blocks.entries()) {
    if (numbers[index]! < 0) continue;
    let { end } = block;
    if (end.kind === 'goto') end = { kind: 'goto', to: move(end.to) };
    else if (end.kind === 'branch') end = { ...end, taken: move(end.taken), next: move(end.next) };
    const entered = block.entered || (wanted.has(index) && block.insns.length > 0);
    if (entered) entries.push(own.length);
    own.push({ ...block, end, entered });
    instructions += block.insns.length;
  }
  return { blocks: own, entries, instructions };
}

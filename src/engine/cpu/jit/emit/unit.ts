/** A routine as one WebAssembly function. */
import { PAGE_OPS } from '../../layout.ts';
import { PARAM } from '../abi.ts';
import type { Code, Label, Local } from '../asm/code.ts';
import { I32, i32, i64 } from '../asm/opcodes.ts';
import type { Block, Target } from '../blocks.ts';
import { type Insn, OP } from '../decode.ts';
import { type Flow, type Item, type Region, staysInRoutine } from '../flow.ts';
import { groupAccesses } from '../accesses.ts';
import { isFloat, readsF, readsX, writesF, writesX } from '../operands.ts';
import { steadyRegisters } from '../steady.ts';
import { emitFloat } from './float.ts';
import { emitCondition, emitInteger } from './integer.ts';
import { emitMemory } from './memory.ts';
import { type Registers, UnitCode } from './unit-code.ts';

export interface UnitSite {
  readonly hartBase: number;
  /** Address of the decoded page, and the table slot the unit will have. */
  readonly page: number;
  readonly slot: number;
  /** Handler number of ops that are entries. */
  readonly entryHandler: number;
  /** Whether the engine's multiply-add rounds once (asm/fused.ts). */
  readonly fused: boolean;
}

/** How a node is jumped to: a label, and the selector value to set before, if any. */
interface Landing {
  readonly label: Label;
  readonly selector: Selector | undefined;
}

/** What a loop with several heads dispatches on: a local and, per head, its value. */
interface Selector {
  readonly local: Local;
  readonly value: (head: number) => number;
}

/** Nodes to choose among at the beginning of a region, by the value of a local. */
interface Choice {
  readonly local: Local;
  readonly nodes: readonly number[];
}

const NONE: ReadonlySet<number> = new Set();

type LoopItem = Extract<Item, { kind: 'loop' }>;

const headsOf = (item: Item): readonly number[] => (item.kind === 'node' ? [item.node] : item.heads);

const nodesOf = (item: Item): number[] => (item.kind === 'node' ? [item.node] : item.body.flatMap(nodesOf));

export function emitUnit(flow: Flow, site: UnitSite): Code {
  return new UnitEmitter(flow, site).emit();
}

class UnitEmitter {
  readonly #flow: Flow;
  readonly #site: UnitSite;
  readonly #unit: UnitCode;
  readonly #code: Code;
  /** Ways to each node from where the emitter is; the innermost is last. */
  readonly #landings: Landing[][];
  readonly #selectors = new Map<LoopItem, Selector>();
  /** Top of the loop that takes any entry, for indirect jumps within the unit. */
  #dispatch: Label | undefined;

  /** Registers cached in locals at the end of each node. */
  readonly #cachedAfter: Registers[];
  /** Registers that are steady in the innermost loop around each node. */
  readonly #steady: Registers[];
  /** Nodes of the outermost loop the emitter is in. */
  #loopNodes: ReadonlySet<number> | undefined;

  constructor(flow: Flow, site: UnitSite) {
    this.#flow = flow;
    this.#site = site;
    this.#unit = new UnitCode(site.hartBase, site.fused);
    this.#code = this.#unit.code;
    this.#landings = flow.successors.map(() => []);
    this.#cachedAfter = flow.successors.map(() => 0);
    this.#steady = flow.successors.map(() => 0);
  }

  emit(): Code {
    this.#unit.enter(this.#flow.blocks.some(({ insns }) => insns.some(isFloat)));
    const { root } = this.#flow;
    // A loop that takes all entries comes first and chooses itself.
    const choice = this.#isDispatch(root[0]!) ? undefined : { local: PARAM.entry, nodes: this.#stubs() };
    this.#region(root, choice);
    this.#unit.leave();
    return this.#code;
  }

  #stubs(): number[] {
    return this.#flow.entries.map((_, entry) => this.#flow.blocks.length + entry);
  }

  #isDispatch(item: Item): boolean {
    return item.kind === 'loop' && item.heads[0]! >= this.#flow.blocks.length;
  }

  // ── Structure ──

  #region(region: Region, choice: Choice | undefined): void {
    const chosen = new Set(choice?.nodes);
    const labelled = region.map(
      (item, i) => headsOf(item).some((head) => chosen.has(head)) || this.#isJumpedTo(item, region[i - 1]),
    );
    for (let i = region.length - 1; i >= 0; i--)
      if (labelled[i] === true) this.#land(region[i]!, this.#code.block());
    if (choice !== undefined) this.#choose(choice);
    for (const [i, item] of region.entries()) {
      if (labelled[i] === true) {
        this.#code.end();
        this.#unland(item);
      }
      if (item.kind === 'node') this.#node(item.node, region[i + 1]);
      else if (this.#loopNodes === undefined) this.#outermostLoop(item);
      else this.#loop(item);
    }
  }

  /** Whether anything but the node right before an item leads into it, from this region. */
  #isJumpedTo(item: Item, previous: Item | undefined): boolean {
    // The first item of a region is where it begins.
    if (previous === undefined) return false;
    const own = new Set(nodesOf(item));
    const before = previous.kind === 'node' ? previous.node : -1;
    return headsOf(item).some((head) =>
      this.#flow.predecessors[head]!.some((p) => !own.has(p) && p !== before),
    );
  }

  /** Registers that are cached whichever way control comes to one of `nodes` from outside of them. */
  #cachedBefore(nodes: readonly number[], own: ReadonlySet<number>): Registers {
    let cached: Registers = -1;
    for (const node of nodes) {
      if (node >= this.#flow.blocks.length) cached = 0;
      for (const p of this.#flow.predecessors[node]!) if (!own.has(p)) cached &= this.#cachedAfter[p]!;
    }
    return cached;
  }

  #outermostLoop(item: LoopItem): void {
    const own = new Set(nodesOf(item));
    const used = { x: 0, f: 0 };
    const written = { x: 0, f: 0 };
    for (const node of own) {
      for (const insn of this.#flow.blocks[node]?.insns ?? []) {
        written.x |= writesX(insn);
        written.f |= writesF(insn);
        used.x |= readsX(insn) | writesX(insn);
        used.f |= readsF(insn) | writesF(insn);
      }
    }
    this.#unit.cached = this.#cachedBefore(item.heads, own);
    this.#findSteady(item);
    this.#forgetPages(own);
    this.#loopNodes = own;
    this.#unit.loop(used, written, () => this.#loop(item));
    this.#loopNodes = undefined;
    for (const node of own) this.#cachedAfter[node] = this.#unit.cached;
  }

  #findSteady(item: LoopItem): void {
    const nodes = nodesOf(item);
    const steady = steadyRegisters(nodes.flatMap((node) => this.#flow.blocks[node]?.insns ?? []));
    for (const node of nodes) this.#steady[node] = steady;
    for (const inner of item.body) if (inner.kind === 'loop') this.#findSteady(inner);
  }

  /** Before a loop: what its accesses through steady registers remember of their pages. */
  #forgetPages(own: ReadonlySet<number>): void {
    const pages = { reads: 0, writes: 0 };
    for (const node of own) {
      for (const [insn, { write, group }] of groupAccesses(this.#flow.blocks[node]?.insns ?? []))
        if (group.first === insn) pages[write ? 'writes' : 'reads'] |= this.#steady[node]! & (1 << insn.rs1);
    }
    this.#unit.forgetPages(pages.reads, pages.writes);
  }

  #loop(item: LoopItem): void {
    const label = this.#code.loop();
    this.#land(item, label);
    const selector = this.#selectorOf(item);
    if (this.#isDispatch(item)) {
      this.#dispatch = label;
      this.#region(item.body, { local: PARAM.entry, nodes: this.#stubs() });
    } else {
      this.#region(item.body, selector && { local: selector.local, nodes: item.heads });
    }
    this.#unland(item);
    this.#code.end();
  }

  #selectorOf(item: Item): Selector | undefined {
    if (item.kind === 'node' || item.heads.length === 1 || this.#isDispatch(item)) return undefined;
    let selector = this.#selectors.get(item);
    if (selector === undefined) {
      selector = { local: this.#code.local(I32), value: (head) => item.heads.indexOf(head) };
      this.#selectors.set(item, selector);
    }
    return selector;
  }

  #land(item: Item, label: Label): void {
    const selector = this.#selectorOf(item);
    for (const head of headsOf(item)) this.#landings[head]!.push({ label, selector });
  }

  #unland(item: Item): void {
    for (const head of headsOf(item)) this.#landings[head]!.pop();
  }

  #choose({ local, nodes }: Choice): void {
    const landing = (node: number): Landing => this.#landings[node]!.at(-1)!;
    // Some are on a detour: a loop that takes all entries is left for those that don't lead back into it, and an inner
    // loop has to be told which of its heads is meant.
    const outside = nodes.filter((node) => this.#leavesLoop(node) || landing(node).selector !== undefined);
    const detours = new Map(outside.map((node) => [node, this.#code.block()]));
    const labels = nodes.map((node) => detours.get(node) ?? landing(node).label);
    this.#code.get(local).brTable(labels, labels[0]!);
    for (const node of outside.toReversed()) {
      this.#code.end();
      if (this.#leavesLoop(node)) this.#unit.storeLoopWrites();
      this.#setSelector(landing(node).selector, node);
      this.#code.br(landing(node).label);
    }
  }

  #setSelector(selector: Selector | undefined, head: number): void {
    if (selector !== undefined) this.#code.i32(selector.value(head)).set(selector.local);
  }

  // ── Going on ──

  #fallsInto(target: Target, next: Item | undefined): next is Item {
    return next !== undefined && target.block >= 0 && headsOf(next).includes(target.block);
  }

  /** Goes to a target; `next` is what follows in the code. */
  #go(target: Target, next: Item | undefined): void {
    if (this.#fallsInto(target, next)) {
      this.#setSelector(this.#selectorOf(next), target.block);
    } else if (target.block < 0) {
      this.#unit.leaveToOffset(target.offset);
    } else {
      const landing = this.#landings[target.block]!.at(-1)!;
      if (this.#leavesLoop(target.block)) this.#unit.storeLoopWrites();
      this.#setSelector(landing.selector, target.block);
      this.#code.br(landing.label);
    }
  }

  #leavesLoop(node: number): boolean {
    return this.#loopNodes !== undefined && !this.#loopNodes.has(node);
  }

  /** Pops a condition: goes to `taken` if it is not 0, else to `otherwise`. */
  #goIf(taken: Target, otherwise: Target, next: Item | undefined): void {
    if (this.#fallsInto(taken, next)) {
      if (this.#fallsInto(otherwise, next)) {
        this.#code.if();
        this.#go(taken, next);
        this.#code.else();
        this.#go(otherwise, next);
        this.#code.end();
        return;
      }
      this.#code.op(i32.eqz);
      this.#goIf(otherwise, taken, next);
      return;
    }
    const landing = taken.block < 0 ? undefined : this.#landings[taken.block]!.at(-1)!;
    if (landing !== undefined && landing.selector === undefined && !this.#leavesLoop(taken.block)) {
      this.#code.brIf(landing.label);
    } else {
      this.#code.if();
      this.#go(taken, undefined);
      this.#code.end();
    }
    this.#go(otherwise, next);
  }

  // ── Nodes ──

  #node(node: number, next: Item | undefined): void {
    const { blocks, entries } = this.#flow;
    const block = blocks[node];
    if (this.#loopNodes === undefined) this.#unit.cached = this.#cachedBefore([node], NONE);
    if (block === undefined) {
      const entered = entries[node - blocks.length]!;
      const { offset } = blocks[entered]!;
      this.#check(node, offset);
      this.#go({ block: entered, offset }, next);
      return;
    }
    this.#check(node, block.offset);
    this.#block(node, block, next);
  }

  /** Leaves if the budget does not suffice up to the next check. */
  #check(node: number, offset: number): void {
    const { checks, need } = this.#flow;
    if (!checks.has(node) || need[node] === 0) return;
    this.#code.get(PARAM.left).i32(need[node]!).op(i32.ltU).if(undefined, 'unlikely');
    this.#unit.interpretAt(offset);
    this.#code.end();
  }

  #block(node: number, { insns, end }: Block, next: Item | undefined): void {
    const count = insns.length;
    this.#unit.beginBlock(insns, this.#steady[node]!);
    if (count > 0) this.#code.get(PARAM.left).i32(count).op(i32.sub).set(PARAM.left);
    for (const [i, insn] of insns.entries()) {
      this.#unit.undone = count - i;
      this.#insn(insn);
    }
    this.#cachedAfter[node] = this.#unit.cached;
    switch (end.kind) {
      case 'goto':
        this.#go(end.to, next);
        break;
      case 'branch':
        emitCondition(this.#unit, end.insn);
        this.#cachedAfter[node] = this.#unit.cached;
        this.#goIf(end.taken, end.next, next);
        break;
      case 'indirect':
        this.#indirect(end.insn);
        break;
      case 'interpret':
        this.#unit.interpretAt(end.offset);
        break;
    }
  }

  #insn(insn: Insn): void {
    // Branches and JALR are their block's end.
    if (insn.op >= OP.BRANCH && insn.op !== OP.JAL) return;
    if (insn.op === OP.JAL) this.#link(insn);
    else if (!emitInteger(this.#unit, insn) && !emitMemory(this.#unit, insn) && !emitFloat(this.#unit, insn))
      throw new Error(`no code for instruction ${insn.bits.toString(16)}`);
  }

  #link({ rd, offset, size }: Insn): void {
    if (rd === 0) return;
    this.#code
      .get(PARAM.page)
      .i64(offset + size)
      .op(i64.add);
    this.#unit.setX(rd);
  }

  /** JALR: to an entry of this unit if the op there says that it is one, else out. */
  #indirect(insn: Insn): void {
    const { wide: target, status: op } = this.#unit;
    this.#unit.x(insn.rs1);
    if (insn.imm !== 0) this.#code.i64(insn.imm).op(i64.add);
    this.#code.i64(-2).op(i64.and).set(target);
    this.#link(insn);
    if (this.#dispatch !== undefined && staysInRoutine(insn)) {
      const { page, slot, entryHandler } = this.#site;
      const ops = page + PAGE_OPS;
      const opAddress = (): void =>
        void this.#code.get(target).op(i32.wrapI64).i32(0xffe).op(i32.and).i32(2).op(i32.shl);
      this.#code.get(target).get(PARAM.page).op(i64.xor).i64(4096).op(i64.ltU).if();
      opAddress();
      this.#code.mem(i32.load, ops).tee(op).i32(0xffff).op(i32.and).i32(entryHandler).op(i32.eq);
      opAddress();
      this.#code
        .mem(i32.load, ops + 4)
        .i32(slot)
        .op(i32.eq, i32.and)
        .if();
      this.#code.get(op).i32(16).op(i32.shrU).set(PARAM.entry).br(this.#dispatch);
      this.#code.end().end();
    }
    this.#code.get(target);
    this.#unit.leaveTo();
  }
}

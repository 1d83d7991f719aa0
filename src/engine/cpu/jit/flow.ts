/**
 * From a page's blocks to structured control flow.
 *
 * The graph's nodes are the blocks and, behind them, one stub per entry: an empty node that leads to
 * the entry's block, so that entering a loop at its head from outside does not make it a loop with
 * two heads. Strongly connected components become loops, again and again inside each other; a
 * component with several heads dispatches on a selector at its beginning, and is cut where control goes back to one.
 */
import { type Block, type Routine, successorsOf } from './blocks.ts';
import { type Insn, OP } from './decode.ts';

export type Item =
  | { readonly kind: 'node'; readonly node: number }
  | { readonly kind: 'loop'; readonly heads: readonly number[]; readonly body: Region };

/** Items in an order in which control only goes forward between them. */
export type Region = readonly Item[];

export interface Flow {
  readonly blocks: readonly Block[];
  /** Block of each entry; entry e's stub is node blocks.length + e. */
  readonly entries: readonly number[];
  readonly successors: readonly (readonly number[])[];
  readonly predecessors: readonly (readonly number[])[];
  readonly root: Region;
  /** Nodes where the budget is checked: heads of loops, and stubs that don't lead to one. */
  readonly checks: ReadonlySet<number>;
  /** For every node, the most instructions executed from it up to the next check or exit. */
  readonly need: readonly number[];
}

function invert(successors: readonly (readonly number[])[]): number[][] {
  const predecessors: number[][] = successors.map(() => []);
  for (const [from, all] of successors.entries()) for (const to of all) predecessors[to]!.push(from);
  return predecessors;
}

/**
 * Strongly connected components of the subgraph of `nodes` without the edges into `cut` nodes, in
 * topological order (Tarjan's algorithm).
 */
function components(
  nodes: readonly number[],
  successors: readonly (readonly number[])[],
  cut: ReadonlySet<number>,
): number[][] {
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const inside = new Set(nodes);
  const open = new Set<number>();
  const stack: number[] = [];
  const found: number[][] = [];
  const visit = (node: number): void => {
    const own = index.size;
    index.set(node, own);
    let least = own;
    stack.push(node);
    open.add(node);
    for (const next of successors[node]!) {
      if (!inside.has(next) || cut.has(next)) continue;
      if (!index.has(next)) {
        visit(next);
        least = Math.min(least, low.get(next)!);
      } else if (open.has(next)) {
        least = Math.min(least, index.get(next)!);
      }
    }
    low.set(node, least);
    if (least !== own) return;
    const component = stack.splice(stack.lastIndexOf(node));
    for (const member of component) open.delete(member);
    found.push(component.toSorted((a, b) => a - b));
  };
  for (const node of nodes) if (!index.has(node)) visit(node);
  return found.toReversed();
}

const loopsToItself = (node: number, successors: readonly (readonly number[])[]): boolean =>
  successors[node]!.includes(node);

/** Blocks at which outermost loops begin, so that a loop that runs already can be entered. */
export function outermostLoopHeads(blocks: readonly Block[]): number[] {
  const successors = blocks.map(successorsOf);
  const predecessors = invert(successors);
  const heads: number[] = [];
  for (const component of components([...blocks.keys()], successors, new Set())) {
    const first = component[0]!;
    if (component.length === 1 && !loopsToItself(first, successors)) continue;
    const members = new Set(component);
    heads.push(component.find((node) => predecessors[node]!.some((p) => !members.has(p))) ?? first);
  }
  return heads;
}

function reachable(from: readonly number[], successors: readonly (readonly number[])[]): number[] {
  const seen = new Set(from);
  for (const node of seen) for (const next of successors[node]!) seen.add(next);
  return [...seen];
}

class Structurer {
  readonly #successors: readonly (readonly number[])[];
  readonly #predecessors: readonly (readonly number[])[];
  readonly #reached: ReadonlySet<number>;
  /** Nodes from this number on are stubs. */
  readonly #blocks: number;
  /** Heads that all loops entered so far go back to: inside a loop the edges to its heads are its back edges. */
  readonly heads = new Set<number>();

  constructor(
    successors: readonly (readonly number[])[],
    predecessors: readonly (readonly number[])[],
    reached: ReadonlySet<number>,
    blocks: number,
  ) {
    this.#blocks = blocks;
    this.#successors = successors;
    this.#predecessors = predecessors;
    this.#reached = reached;
  }

  /**
   * The heads of a loop to which control goes back: the one without whose back edges least is left of it. To the others
   * it comes from outside, or forward from within the loop, as into the middle of a copying loop that is unrolled,
   * or they are in inner loops: none of them needs a dispatch between iterations of this one.
   */
  #backHeads(component: readonly number[], heads: readonly number[]): readonly number[] {
    // Stubs are where indirect jumps go back to.
    if (heads.length === 1 || heads.length > MOST_HEADS || heads.some((head) => head >= this.#blocks))
      return heads;
    const left = heads.map((head) =>
      components(component, this.#successors, new Set([...this.heads, head]))
        .filter((inner) => inner.length > 1)
        .reduce((sum, inner) => sum + inner.length, 0),
    );
    return [heads[left.indexOf(Math.min(...left))]!];
  }

  /** `roots` are entered from outside the graph. */
  region(nodes: readonly number[], roots: ReadonlySet<number>): Region {
    return components(nodes, this.#successors, new Set(this.heads)).map((component) => {
      const only = component[0]!;
      if (component.length === 1 && (this.heads.has(only) || !loopsToItself(only, this.#successors)))
        return { kind: 'node', node: only };
      const members = new Set(component);
      const entered = (node: number): boolean =>
        roots.has(node) || this.#predecessors[node]!.some((p) => this.#reached.has(p) && !members.has(p));
      const heads = component.filter(entered);
      for (const head of this.#backHeads(component, heads)) this.heads.add(head);
      return { kind: 'loop', heads, body: this.region(component, new Set()) };
    });
  }
}

/** More heads than this are not told apart. */
const MOST_HEADS = 16;

/** The register calls leave return addresses in. */
const RA = 1;

/** Whether an indirect jump is likely to stay in its routine: by a jump table. */
export const staysInRoutine = ({ op, rd, rs1 }: Insn): boolean => op === OP.JALR && rd === 0 && rs1 !== RA;

export function analyseFlow({ blocks, entries }: Routine): Flow {
  const stub = (entry: number): number => blocks.length + entry;
  const stubs = entries.map((_, entry) => stub(entry));
  const successors = blocks.map(successorsOf);
  for (const [index, { end }] of blocks.entries())
    if (end.kind === 'indirect' && staysInRoutine(end.insn)) successors[index]!.push(...stubs);
  for (const block of entries) successors.push([block]);
  const predecessors = invert(successors);
  const reached = reachable(stubs, successors);
  const structurer = new Structurer(successors, predecessors, new Set(reached), blocks.length);
  const root = structurer.region(reached, new Set(stubs));
  const checks = new Set(structurer.heads);
  for (const [entry, block] of entries.entries()) {
    if (checks.has(block)) checks.delete(stub(entry));
    else checks.add(stub(entry));
  }
  const need = needs(blocks, successors, checks, reached);
  return { blocks, entries, successors, predecessors, root, checks, need };
}

function needs(
  blocks: readonly Block[],
  successors: readonly (readonly number[])[],
  checks: ReadonlySet<number>,
  reached: readonly number[],
): number[] {
  const need: number[] = Array.from({ length: successors.length }, () => -1);
  const visit = (node: number): number => {
    if (need[node]! >= 0) return need[node]!;
    let most = 0;
    for (const next of successors[node]!) if (!checks.has(next)) most = Math.max(most, visit(next));
    need[node] = most + (blocks[node]?.insns.length ?? 0);
    return need[node];
  };
  for (const node of reached) visit(node);
  return need;
}

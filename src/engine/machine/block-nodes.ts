import { assert } from '../base/assert.ts';
import { type Result, ok, userError } from '../base/result.ts';
import { BLK_OK, blockResultName } from '../block/block-backend.ts';
import { FORWARD_BYTES } from '../block/forward-layout.ts';
import type { BlockSpec } from '../qom/machine-ops.ts';
import { allocateArena, type BlockPlan } from './block-open.ts';
import type { ContextCore } from './context-core.ts';
import type { ContextDirectory, ContextEntry } from './context-directory.ts';
import { MAX_WAYS } from './notifier-table.ts';
import type { BlockAccess, BlockOpened, QueueStart } from './queue-plan.ts';

/** Where a node is open, and along which ways other contexts reach it. */
export interface Residence {
  readonly owner: ContextEntry;
  readonly ways: ReadonlyMap<ContextEntry, number>;
}

/** One block node: its plan and its residence. */
export interface BlockNode {
  plan: BlockPlan;
  residence: Residence;
  medium: BlockOpened;
  ioStatus: 'ok' | 'failed' | 'nospace';
  /** Nobody could open it when it was moved last. */
  lost: boolean;
}

/** How a node is named to its user. */
export const blockName = (spec: BlockSpec): string =>
  `${spec.origin === 'drive' ? '-drive' : '-blockdev'} ${spec.id}`;

export function blockFilename(spec: BlockSpec): string {
  const { protocol } = spec;
  return protocol.driver === 'file' ? protocol.filename : `${protocol.driver}://`;
}

/** What a hand-over does besides the node itself: lets the queues of a context go, and starts them. */
export interface HandOver {
  /** Detaches the queues a context serves and closes the node there; remembers their stopped requests. */
  release(context: ContextEntry): Promise<void>;
  /** What the context serves afterwards. */
  starts(context: ContextEntry): readonly QueueStart[];
}

/**
 * The machine's block nodes. A node's file is open in exactly one thread, its owner; queues in other contexts
 * send their requests to it. Moving a node is closing it there and opening it here. Main context only.
 */
export class BlockNodes {
  readonly #core: ContextCore;
  readonly #contexts: ContextDirectory;
  readonly #nodes = new Map<string, BlockNode>();

  constructor(core: ContextCore, contexts: ContextDirectory) {
    this.#core = core;
    this.#contexts = contexts;
  }

  get(id: string): BlockNode | undefined {
    return this.#nodes.get(id);
  }
  all(): readonly BlockNode[] {
    return [...this.#nodes.values()];
  }

  /** Opens a node for the first time, in the main context: its device moves it to its own. */
  async add(spec: BlockSpec): Promise<Result<BlockNode>> {
    const owner = this.#contexts.get('main');
    assert(owner !== undefined, 'there is a main context');
    const open = (plan: BlockPlan): Promise<BlockOpened> =>
      owner.service.openBlock({ kind: 'own', plan, serve: [] });
    let plan: BlockPlan = { spec, arena: allocateArena(spec, undefined) };
    let medium = await open(plan);
    if (medium.result === BLK_OK && spec.snapshot && plan.arena === undefined) {
      // Only now is the size known that the overlay must have.
      await owner.service.closeBlock(spec.id, false);
      plan = { spec, arena: allocateArena(spec, medium.bytes) };
      medium = await open(plan);
    }
    if (medium.result !== BLK_OK) return userError(refusal(spec, medium));
    const node: BlockNode = {
      plan,
      residence: { owner, ways: new Map() },
      medium,
      ioStatus: 'ok',
      lost: false,
    };
    this.#nodes.set(spec.id, node);
    return ok(node);
  }

  /** A node that is open in a context, or reached from it. */
  residentIn(contextId: string): BlockNode | undefined {
    return this.all().find(({ residence: { owner, ways } }) =>
      [owner, ...ways.keys()].some(({ id }) => id === contextId),
    );
  }

  /** Its device is gone: the node goes back to the main context, as before its first device. */
  async bringHome(node: BlockNode): Promise<Result<void>> {
    const home = this.#contexts.get('main');
    assert(home !== undefined, 'there is a main context');
    const { owner, ways } = node.residence;
    if (owner === home && ways.size === 0) return ok(undefined);
    return this.rehouse(
      node,
      { owner: home, ways: new Map() },
      {
        release: async (context) => void (await context.service.closeBlock(node.plan.spec.id, false)),
        starts: () => [],
      },
    );
  }

  /** Where a node has to live so that queues in these contexts reach it; the owner stays if it is one of them. */
  residenceFor(node: BlockNode, placement: readonly ContextEntry[]): Result<Residence> {
    const contexts = [...new Set(placement)];
    const { owner: present } = node.residence;
    const owner = contexts.includes(present) ? present : contexts[0];
    assert(owner !== undefined, 'a device has at least one queue');
    const taken = new Set(
      this.all().flatMap((each) => (each === node ? [] : [...each.residence.ways.values()])),
    );
    const ways = new Map<ContextEntry, number>();
    for (const context of contexts) {
      if (context === owner) continue;
      const way = Array.from({ length: MAX_WAYS }, (_, i) => i).find((i) => !taken.has(i));
      if (way === undefined)
        return userError(`at most ${MAX_WAYS} contexts can use disks another context owns`);
      taken.add(way);
      ways.set(context, way);
    }
    return ok({ owner, ways });
  }

  /**
   * Brings a node from one residence to another, and the queues that use it along. On failure the node is back
   * where it was, or, if it can't be opened there either, something that answers with EIO; its queues are detached.
   */
  async rehouse(node: BlockNode, to: Residence, handOver: HandOver): Promise<Result<void>> {
    const from = node.residence;
    const { id } = node.plan.spec;
    await Promise.all([...from.ways.keys()].map((context) => handOver.release(context)));
    await handOver.release(from.owner);
    const opened = await this.#house(node, to, handOver);
    if (opened.result === BLK_OK) {
      node.residence = to;
      node.medium = opened;
      if (node.lost) node.ioStatus = 'ok';
      node.lost = false;
      return ok(undefined);
    }
    const noQueues: HandOver = { release: async () => {}, starts: () => [] };
    const back = await this.#house(node, from, noQueues);
    if (back.result === BLK_OK) {
      return userError(refusal(node.plan.spec, opened), {
        hint: `'${id}' stays with context ${from.owner.id}.`,
      });
    }
    node.ioStatus = 'failed';
    node.lost = true;
    await this.#house(node, from, noQueues, node.medium);
    return userError(
      `${refusal(node.plan.spec, opened)}; nor can ${from.owner.id} open it again: its requests fail until it is moved once more`,
    );
  }

  /** @param lost what the node was, if nobody can open it */
  async #house(
    node: BlockNode,
    { owner, ways }: Residence,
    { starts }: HandOver,
    lost?: BlockOpened,
  ): Promise<BlockOpened> {
    const { mem, layout } = this.#core;
    for (const way of ways.values()) mem.bytes(layout.ways[way] as number, FORWARD_BYTES).fill(0);
    const serve = [...ways.values()];
    const own: BlockAccess =
      lost === undefined
        ? { kind: 'own', plan: node.plan, serve }
        : { kind: 'lost', id: node.plan.spec.id, was: lost, serve };
    const opened = await owner.service.takeOver(own, starts(owner));
    if (opened.result !== BLK_OK) return opened;
    const { id } = node.plan.spec;
    await Promise.all(
      [...ways].map(([context, way]) => context.service.takeOver({ kind: 'way', id, way }, starts(context))),
    );
    return opened;
  }

  /** Changes what a node is, such as its limits, from its next opening on. */
  replan(node: BlockNode, change: Partial<BlockSpec>): void {
    node.plan = { ...node.plan, spec: { ...node.plan.spec, ...change } };
  }

  async delete(id: string): Promise<void> {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    this.#nodes.delete(id);
    for (const context of node.residence.ways.keys()) await context.service.closeBlock(id, true);
    await node.residence.owner.service.closeBlock(id, true);
  }

  async resize(id: string, bytes: number): Promise<Result<void>> {
    const node = this.#nodes.get(id);
    if (node === undefined) return userError(`there is no block node '${id}'`);
    const result = await node.residence.owner.service.resizeBlock(id, bytes);
    if (result !== BLK_OK) {
      return userError(`resizing ${blockName(node.plan.spec)} failed with ${blockResultName(result)}`);
    }
    node.medium = { ...node.medium, bytes };
    return ok(undefined);
  }
}

function refusal(spec: BlockSpec, opened: BlockOpened): string {
  const why = opened.detail ?? blockResultName(opened.result);
  // Who asked for it stands before this: the option, or the command.
  return `cannot open ${blockFilename(spec)}: ${why}`;
}

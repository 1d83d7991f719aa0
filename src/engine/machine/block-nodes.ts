import { assert } from '../base/assert.ts';
import { type Result, ok, userError } from '../base/result.ts';
import { BLK_OK, blockResultName } from '../block/block-backend.ts';
import type { BlockSpec } from '../qom/machine-ops.ts';
import { allocateArena, type BlockPlan } from './block-open.ts';
import type { ContextDirectory, ContextEntry } from './context-directory.ts';
import type { BlockOpened } from './queue-plan.ts';

/** One block node: its plan, and the context whose thread has it open. */
export interface BlockNode {
  readonly plan: BlockPlan;
  owner: ContextEntry;
  medium: BlockOpened;
  ioStatus: 'ok' | 'failed' | 'nospace';
}

/** How a node is named to its user. */
export const blockName = (spec: BlockSpec): string =>
  `${spec.origin === 'drive' ? '-drive' : '-blockdev'} ${spec.id}`;

const filenameOf = (spec: BlockSpec): string => {
  const { protocol } = spec;
  return protocol.driver === 'file' ? protocol.filename : `${protocol.driver}://`;
};

/**
 * The machine's block nodes. A node is open in exactly one thread, the context whose queue uses it; moving
 * it is closing it there and opening it here. Main context only.
 */
export class BlockNodes {
  readonly #contexts: ContextDirectory;
  readonly #nodes = new Map<string, BlockNode>();

  constructor(contexts: ContextDirectory) {
    this.#contexts = contexts;
  }

  get(id: string): BlockNode | undefined {
    return this.#nodes.get(id);
  }
  all(): readonly BlockNode[] {
    return [...this.#nodes.values()];
  }
  filename(node: BlockNode): string {
    return filenameOf(node.plan.spec);
  }

  /** Opens a node for the first time, in the main context: its device moves it to its own. */
  async add(spec: BlockSpec): Promise<Result<BlockNode>> {
    const owner = this.#contexts.get('main');
    assert(owner !== undefined, 'there is a main context');
    let plan: BlockPlan = { spec, arena: allocateArena(spec, undefined) };
    let medium = await owner.service.openBlock(plan);
    if (medium.result !== BLK_OK) return this.#refusal(spec, medium);
    if (spec.snapshot && plan.arena === undefined) {
      // Only now is the size known that the overlay must have.
      await owner.service.closeBlock(spec.id);
      plan = { spec, arena: allocateArena(spec, medium.bytes) };
      medium = await owner.service.openBlock(plan);
      if (medium.result !== BLK_OK) return this.#refusal(spec, medium);
    }
    const node: BlockNode = { plan, owner, medium, ioStatus: 'ok' };
    this.#nodes.set(spec.id, node);
    return ok(node);
  }

  /** Brings a node to another context's thread. Refused: it is where it was. */
  async moveTo(node: BlockNode, target: ContextEntry): Promise<Result<void>> {
    if (node.owner === target) return ok(undefined);
    const { spec } = node.plan;
    const from = node.owner;
    const closed = await from.service.closeBlock(spec.id);
    const medium = await target.service.openBlock(node.plan);
    if (medium.result === BLK_OK) {
      node.owner = target;
      node.medium = medium;
      if (closed === BLK_OK) return ok(undefined);
      return userError(
        `${blockName(spec)}: flushing it before the move failed with ${blockResultName(closed)}`,
      );
    }
    const back = await from.service.openBlock(node.plan);
    if (back.result !== BLK_OK) node.ioStatus = 'failed';
    return this.#refusal(spec, medium);
  }

  async delete(id: string): Promise<void> {
    const node = this.#nodes.get(id);
    if (node === undefined) return;
    this.#nodes.delete(id);
    await node.owner.service.closeBlock(id);
  }

  async resize(id: string, bytes: number): Promise<Result<void>> {
    const node = this.#nodes.get(id);
    if (node === undefined) return userError(`there is no block node '${id}'`);
    const result = await node.owner.service.resizeBlock(id, bytes);
    if (result !== BLK_OK)
      return userError(`resizing ${blockName(node.plan.spec)} failed with ${blockResultName(result)}`);
    node.medium = { ...node.medium, bytes };
    return ok(undefined);
  }

  #refusal(spec: BlockSpec, opened: BlockOpened): Result<never> {
    const why = opened.detail ?? blockResultName(opened.result);
    return userError(`${blockName(spec)}: cannot open ${filenameOf(spec)}: ${why}`);
  }
}

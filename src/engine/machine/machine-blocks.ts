import { type Result, ok, userError } from '../base/result.ts';
import type { BlockSpec, BlockStatus } from '../qom/machine-ops.ts';
import type { ThrottleLimits } from '../qom/options/config.ts';
import { blockFilename, type BlockNode, type BlockNodes } from './block-nodes.ts';
import { blockStats } from './block-stats.ts';
import type { ContextCore } from './context-core.ts';
import type { VirtioBoard } from './virtio-board.ts';

/** Block nodes with the devices that use them, as the monitor operates them. Main context. */
export class MachineBlocks {
  readonly #core: ContextCore;
  readonly #blocks: BlockNodes;
  readonly #board: VirtioBoard;

  constructor(core: ContextCore, blocks: BlockNodes, board: VirtioBoard) {
    this.#core = core;
    this.#blocks = blocks;
    this.#board = board;
  }

  async add(spec: BlockSpec): Promise<Result<BlockStatus>> {
    const node = await this.#blocks.add(spec);
    return node.ok ? ok(this.#status(node.value)) : node;
  }

  async delete(id: string): Promise<Result<void>> {
    await this.#blocks.delete(id);
    return ok(undefined);
  }

  async resize(id: string, bytes: number): Promise<Result<void>> {
    const [blocks, board] = [this.#blocks, this.#board];
    const resized = await blocks.resize(id, bytes);
    if (resized.ok)
      for (const device of board.all())
        if (device.block === blocks.get(id)) board.capacityChanged(device, bytes);
    return resized;
  }

  async setThrottle(id: string, limits: ThrottleLimits, group: string | undefined): Promise<Result<void>> {
    const [blocks, board] = [this.#blocks, this.#board];
    const node = blocks.get(id);
    if (node === undefined) return userError(`there is no block node '${id}'`);
    const device = board.all().find(({ block }) => block === node);
    const may = device === undefined ? ok(undefined) : board.mayDrain(device);
    if (!may.ok) return may;
    const before = node.plan.spec;
    blocks.replan(node, { throttling: limits, throttlingGroup: group });
    if (device === undefined) return ok(undefined);
    const reopened = await board.reopen(device);
    if (!reopened.ok) blocks.replan(node, before);
    return reopened;
  }

  all(): readonly BlockStatus[] {
    return this.#blocks.all().map((node) => this.#status(node));
  }

  #status(node: BlockNode): BlockStatus {
    const [core, board] = [this.#core, this.#board];
    const device = board.all().find(({ block }) => block === node);
    const slotAddr = device === undefined ? undefined : core.layout.virtioSlots[device.slot];
    return {
      id: node.plan.spec.id,
      bytes: node.medium.bytes,
      readOnly: node.medium.readOnly,
      filename: blockFilename(node.plan.spec),
      ioStatus: node.ioStatus,
      stats: blockStats(core.mem, slotAddr, device),
    };
  }
}

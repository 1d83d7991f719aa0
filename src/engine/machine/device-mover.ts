import { type Result, ok, userError } from '../base/result.ts';
import { DeviceMove, type MoveFailure, type MoveResult } from '../virtio/device-move.ts';
import type { MoveOutcome } from '../virtio/drain.ts';
import type { MoveReport } from '../vm.ts';
import type { BlockNode, BlockNodes, Residence } from './block-nodes.ts';
import {
  type BoardDevice,
  contextOf,
  involvedContexts,
  type DeviceAtRest,
  publishPlacement,
  queuePlan,
} from './board-device.ts';
import type { ContextCore } from './context-core.ts';
import type { ContextDirectory, ContextEntry } from './context-directory.ts';
import type { Holds } from './holds.ts';
import type { QueueCargo, QueueStart, Released } from './queue-plan.ts';

/**
 * Takes devices from context to context while the guest runs, by the drain protocol (virtio/SPEC.md), and
 * brings them to rest for a snapshot. Main context only.
 */
export class DeviceMover {
  readonly #core: ContextCore;
  readonly #contexts: ContextDirectory;
  readonly #holds: Holds;
  readonly #blocks: BlockNodes;
  readonly #changed: () => void;

  /** @param changed told when a move begins or ends */
  constructor(
    core: ContextCore,
    contexts: ContextDirectory,
    holds: Holds,
    blocks: BlockNodes,
    changed: () => void,
  ) {
    this.#core = core;
    this.#contexts = contexts;
    this.#holds = holds;
    this.#blocks = blocks;
    this.#changed = changed;
  }

  /**
   * Moves a device, or one of its queues, to another context while the guest runs: its queues are drained
   * (what the guest adds meanwhile waits in its rings), the disk changes hands, the queues are served there.
   * Refused: everything is as before.
   */
  async move(device: BoardDevice, queue: number | undefined, contextId: string): Promise<Result<MoveReport>> {
    const path = device.spec.qomPath;
    const target = this.#contexts.get(contextId);
    if (target === undefined) return userError(`there is no context '${contextId}'`);
    if (queue !== undefined && queue >= device.model.queues.length) {
      return userError(`${path} has no queue ${queue}`, {
        hint: `Its queues are 0 to ${device.model.queues.length - 1}.`,
      });
    }
    if (queue !== undefined && (device.bus !== undefined || device.link !== undefined)) {
      return userError(
        `queue ${queue} of ${path} stays: a device's receive and transmit queues are served by one context`,
        {
          hint: `Move the whole device: qom-set ${path} context ${contextId}`,
        },
      );
    }
    return new Promise((resolve) => {
      device.virtio.exclusive((release) => {
        this.#core.spawn(async () => {
          const moved = await this.#move(device, queue, target);
          release();
          resolve(moved);
        });
      });
    });
  }

  /** Can its requests finish, or is a context held that has some? */
  mayDrain(device: BoardDevice): Result<void> {
    return this.#holds.refusal(`${device.spec.qomPath} stays as it is`, involvedContexts(device));
  }

  /** Drains a device, closes and opens its disk where it is, and goes on: for a change of what the disk is. */
  reopen(device: BoardDevice): Promise<Result<void>> {
    return new Promise((resolve) => {
      device.virtio.exclusive((release) => {
        this.#core.spawn(async () => {
          const here = device.placement.slice();
          const result = await this.#holds.needing('move', involvedContexts(device), () =>
            this.#carryOut(device, here, here, device.block?.residence),
          );
          release();
          resolve(result.outcome.kind === 'moved' ? ok(undefined) : userError(result.outcome.reason));
        });
      });
    });
  }

  async #move(
    device: BoardDevice,
    queue: number | undefined,
    target: ContextEntry,
  ): Promise<Result<MoveReport>> {
    const from = device.placement.slice();
    const to = from.map((context, index) => (queue === undefined || queue === index ? target : context));
    const report = (inFlight: number, downtimeNs: number): MoveReport => ({
      device: device.spec.qomPath,
      queue,
      from: contextOf(device, queue ?? 0).id,
      to: target.id,
      inFlight,
      downtimeNs,
    });
    const moved = report(0, 0);
    if (to.every((context, index) => context === from[index])) return ok(moved);
    const may = this.mayDrain(device);
    if (!may.ok) return may;
    const residence = device.block === undefined ? undefined : this.#blocks.residenceFor(device.block, to);
    if (residence?.ok === false) return residence;
    device.moving = true;
    this.#changed();
    const result = await this.#holds.needing('move', involvedContexts(device), async () => {
      // What can be done while the guest still uses the disk is done before the drain.
      const { block } = device;
      if (block !== undefined && residence !== undefined && residence.value.owner !== block.residence.owner)
        await residence.value.owner.service.prepareBlock(block.plan);
      return this.#carryOut(device, from, to, residence?.value);
    });
    device.moving = false;
    this.#changed();
    if (result.outcome.kind === 'refused') {
      return userError(`${device.spec.qomPath} stays where it is: ${result.outcome.reason}`);
    }
    return ok({ ...moved, inFlight: result.inFlight, downtimeNs: result.downtimeNs });
  }

  /** The drain protocol (virtio/SPEC.md), with messages for hands. */
  #carryOut(
    device: BoardDevice,
    from: readonly ContextEntry[],
    to: readonly ContextEntry[],
    residence: Residence | undefined,
  ): Promise<MoveResult> {
    const { core, slot, block } = { core: this.#core, slot: device.slot, block: device.block };
    const serving = device.model.queues
      .map((_, queue) => queue)
      .filter((queue) => device.virtio.isServing(queue));
    const at = (placement: readonly ContextEntry[], queue: number): ContextEntry =>
      (placement[queue] ?? placement[0]) as ContextEntry;
    const cargo = new Map<number, QueueCargo>();
    const served = new Set<number>();
    const settle = (placement: readonly ContextEntry[]): void => {
      device.placement.splice(0, device.placement.length, ...placement);
      publishPlacement(core.mem, core.layout, device);
    };
    const starts = (placement: readonly ContextEntry[], context: ContextEntry): QueueStart[] =>
      serving
        .filter((queue) => at(placement, queue) === context)
        .map((queue) => ({ plan: queuePlan(device, queue, context), cargo: cargo.get(queue) ?? {} }));
    const queuesIn = (context: ContextEntry): readonly number[] =>
      serving.filter((queue) => at(from, queue) === context);
    /** With one context nobody else's drain is waited for: it lets go of everything in the message that drains. */
    const alone =
      block !== undefined &&
      new Set(serving.map((queue) => at(from, queue))).size === 1 &&
      block.residence.ways.size === 0;
    const surrendered = new Map<ContextEntry, Promise<Released>>();
    const surrender = (context: ContextEntry, node: BlockNode): Promise<Released> => {
      const under =
        surrendered.get(context) ?? context.service.release(slot, queuesIn(context), node.plan.spec.id);
      surrendered.set(context, under);
      return under;
    };
    const drain = async (queue: number, context: ContextEntry): Promise<number> => {
      if (!alone) return context.service.drainQueue(slot, queue);
      const { inFlight } = await surrender(context, block);
      // Told once, by the first of the queues.
      return queue === serving[0] ? inFlight : 0;
    };
    const release = async (context: ContextEntry): Promise<void> => {
      const queues = queuesIn(context);
      const lists =
        block === undefined
          ? await context.service.detachQueues(slot, queues)
          : (await surrender(context, block)).cargo;
      // One queue brought the network along; whichever starts first needs it.
      const network = lists.find((each) => each.network !== undefined);
      for (const [i, queue] of queues.entries()) cargo.set(queue, { ...network, ...lists[i] });
    };
    const handOver = async (): Promise<MoveFailure | undefined> => {
      if (block === undefined || residence === undefined) {
        await Promise.all([...new Set(from)].map(release));
        settle(to);
        return undefined;
      }
      const housed = await this.#blocks.rehouse(block, residence, {
        release,
        starts: (context) => starts(to, context),
      });
      if (!housed.ok) return { party: block.plan.spec.id, reason: housed.error.desc };
      for (const queue of serving) served.add(queue);
      settle(to);
      return undefined;
    };
    const attach = async (queue: number, index: number): Promise<void> => {
      // A disk's queues were started by the hand-over itself, in the same message that opened the disk.
      if (served.has(queue)) return;
      const context = this.#contexts.byIndex(index) as ContextEntry;
      await context.service.startQueues([
        { plan: queuePlan(device, queue, context), cargo: cargo.get(queue) ?? {} },
      ]);
    };
    const service = (index: number): ContextEntry['service'] =>
      (this.#contexts.byIndex(index) as ContextEntry).service;

    return new Promise((resolve) => {
      if (serving.length === 0) {
        core.spawn(async () => {
          const failure = await handOver();
          const outcome: MoveOutcome =
            failure === undefined
              ? { kind: 'moved' }
              : { kind: 'refused', by: failure.party, reason: failure.reason };
          resolve({ outcome, inFlight: 0, downtimeNs: 0 });
        });
        return;
      }
      const move = new DeviceMove(
        slot,
        {
          drain: (queue, index, done) =>
            core.spawn(() => drain(queue, this.#contexts.byIndex(index) as ContextEntry).then(done)),
          ask: (_party, done) => done(undefined),
          handOver: (_moves, done) => core.spawn(() => handOver().then(done)),
          attach: (queue, index, done) => core.spawn(() => attach(queue, index).then(done)),
          resume: (queue, index, done) =>
            core.spawn(() => service(index).resumeQueue(slot, queue).then(done)),
        },
        core.host.clock,
        core.tracer,
        resolve,
      );
      const moves = serving.map((queue) => ({ queue, from: at(from, queue).index, to: at(to, queue).index }));
      // Who may object is asked by opening the disk: the hand-over fails and everything is taken back.
      move.begin(moves, []);
    });
  }

  /** Drains a device and takes its queues out of their contexts. No hart is running. */
  rest(device: BoardDevice): Promise<DeviceAtRest> {
    return new Promise((resolve) => {
      device.virtio.exclusive((release) => {
        this.#core.spawn(async () => {
          const queues = new Map<number, QueueCargo>();
          const serving = [...device.model.queues.keys()].filter((queue) => device.virtio.isServing(queue));
          const service = (queue: number) => contextOf(device, queue).service;
          await this.#holds.needing('move', involvedContexts(device), () =>
            Promise.all(serving.map((queue) => service(queue).drainQueue(device.slot, queue))),
          );
          for (const queue of serving) {
            const [cargo] = await service(queue).detachQueues(device.slot, [queue]);
            queues.set(queue, cargo ?? {});
            if (cargo?.network !== undefined) device.cargo = { network: cargo.network };
          }
          resolve({ device, queues, release });
        });
      });
    });
  }

  /** The end of `rest`: serves queues where they are placed. Their state in the slot may be a snapshot's. */
  async serveAgain(
    { device, release }: DeviceAtRest,
    queues: ReadonlyMap<number, QueueCargo>,
  ): Promise<void> {
    device.virtio.restored([...queues.keys()]);
    publishPlacement(this.#core.mem, this.#core.layout, device);
    for (const [queue, cargo] of queues) {
      const context = contextOf(device, queue);
      await context.service.startQueues([
        { plan: queuePlan(device, queue, context), cargo: { ...device.cargo, ...cargo } },
      ]);
    }
    release();
  }
}

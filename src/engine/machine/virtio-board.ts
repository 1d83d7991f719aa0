import { assert } from '../base/assert.ts';
import { type Result, err, ok, userError } from '../base/result.ts';
import type { DeviceSpec, RealizedDevice } from '../qom/machine-ops.ts';
import { TRACE } from '../trace/schema.ts';
import { VIRTIO_BLK_DEFAULTS, type VirtioBlkConfig } from '../virtio/blk/config.ts';
import type { ParkedBlkRequest } from '../virtio/blk/data-plane.ts';
import { VirtioBlkModel } from '../virtio/blk/device.ts';
import { type TransportFeatures, VirtioDevice, type VirtioDeviceModel } from '../virtio/device.ts';
import type { VirtioEnv } from '../virtio/env.ts';
import { QUEUES_MAX, VIRTIO_SLOT_BYTES, VirtQueueLayout, virtQueueAddr } from '../virtio/layout.ts';
import type { ControlRequest } from '../virtio/transport/control.ts';
import type { MoveReport } from '../vm.ts';
import type { BlockNode, BlockNodes } from './block-nodes.ts';
import type { ContextCore } from './context-core.ts';
import type { ContextDirectory, ContextEntry } from './context-directory.ts';
import { HartWires } from './hart-wires.ts';
import { NOTIFIER } from './notifier-table.ts';
import { VIRT_VIRTIO, virtioSlotAddr, virtioSlotIrq } from './platform/memory-map.ts';
import { Plic } from './platform/plic.ts';
import type { QueuePlan, QueueWork } from './queue-plan.ts';

/** A device on the board. */
export interface BoardDevice {
  readonly spec: DeviceSpec;
  readonly slot: number;
  readonly virtio: VirtioDevice;
  readonly model: VirtioDeviceModel;
  readonly work: QueueWork;
  readonly block: BlockNode | undefined;
  /** Context of each queue. */
  readonly placement: ContextEntry[];
  moving: boolean;
  /** Work that must not overlap: control requests and moves, in order. */
  readonly turn: Turn;
}

/** One thing at a time, in order. */
export class Turn {
  #last: Promise<unknown> = Promise.resolve();
  #busy = 0;

  get idle(): boolean {
    return this.#busy === 0;
  }

  take<T>(work: () => Promise<T>): Promise<T> {
    this.#busy += 1;
    const run = this.#last.then(work, work).finally(() => {
      this.#busy -= 1;
    });
    this.#last = run.catch(() => undefined);
    return run;
  }
}

/**
 * The virtio devices of the machine: realizes them in the virtio-mmio slots, carries out control requests of
 * the harts, and moves devices between contexts. Main context only.
 */
export class VirtioBoard {
  readonly #core: ContextCore;
  readonly #contexts: ContextDirectory;
  readonly #blocks: BlockNodes;
  readonly #plic: Plic;
  readonly #devices = new Map<string, BoardDevice>();
  readonly #changed: () => void;

  /** @param changed told when a device comes, goes or moves */
  constructor(core: ContextCore, contexts: ContextDirectory, blocks: BlockNodes, changed: () => void) {
    this.#core = core;
    this.#contexts = contexts;
    this.#blocks = blocks;
    this.#changed = changed;
    const { mem, layout, tracer } = core;
    this.#plic = new Plic(mem, layout.plic, layout.harts.length, new HartWires(mem, layout.harts), tracer);
  }

  get(path: string): BoardDevice | undefined {
    return this.#devices.get(path);
  }
  bySlot(slot: number): BoardDevice | undefined {
    return [...this.#devices.values()].find((device) => device.slot === slot);
  }
  all(): readonly BoardDevice[] {
    return [...this.#devices.values()];
  }

  /** Puts a device into the highest free slot, as QEMU does. */
  async realize(spec: DeviceSpec): Promise<Result<RealizedDevice>> {
    const slot = this.#freeSlot();
    if (slot === undefined) {
      return userError(`-device ${spec.driver}: all ${VIRT_VIRTIO.count} virtio-mmio slots are taken`);
    }
    const placement: ContextEntry[] = [];
    for (const id of spec.placement) {
      const context = this.#contexts.get(id);
      assert(context !== undefined, `context ${id} was checked before`);
      placement.push(context);
    }
    const made = await this.#model(spec, placement);
    if (!made.ok) return made;
    const { model, work, block } = made.value;
    if (model.queues.length > QUEUES_MAX) {
      return userError(`-device ${spec.driver}: at most ${QUEUES_MAX} virtqueues here`, {
        hint: `num-queues=${QUEUES_MAX}`,
      });
    }
    const env = this.#env(slot);
    const virtio = new VirtioDevice(
      env,
      model,
      {
        startQueue: (queue, done) => this.#async(done, () => this.#startQueue(device, queue, [])),
        stopQueue: (queue, done) => this.#async(done, () => this.#stopQueue(device, queue)),
      },
      {
        gsi: virtioSlotIrq(slot),
        notifierFds: model.queues.map((_, queue) => NOTIFIER.queue(slot, queue)),
        transport: transportFeatures(spec),
      },
    );
    const device: BoardDevice = {
      spec,
      slot,
      virtio,
      model,
      work,
      block,
      placement,
      moving: false,
      turn: new Turn(),
    };
    this.#devices.set(spec.qomPath, device);
    this.#publishPlacement(device);
    this.#changed();
    return ok({
      transport: { slot, base: virtioSlotAddr(slot), irq: virtioSlotIrq(slot) },
      queues: model.queues.length,
    });
  }

  /** Takes a device off the board; its queues have stopped when it resolves. */
  async unrealize(path: string): Promise<void> {
    const device = this.#devices.get(path);
    if (device === undefined) return;
    await device.turn.take(() => this.#reset(device));
    this.#devices.delete(path);
    const { mem, layout } = this.#core;
    mem.bytes(layout.virtioSlots[device.slot] as number, VIRTIO_SLOT_BYTES).fill(0);
    this.#changed();
  }

  /** Machine reset: every device to its start. No hart is running. */
  async resetAll(): Promise<void> {
    await Promise.all(
      [...this.#devices.values()].map((device) => device.turn.take(() => this.#reset(device))),
    );
  }

  /** The disk behind a device has another size: the guest is told. */
  capacityChanged(device: BoardDevice, bytes: number): void {
    if (device.model instanceof VirtioBlkModel)
      device.virtio.changeConfig(device.model.capacityChange(bytes));
  }

  #reset(device: BoardDevice): Promise<void> {
    return new Promise((resolve) => device.virtio.reset(resolve));
  }

  /** Carries out a control request of a hart; `done` lets the hart go on. */
  control(request: ControlRequest, done: () => void): void {
    const device = this.bySlot(request.dev);
    if (device === undefined) {
      done();
      return;
    }
    // Most requests change registers only; those that stop or start queues, or meet a move, take their turn.
    this.#core.spawn(() =>
      device.turn
        .take(() => new Promise<void>((resolve) => device.virtio.control(request, resolve)))
        .then(done),
    );
  }

  /** Runs `work` and then `done`, from a callback that cannot wait. */
  #async(done: () => void, work: () => Promise<void>): void {
    this.#core.spawn(() => work().then(done));
  }

  #plan(device: BoardDevice, queue: number): QueuePlan {
    const context = device.placement[queue] ?? device.placement[0];
    assert(context !== undefined, 'every queue has a place');
    return { slot: device.slot, queue, context: context.index, ...device.work };
  }

  async #startQueue(device: BoardDevice, queue: number, parked: readonly ParkedBlkRequest[]): Promise<void> {
    const context = this.#contextOf(device, queue);
    await context.service.startQueue(this.#plan(device, queue), parked);
  }

  async #stopQueue(device: BoardDevice, queue: number): Promise<void> {
    const { service } = this.#contextOf(device, queue);
    await service.drainQueue(device.slot, queue);
    await service.detachQueue(device.slot, queue);
  }

  #contextOf(device: BoardDevice, queue: number): ContextEntry {
    const context = device.placement[queue] ?? device.placement[0];
    assert(context !== undefined, 'every queue has a place');
    return context;
  }

  /**
   * Moves a device to another context while the guest runs: drain its queues (what the guest adds meanwhile
   * waits in its rings), bring the disk over, serve the queues there. Refused: everything is as before.
   */
  async move(path: string, queue: number | undefined, contextId: string): Promise<Result<MoveReport>> {
    const device = this.#devices.get(path);
    if (device === undefined) return userError(`there is no device '${path}' on the board`);
    const target = this.#contexts.get(contextId);
    if (target === undefined) return userError(`there is no context '${contextId}'`);
    if (queue !== undefined && queue >= device.model.queues.length) {
      return userError(`${path} has no queue ${queue}`, {
        hint: `Its queues are 0 to ${device.model.queues.length - 1}.`,
      });
    }
    return device.turn.take(() => this.#move(device, queue, target));
  }

  async #move(
    device: BoardDevice,
    queue: number | undefined,
    target: ContextEntry,
  ): Promise<Result<MoveReport>> {
    const { clock } = this.#core.host;
    const from = this.#contextOf(device, queue ?? 0);
    const report = (inFlight: number, downtimeNs: number): MoveReport => ({
      device: device.spec.qomPath,
      queue,
      from: from.id,
      to: target.id,
      inFlight,
      downtimeNs,
    });
    if (device.placement.every((context) => context === target)) return ok(report(0, 0));
    if (queue !== undefined && device.model.queues.length > 1) {
      return userError('single queues cannot be moved yet', { hint: 'Move the whole device.' });
    }
    device.moving = true;
    this.#changed();
    const began = clock.nowNs();
    const moved = await this.#drainAndRebind(device, target);
    const downtime = clock.nowNs() - began;
    device.moving = false;
    this.#changed();
    if (!moved.ok) return err(moved.error);
    this.#trace(TRACE.drain_end, device, queue, target.index, Math.min(downtime, 0xffff_ffff));
    return ok(report(moved.value, downtime));
  }

  /** The protocol proper; resolves with how many requests were in flight when it began. */
  async #drainAndRebind(device: BoardDevice, target: ContextEntry): Promise<Result<number>> {
    const { slot, block } = device;
    const serving = device.model.queues
      .map((_, queue) => queue)
      .filter((queue) => device.virtio.isServing(queue));
    let inFlight = 0;
    for (const queue of serving) {
      this.#trace(TRACE.drain_begin, device, queue, this.#contextOf(device, queue).index);
      inFlight += await this.#contextOf(device, queue).service.drainQueue(slot, queue);
    }
    if (block !== undefined) {
      const brought = await this.#blocks.moveTo(block, target);
      this.#trace(TRACE.drain_agree, device, 0, brought.ok ? 1 : 0);
      if (!brought.ok) {
        for (const queue of serving) await this.#contextOf(device, queue).service.resumeQueue(slot, queue);
        this.#trace(TRACE.drain_abort, device, 0, this.#contextOf(device, 0).index);
        return brought;
      }
    }
    const parked = new Map<number, readonly ParkedBlkRequest[]>();
    for (const queue of serving) {
      parked.set(queue, await this.#contextOf(device, queue).service.detachQueue(slot, queue));
    }
    const from = this.#contextOf(device, 0);
    device.placement.fill(target);
    this.#publishPlacement(device);
    this.#trace(TRACE.drain_commit, device, 0, from.index, target.index);
    for (const queue of serving) {
      // attach kicks the queue once itself: a kick that fell into the gap is not lost.
      await this.#startQueue(device, queue, parked.get(queue) ?? []);
      this.#trace(TRACE.drain_self_kick, device, queue, target.index);
    }
    return ok(inFlight);
  }

  #trace(event: number, device: BoardDevice, queue: number | undefined, a: number, b = 0): void {
    this.#core.tracer.emit(event, device.slot, queue ?? 0, a, b);
  }

  #publishPlacement(device: BoardDevice): void {
    const { mem, layout } = this.#core;
    const slotAddr = layout.virtioSlots[device.slot] as number;
    for (const queue of device.model.queues.keys()) {
      const addr = virtQueueAddr(slotAddr, queue);
      const { index } = this.#contextOf(device, queue);
      mem.store32(addr + VirtQueueLayout.at.configuredContext, index);
      if (!device.virtio.isServing(queue)) mem.store32(addr + VirtQueueLayout.at.context, index);
    }
  }

  #freeSlot(): number | undefined {
    for (let slot = VIRT_VIRTIO.count - 1; slot >= 0; slot--)
      if (this.bySlot(slot) === undefined) return slot;
    return undefined;
  }

  #env(slot: number): VirtioEnv {
    const { mem, layout, ram, host, tracer } = this.#core;
    const line = this.#plic.line(virtioSlotIrq(slot));
    return {
      mem,
      ram,
      clock: host.clock,
      tracer,
      slotAddr: layout.virtioSlots[slot] as number,
      dev: slot,
      irq: { raise: () => line.set(true), lower: () => line.set(false) },
    };
  }

  async #model(
    spec: DeviceSpec,
    placement: readonly ContextEntry[],
  ): Promise<Result<{ model: VirtioDeviceModel; work: QueueWork; block: BlockNode | undefined }>> {
    switch (spec.driver) {
      case 'virtio-blk-device': {
        const { drive } = spec.props;
        assert(drive !== undefined, 'a disk without a drive was refused before');
        const block = this.#blocks.get(drive);
        assert(block !== undefined, `block node ${drive} was checked before`);
        const home = placement[0];
        assert(home !== undefined, 'a device has at least one queue');
        const brought = await this.#blocks.moveTo(block, home);
        if (!brought.ok) return brought;
        const config = blkConfig(spec);
        const readOnly = block.medium.readOnly || spec.props['read-only'];
        const model = new VirtioBlkModel(config, { ...block.medium, readOnly });
        return ok({ model, work: { kind: 'blk', config, block: drive }, block });
      }
      default:
        return userError(`-device ${spec.driver}: this machine has no such device yet`);
    }
  }
}

/** The ring features a device's properties ask for; a port on a bus has none. */
function transportFeatures(spec: DeviceSpec): Partial<TransportFeatures> {
  if (!('event_idx' in spec.props)) return {};
  return { eventIdx: spec.props.event_idx, indirect: spec.props.indirect_desc, packed: spec.props.packed };
}

/** QEMU's property names to what the data plane wants. */
function blkConfig(spec: DeviceSpec & { driver: 'virtio-blk-device' }): VirtioBlkConfig {
  const { props, onError } = spec;
  return {
    ...VIRTIO_BLK_DEFAULTS,
    queueSize: props['queue-size'],
    numQueues: props['num-queues'],
    requestMerging: props['request-merging'],
    serial: props.serial ?? '',
    rerror: onError?.rerror ?? 'report',
    werror: onError?.werror ?? 'enospc',
    writeCache: props['write-cache'] !== 'off',
    configWce: props['config-wce'],
    discard: props.discard,
    writeZeroes: props['write-zeroes'],
    logicalBlockSize: props.logical_block_size,
    physicalBlockSize: Math.max(props.physical_block_size, props.logical_block_size),
    minIoSize: props.min_io_size,
    optIoSize: props.opt_io_size,
    maxDiscardSectors: props['max-discard-sectors'],
    maxWriteZeroesSectors: props['max-write-zeroes-sectors'],
  };
}

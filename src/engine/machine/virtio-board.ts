import { assert } from '../base/assert.ts';
import { type Result, ok, userError } from '../base/result.ts';
import type { DeviceSpec, RealizedDevice } from '../qom/machine-ops.ts';
import { VIRTIO_BLK_DEFAULTS, type VirtioBlkConfig } from '../virtio/blk/config.ts';
import { VirtioBlkModel } from '../virtio/blk/device.ts';
import { type TransportFeatures, VirtioDevice, type VirtioDeviceModel } from '../virtio/device.ts';
import { DeviceMove, type MoveFailure, type MoveResult } from '../virtio/device-move.ts';
import type { MoveOutcome } from '../virtio/drain.ts';
import type { VirtioEnv } from '../virtio/env.ts';
import { QUEUES_MAX, VIRTIO_SLOT_BYTES, VirtQueueLayout, virtQueueAddr } from '../virtio/layout.ts';
import { VirtioNetModel } from '../virtio/net/device.ts';
import { virtioRngModel } from '../virtio/rng/rng.ts';
import type { ControlRequest } from '../virtio/transport/control.ts';
import type { MoveReport } from '../vm.ts';
import type { BlockNode, BlockNodes, Residence } from './block-nodes.ts';
import type { CharDevices } from './char-devices.ts';
import type { ContextCore } from './context-core.ts';
import type { ContextDirectory, ContextEntry } from './context-directory.ts';
import { HartWires } from './hart-wires.ts';
import { NOTIFIER } from './notifier-table.ts';
import { VIRT_VIRTIO, virtioSlotAddr, virtioSlotIrq } from './platform/memory-map.ts';
import { Plic } from './platform/plic.ts';
import type { NetDevices } from './net-devices.ts';
import type { QueueCargo, QueuePlan, QueueStart, QueueWork } from './queue-plan.ts';
import { type PortSpec, SerialBus } from './serial-bus.ts';

/** A device on the board. */
export interface BoardDevice {
  readonly spec: DeviceSpec;
  readonly slot: number;
  readonly virtio: VirtioDevice;
  readonly model: VirtioDeviceModel;
  /** What a queue's handler is told; it may change while the queue is not served. */
  readonly work: (queue: number) => QueueWork;
  readonly block: BlockNode | undefined;
  /** The ports of a virtio-serial device. */
  readonly bus: SerialBus | undefined;
  /** The link of a network card. */
  readonly link: { readonly netdev: string | undefined; up: boolean } | undefined;
  /** While its queues are not served: what they left behind, for when they are served again. */
  cargo: QueueCargo;
  /** Context of each queue. */
  readonly placement: ContextEntry[];
  moving: boolean;
}

/** A device none of whose queues is served: all its state lies still in its slot. */
export interface DeviceAtRest {
  readonly device: BoardDevice;
  /** The queues that were served, with what they left behind. */
  readonly queues: ReadonlyMap<number, QueueCargo>;
  /** Lets control requests and moves go on, after `serveAgain`. */
  release(): void;
}

/**
 * The virtio devices of the machine: realizes them in the virtio-mmio slots, carries out control requests of
 * the harts, and moves devices between contexts. Main context only.
 */
export class VirtioBoard {
  readonly #core: ContextCore;
  readonly #contexts: ContextDirectory;
  readonly #blocks: BlockNodes;
  readonly #chars: CharDevices;
  readonly #nets: NetDevices;
  readonly #plic: Plic;
  readonly #devices = new Map<string, BoardDevice>();
  readonly #changed: () => void;

  /** @param changed told when a device comes, goes or moves */
  constructor(
    core: ContextCore,
    contexts: ContextDirectory,
    blocks: BlockNodes,
    chars: CharDevices,
    nets: NetDevices,
    changed: () => void,
  ) {
    this.#core = core;
    this.#contexts = contexts;
    this.#blocks = blocks;
    this.#chars = chars;
    this.#nets = nets;
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
    if (spec.driver === 'virtconsole' || spec.driver === 'virtserialport') return this.#plugPort(spec);
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
    const { model, work, block, bus, link } = made.value;
    if (model.queues.length > QUEUES_MAX) {
      if (block !== undefined) await this.#blocks.bringHome(block);
      return userError(`-device ${spec.driver}: at most ${QUEUES_MAX} virtqueues here`, {
        hint: `num-queues=${QUEUES_MAX}`,
      });
    }
    const env = this.#env(slot);
    const virtio = new VirtioDevice(
      env,
      model,
      {
        startQueue: (queue, done) => this.#async(done, () => this.#startQueue(device, queue)),
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
      bus,
      link,
      cargo: {},
      placement,
      moving: false,
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
    if (device === undefined) {
      await this.#unplugPort(path);
      return;
    }
    await this.#reset(device);
    device.bus?.close();
    this.#devices.delete(path);
    const { mem, layout } = this.#core;
    mem.bytes(layout.virtioSlots[device.slot] as number, VIRTIO_SLOT_BYTES).fill(0);
    if (device.block !== undefined) await this.#blocks.bringHome(device.block);
    this.#changed();
  }

  /** Machine reset: every device to its start. No hart is running. */
  async resetAll(): Promise<void> {
    await Promise.all([...this.#devices.values()].map((device) => this.#reset(device)));
    for (const device of this.all()) device.cargo = {};
  }

  /** The disk behind a device has another size: the guest is told. */
  capacityChanged(device: BoardDevice, bytes: number): void {
    if (device.model instanceof VirtioBlkModel)
      device.virtio.changeConfig(device.model.capacityChange(bytes));
  }

  /** Puts a port on its bus. A bus that runs is drained for a moment: its queues' handlers get the chardev. */
  async #plugPort(spec: PortSpec): Promise<Result<RealizedDevice>> {
    const wanted = spec.props.bus?.replace(/\.0$/, '');
    const device = this.all().find(
      ({ bus, spec: { id } }) => bus !== undefined && (wanted === undefined || id === wanted),
    );
    assert(device?.bus !== undefined, 'the bus was checked before');
    const plugged = device.bus.plug(spec);
    if (!plugged.ok) return plugged;
    const restarted = await this.reopen(device);
    if (!restarted.ok) return restarted;
    device.bus.announce(spec.qomPath);
    this.#changed();
    return ok({ transport: undefined, queues: 2 });
  }

  async #unplugPort(path: string): Promise<void> {
    const device = this.all().find(({ bus }) => bus?.has(path) === true);
    const wire = device?.bus?.unplug(path);
    if (device === undefined || wire === undefined) return;
    await this.reopen(device);
    this.#chars.disconnect(wire);
    this.#changed();
  }

  /** `set_link`: the guest is told, and the card's queues go on with or without their network. */
  async setLink(name: string, up: boolean): Promise<Result<void>> {
    const device = this.all().find(
      ({ link, spec }) => link !== undefined && (spec.id === name || link.netdev === name),
    );
    if (device?.link === undefined || !(device.model instanceof VirtioNetModel)) {
      return userError(`Device '${name}' not found`, { class: 'DeviceNotFound' });
    }
    if (device.link.netdev === undefined) {
      return userError(`${name} has no netdev: there is nothing to plug its cable into`);
    }
    device.link.up = up;
    device.virtio.changeConfig(device.model.linkChange(up));
    this.#changed();
    return this.reopen(device);
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
    device.virtio.control(request, done);
  }

  /** Runs `work` and then `done`, from a callback that cannot wait. */
  #async(done: () => void, work: () => Promise<void>): void {
    this.#core.spawn(() => work().then(done));
  }

  #plan(device: BoardDevice, queue: number, context: ContextEntry): QueuePlan {
    return { slot: device.slot, queue, context: context.index, ...device.work(queue) };
  }

  async #startQueue(device: BoardDevice, queue: number): Promise<void> {
    const context = this.#contextOf(device, queue);
    await context.service.startQueues([{ plan: this.#plan(device, queue, context), cargo: device.cargo }]);
  }

  async #stopQueue(device: BoardDevice, queue: number): Promise<void> {
    const { service } = this.#contextOf(device, queue);
    await service.drainQueue(device.slot, queue);
    const [cargo] = await service.detachQueues(device.slot, [queue]);
    // Requests that were stopped are the driver's to forget; a network outlives the driver.
    if (cargo?.network !== undefined) device.cargo = { network: cargo.network };
  }

  #contextOf(device: BoardDevice, queue: number): ContextEntry {
    const context = device.placement[queue] ?? device.placement[0];
    assert(context !== undefined, 'every queue has a place');
    return context;
  }

  /**
   * Moves a device, or one of its queues, to another context while the guest runs: its queues are drained
   * (what the guest adds meanwhile waits in its rings), the disk changes hands, the queues are served there.
   * Refused: everything is as before.
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

  /** Drains a device, closes and opens its disk where it is, and goes on: for a change of what the disk is. */
  reopen(device: BoardDevice): Promise<Result<void>> {
    return new Promise((resolve) => {
      device.virtio.exclusive((release) => {
        this.#core.spawn(async () => {
          const here = device.placement.slice();
          const result = await this.#carryOut(device, here, here, device.block?.residence);
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
      from: this.#contextOf(device, queue ?? 0).id,
      to: target.id,
      inFlight,
      downtimeNs,
    });
    const moved = report(0, 0);
    if (to.every((context, index) => context === from[index])) return ok(moved);
    const residence = device.block === undefined ? undefined : this.#blocks.residenceFor(device.block, to);
    if (residence?.ok === false) return residence;
    device.moving = true;
    this.#changed();
    const result = await this.#carryOut(device, from, to, residence?.value);
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
      this.#publishPlacement(device);
    };
    const starts = (placement: readonly ContextEntry[], context: ContextEntry): QueueStart[] =>
      serving
        .filter((queue) => at(placement, queue) === context)
        .map((queue) => ({ plan: this.#plan(device, queue, context), cargo: cargo.get(queue) ?? {} }));
    const release = async (context: ContextEntry): Promise<void> => {
      const queues = serving.filter((queue) => at(from, queue) === context);
      const lists =
        block === undefined
          ? await context.service.detachQueues(slot, queues)
          : await context.service.release(slot, queues, block.plan.spec.id);
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
        { plan: this.#plan(device, queue, context), cargo: cargo.get(queue) ?? {} },
      ]);
    };
    const contextOf = (index: number): ContextEntry => this.#contexts.byIndex(index) as ContextEntry;

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
            core.spawn(() => contextOf(index).service.drainQueue(slot, queue).then(done)),
          ask: (_party, done) => done(undefined),
          handOver: (_moves, done) => core.spawn(() => handOver().then(done)),
          attach: (queue, index, done) => core.spawn(() => attach(queue, index).then(done)),
          resume: (queue, index, done) =>
            core.spawn(() => contextOf(index).service.resumeQueue(slot, queue).then(done)),
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
          const service = (queue: number) => this.#contextOf(device, queue).service;
          await Promise.all(serving.map((queue) => service(queue).drainQueue(device.slot, queue)));
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
    this.#publishPlacement(device);
    for (const [queue, cargo] of queues) {
      const context = this.#contextOf(device, queue);
      await context.service.startQueues([
        { plan: this.#plan(device, queue, context), cargo: { ...device.cargo, ...cargo } },
      ]);
    }
    release();
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
  ): Promise<Result<Pick<BoardDevice, 'model' | 'work' | 'block' | 'bus' | 'link'>>> {
    switch (spec.driver) {
      case 'virtio-blk-device': {
        const { drive } = spec.props;
        assert(drive !== undefined, 'a disk without a drive was refused before');
        const block = this.#blocks.get(drive);
        assert(block !== undefined, `block node ${drive} was checked before`);
        const residence = this.#blocks.residenceFor(block, placement);
        if (!residence.ok) return residence;
        const brought = await this.#blocks.rehouse(block, residence.value, {
          release: async (context) => void (await context.service.closeBlock(drive, false)),
          starts: () => [],
        });
        if (!brought.ok) return brought;
        const config = blkConfig(spec);
        const readOnly = block.medium.readOnly || spec.props['read-only'];
        const model = new VirtioBlkModel(config, { ...block.medium, readOnly });
        return ok({ model, work: () => ({ kind: 'blk', config, block: drive }), ...NO_PARTS, block });
      }
      case 'virtio-rng-device':
        return ok({ model: virtioRngModel, work: () => ({ kind: 'rng' }), ...NO_PARTS });
      case 'virtio-net-device': {
        const card = this.#nets.card(spec);
        if (!card.ok) return card;
        const peer = this.#nets.peer(spec.props.netdev);
        const link = { netdev: spec.props.netdev, up: peer.type !== 'none' };
        return ok({
          model: new VirtioNetModel(card.value, link.up),
          work: () => ({ kind: 'net', peer, linkUp: link.up }),
          ...NO_PARTS,
          link,
        });
      }
      case 'virtio-serial-device': {
        const bus = SerialBus.create(spec, this.#chars);
        if (!bus.ok) return bus;
        return ok({
          model: bus.value.model,
          work: (queue) => bus.value.work(queue),
          ...NO_PARTS,
          bus: bus.value,
        });
      }
      default:
        return userError(`-device ${spec.driver}: this machine has no such device yet`);
    }
  }
}

/** What most kinds of device have not got. */
const NO_PARTS = { block: undefined, bus: undefined, link: undefined };

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

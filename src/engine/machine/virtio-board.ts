import { assert } from '../base/assert.ts';
import { type Result, ok, userError } from '../base/result.ts';
import type { DeviceSpec, RealizedDevice } from '../qom/machine-ops.ts';
import { VirtioBlkModel } from '../virtio/blk/device.ts';
import { VirtioDevice } from '../virtio/device.ts';
import type { VirtioEnv } from '../virtio/env.ts';
import { QUEUES_MAX, VIRTIO_SLOT_BYTES } from '../virtio/layout.ts';
import { VirtioNetModel } from '../virtio/net/device.ts';
import type { ControlRequest } from '../virtio/transport/control.ts';
import type { MoveReport } from '../vm.ts';
import type { BlockNodes } from './block-nodes.ts';
import {
  type BoardDevice,
  contextOf,
  involvedContexts,
  type DeviceAtRest,
  publishPlacement,
  queuePlan,
} from './board-device.ts';
import type { CharDevices } from './char-devices.ts';
import type { ContextCore } from './context-core.ts';
import type { ContextDirectory, ContextEntry } from './context-directory.ts';
import { makeDeviceParts, transportFeatures } from './device-parts.ts';
import { DeviceMover } from './device-mover.ts';
import { HartWires } from './hart-wires.ts';
import type { Holds } from './holds.ts';
import { NOTIFIER } from './notifier-table.ts';
import { VIRT_VIRTIO, virtioSlotAddr, virtioSlotIrq } from './platform/memory-map.ts';
import { Plic } from './platform/plic.ts';
import type { NetDevices } from './net-devices.ts';
import type { QueueCargo } from './queue-plan.ts';
import type { PortSpec } from './serial-bus.ts';

/**
 * The virtio devices of the machine: realizes them in the virtio-mmio slots, carries out control requests of
 * the harts, and moves devices between contexts. Main context only.
 */
export class VirtioBoard {
  readonly #core: ContextCore;
  readonly #contexts: ContextDirectory;
  readonly #holds: Holds;
  readonly #blocks: BlockNodes;
  readonly #chars: CharDevices;
  readonly #nets: NetDevices;
  readonly #plic: Plic;
  readonly #devices = new Map<string, BoardDevice>();
  readonly #mover: DeviceMover;
  readonly #changed: () => void;

  /** @param changed told when a device comes, goes or moves */
  constructor(
    core: ContextCore,
    contexts: ContextDirectory,
    holds: Holds,
    blocks: BlockNodes,
    chars: CharDevices,
    nets: NetDevices,
    changed: () => void,
  ) {
    this.#core = core;
    this.#contexts = contexts;
    this.#holds = holds;
    this.#blocks = blocks;
    this.#chars = chars;
    this.#nets = nets;
    this.#mover = new DeviceMover(core, contexts, holds, blocks, changed);
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
    const made = await makeDeviceParts(spec, placement, {
      blocks: this.#blocks,
      chars: this.#chars,
      nets: this.#nets,
    });
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
    publishPlacement(this.#core.mem, this.#core.layout, device);
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
    const may = this.mayDrain(device);
    if (!may.ok) return may;
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
    const may = this.mayDrain(device);
    if (!may.ok) return may;
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

  async #startQueue(device: BoardDevice, queue: number): Promise<void> {
    const context = contextOf(device, queue);
    await context.service.startQueues([{ plan: queuePlan(device, queue, context), cargo: device.cargo }]);
  }

  async #stopQueue(device: BoardDevice, queue: number): Promise<void> {
    const { service } = contextOf(device, queue);
    // The driver waits for this, and with it a hart: a hold can't be allowed to last.
    const [cargo] = await this.#holds.needing('reset', involvedContexts(device), async () => {
      await service.drainQueue(device.slot, queue);
      return service.detachQueues(device.slot, [queue]);
    });
    // Requests that were stopped are the driver's to forget; a network outlives the driver.
    if (cargo?.network !== undefined) device.cargo = { network: cargo.network };
  }

  /** Moves a device, or one of its queues, to another context while the guest runs. Refused: everything is as before. */
  async move(path: string, queue: number | undefined, contextId: string): Promise<Result<MoveReport>> {
    const device = this.#devices.get(path);
    if (device === undefined) return userError(`there is no device '${path}' on the board`);
    return this.#mover.move(device, queue, contextId);
  }

  /** Can its requests finish? An error names the held context that keeps some. */
  mayDrain(device: BoardDevice): Result<void> {
    return this.#mover.mayDrain(device);
  }

  /** Drains a device, closes and opens its disk where it is, and goes on: for a change of what the disk is. */
  reopen(device: BoardDevice): Promise<Result<void>> {
    return this.#mover.reopen(device);
  }

  /** Drains a device and takes its queues out of their contexts. No hart is running. */
  rest(device: BoardDevice): Promise<DeviceAtRest> {
    return this.#mover.rest(device);
  }

  /** The end of `rest`: serves queues where they are placed. Their state in the slot may be a snapshot's. */
  serveAgain(resting: DeviceAtRest, queues: ReadonlyMap<number, QueueCargo>): Promise<void> {
    return this.#mover.serveAgain(resting, queues);
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
}

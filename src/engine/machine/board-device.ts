import { assert } from '../base/assert.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import type { DeviceSpec } from '../qom/machine-ops.ts';
import type { VirtioDeviceModel } from '../virtio/device-model.ts';
import type { VirtioDevice } from '../virtio/device.ts';
import { VirtQueueLayout, virtQueueAddr } from '../virtio/layout.ts';
import type { BlockNode } from './block-nodes.ts';
import type { ContextEntry } from './context-directory.ts';
import type { QueueCargo, QueuePlan, QueueWork } from './queue-plan.ts';
import type { SerialBus } from './serial-bus.ts';
import type { MachineLayout } from './shared-layout.ts';

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

/** The context that is to serve a queue. */
export function contextOf(device: BoardDevice, queue: number): ContextEntry {
  const context = device.placement[queue] ?? device.placement[0];
  assert(context !== undefined, 'every queue has a place');
  return context;
}

/** Contexts that have to dispatch for requests of a device to finish: those of its queues and of its disk. */
export function involvedContexts({ placement, block }: BoardDevice): ReadonlySet<ContextEntry> {
  const disk = block === undefined ? [] : [block.residence.owner, ...block.residence.ways.keys()];
  return new Set([...placement, ...disk]);
}

/** What the context of a queue is told to serve. */
export const queuePlan = (device: BoardDevice, queue: number, context: ContextEntry): QueuePlan => ({
  slot: device.slot,
  queue,
  context: context.index,
  ...device.work(queue),
});

/** Writes into the device's slot which context each of its queues belongs to, for the board to show. */
export function publishPlacement(mem: SharedMemory, layout: MachineLayout, device: BoardDevice): void {
  const slotAddr = layout.virtioSlots[device.slot] as number;
  for (const queue of device.model.queues.keys()) {
    const addr = virtQueueAddr(slotAddr, queue);
    const { index } = contextOf(device, queue);
    mem.store32(addr + VirtQueueLayout.at.configuredContext, index);
    if (!device.virtio.isServing(queue)) mem.store32(addr + VirtQueueLayout.at.context, index);
  }
}

import { assert } from '../base/assert.ts';
import { type Result, ok, userError } from '../base/result.ts';
import type { DeviceSpec } from '../qom/machine-ops.ts';
import { VIRTIO_BLK_DEFAULTS, type VirtioBlkConfig } from '../virtio/blk/config.ts';
import { VirtioBlkModel } from '../virtio/blk/device.ts';
import type { TransportFeatures } from '../virtio/device.ts';
import { VirtioNetModel } from '../virtio/net/device.ts';
import { virtioRngModel } from '../virtio/rng/rng.ts';
import type { BlockNodes } from './block-nodes.ts';
import type { BoardDevice } from './board-device.ts';
import type { CharDevices } from './char-devices.ts';
import type { ContextEntry } from './context-directory.ts';
import type { NetDevices } from './net-devices.ts';
import { SerialBus } from './serial-bus.ts';

/** What a device may be made of. */
interface Surroundings {
  readonly blocks: BlockNodes;
  readonly chars: CharDevices;
  readonly nets: NetDevices;
}

/**
 * Makes what a device consists of: its model, what its queues are told, and its disk, bus or link. A disk is
 * brought to where the queues are.
 */
export async function makeDeviceParts(
  spec: DeviceSpec,
  placement: readonly ContextEntry[],
  parts: Surroundings,
): Promise<Result<Pick<BoardDevice, 'model' | 'work' | 'block' | 'bus' | 'link'>>> {
  switch (spec.driver) {
    case 'virtio-blk-device': {
      const { drive } = spec.props;
      assert(drive !== undefined, 'a disk without a drive was refused before');
      const block = parts.blocks.get(drive);
      assert(block !== undefined, `block node ${drive} was checked before`);
      const residence = parts.blocks.residenceFor(block, placement);
      if (!residence.ok) return residence;
      const brought = await parts.blocks.rehouse(block, residence.value, {
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
      const card = parts.nets.card(spec);
      if (!card.ok) return card;
      const peer = parts.nets.peer(spec.props.netdev);
      const link = { netdev: spec.props.netdev, up: peer.type !== 'none' };
      return ok({
        model: new VirtioNetModel(card.value, link.up),
        work: () => ({ kind: 'net', peer, linkUp: link.up }),
        ...NO_PARTS,
        link,
      });
    }
    case 'virtio-serial-device': {
      const bus = SerialBus.create(spec, parts.chars);
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

/** What most kinds of device have not got. */
const NO_PARTS = { block: undefined, bus: undefined, link: undefined };

/** The ring features a device's properties ask for; a port on a bus has none. */
export function transportFeatures(spec: DeviceSpec): Partial<TransportFeatures> {
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

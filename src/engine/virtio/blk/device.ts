import { VIRTIO_ID_BLOCK } from '../spec.ts';
import type { ConfigChange, VirtioDeviceModel } from '../device-model.ts';
import { type BlkMedium, blkCapacity, blkConfigSpace, blkFeatures, type VirtioBlkConfig } from './config.ts';
import { BLK_CONFIG, VIRTIO_BLK_F_CONFIG_WCE, VIRTIO_BLK_F_FLUSH } from './spec.ts';

/** The control plane's view of a virtio-blk device: features and configuration space. Main context. */
export class VirtioBlkModel implements VirtioDeviceModel {
  readonly name = 'virtio-blk';
  readonly deviceId = VIRTIO_ID_BLOCK;
  readonly queues: readonly { readonly name: string; readonly sizeMax: number }[];
  readonly features: bigint;
  readonly config: Uint8Array;
  readonly #options: VirtioBlkConfig;

  constructor(options: VirtioBlkConfig, medium: BlkMedium) {
    this.#options = options;
    this.queues = Array.from({ length: options.numQueues }, (_, i) => ({
      name: `requestq${i + 1}`,
      sizeMax: options.queueSize,
    }));
    this.features = blkFeatures(options, medium);
    this.config = blkConfigSpace(options, medium);
  }

  featuresAccepted(features: bigint): ConfigChange {
    // 5.2.5.1: a driver that knows neither flush nor the cache switch can't make its writes durable.
    const canFlush = (features & (VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_CONFIG_WCE)) !== 0n;
    return this.#writeback(canFlush && this.#options.writeCache);
  }

  configWritten(offset: number, size: number, value: number, features: bigint): ConfigChange | undefined {
    if (offset !== BLK_CONFIG.writeback || size !== 1) return undefined;
    return (features & VIRTIO_BLK_F_CONFIG_WCE) === 0n ? undefined : this.#writeback((value & 1) !== 0);
  }

  /** Live resize: what to pass to `VirtioDevice.changeConfig`. */
  capacityChange(bytes: number): ConfigChange {
    const capacity = new Uint8Array(8);
    new DataView(capacity.buffer).setBigUint64(0, blkCapacity(this.#options, bytes), true);
    return { offset: BLK_CONFIG.capacity, bytes: capacity };
  }

  #writeback(on: boolean): ConfigChange {
    return { offset: BLK_CONFIG.writeback, bytes: Uint8Array.of(on ? 1 : 0) };
  }
}

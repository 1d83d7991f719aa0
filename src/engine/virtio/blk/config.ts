import { BLK_CONFIG, BLK_ID_BYTES } from './spec.ts';
import {
  VIRTIO_BLK_F_BLK_SIZE,
  VIRTIO_BLK_F_CONFIG_WCE,
  VIRTIO_BLK_F_DISCARD,
  VIRTIO_BLK_F_FLUSH,
  VIRTIO_BLK_F_MQ,
  VIRTIO_BLK_F_RO,
  VIRTIO_BLK_F_SEG_MAX,
  VIRTIO_BLK_F_SIZE_MAX,
  VIRTIO_BLK_F_TOPOLOGY,
  VIRTIO_BLK_F_WRITE_ZEROES,
} from './spec.ts';
import { SECTOR_BYTES } from '../../base/brands.ts';

/** What to do when the backend fails: QEMU's BlockdevOnError. `enospc` stops on ENOSPC and reports the rest. */
export type OnError = 'report' | 'ignore' | 'stop' | 'enospc';

/** A virtio-blk device's options, by QEMU's property names; plain data. */
export interface VirtioBlkConfig {
  /** `queue-size`: power of two, 4…1024. */
  readonly queueSize: number;
  /** `num-queues`, 1…16. */
  readonly numQueues: number;
  /** `request-merging` */
  readonly requestMerging: boolean;
  /** `serial`, at most 20 bytes are shown. */
  readonly serial: string;
  readonly rerror: OnError;
  readonly werror: OnError;
  /** `write-cache`: is the cache on (write-back) when the driver starts? */
  readonly writeCache: boolean;
  /** `config-wce`: may the driver switch the cache? */
  readonly configWce: boolean;
  readonly discard: boolean;
  readonly writeZeroes: boolean;
  /** Bytes; powers of two, 512 ≤ logical ≤ physical. */
  readonly logicalBlockSize: number;
  readonly physicalBlockSize: number;
  /** `min_io_size`, `opt_io_size` in bytes; 0: nothing to say. */
  readonly minIoSize: number;
  readonly optIoSize: number;
  /** Largest segment in bytes; 0: no limit (SIZE_MAX is not offered). */
  readonly sizeMax: number;
  readonly maxDiscardSectors: number;
  readonly maxWriteZeroesSectors: number;
}

export const VIRTIO_BLK_DEFAULTS: VirtioBlkConfig = {
  queueSize: 256,
  numQueues: 1,
  requestMerging: true,
  serial: '',
  rerror: 'report',
  werror: 'enospc',
  writeCache: true,
  configWce: true,
  discard: true,
  writeZeroes: true,
  logicalBlockSize: 512,
  physicalBlockSize: 512,
  minIoSize: 0,
  optIoSize: 0,
  sizeMax: 0,
  maxDiscardSectors: 0x3f_ffff,
  maxWriteZeroesSectors: 0x3f_ffff,
};

/** What the control plane has to know of the backend. */
export interface BlkMedium {
  readonly bytes: number;
  readonly readOnly: boolean;
  readonly canDiscard: boolean;
}

/** The features a device with these options and this medium offers (5.2.3). */
export function blkFeatures(config: VirtioBlkConfig, medium: BlkMedium): bigint {
  return (
    VIRTIO_BLK_F_SEG_MAX |
    VIRTIO_BLK_F_BLK_SIZE |
    VIRTIO_BLK_F_FLUSH |
    VIRTIO_BLK_F_TOPOLOGY |
    (config.sizeMax > 0 ? VIRTIO_BLK_F_SIZE_MAX : 0n) |
    (medium.readOnly ? VIRTIO_BLK_F_RO : 0n) |
    (config.configWce ? VIRTIO_BLK_F_CONFIG_WCE : 0n) |
    (config.numQueues > 1 ? VIRTIO_BLK_F_MQ : 0n) |
    (config.discard && medium.canDiscard ? VIRTIO_BLK_F_DISCARD : 0n) |
    (config.writeZeroes ? VIRTIO_BLK_F_WRITE_ZEROES : 0n)
  );
}

/** The configuration space at reset (5.2.4). */
export function blkConfigSpace(config: VirtioBlkConfig, medium: BlkMedium): Uint8Array {
  const bytes = new Uint8Array(BLK_CONFIG.bytes);
  const view = new DataView(bytes.buffer);
  const le16 = (at: number, value: number): void => view.setUint16(at, value, true);
  const le32 = (at: number, value: number): void => view.setUint32(at, value, true);
  view.setBigUint64(BLK_CONFIG.capacity, blkCapacity(config, medium.bytes), true);
  le32(BLK_CONFIG.size_max, config.sizeMax);
  // A request takes two descriptors besides its data: header and status.
  le32(BLK_CONFIG.seg_max, config.queueSize - 2);
  le32(BLK_CONFIG.blk_size, config.logicalBlockSize);
  bytes[BLK_CONFIG.physical_block_exp] = Math.log2(config.physicalBlockSize / config.logicalBlockSize);
  le16(BLK_CONFIG.min_io_size, config.minIoSize / config.logicalBlockSize);
  le32(BLK_CONFIG.opt_io_size, config.optIoSize / config.logicalBlockSize);
  bytes[BLK_CONFIG.writeback] = config.writeCache ? 1 : 0;
  le16(BLK_CONFIG.num_queues, config.numQueues);
  le32(BLK_CONFIG.max_discard_sectors, config.maxDiscardSectors);
  le32(BLK_CONFIG.max_discard_seg, 1);
  le32(BLK_CONFIG.discard_sector_alignment, config.logicalBlockSize / SECTOR_BYTES);
  le32(BLK_CONFIG.max_write_zeroes_sectors, config.maxWriteZeroesSectors);
  le32(BLK_CONFIG.max_write_zeroes_seg, 1);
  bytes[BLK_CONFIG.write_zeroes_may_unmap] = medium.canDiscard ? 1 : 0;
  return bytes;
}

/** Capacity in sectors: whole logical blocks only. */
export const blkCapacity = (config: VirtioBlkConfig, bytes: number): bigint =>
  BigInt(Math.floor(bytes / config.logicalBlockSize) * (config.logicalBlockSize / SECTOR_BYTES));

/** The GET_ID answer: the serial in 20 bytes, padded with NULs, not necessarily terminated (5.2.6). */
export function blkSerialBytes(serial: string): Uint8Array {
  const bytes = new Uint8Array(BLK_ID_BYTES);
  for (let i = 0; i < Math.min(serial.length, BLK_ID_BYTES); i++) bytes[i] = serial.charCodeAt(i) & 0x7f;
  return bytes;
}

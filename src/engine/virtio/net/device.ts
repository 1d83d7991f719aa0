import type { ConfigChange, VirtioDeviceModel } from '../device-model.ts';
import { VIRTIO_ID_NET } from '../spec.ts';

// 5.1.3 Feature bits
export const VIRTIO_NET_F_MTU = 1n << 3n;
export const VIRTIO_NET_F_MAC = 1n << 5n;
export const VIRTIO_NET_F_STATUS = 1n << 16n;
// 5.1.4 Configuration: u8 mac[6], le16 status, le16 max_virtqueue_pairs, le16 mtu
const STATUS_AT = 6;
const VIRTIO_NET_S_LINK_UP = 1;
/** 5.1.2: queues of a device with one pair. */
export const NET_RECEIVEQ = 0;
export const NET_TRANSMITQ = 1;
/** 5.1.6: struct virtio_net_hdr with num_buffers, as VERSION_1 has it. */
export const NET_HEADER_BYTES = 12;
export const NET_NUM_BUFFERS_AT = 10;

/** A virtio-net device's options; plain data. */
export interface VirtioNetConfig {
  /** Six bytes, not a multicast address. */
  readonly mac: readonly number[];
  /** Largest packet without its Ethernet header; 0: not told. */
  readonly mtu: number;
  readonly rxQueueSize: number;
  readonly txQueueSize: number;
  /** Is the link's state told (VIRTIO_NET_F_STATUS)? Without it the link is always up. */
  readonly status: boolean;
}
export const VIRTIO_NET_DEFAULTS: VirtioNetConfig = {
  mac: [0x52, 0x54, 0x00, 0x12, 0x34, 0x56],
  mtu: 0,
  rxQueueSize: 256,
  txQueueSize: 256,
  status: true,
};

/** The control plane of a virtio-net with one queue pair and no offloads (5.1). Main context. */
export class VirtioNetModel implements VirtioDeviceModel {
  readonly name = 'virtio-net';
  readonly deviceId = VIRTIO_ID_NET;
  readonly queues: readonly { readonly name: string; readonly sizeMax: number }[];
  readonly features: bigint;
  readonly config = new Uint8Array(12);

  constructor(options: VirtioNetConfig, linkUp: boolean) {
    this.queues = [
      { name: 'receiveq1', sizeMax: options.rxQueueSize },
      { name: 'transmitq1', sizeMax: options.txQueueSize },
    ];
    this.features =
      VIRTIO_NET_F_MAC |
      (options.status ? VIRTIO_NET_F_STATUS : 0n) |
      (options.mtu > 0 ? VIRTIO_NET_F_MTU : 0n);
    this.config.set(options.mac);
    const view = new DataView(this.config.buffer);
    view.setUint16(STATUS_AT, linkUp ? VIRTIO_NET_S_LINK_UP : 0, true);
    view.setUint16(8, 1, true);
    view.setUint16(10, options.mtu, true);
  }

  /** The cable was plugged or pulled: what to pass to `VirtioDevice.changeConfig`. */
  linkChange(up: boolean): ConfigChange {
    return { offset: STATUS_AT, bytes: Uint8Array.of(up ? VIRTIO_NET_S_LINK_UP : 0, 0) };
  }
}

/** Names of virtio's bits, as the specification spells them (virtio 1.2, sections 2.1, 5 and 6). */
const STATUS: readonly (readonly [bit: number, name: string])[] = [
  [1, 'VIRTIO_CONFIG_S_ACKNOWLEDGE'],
  [2, 'VIRTIO_CONFIG_S_DRIVER'],
  [4, 'VIRTIO_CONFIG_S_DRIVER_OK'],
  [8, 'VIRTIO_CONFIG_S_FEATURES_OK'],
  [64, 'VIRTIO_CONFIG_S_NEEDS_RESET'],
  [128, 'VIRTIO_CONFIG_S_FAILED'],
];

const TRANSPORT: Readonly<Record<number, string>> = {
  28: 'VIRTIO_RING_F_INDIRECT_DESC',
  29: 'VIRTIO_RING_F_EVENT_IDX',
  32: 'VIRTIO_F_VERSION_1',
  33: 'VIRTIO_F_ACCESS_PLATFORM',
  34: 'VIRTIO_F_RING_PACKED',
  35: 'VIRTIO_F_IN_ORDER',
  36: 'VIRTIO_F_ORDER_PLATFORM',
  37: 'VIRTIO_F_SR_IOV',
  38: 'VIRTIO_F_NOTIFICATION_DATA',
  39: 'VIRTIO_F_NOTIF_CONFIG_DATA',
  40: 'VIRTIO_F_RING_RESET',
};

/** Device id → bit → name. */
const DEVICE: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  1: {
    0: 'VIRTIO_NET_F_CSUM',
    1: 'VIRTIO_NET_F_GUEST_CSUM',
    3: 'VIRTIO_NET_F_MTU',
    5: 'VIRTIO_NET_F_MAC',
    15: 'VIRTIO_NET_F_MRG_RXBUF',
    16: 'VIRTIO_NET_F_STATUS',
    17: 'VIRTIO_NET_F_CTRL_VQ',
    18: 'VIRTIO_NET_F_CTRL_RX',
    22: 'VIRTIO_NET_F_MQ',
  },
  2: {
    1: 'VIRTIO_BLK_F_SIZE_MAX',
    2: 'VIRTIO_BLK_F_SEG_MAX',
    4: 'VIRTIO_BLK_F_GEOMETRY',
    5: 'VIRTIO_BLK_F_RO',
    6: 'VIRTIO_BLK_F_BLK_SIZE',
    9: 'VIRTIO_BLK_F_FLUSH',
    10: 'VIRTIO_BLK_F_TOPOLOGY',
    11: 'VIRTIO_BLK_F_CONFIG_WCE',
    12: 'VIRTIO_BLK_F_MQ',
    13: 'VIRTIO_BLK_F_DISCARD',
    14: 'VIRTIO_BLK_F_WRITE_ZEROES',
  },
  3: {
    0: 'VIRTIO_CONSOLE_F_SIZE',
    1: 'VIRTIO_CONSOLE_F_MULTIPORT',
    2: 'VIRTIO_CONSOLE_F_EMERG_WRITE',
  },
};

/** Names of the bits set in a device status register. */
export const statusNames = (status: number): readonly string[] =>
  STATUS.filter(([bit]) => (status & bit) !== 0).map(([, name]) => name);

const named = (bits: bigint, table: Readonly<Record<number, string>>): readonly string[] =>
  Object.entries(table)
    .filter(([bit]) => (bits >> BigInt(bit)) & 1n)
    .map(([, name]) => name);

export const transportFeatureNames = (bits: bigint): readonly string[] => named(bits, TRANSPORT);
export const deviceFeatureNames = (deviceId: number, bits: bigint): readonly string[] =>
  named(bits, DEVICE[deviceId] ?? {});

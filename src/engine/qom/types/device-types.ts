import { bool, link, oneOf, onlyBool, size, str, uint } from '../property.ts';
import { vqMapping } from './vq-mapping.ts';
import { typeInfo } from './type-info.ts';

const NO_PASSTHROUGH = 'modern virtio has no SCSI passthrough';

/** Where a device's callbacks run. The three forms exclude each other. */
const PLACEMENT = {
  context: link('qcontext', 'event loop that runs the device (default main)', { live: true }),
  iothread: link('qcontext', "event loop that runs the device, under QEMU's name", { live: true }),
} as const;

const RING = {
  event_idx: bool('VIRTIO_RING_F_EVENT_IDX: suppress kicks and interrupts by index', { default: true }),
  indirect_desc: bool('VIRTIO_RING_F_INDIRECT_DESC', { default: true }),
  packed: bool('VIRTIO_F_RING_PACKED: offer the packed ring', { default: false }),
} as const;

export const DEVICE = typeInfo(
  { name: 'device', parent: 'object', abstract: true, description: 'what a guest can see' },
  {},
);
export const VIRTIO_DEVICE = typeInfo(
  {
    name: 'virtio-device',
    parent: 'device',
    abstract: true,
    description: 'a device on a virtio-mmio transport',
  },
  RING,
);

export const VIRTIO_BLK = typeInfo(
  {
    name: 'virtio-blk-device',
    parent: 'virtio-device',
    creatable: 'device',
    description: 'a disk',
  },
  {
    drive: link('block', 'id of a -drive or node-name of a -blockdev (required)'),
    ...PLACEMENT,
    'iothread-vq-mapping': vqMapping('event loop of each virtqueue'),
    'num-queues': uint('number of virtqueues', { type: 'uint16', min: 1, max: 64, default: 1 }),
    'queue-size': uint('descriptors in each virtqueue', {
      type: 'uint16',
      min: 4,
      max: 1024,
      powerOf2: true,
      default: 256,
    }),
    'seg-max-adjust': bool('let seg_max follow the queue size', { default: true }),
    'request-merging': bool('submit adjacent requests as one', { default: true }),
    serial: str('serial number the guest reads (20 bytes)', { default: undefined, maxBytes: 20 }),
    werror: oneOf('what a failed write does', ['report', 'ignore', 'enospc', 'stop', 'auto'], {
      default: 'auto',
      type: 'BlockdevOnError',
    }),
    rerror: oneOf('what a failed read does', ['report', 'ignore', 'stop', 'auto'], {
      default: 'auto',
      type: 'BlockdevOnError',
    }),
    discard: bool('VIRTIO_BLK_F_DISCARD', { default: true }),
    'write-zeroes': bool('VIRTIO_BLK_F_WRITE_ZEROES', { default: true }),
    'max-discard-sectors': uint('longest discard', {
      type: 'uint32',
      min: 1,
      max: 4194303,
      default: 4194303,
    }),
    'max-write-zeroes-sectors': uint('longest write-zeroes', {
      type: 'uint32',
      min: 1,
      max: 4194303,
      default: 4194303,
    }),
    'write-cache': oneOf('whether the guest sees a volatile write cache', ['on', 'off', 'auto'], {
      default: 'auto',
      type: 'OnOffAuto',
    }),
    'config-wce': bool('the guest may switch the write cache', { default: true }),
    logical_block_size: size('smallest unit the guest may address', {
      default: 512,
      min: 512,
      max: 2 ** 21,
      powerOf2: true,
    }),
    physical_block_size: size('unit the guest should align to', {
      default: 512,
      min: 512,
      max: 2 ** 21,
      powerOf2: true,
    }),
    min_io_size: size('topology hint', { default: 0, max: 2 ** 31 }),
    opt_io_size: size('topology hint', { default: 0, max: 2 ** 31 }),
    'share-rw': bool('another device may use the same drive', { default: false }),
    'read-only': bool('refuse writes even if the drive takes them', { default: false }),
    scsi: onlyBool('SCSI passthrough', false, NO_PASSTHROUGH),
    'x-data-plane': bool('accepted as the RFC writes it: every virtio-blk here is a data plane', {
      default: true,
    }),
    bootindex: uint('accepted, without effect: the kernel is loaded by -kernel', {
      type: 'int',
      max: 2 ** 31 - 1,
      default: undefined,
    }),
  },
);

const MAC = /^[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}$/;

export const VIRTIO_NET = typeInfo(
  { name: 'virtio-net-device', parent: 'virtio-device', creatable: 'device', description: 'a network card' },
  {
    netdev: link('netdev', 'id of a -netdev'),
    ...PLACEMENT,
    mac: str('address, e.g. 52:54:00:12:34:56', { default: undefined, pattern: MAC, what: 'a MAC address' }),
    rx_queue_size: uint('descriptors of the receive queue', {
      type: 'uint16',
      min: 64,
      max: 1024,
      powerOf2: true,
      default: 256,
    }),
    tx_queue_size: uint('descriptors of the transmit queue', {
      type: 'uint16',
      min: 64,
      max: 1024,
      powerOf2: true,
      default: 256,
    }),
    mrg_rxbuf: bool('VIRTIO_NET_F_MRG_RXBUF', { default: true }),
    csum: bool('VIRTIO_NET_F_CSUM', { default: false }),
    host_mtu: uint('MTU told to the guest; 0 tells none', { type: 'uint16', max: 65535, default: 0 }),
    status: bool('VIRTIO_NET_F_STATUS: link state in the configuration', { default: true }),
    bootindex: uint('accepted, without effect', { type: 'int', max: 2 ** 31 - 1, default: undefined }),
  },
);

export const VIRTIO_SERIAL = typeInfo(
  {
    name: 'virtio-serial-device',
    parent: 'virtio-device',
    creatable: 'device',
    description: 'a bus for consoles and serial ports',
  },
  {
    ...PLACEMENT,
    max_ports: uint('most ports on the bus', { type: 'uint32', min: 1, max: 31, default: 31 }),
    'emergency-write': bool('VIRTIO_CONSOLE_F_EMERG_WRITE', { default: true }),
  },
);

const PORT = {
  chardev: link('chardev', 'id of a -chardev', { required: true }),
  nr: uint('port number; unset: the next free one', { type: 'uint32', max: 30, default: undefined }),
  bus: str('id of the virtio-serial-device; unset: the first one', { default: undefined }),
} as const;

export const VIRTCONSOLE = typeInfo(
  {
    name: 'virtconsole',
    parent: 'device',
    creatable: 'device',
    description: 'a console (hvc) on a virtio-serial bus',
  },
  PORT,
);
export const VIRTSERIALPORT = typeInfo(
  {
    name: 'virtserialport',
    parent: 'device',
    creatable: 'device',
    description: 'a named port on a virtio-serial bus',
  },
  { ...PORT, name: str('name the guest sees', { default: undefined }) },
);

export const VIRTIO_RNG = typeInfo(
  {
    name: 'virtio-rng-device',
    parent: 'virtio-device',
    creatable: 'device',
    description: 'a source of random bytes',
  },
  {
    rng: link('rng', 'id of an rng object; unset: one is made'),
    ...PLACEMENT,
    'max-bytes': uint('bytes per period', {
      type: 'uint64',
      min: 1,
      max: Number.MAX_SAFE_INTEGER,
      default: 2 ** 52,
    }),
    period: uint('length of the period, ms', { type: 'uint32', min: 1, max: 2 ** 31, default: 65536 }),
  },
);

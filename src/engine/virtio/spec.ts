/** Numbers of the virtio 1.2/1.3 specification that more than one device uses; section in each caption. */

// 2.1 Device status field
export const STATUS_ACKNOWLEDGE = 1;
export const STATUS_DRIVER = 2;
export const STATUS_DRIVER_OK = 4;
export const STATUS_FEATURES_OK = 8;
export const STATUS_NEEDS_RESET = 64;
export const STATUS_FAILED = 128;
/** The bits a driver may set. */
export const STATUS_DRIVER_BITS =
  STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK | STATUS_FEATURES_OK | STATUS_FAILED;

// 6 Reserved feature bits
export const VIRTIO_F_RING_INDIRECT_DESC = 1n << 28n;
export const VIRTIO_F_RING_EVENT_IDX = 1n << 29n;
export const VIRTIO_F_VERSION_1 = 1n << 32n;
export const VIRTIO_F_RING_PACKED = 1n << 34n;
export const VIRTIO_F_RING_RESET = 1n << 40n;

// 2.7.5 Split virtqueue descriptor: le64 addr, le32 len, le16 flags, le16 next
export const DESC_BYTES = 16;
export const DESC_F_NEXT = 1;
export const DESC_F_WRITE = 2;
export const DESC_F_INDIRECT = 4;
// 2.8.1 Packed virtqueue descriptor: le64 addr, le32 len, le16 id, le16 flags
export const PACKED_DESC_F_AVAIL = 1 << 7;
export const PACKED_DESC_F_USED = 1 << 15;

// 2.7.6, 2.7.8 Rings of the split virtqueue: le16 flags, le16 idx, ring, event
export const AVAIL_F_NO_INTERRUPT = 1;
export const USED_F_NO_NOTIFY = 1;
// 2.8.10 Event suppression structure of the packed virtqueue: le16 desc (offset, wrap in bit 15), le16 flags
/** The wrap counter beside a slot number (2.8.10). */
export const PACKED_WRAP_BIT = 1 << 15;
export const EVENT_FLAGS_ENABLE = 0;
export const EVENT_FLAGS_DISABLE = 1;
export const EVENT_FLAGS_DESC = 2;

/** 2.7: the largest split queue; we offer no more than this for packed queues either. */
export const QUEUE_SIZE_MAX = 1024;
/** Descriptors one chain may use, directly and indirectly; what Linux calls IOV_MAX and QEMU VIRTQUEUE_MAX_SIZE. */
export const CHAIN_SEGMENTS_MAX = 1024;

// 4.2.2 MMIO: interrupt status
export const INTERRUPT_USED_BUFFER = 1;
export const INTERRUPT_CONFIG_CHANGE = 2;

// 5 Device types
export const VIRTIO_ID_NET = 1;
export const VIRTIO_ID_BLOCK = 2;
export const VIRTIO_ID_CONSOLE = 3;
export const VIRTIO_ID_ENTROPY = 4;

/** 4.2.2 MMIO device register layout, byte offsets. Names are those of version 1.2. */
export const MMIO = {
  MagicValue: 0x000,
  Version: 0x004,
  DeviceID: 0x008,
  VendorID: 0x00c,
  DeviceFeatures: 0x010,
  DeviceFeaturesSel: 0x014,
  DriverFeatures: 0x020,
  DriverFeaturesSel: 0x024,
  QueueSel: 0x030,
  QueueNumMax: 0x034,
  QueueNum: 0x038,
  QueueReady: 0x044,
  QueueNotify: 0x050,
  InterruptStatus: 0x060,
  InterruptACK: 0x064,
  Status: 0x070,
  QueueDescLow: 0x080,
  QueueDescHigh: 0x084,
  QueueDriverLow: 0x090,
  QueueDriverHigh: 0x094,
  QueueDeviceLow: 0x0a0,
  QueueDeviceHigh: 0x0a4,
  SHMSel: 0x0ac,
  SHMLenLow: 0x0b0,
  SHMLenHigh: 0x0b4,
  SHMBaseLow: 0x0b8,
  SHMBaseHigh: 0x0bc,
  QueueReset: 0x0c0,
  ConfigGeneration: 0x0fc,
  Config: 0x100,
} as const;
/** "virt", little endian. */
export const MMIO_MAGIC = 0x74726976;
export const MMIO_VERSION = 2;
/** "QEMU", the vendor the `virt` board shows. */
export const MMIO_VENDOR = 0x554d4551;

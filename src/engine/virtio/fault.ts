/**
 * What a driver can do wrong so badly that the device stops: it sets DEVICE_NEEDS_RESET (virtio 2.1.2) and
 * emits `virtio_error` with the number. Everything else a guest asks wrongly has a status byte of its own.
 * Numbers are stable: traces carry them.
 */
export const VirtioFault = {
  // the queue as it was set up
  QueueSize: 1,
  RingMisaligned: 2,
  RingOutsideRam: 3,
  // the available ring
  AvailJump: 4,
  HeadOutOfRange: 5,
  InFlightExceeded: 6,
  HeadInFlight: 7,
  // the chain
  NextOutOfRange: 8,
  ChainLoop: 9,
  TooManySegments: 10,
  ChainTooLong: 11,
  ReadableAfterWritable: 12,
  ZeroLength: 13,
  BufferOutsideRam: 14,
  // the indirect table
  IndirectNotNegotiated: 15,
  IndirectLength: 16,
  IndirectOutsideRam: 17,
  IndirectNested: 18,
  IndirectWithNext: 19,
  IndirectAfterDirect: 20,
  // what the device needs of every request
  HeaderTooShort: 21,
  StatusMissing: 22,
  WrongDirection: 23,
  // registers
  FeaturesRefused: 24,
  QueueLive: 25,
  KickNotReady: 26,
  RegisterWidth: 27,
  QueueOutOfRange: 28,
} as const;
export type VirtioFault = (typeof VirtioFault)[keyof typeof VirtioFault];

const MESSAGES: Readonly<Record<VirtioFault, string>> = {
  1: 'queue size is zero, over the maximum, or not a power of two in a split queue',
  2: 'a ring area is not aligned as virtio 2.7/2.8 asks',
  3: 'a ring area is not in guest memory',
  4: 'the available index moved by more than the queue size',
  5: 'descriptor head is outside the queue',
  6: 'more buffers in flight than the queue holds',
  7: 'descriptor head made available while in flight',
  8: 'next descriptor is outside the table',
  9: 'descriptor chain is a loop or longer than its table',
  10: 'more than 1024 descriptors in one chain',
  11: 'a chain longer than 2^32 bytes',
  12: 'a device-readable descriptor after a device-writable one',
  13: 'a descriptor of length zero',
  14: 'a buffer is not in guest memory',
  15: 'an indirect descriptor without VIRTIO_F_INDIRECT_DESC',
  16: 'an indirect table whose length is zero or not a multiple of 16',
  17: 'an indirect table that is not in guest memory',
  18: 'an indirect descriptor in an indirect table',
  19: 'an indirect descriptor with VIRTQ_DESC_F_NEXT',
  20: 'an indirect descriptor after direct ones in a packed queue',
  21: 'request header is too short',
  22: 'request has no room for its status byte',
  23: 'a buffer of the wrong direction',
  24: 'features were accepted that were not offered',
  25: 'a queue was reconfigured while it was ready',
  26: 'a queue was notified before it was ready or before DRIVER_OK',
  27: 'a register access that is not 32 bits wide and aligned',
  28: 'a queue that does not exist',
};

/** One clause for people: "virtio-blk: queue 0: <message>". */
export const virtioFaultMessage = (fault: VirtioFault): string => MESSAGES[fault];

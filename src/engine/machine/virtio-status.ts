import { type Result, ok, userError } from '../base/result.ts';
import type { GuestRam } from '../base/guest-ram.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { guestAddr } from '../base/brands.ts';
import type { VirtioStatus, VirtqueueElement } from '../qom/machine-ops.ts';
import { VirtioDeviceLayout, VirtQueueLayout, virtQueueAddr } from '../virtio/layout.ts';
import type { BoardDevice } from './board-device.ts';

const D = VirtioDeviceLayout.at;
const Q = VirtQueueLayout.at;
const STATUS_DRIVER_OK = 4;
const STATUS_NEEDS_RESET = 0x40;
const DESC_FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [1, 'next'],
  [2, 'write'],
  [4, 'indirect'],
];

const address = (mem: SharedMemory, queue: number, low: number, high: number): number =>
  mem.load32(queue + high) * 2 ** 32 + mem.load32(queue + low);

/** x-query-virtio-status and -queue-status, from shared memory. */
export function virtioStatus(
  mem: SharedMemory,
  slotAddr: number,
  device: BoardDevice,
  contextId: (index: number) => string,
): VirtioStatus {
  const status = mem.load32(slotAddr + D.status);
  return {
    deviceName: device.model.name,
    deviceId: device.model.deviceId,
    vhostStarted: false,
    status,
    isr: mem.load32(slotAddr + D.interruptStatus),
    hostFeatures: device.virtio.offeredFeatures,
    guestFeatures: device.virtio.features,
    started: (status & STATUS_DRIVER_OK) !== 0,
    broken: (status & STATUS_NEEDS_RESET) !== 0,
    queues: device.model.queues.map(({ name, sizeMax }, index) => {
      const queue = virtQueueAddr(slotAddr, index);
      const word = (field: number): number => mem.load32(queue + field);
      return {
        index,
        name,
        contextId: contextId(word(Q.context)),
        inuse: word(Q.inFlight),
        vringNum: word(Q.size),
        vringNumDefault: sizeMax,
        vringAlign: 4096,
        desc: address(mem, queue, Q.descLow, Q.descHigh),
        avail: address(mem, queue, Q.driverLow, Q.driverHigh),
        used: address(mem, queue, Q.deviceLow, Q.deviceHigh),
        lastAvailIdx: word(Q.lastAvailIdx),
        shadowAvailIdx: word(Q.lastAvailIdx),
        usedIdx: word(Q.usedIdx),
        signalledUsed: word(Q.signalledUsed),
        signalledUsedValid: word(Q.signalledUsedValid) !== 0,
      };
    }),
  };
}

/** x-query-virtio-queue-element: a chain of a split ring as the guest wrote it. */
export function virtqueueElement(
  mem: SharedMemory,
  ram: GuestRam,
  slotAddr: number,
  queueIndex: number,
  index: number | undefined,
): Result<VirtqueueElement> {
  const queue = virtQueueAddr(slotAddr, queueIndex);
  if (mem.load32(queue + Q.ready) === 0) return userError(`queue ${queueIndex} is not ready`);
  const size = mem.load32(queue + Q.size);
  const bytesAt = (addr: number, length: number): number => ram.offsetOf(guestAddr(addr), length);
  const desc = bytesAt(address(mem, queue, Q.descLow, Q.descHigh), size * 16);
  const avail = bytesAt(address(mem, queue, Q.driverLow, Q.driverHigh), 4 + size * 2);
  const used = bytesAt(address(mem, queue, Q.deviceLow, Q.deviceHigh), 4 + size * 8);
  if (desc < 0 || avail < 0 || used < 0) return userError(`the ring of queue ${queueIndex} is outside RAM`);
  const { view } = mem;
  const u16 = (at: number): number => view.getUint16(at, true);
  const at = index ?? mem.load32(queue + Q.lastAvailIdx);
  const head = u16(avail + 4 + (at % size) * 2);
  const descs: VirtqueueElement['descs'][number][] = [];
  for (let i = head, left = size; i < size && left > 0; left--) {
    const entry = desc + i * 16;
    const flags = u16(entry + 12);
    descs.push({
      addr: Number(view.getBigUint64(entry, true)),
      len: view.getUint32(entry + 8, true),
      flags: DESC_FLAGS.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name),
    });
    if ((flags & 1) === 0) break;
    i = u16(entry + 14);
  }
  return ok({
    index: head,
    descs,
    avail: { flags: u16(avail), idx: u16(avail + 2), ring: head },
    used: { flags: u16(used), idx: u16(used + 2) },
  });
}

import type { GuestRam } from '../../base/guest-ram.ts';
import type { SharedMemory } from '../../base/shared-memory.ts';
import { VirtQueueLayout } from '../layout.ts';
import { DESC_BYTES, DESC_F_NEXT, PACKED_DESC_F_AVAIL, PACKED_DESC_F_USED } from '../spec.ts';

const Q = VirtQueueLayout.at;

/**
 * How many buffers the driver has made available in the queue whose state is at `addr`, and the device has not taken.
 * Only looks: the guest and the queue's context go on meanwhile, so the answer may be some buffers old. Undefined if
 * the ring lies outside RAM or makes no sense. Any thread.
 */
export function waitingBuffers(
  mem: SharedMemory,
  ram: GuestRam,
  addr: number,
  packed: boolean,
): number | undefined {
  return packed ? waitingPacked(mem, ram, addr) : waitingSplit(mem, ram, addr);
}

function waitingSplit(mem: SharedMemory, ram: GuestRam, addr: number): number | undefined {
  const driver = ram.translate(mem.load32(addr + Q.driverLow), mem.load32(addr + Q.driverHigh), 4);
  if (driver < 0 || (driver & 1) !== 0) return undefined;
  const waiting = (mem.load16(driver + 2) - mem.load32(addr + Q.lastAvailIdx)) & 0xffff;
  return waiting <= mem.load32(addr + Q.size) ? waiting : undefined;
}

/** A slot is available when its avail bit is the wrap counter and its used bit is not (virtio 1.2, 2.8.1). */
function waitingPacked(mem: SharedMemory, ram: GuestRam, addr: number): number | undefined {
  const size = mem.load32(addr + Q.size);
  const ring = ram.translate(mem.load32(addr + Q.descLow), mem.load32(addr + Q.descHigh), size * DESC_BYTES);
  if (ring < 0 || (ring & 1) !== 0) return undefined;
  let slot = mem.load32(addr + Q.lastAvailIdx);
  let wrap = mem.load32(addr + Q.lastAvailWrap) !== 0;
  let buffers = 0;
  for (let i = 0; i < size && slot < size; i++) {
    const flags = mem.load16(ring + slot * DESC_BYTES + 14);
    if (((flags & PACKED_DESC_F_AVAIL) !== 0) !== wrap || ((flags & PACKED_DESC_F_USED) !== 0) === wrap)
      break;
    if ((flags & DESC_F_NEXT) === 0) buffers++;
    if (++slot === size) {
      slot = 0;
      wrap = !wrap;
    }
  }
  return buffers;
}

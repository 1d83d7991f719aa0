import type { SharedMemory } from '../base/shared-memory.ts';
import { VirtioDeviceLayout } from './layout.ts';

const D = VirtioDeviceLayout.at;

/**
 * Changes configuration bytes of a slot so that a driver that compares ConfigGeneration before and after
 * reading several fields never sees a mixture (virtio 2.5.1). Main context.
 *
 * Rule C1: the generation is not readable while `configChanging` is set (configGeneration waits), so a
 * driver that read any byte during the change finds the generation changed afterwards.
 */
export function writeConfigBytes(
  mem: SharedMemory,
  slotAddr: number,
  offset: number,
  bytes: Uint8Array,
): void {
  mem.store32(slotAddr + D.configChanging, 1);
  mem.u8.set(bytes, slotAddr + D.config + offset);
  mem.add32(slotAddr + D.configGeneration, 1);
  // ORDER: pairs with the load in configGeneration(): bytes and generation before the end of the change.
  mem.store32(slotAddr + D.configChanging, 0);
}

/** ConfigGeneration as a driver may see it. Any thread; waits out a change, which takes well under 1 µs. */
export function configGeneration(mem: SharedMemory, slotAddr: number): number {
  while (mem.load32(slotAddr + D.configChanging) !== 0);
  return mem.load32(slotAddr + D.configGeneration);
}

/** Reads `size` (1, 2 or 4) bytes of configuration, little endian; what lies beyond its end reads as zero. */
export function readConfig(mem: SharedMemory, slotAddr: number, offset: number, size: number): number {
  const end = mem.load32(slotAddr + D.configBytes);
  let value = 0;
  for (let i = 0; i < size; i++) {
    if (offset + i < end) value += (mem.u8[slotAddr + D.config + offset + i] as number) * 2 ** (8 * i);
  }
  return value;
}

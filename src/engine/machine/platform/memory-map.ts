import type { GuestAddr } from '../../base/brands.ts';
import { guestAddr } from '../../base/brands.ts';

/**
 * Physical memory map of the `virt` board: QEMU's, as far as this machine has the devices.
 *
 * | from        | size      | what                         | PLIC source |
 * |-------------|-----------|------------------------------|-------------|
 * | 0x0000_1000 | 60 KiB    | boot ROM (fw_dynamic_info)   |             |
 * | 0x0010_0000 | 4 KiB     | test finisher (power, reset) |             |
 * | 0x0010_1000 | 4 KiB     | goldfish RTC                 | 11          |
 * | 0x0200_0000 | 64 KiB    | ACLINT in the CLINT's layout |             |
 * | 0x0c00_0000 | 6 MiB     | PLIC                         |             |
 * | 0x1000_0000 | 256 B     | UART 16550A                  | 10          |
 * | 0x1000_1000 | 8 × 4 KiB | virtio-mmio slots 0…7        | 1…8         |
 * | 0x8000_0000 | -m        | RAM                          |             |
 */
export const VIRT_MROM = { base: guestAddr(0x1000), size: 0xf000 } as const;
export const VIRT_TEST = { base: guestAddr(0x0010_0000), size: 0x1000 } as const;
export const VIRT_RTC = { base: guestAddr(0x0010_1000), size: 0x1000, irq: 11 } as const;
export const VIRT_CLINT = { base: guestAddr(0x0200_0000), size: 0x1_0000 } as const;
export const VIRT_PLIC = { base: guestAddr(0x0c00_0000), size: 0x60_0000 } as const;
export const VIRT_UART0 = { base: guestAddr(0x1000_0000), size: 0x100, irq: 10 } as const;
export const VIRT_VIRTIO = {
  base: guestAddr(0x1000_1000),
  size: 0x1000,
  /** Slots, one behind the other. QEMU gives the first `-device` the highest slot. */
  count: 8,
  /** Slot n raises source `irq` + n. */
  irq: 1,
} as const;
export const VIRT_DRAM = { base: guestAddr(0x8000_0000) } as const;

/** Interrupt sources of the PLIC, 1…95 usable (0 means "none"). */
export const VIRT_PLIC_SOURCES = 96;
/** Ticks per second of `time`, mtime and the SBI timer. */
export const VIRT_TIMEBASE_HZ = 10_000_000;
/** ns per tick of the timebase. */
export const NS_PER_TICK = 1e9 / VIRT_TIMEBASE_HZ;

/** First register of virtio-mmio slot `slot` (0…7). */
export const virtioSlotAddr = (slot: number): GuestAddr =>
  guestAddr(VIRT_VIRTIO.base + slot * VIRT_VIRTIO.size);
/** PLIC source of virtio-mmio slot `slot`. */
export const virtioSlotIrq = (slot: number): number => VIRT_VIRTIO.irq + slot;

import type { MemoryRegion } from '../qom/machine-ops.ts';
import {
  VIRT_CLINT,
  VIRT_DRAM,
  VIRT_MROM,
  VIRT_PLIC,
  VIRT_RTC,
  VIRT_TEST,
  VIRT_UART0,
  VIRT_VIRTIO,
  virtioSlotAddr,
} from './platform/memory-map.ts';

/** What `info mtree` shows: every region of the board, under QEMU's names. */
export function memoryRegions(ramBytes: number): readonly MemoryRegion[] {
  const io = (name: string, region: { base: number; size: number }): MemoryRegion => ({
    name,
    ...region,
    kind: 'i/o',
  });
  return [
    { name: 'virt.mrom', base: VIRT_MROM.base, size: VIRT_MROM.size, kind: 'rom' },
    io('virt.test', VIRT_TEST),
    io('goldfish_rtc', VIRT_RTC),
    io('riscv.aclint', VIRT_CLINT),
    io('riscv.sifive.plic', VIRT_PLIC),
    io('serial', VIRT_UART0),
    ...Array.from({ length: VIRT_VIRTIO.count }, (_, slot) =>
      io(`virtio-mmio-${slot}`, { base: virtioSlotAddr(slot), size: VIRT_VIRTIO.size }),
    ),
    {
      name: 'riscv_virt_board.ram',
      base: VIRT_DRAM.base,
      size: ramBytes,
      kind: 'ram',
    },
  ];
}

import type { SharedMemory } from '../../base/shared-memory.ts';
import {
  HART_COUNT_FENCE_IS,
  HART_COUNT_TRAPS,
  HART_IRQ_LINES,
  HART_MTIMECMP,
  HART_RESERVATION,
  HART_STIMECMP,
  HART_X,
} from '../../cpu/layout.ts';
import { VIRTIO_SLOT_BYTES, VirtioDeviceLayout, VirtQueueLayout } from '../../virtio/layout.ts';
import { aclintBytes } from '../platform/aclint.ts';
import { GoldfishRtcLayout } from '../platform/goldfish-rtc.ts';
import { PlicContextLayout, PlicLayout, plicBytes } from '../platform/plic.ts';
import { UART16550_BYTES, Uart16550Layout } from '../platform/uart16550.ts';
import type { MachineLayout } from '../shared-layout.ts';
import { xxh32 } from './xxh32.ts';

/** A piece of the machine's memory that is saved as it is. */
export interface Region {
  readonly name: string;
  readonly index: number;
  readonly addr: number;
  readonly bytes: number;
}

/**
 * What of a hart's area is the hart's state: registers, CSRs and counters, its interrupt lines, its timers.
 * The LR reservation is not kept (a store-conditional after the restore fails, as it may at any time), and
 * neither is what follows from the rest: TLBs, decoded pages, translations.
 */
const HART_RANGES: readonly (readonly [from: number, to: number])[] = [
  [HART_X, HART_RESERVATION],
  [HART_COUNT_TRAPS, HART_COUNT_FENCE_IS + 8],
  [HART_IRQ_LINES, HART_IRQ_LINES + 4],
  [HART_MTIMECMP, HART_STIMECMP + 8],
];

/** All such pieces but RAM. `slots` are the virtio-mmio slots with a device in them. */
export function stateRegions(layout: MachineLayout, slots: readonly number[]): readonly Region[] {
  const harts = layout.harts.length;
  return [
    { name: 'plic', index: 0, addr: layout.plic, bytes: plicBytes(harts) },
    { name: 'aclint', index: 0, addr: layout.aclint, bytes: aclintBytes(harts) },
    { name: 'uart', index: 0, addr: layout.uart, bytes: UART16550_BYTES },
    { name: 'rtc', index: 0, addr: layout.rtc, bytes: GoldfishRtcLayout.size },
    ...slots.map((slot) => ({
      name: 'virtio',
      index: slot,
      addr: layout.virtioSlots[slot] as number,
      bytes: VIRTIO_SLOT_BYTES,
    })),
    ...layout.harts.flatMap((area, hart) =>
      HART_RANGES.map(([from, to], range) => ({
        name: `hart.${range}`,
        index: hart,
        addr: area + from,
        bytes: to - from,
      })),
    ),
  ];
}

/** A number that changes when the meaning of those bytes does: of their layouts. */
export function stateDigest(): number {
  const layouts = [
    PlicLayout,
    PlicContextLayout,
    GoldfishRtcLayout,
    Uart16550Layout,
    VirtioDeviceLayout,
    VirtQueueLayout,
    HART_RANGES,
    [UART16550_BYTES, VIRTIO_SLOT_BYTES],
  ];
  return xxh32(Uint8Array.from(JSON.stringify(layouts), (c) => c.charCodeAt(0)));
}

/** A harts' reservation is not restored: no store-conditional may succeed against a value of another time. */
export function dropReservations(mem: SharedMemory, layout: MachineLayout): void {
  for (const area of layout.harts) mem.store32(area + HART_RESERVATION, 0);
}

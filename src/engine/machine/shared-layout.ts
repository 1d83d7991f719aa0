import { EventNotifierLayout } from '../base/event-notifier.ts';
import { CHAR_WIRE_BYTES } from '../chardev/wire.ts';
import { COMPILE_QUEUE_BYTES, CompilerLayout } from '../cpu/jit/compile-queue.ts';
import { HART_AREA_BYTES } from '../cpu/layout.ts';
import { TRACE_MASK_WORDS, traceRingBytes } from '../trace/ring.ts';
import { HUB_PORT_BYTES } from '../net/hub/layout.ts';
import { VIRTIO_SLOT_BYTES } from '../virtio/layout.ts';
import { BREAKPOINT_TABLE_BYTES } from './breakpoint-table.ts';
import { ContextBlockLayout, MAX_CONTEXTS } from './context-block.ts';
import { FORWARD_BYTES } from '../block/forward-layout.ts';
import { MAX_CHAR_WIRES, MAX_HUB_PORTS, MAX_NOTIFIERS, MAX_WAYS } from './notifier-table.ts';
import { GuestClockLayout } from './guest-clock.ts';
import { aclintBytes } from './platform/aclint.ts';
import { GoldfishRtcLayout } from './platform/goldfish-rtc.ts';
import { VIRT_VIRTIO } from './platform/memory-map.ts';
import { plicBytes } from './platform/plic.ts';
import { UART16550_BYTES } from './platform/uart16550.ts';
import { HartControlLayout } from './run-control.ts';

/**
 * Records of each trace ring: one per context thread, one per hart; memory is taken as they are written. At a million
 * events a second, as the built-in guest has them, a tenth of a second, so that a reader that has to wait for a core loses
 * nothing.
 */
export const TRACE_RING_RECORDS = 128 * 1024;

/**
 * Where everything is in the machine's one shared memory, by byte offset. Plain data, posted to each worker.
 *
 * | part              | why there                                                    |
 * |-------------------|--------------------------------------------------------------|
 * | first 64 KiB      | unused, so that address 0 is nobody's                        |
 * | control           | guest clock, hart control blocks, contexts, notifiers        |
 * | platform          | PLIC, ACLINT, UART, RTC, virtio-mmio slots                   |
 * | trace             | enable mask, bell, what is followed, breakpoints, rings      |
 * | hart areas        | registers, TLBs, decoded pages (cpu/layout.ts)               |
 * | compiler          | what harts and the compiler's thread hand each other         |
 * | guest RAM         | 1 MiB aligned, to the end                                    |
 */
export interface MachineLayout {
  readonly guestClock: number;
  readonly hartControls: readonly number[];
  readonly contexts: readonly number[];
  readonly notifiers: number;
  readonly plic: number;
  readonly aclint: number;
  readonly uart: number;
  readonly rtc: number;
  readonly virtioSlots: readonly number[];
  /** Rings between contexts and the owners of disks. */
  readonly ways: readonly number[];
  /** Between console ports and their chardevs. */
  readonly charWires: readonly number[];
  /** Ports of the network's hubs. */
  readonly hubPorts: readonly number[];
  readonly traceMask: number;
  /** Counts how often a trace ring was found half full. */
  readonly traceBell: number;
  /** How many batches of requests there are to each that is followed, less one. */
  readonly traceFollow: number;
  /** What tracers hold a context for. */
  readonly breakpoints: number;
  /** Contexts first, then harts. */
  readonly traceRings: readonly number[];
  readonly traceRecords: number;
  readonly harts: readonly number[];
  /** Words of the thread that translates for all harts, and each hart's queue to it (cpu/jit/compile-queue.ts). */
  readonly compiler: number;
  readonly compileQueues: readonly number[];
  readonly ramOffset: number;
  readonly ramBytes: number;
  readonly totalBytes: number;
}

/** Lays out a machine. */
export function layoutMachine(options: { ramBytes: number; harts: number }): MachineLayout {
  let next = 0x1_0000;
  const take = (bytes: number, align = 64): number => {
    const addr = Math.ceil(next / align) * align;
    next = addr + bytes;
    return addr;
  };
  const many = (count: number, bytes: number, align = 64): number[] =>
    Array.from({ length: count }, () => take(bytes, align));

  const { harts, ramBytes } = options;
  const control = {
    guestClock: take(GuestClockLayout.size),
    hartControls: many(harts, HartControlLayout.size),
    contexts: many(MAX_CONTEXTS, ContextBlockLayout.size),
    notifiers: take(MAX_NOTIFIERS * EventNotifierLayout.size),
    plic: take(plicBytes(harts)),
    aclint: take(aclintBytes(harts)),
    uart: take(UART16550_BYTES),
    rtc: take(GoldfishRtcLayout.size),
    virtioSlots: many(VIRT_VIRTIO.count, VIRTIO_SLOT_BYTES),
    ways: many(MAX_WAYS, FORWARD_BYTES),
    charWires: many(MAX_CHAR_WIRES, CHAR_WIRE_BYTES),
    hubPorts: many(MAX_HUB_PORTS, HUB_PORT_BYTES),
    traceMask: take(TRACE_MASK_WORDS * 4),
    traceBell: take(4),
    traceFollow: take(4),
    breakpoints: take(BREAKPOINT_TABLE_BYTES),
    traceRings: many(MAX_CONTEXTS + harts, traceRingBytes(TRACE_RING_RECORDS)),
    traceRecords: TRACE_RING_RECORDS,
    harts: many(harts, HART_AREA_BYTES, 0x1_0000),
    compiler: take(CompilerLayout.size),
    compileQueues: many(harts, COMPILE_QUEUE_BYTES),
  };
  const ramOffset = take(ramBytes, 0x10_0000);
  const totalBytes = Math.ceil(next / 0x1_0000) * 0x1_0000;
  return { ...control, ramOffset, ramBytes, totalBytes };
}

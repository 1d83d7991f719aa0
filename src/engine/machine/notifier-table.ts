import type { Clock } from '../base/clock.ts';
import { EventNotifier, EventNotifierLayout } from '../base/event-notifier.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { QUEUES_MAX } from '../virtio/layout.ts';
import { MAX_CONTEXTS } from './context-block.ts';
import { VIRT_VIRTIO } from './platform/memory-map.ts';

/** Ways between contexts and the owners of disks. */
export const MAX_WAYS = 16;
/** Wires between console ports and their chardevs. */
export const MAX_CHAR_WIRES = 16;
/** Ports of all hubs together. */
export const MAX_HUB_PORTS = 8;

const WAY_BASE = 16 + MAX_CONTEXTS + VIRT_VIRTIO.count * QUEUES_MAX;
const CHAR_WIRE_BASE = WAY_BASE + 2 * MAX_WAYS;
const HUB_PORT_BASE = CHAR_WIRE_BASE + 4 * MAX_CHAR_WIRES;
/** Event notifiers of a machine. */
export const MAX_NOTIFIERS = HUB_PORT_BASE + MAX_HUB_PORTS;

/**
 * Numbers of the machine's event notifiers, its "file descriptors". Fixed, so that a hart's thread and a
 * context's thread mean the same one without asking.
 */
export const NOTIFIER = {
  /** Bytes wait in the UART's transmit ring. */
  uartTx: 1,
  /** Room again in the UART's receive ring. */
  uartRxSpace: 2,
  rtcAlarm: 3,
  /** A hart has made a control call, or has changed its state. */
  harts: 4,
  /** The guest asked for power-off or reset. */
  power: 5,
  /** One per context: wakes it for its own purposes (bottom halves scheduled by other threads). */
  context: (index: number): number => 16 + index,
  /** Of a way between a context and the owner of a disk (block/forward-backend.ts). */
  waySubmitted: (way: number): number => WAY_BASE + 2 * way,
  wayCompleted: (way: number): number => WAY_BASE + 2 * way + 1,
  /** Of a wire between a console port and its chardev (chardev/wire.ts), in the order of `WireNotifiers`. */
  charWire: (wire: number, end: 0 | 1 | 2 | 3): number => CHAR_WIRE_BASE + 4 * wire + end,
  /** Frames wait for a port of a hub. */
  hubPort: (port: number): number => HUB_PORT_BASE + port,
  /** The ioeventfd of a virtqueue. */
  queue: (slot: number, queue: number): number => 16 + MAX_CONTEXTS + slot * QUEUES_MAX + queue,
} as const;

/** Makes notifiers by number for one thread. */
export class NotifierTable {
  readonly #mem: SharedMemory;
  readonly #clock: Clock;
  readonly #base: number;

  constructor(mem: SharedMemory, clock: Clock, base: number) {
    this.#mem = mem;
    this.#clock = clock;
    this.#base = base;
  }
  /** Is notifier `fd` readable? Without making an object, for the poll function. */
  isSet(fd: number): boolean {
    return this.#mem.load32(this.#base + fd * EventNotifierLayout.size + EventNotifierLayout.at.count) !== 0;
  }
  get(fd: number): EventNotifier {
    return new EventNotifier(this.#mem, this.#clock, this.#base, fd);
  }
}

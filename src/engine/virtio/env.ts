import type { Clock } from '../base/clock.ts';
import type { GuestRam } from '../base/guest-ram.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { TRACE } from '../trace/schema.ts';
import type { Tracer } from '../trace/tracer.ts';
import type { VirtioFault } from './fault.ts';
import { VirtioDeviceLayout } from './layout.ts';
import {
  INTERRUPT_CONFIG_CHANGE,
  INTERRUPT_USED_BUFFER,
  STATUS_DRIVER_OK,
  STATUS_NEEDS_RESET,
} from './spec.ts';

/** The interrupt line of a slot: an irqfd. Both may be called from any thread. */
export interface IrqLine {
  raise(): void;
  lower(): void;
}

/** What a thread needs to work on one slot. Each thread makes its own from plain data. */
export interface VirtioEnv {
  readonly mem: SharedMemory;
  readonly ram: GuestRam;
  readonly clock: Clock;
  readonly tracer: Tracer;
  /** Offset of the slot's state in the shared memory (VirtioDeviceLayout). */
  readonly slotAddr: number;
  /** The slot's number, as traces name the device. */
  readonly dev: number;
  readonly irq: IrqLine;
}

const D = VirtioDeviceLayout.at;

/**
 * Brings the line in step with InterruptStatus. Any thread; after every change of InterruptStatus.
 *
 * Rule I1: whatever two threads that set and acknowledge bits at once do, the line ends high exactly if a
 * bit is set. Whoever moved the line looks at the bits again: the last to do so sees the final state.
 */
export function updateIrqLine(env: VirtioEnv): void {
  const addr = env.slotAddr + D.interruptStatus;
  for (;;) {
    const pending = env.mem.load32(addr) !== 0;
    if (pending) env.irq.raise();
    else env.irq.lower();
    env.tracer.emit(TRACE.virtio_mmio_setting_irq, env.dev, pending ? 1 : 0);
    if ((env.mem.load32(addr) !== 0) === pending) return;
  }
}

function raiseInterrupt(env: VirtioEnv, bit: number): void {
  // A bit that was set already has a raise behind it or under way (updateIrqLine), before any
  // acknowledgement of it: the driver will look at what we have just published.
  if ((env.mem.or32(env.slotAddr + D.interruptStatus, bit) & bit) === 0) updateIrqLine(env);
}

/** Used buffer notification (virtio 2.3). Any thread; the used ring must be published before. */
export const raiseUsedBuffer = (env: VirtioEnv): void => raiseInterrupt(env, INTERRUPT_USED_BUFFER);

/** Configuration change notification (virtio 2.3). Any thread. */
export const raiseConfigChange = (env: VirtioEnv): void => raiseInterrupt(env, INTERRUPT_CONFIG_CHANGE);

/** Takes interrupt bits back (InterruptACK). Any thread. */
export function acknowledgeInterrupt(env: VirtioEnv, bits: number): void {
  const old = env.mem.and32(env.slotAddr + D.interruptStatus, ~bits);
  if (old !== 0 && (old & ~bits) === 0) updateIrqLine(env);
}

/** Has the device stopped for a fault of the driver's? Any thread. */
export const needsReset = (env: VirtioEnv): boolean =>
  (env.mem.load32(env.slotAddr + D.status) & STATUS_NEEDS_RESET) !== 0;

/**
 * The driver broke the rules: DEVICE_NEEDS_RESET, a trace event, and a configuration change interrupt if
 * the driver is listening (virtio 2.1.2). Any thread; idempotent.
 */
export function failDevice(env: VirtioEnv, queue: number, fault: VirtioFault): void {
  const { mem, slotAddr } = env;
  if (mem.cas32(slotAddr + D.fault, 0, fault) === 0) mem.store32(slotAddr + D.faultQueue, queue);
  mem.add32(slotAddr + D.faults, 1);
  const before = mem.or32(slotAddr + D.status, STATUS_NEEDS_RESET);
  env.tracer.emit(TRACE.virtio_error, env.dev, queue, fault);
  if ((before & STATUS_NEEDS_RESET) === 0 && (before & STATUS_DRIVER_OK) !== 0) raiseConfigChange(env);
}

/** A driver's mistake that harms only itself: traced, and the access is ignored. Any thread. */
export function reportGuestError(env: VirtioEnv, queue: number, fault: VirtioFault): void {
  env.tracer.emit(TRACE.virtio_error, env.dev, queue, fault);
}

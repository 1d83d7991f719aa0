import { TRACE } from '../../trace/schema.ts';
import { configGeneration, readConfig } from '../config-space.ts';
import { acknowledgeInterrupt, reportGuestError, type VirtioEnv } from '../env.ts';
import { VirtioFault } from '../fault.ts';
import { CONFIG_BYTES_MAX, VirtioDeviceLayout, VirtQueueLayout, virtQueueAddr } from '../layout.ts';
import {
  MMIO,
  MMIO_MAGIC,
  MMIO_VENDOR,
  MMIO_VERSION,
  STATUS_DRIVER_OK,
  STATUS_FEATURES_OK,
  STATUS_NEEDS_RESET,
} from '../spec.ts';
import {
  CONTROL_CONFIG_WRITE,
  CONTROL_QUEUE_READY,
  CONTROL_QUEUE_RESET,
  CONTROL_STATUS,
  type ControlCall,
  type ControlOp,
} from './control.ts';

const D = VirtioDeviceLayout.at;
const Q = VirtQueueLayout.at;

/** An ioeventfd: what QueueNotify raises. EventNotifier is one. */
export interface QueueNotifier {
  set(): void;
}

/** The registers of one virtio-mmio slot take this much of the bus. */
export const MMIO_SLOT_BYTES = 0x200;

/**
 * virtio-mmio version 2 (virtio 4.2.2) as a hart sees it. Runs in the hart's thread: reads are answered
 * from shared state, a kick raises the queue's notifier, and only what changes the device itself goes to
 * the control plane, for which the hart waits.
 *
 * Rules (tests bear the numbers):
 *  - M1 registers below 0x100 are read and written as aligned 32-bit words; anything else reads as zero or
 *    is ignored, and is traced.
 *  - M2 a queue's size and addresses can't be changed while it is ready.
 *  - M3 a kick before DRIVER_OK, after a fault, or of a queue that is not ready raises nothing.
 */
export class VirtioMmioFront {
  readonly #env: VirtioEnv;
  readonly #notifiers: readonly QueueNotifier[];
  readonly #control: ControlCall;

  /** @param notifiers one per queue, in order */
  constructor(env: VirtioEnv, notifiers: readonly QueueNotifier[], control: ControlCall) {
    this.#env = env;
    this.#notifiers = notifiers;
    this.#control = control;
  }

  /** A load of `size` (1, 2, 4) bytes at `offset` in the slot. Hart thread. */
  read(offset: number, size: number): number {
    const value = offset >= MMIO.Config ? this.#readConfig(offset, size) : this.#readRegister(offset, size);
    this.#env.tracer.emit(TRACE.virtio_mmio_read, this.#env.dev, offset);
    return value;
  }

  /** A store of `size` (1, 2, 4) bytes. Hart thread; may wait for the main context. */
  write(offset: number, size: number, value: number): void {
    const env = this.#env;
    env.tracer.emit(TRACE.virtio_mmio_write_offset, env.dev, offset, value);
    if (this.#device(D.deviceId) === 0) return;
    if (offset >= MMIO.Config) {
      const at = offset - MMIO.Config;
      if (at + size > CONFIG_BYTES_MAX || (size !== 1 && size !== 2 && size !== 4)) return;
      this.#call(CONTROL_CONFIG_WRITE, 0, value, at, size);
      return;
    }
    if (size !== 4 || (offset & 3) !== 0) {
      reportGuestError(env, 0, VirtioFault.RegisterWidth);
      return;
    }
    this.#writeRegister(offset, value >>> 0);
  }

  #device(field: number): number {
    return this.#env.mem.load32(this.#env.slotAddr + field);
  }

  /** Offset of the selected queue's state, or 0 if there is no such queue. */
  #selected(): number {
    const queue = this.#device(D.queueSel);
    return queue < this.#device(D.queueCount) ? virtQueueAddr(this.#env.slotAddr, queue) : 0;
  }

  #queue(field: number): number {
    const at = this.#selected();
    return at === 0 ? 0 : this.#env.mem.load32(at + field);
  }

  #readConfig(offset: number, size: number): number {
    if (this.#device(D.deviceId) === 0) return 0;
    return readConfig(this.#env.mem, this.#env.slotAddr, offset - MMIO.Config, size);
  }

  #readRegister(offset: number, size: number): number {
    if (size !== 4 || (offset & 3) !== 0) {
      reportGuestError(this.#env, 0, VirtioFault.RegisterWidth);
      return 0;
    }
    switch (offset) {
      case MMIO.MagicValue:
        return MMIO_MAGIC;
      case MMIO.Version:
        return MMIO_VERSION;
      case MMIO.DeviceID:
        return this.#device(D.deviceId);
      case MMIO.VendorID:
        return MMIO_VENDOR;
      default:
        return this.#device(D.deviceId) === 0 ? 0 : this.#readDevice(offset);
    }
  }

  #readDevice(offset: number): number {
    switch (offset) {
      case MMIO.DeviceFeatures: {
        const select = this.#device(D.deviceFeaturesSel);
        if (select > 1) return 0;
        return this.#device(select === 0 ? D.deviceFeaturesLow : D.deviceFeaturesHigh);
      }
      case MMIO.QueueNumMax:
        return this.#queue(Q.sizeMax);
      case MMIO.QueueReady:
        return this.#queue(Q.ready);
      case MMIO.InterruptStatus:
        return this.#device(D.interruptStatus);
      case MMIO.Status:
        return this.#device(D.status);
      case MMIO.SHMLenLow:
      case MMIO.SHMLenHigh:
      case MMIO.SHMBaseLow:
      case MMIO.SHMBaseHigh:
        // 4.2.2: a region that does not exist has length and base −1.
        return 0xffff_ffff;
      case MMIO.QueueReset:
        // The reset is complete when the write returns.
        return 0;
      case MMIO.ConfigGeneration:
        return configGeneration(this.#env.mem, this.#env.slotAddr);
      default:
        return 0;
    }
  }

  #writeRegister(offset: number, value: number): void {
    switch (offset) {
      case MMIO.DeviceFeaturesSel:
        this.#store(D.deviceFeaturesSel, value);
        return;
      case MMIO.DriverFeatures:
        this.#writeFeatures(value);
        return;
      case MMIO.DriverFeaturesSel:
        this.#store(D.driverFeaturesSel, value);
        return;
      case MMIO.QueueSel:
        this.#store(D.queueSel, value);
        return;
      case MMIO.QueueNum:
        this.#setUp(Q.size, value);
        return;
      case MMIO.QueueReady:
        this.#callQueue(CONTROL_QUEUE_READY, value);
        return;
      case MMIO.QueueNotify:
        this.#notify(value);
        return;
      case MMIO.InterruptACK:
        this.#env.tracer.emit(TRACE.virtio_interrupt_ack, this.#env.dev, value);
        acknowledgeInterrupt(this.#env, value);
        return;
      case MMIO.Status:
        this.#call(CONTROL_STATUS, 0, value, 0, 0);
        return;
      case MMIO.QueueDescLow:
        this.#setUp(Q.descLow, value);
        return;
      case MMIO.QueueDescHigh:
        this.#setUp(Q.descHigh, value);
        return;
      case MMIO.QueueDriverLow:
        this.#setUp(Q.driverLow, value);
        return;
      case MMIO.QueueDriverHigh:
        this.#setUp(Q.driverHigh, value);
        return;
      case MMIO.QueueDeviceLow:
        this.#setUp(Q.deviceLow, value);
        return;
      case MMIO.QueueDeviceHigh:
        this.#setUp(Q.deviceHigh, value);
        return;
      case MMIO.SHMSel:
        this.#store(D.shmSel, value);
        return;
      case MMIO.QueueReset:
        if (value !== 0) this.#callQueue(CONTROL_QUEUE_RESET, value);
        return;
      default:
        return; // read-only or reserved
    }
  }

  #store(field: number, value: number): void {
    this.#env.mem.store32(this.#env.slotAddr + field, value);
  }

  #writeFeatures(value: number): void {
    const select = this.#device(D.driverFeaturesSel);
    if (select > 1) return;
    if ((this.#device(D.status) & STATUS_FEATURES_OK) !== 0) {
      reportGuestError(this.#env, 0, VirtioFault.FeaturesRefused);
      return;
    }
    this.#store(select === 0 ? D.driverFeaturesLow : D.driverFeaturesHigh, value);
  }

  /** Writes one of the selected queue's size and addresses (M2). */
  #setUp(field: number, value: number): void {
    const at = this.#selected();
    if (at === 0) return;
    if (this.#env.mem.load32(at + Q.ready) !== 0) {
      reportGuestError(this.#env, this.#device(D.queueSel), VirtioFault.QueueLive);
      return;
    }
    this.#env.mem.store32(at + field, value);
  }

  #notify(queue: number): void {
    const { mem, slotAddr, tracer, dev, ram } = this.#env;
    if (queue >= this.#device(D.queueCount)) {
      reportGuestError(this.#env, queue, VirtioFault.QueueOutOfRange);
      return;
    }
    const at = virtQueueAddr(slotAddr, queue);
    mem.add32(at + Q.kicks, 1);
    if (tracer.enabled(TRACE.virtio_queue_notify)) {
      const driver = ram.translate(mem.load32(at + Q.driverLow), mem.load32(at + Q.driverHigh), 4);
      const ready = mem.load32(at + Q.ready) !== 0 && driver >= 0 && (driver & 1) === 0;
      tracer.emit(TRACE.virtio_queue_notify, dev, queue, ready ? mem.load16(driver + 2) : 0);
    }
    const status = this.#device(D.status);
    const live = (status & (STATUS_DRIVER_OK | STATUS_NEEDS_RESET)) === STATUS_DRIVER_OK;
    if (!live || mem.load32(at + Q.ready) === 0) {
      reportGuestError(this.#env, queue, VirtioFault.KickNotReady);
      return;
    }
    this.#notifiers[queue]?.set();
  }

  #callQueue(op: ControlOp, value: number): void {
    if (this.#selected() === 0) return;
    this.#call(op, this.#device(D.queueSel), value, 0, 0);
  }

  #call(op: ControlOp, queue: number, value: number, offset: number, size: number): void {
    this.#control({ op, dev: this.#env.dev, queue, offset, size, value });
  }
}

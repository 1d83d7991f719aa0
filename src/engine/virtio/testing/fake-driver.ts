import { assert } from '../../base/assert.ts';
import type { GuestRam } from '../../base/guest-ram.ts';
import type { SharedMemory } from '../../base/shared-memory.ts';
import {
  INTERRUPT_CONFIG_CHANGE,
  INTERRUPT_USED_BUFFER,
  MMIO,
  STATUS_ACKNOWLEDGE,
  STATUS_DRIVER,
  STATUS_DRIVER_OK,
  STATUS_FEATURES_OK,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
} from '../spec.ts';
import { FakePackedQueue } from './fake-packed-queue.ts';
import type { FakeQueue } from './fake-queue.ts';
import { FakeSplitQueue } from './fake-split-queue.ts';

/** The registers of a slot as a driver reaches them; VirtioMmioFront is one. */
export interface Registers {
  read(offset: number, size: number): number;
  write(offset: number, size: number, value: number): void;
}

/** The driver's view of guest memory: guest physical addresses in, bytes out. */
export class GuestMemory {
  readonly mem: SharedMemory;
  readonly ram: GuestRam;
  #next: number;

  /** @param from guest address from which `alloc` hands out memory */
  constructor(mem: SharedMemory, ram: GuestRam, from: number = ram.range.base) {
    this.mem = mem;
    this.ram = ram;
    this.#next = from;
  }

  /** Guest address of fresh memory; never freed. */
  alloc(bytes: number, align = 16): number {
    const at = Math.ceil(this.#next / align) * align;
    this.#next = at + bytes;
    assert(this.ram.offsetOf(at, bytes) >= 0, 'fake driver: out of guest memory');
    return at;
  }
  /** Offset in the shared memory of a guest address. */
  at(addr: number): number {
    const offset = this.ram.offsetOf(addr, 1);
    assert(offset >= 0, `fake driver: ${addr.toString(16)} is not in RAM`);
    return offset;
  }
  bytes(addr: number, length: number): Uint8Array {
    return this.mem.bytes(this.at(addr), length);
  }
  u16(addr: number): number {
    return this.mem.view.getUint16(this.at(addr), true);
  }
  setU16(addr: number, value: number): void {
    this.mem.view.setUint16(this.at(addr), value, true);
  }
  u32(addr: number): number {
    return this.mem.view.getUint32(this.at(addr), true);
  }
  setU32(addr: number, value: number): void {
    this.mem.view.setUint32(this.at(addr), value, true);
  }
  setU64(addr: number, value: number | bigint): void {
    this.mem.view.setBigUint64(this.at(addr), BigInt(value), true);
  }
}

export interface DriverOptions {
  /** Bits to leave out of what the device offers. */
  readonly refuse?: bigint;
  /** Size of each queue; default: the device's maximum. */
  readonly queueSize?: number;
  readonly queues?: number;
  /** Stop before DRIVER_OK. */
  readonly stopBeforeDriverOk?: boolean;
}

/**
 * A driver that does what virtio 3.1 says, over the registers of one slot. Tests reach through it to do
 * what a driver must not.
 */
export class FakeDriver {
  readonly guest: GuestMemory;
  readonly registers: Registers;
  readonly queues: FakeQueue[] = [];
  features = 0n;

  constructor(guest: GuestMemory, registers: Registers) {
    this.guest = guest;
    this.registers = registers;
  }

  reg(offset: number): number {
    return this.registers.read(offset, 4);
  }
  setReg(offset: number, value: number): void {
    this.registers.write(offset, 4, value);
  }

  /** Reset, feature negotiation, queue set-up, DRIVER_OK (3.1.1). */
  init(options: DriverOptions = {}): void {
    this.reset();
    this.setReg(MMIO.Status, STATUS_ACKNOWLEDGE);
    this.setReg(MMIO.Status, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    this.negotiate(this.offered() & ~(options.refuse ?? 0n));
    const queues = options.queues ?? 1;
    for (let i = 0; i < queues; i++) this.setUpQueue(i, options.queueSize);
    if (!options.stopBeforeDriverOk) this.setReg(MMIO.Status, this.status | STATUS_DRIVER_OK);
  }

  get status(): number {
    return this.reg(MMIO.Status);
  }

  reset(): void {
    this.setReg(MMIO.Status, 0);
    this.queues.length = 0;
  }

  offered(): bigint {
    this.setReg(MMIO.DeviceFeaturesSel, 0);
    const low = this.reg(MMIO.DeviceFeatures);
    this.setReg(MMIO.DeviceFeaturesSel, 1);
    return (BigInt(this.reg(MMIO.DeviceFeatures)) << 32n) | BigInt(low);
  }

  /** Writes the features and FEATURES_OK; true if the device kept it. */
  negotiate(features: bigint): boolean {
    this.features = features;
    this.setReg(MMIO.DriverFeaturesSel, 0);
    this.setReg(MMIO.DriverFeatures, Number(features & 0xffff_ffffn));
    this.setReg(MMIO.DriverFeaturesSel, 1);
    this.setReg(MMIO.DriverFeatures, Number(features >> 32n));
    this.setReg(MMIO.Status, this.status | STATUS_FEATURES_OK);
    return (this.status & STATUS_FEATURES_OK) !== 0;
  }

  /** Allocates a queue's areas, writes its registers, sets QueueReady. */
  setUpQueue(index: number, wanted?: number): FakeQueue {
    this.setReg(MMIO.QueueSel, index);
    const size = wanted ?? this.reg(MMIO.QueueNumMax);
    const options = {
      indirect: (this.features & VIRTIO_F_RING_INDIRECT_DESC) !== 0n,
      eventIdx: (this.features & VIRTIO_F_RING_EVENT_IDX) !== 0n,
    };
    const packed = (this.features & VIRTIO_F_RING_PACKED) !== 0n;
    const queue = packed
      ? new FakePackedQueue(this.guest, size, options)
      : new FakeSplitQueue(this.guest, size, options);
    this.writeQueue(index, size, queue.desc, queue.driver, queue.device);
    this.setReg(MMIO.QueueReady, 1);
    this.queues[index] = queue;
    return queue;
  }

  writeQueue(index: number, size: number, desc: number, driver: number, device: number): void {
    this.setReg(MMIO.QueueSel, index);
    this.setReg(MMIO.QueueNum, size);
    for (const [low, addr] of [
      [MMIO.QueueDescLow, desc],
      [MMIO.QueueDriverLow, driver],
      [MMIO.QueueDeviceLow, device],
    ] as const) {
      this.setReg(low, addr % 0x1_0000_0000);
      this.setReg(low + 4, Math.floor(addr / 0x1_0000_0000));
    }
  }

  queue(index = 0): FakeQueue {
    const queue = this.queues[index];
    assert(queue !== undefined, `fake driver: no queue ${index}`);
    return queue;
  }

  /** Publishes what was added, and kicks if the device wants that; true if it kicked. */
  kick(index = 0): boolean {
    if (!this.queue(index).publish()) return false;
    this.setReg(MMIO.QueueNotify, index);
    return true;
  }

  /** The interrupt handler: which of its bits were set; acknowledges them. */
  interrupt(): { used: boolean; config: boolean } {
    const status = this.reg(MMIO.InterruptStatus);
    if (status !== 0) this.setReg(MMIO.InterruptACK, status);
    return {
      used: (status & INTERRUPT_USED_BUFFER) !== 0,
      config: (status & INTERRUPT_CONFIG_CHANGE) !== 0,
    };
  }
}

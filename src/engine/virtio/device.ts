import { assert, assertUnreachable } from '../base/assert.ts';
import { TRACE } from '../trace/schema.ts';
import { writeConfigBytes } from './config-space.ts';
import type { ConfigChange, VirtioDeviceModel } from './device-model.ts';
import { failDevice, raiseConfigChange, reportGuestError, updateIrqLine, type VirtioEnv } from './env.ts';
import { VirtioFault } from './fault.ts';
import {
  CONFIG_BYTES_MAX,
  driverFeatures,
  QUEUES_MAX,
  VIRTIO_SLOT_BYTES,
  VirtioDeviceLayout,
  VirtQueueLayout,
  virtQueueAddr,
} from './layout.ts';
import { checkRing, resetQueueState } from './queue/open.ts';
import {
  STATUS_DRIVER_BITS,
  STATUS_DRIVER_OK,
  STATUS_FAILED,
  STATUS_FEATURES_OK,
  STATUS_NEEDS_RESET,
  VIRTIO_F_RING_EVENT_IDX,
  VIRTIO_F_RING_INDIRECT_DESC,
  VIRTIO_F_RING_PACKED,
  VIRTIO_F_RING_RESET,
  VIRTIO_F_VERSION_1,
} from './spec.ts';
import {
  CONTROL_CONFIG_WRITE,
  CONTROL_QUEUE_READY,
  CONTROL_QUEUE_RESET,
  CONTROL_STATUS,
  type ControlRequest,
} from './transport/control.ts';

const D = VirtioDeviceLayout.at;
const Q = VirtQueueLayout.at;

/** Where a device is in its life, as its status field says (virtio 2.1). */
export type DeviceLife = 'reset' | 'negotiating' | 'features-ok' | 'running' | 'needs-reset' | 'failed';

export function deviceLife(status: number): DeviceLife {
  if (status === 0) return 'reset';
  if ((status & STATUS_FAILED) !== 0) return 'failed';
  if ((status & STATUS_NEEDS_RESET) !== 0) return 'needs-reset';
  if ((status & STATUS_DRIVER_OK) !== 0) return 'running';
  return (status & STATUS_FEATURES_OK) !== 0 ? 'features-ok' : 'negotiating';
}

/** Which optional parts of the ring formats the device offers. */
export interface TransportFeatures {
  readonly indirect: boolean;
  readonly eventIdx: boolean;
  readonly packed: boolean;
  readonly ringReset: boolean;
}
export const TRANSPORT_DEFAULTS: TransportFeatures = {
  indirect: true,
  eventIdx: true,
  packed: false,
  ringReset: true,
};

/**
 * Brings queues to the contexts that serve them: messages between workers in a machine, direct calls in a
 * test. Main context; `done` is called there, possibly from inside the call.
 */
export interface QueuePlacement {
  /** The queue is ready and the driver is running: begin to serve it. */
  startQueue(queue: number, done: () => void): void;
  /** Stop serving it; after `done` nothing touches its rings or buffers and nothing is in flight. */
  stopQueue(queue: number, done: () => void): void;
}

/**
 * The control plane of one virtio device: features, configuration, queue set-up, reset. Runs in the main
 * context and changes only shared state; the data plane follows through `QueuePlacement`.
 *
 * Rules (tests bear the numbers):
 *  - D1 FEATURES_OK stays clear unless VERSION_1 was accepted and nothing that was not offered.
 *  - D2 no queue is served before DRIVER_OK.
 *  - D3 a reset is over (Status reads 0) only when every queue has stopped and nothing is in flight.
 *  - D4 control requests, and moves of queues, are carried out one at a time, in order.
 */
export class VirtioDevice {
  readonly model: VirtioDeviceModel;
  readonly env: VirtioEnv;
  readonly #placement: QueuePlacement;
  readonly #offered: bigint;
  readonly #serving = new Set<number>();
  /** What is to be done one at a time (D4); each calls `release` when it is over. */
  readonly #waiting: ((release: () => void) => void)[] = [];
  #busy = false;

  /** Takes over the slot: clears it and shows the device in it. */
  constructor(
    env: VirtioEnv,
    model: VirtioDeviceModel,
    placement: QueuePlacement,
    options: { gsi: number; notifierFds: readonly number[]; transport?: Partial<TransportFeatures> },
  ) {
    assert(model.queues.length <= QUEUES_MAX, `${model.name}: more than ${QUEUES_MAX} queues`);
    assert(model.config.length <= CONFIG_BYTES_MAX, `${model.name}: configuration is too long`);
    assert(options.notifierFds.length === model.queues.length, `${model.name}: one notifier per queue`);
    this.env = env;
    this.model = model;
    this.#placement = placement;
    const transport = { ...TRANSPORT_DEFAULTS, ...options.transport };
    this.#offered =
      model.features |
      VIRTIO_F_VERSION_1 |
      (transport.indirect ? VIRTIO_F_RING_INDIRECT_DESC : 0n) |
      (transport.eventIdx ? VIRTIO_F_RING_EVENT_IDX : 0n) |
      (transport.packed ? VIRTIO_F_RING_PACKED : 0n) |
      (transport.ringReset ? VIRTIO_F_RING_RESET : 0n);
    const { mem, slotAddr } = env;
    mem.bytes(slotAddr, VIRTIO_SLOT_BYTES).fill(0);
    this.#set(D.queueCount, model.queues.length);
    this.#set(D.configBytes, model.config.length);
    this.#set(D.gsi, options.gsi);
    this.#set(D.deviceFeaturesLow, Number(this.#offered & 0xffff_ffffn));
    this.#set(D.deviceFeaturesHigh, Number(this.#offered >> 32n));
    mem.u8.set(model.config, slotAddr + D.config);
    for (const [i, queue] of model.queues.entries()) {
      mem.store32(virtQueueAddr(slotAddr, i) + Q.sizeMax, queue.sizeMax);
      mem.store32(virtQueueAddr(slotAddr, i) + Q.notifierFd, options.notifierFds[i] as number);
      resetQueueState(env, i);
    }
    // ORDER: the id last: a hart that sees the device sees all of it.
    this.#set(D.deviceId, model.deviceId);
  }

  get status(): number {
    return this.env.mem.load32(this.env.slotAddr + D.status);
  }
  get life(): DeviceLife {
    return deviceLife(this.status);
  }
  /** What the device offers. */
  get offeredFeatures(): bigint {
    return this.#offered;
  }
  /** What the driver accepted; in force from FEATURES_OK on. */
  get features(): bigint {
    return driverFeatures(this.env.mem, this.env.slotAddr);
  }
  /** Is a queue with its context now? */
  isServing(queue: number): boolean {
    return this.#serving.has(queue);
  }

  /** Carries out a register write of a hart's; `done` lets the hart go on. Main context. */
  control(request: ControlRequest, done: () => void): void {
    this.exclusive((release) =>
      this.#carryOut(request, () => {
        done();
        release();
      }),
    );
  }

  /** Runs `task` when no control request and no other task is under way, and holds them off until it releases. */
  exclusive(task: (release: () => void) => void): void {
    this.#waiting.push(task);
    if (!this.#busy) this.#next();
  }

  /**
   * The state in the slot has been replaced by a snapshot's: these queues are served from now on. Main
   * context, with the task held that `exclusive` gave.
   */
  restored(serving: readonly number[]): void {
    this.#serving.clear();
    for (const queue of serving) this.#serving.add(queue);
  }

  /** Puts the device back to the start, as a write of 0 to Status does. Main context. */
  reset(done: () => void): void {
    this.control({ op: CONTROL_STATUS, dev: this.env.dev, queue: 0, offset: 0, size: 0, value: 0 }, done);
  }

  /** Changes configuration on the device's own account and tells the driver. Main context. */
  changeConfig(change: ConfigChange): void {
    this.#applyConfig(change);
    if (this.life === 'running') raiseConfigChange(this.env);
  }

  #next(): void {
    const task = this.#waiting.shift();
    if (task === undefined) return;
    this.#busy = true;
    let held = true;
    task(() => {
      assert(held, `${this.model.name}: released twice`);
      held = false;
      this.#busy = false;
      this.#next();
    });
  }

  #carryOut(request: ControlRequest, done: () => void): void {
    switch (request.op) {
      case CONTROL_STATUS:
        if (request.value === 0) this.#reset(done);
        else this.#setStatus(request.value, done);
        return;
      case CONTROL_QUEUE_READY:
        if (request.value === 0) this.#stopQueue(request.queue, done);
        else this.#readyQueue(request.queue, done);
        return;
      case CONTROL_QUEUE_RESET:
        this.#resetQueue(request.queue, done);
        return;
      case CONTROL_CONFIG_WRITE: {
        const { offset, size, value } = request;
        const change = this.model.configWritten?.(offset, size, value, this.features);
        if (change !== undefined) this.#applyConfig(change);
        done();
        return;
      }
      default:
        assertUnreachable(request.op);
    }
  }

  #setStatus(written: number, done: () => void): void {
    const { env } = this;
    const old = this.status;
    let bits = written & STATUS_DRIVER_BITS & ~old;
    if ((bits & STATUS_FEATURES_OK) !== 0 && !this.#acceptFeatures()) bits &= ~STATUS_FEATURES_OK;
    // 3.1.1: DRIVER_OK comes after FEATURES_OK was seen to stay.
    if (((old | bits) & STATUS_FEATURES_OK) === 0) bits &= ~STATUS_DRIVER_OK;
    env.mem.or32(env.slotAddr + D.status, bits);
    env.tracer.emit(TRACE.virtio_set_status, env.dev, old | bits);
    if ((bits & STATUS_DRIVER_OK) === 0) {
      done();
      return;
    }
    this.#forEachQueue(
      (queue) => this.#queue(queue, Q.ready) !== 0,
      (queue, next) => this.#startQueue(queue, next),
      done,
    );
  }

  #acceptFeatures(): boolean {
    const accepted = this.features;
    const refused =
      (accepted & ~this.#offered) !== 0n ||
      (accepted & VIRTIO_F_VERSION_1) === 0n ||
      this.model.acceptsFeatures?.(accepted) === false;
    if (refused) {
      reportGuestError(this.env, 0, VirtioFault.FeaturesRefused);
      return false;
    }
    const change = this.model.featuresAccepted?.(accepted);
    if (change !== undefined) this.#applyConfig(change);
    return true;
  }

  #readyQueue(queue: number, done: () => void): void {
    if (!this.#queueExists(queue) || this.#queue(queue, Q.ready) !== 0) {
      done();
      return;
    }
    if ((this.status & STATUS_FEATURES_OK) === 0) {
      reportGuestError(this.env, queue, VirtioFault.FeaturesRefused);
      done();
      return;
    }
    const ring = checkRing(this.env, queue);
    if (ring.kind === 'fault') {
      failDevice(this.env, queue, ring.fault);
      done();
      return;
    }
    resetQueueState(this.env, queue);
    this.#setQueue(queue, Q.ready, 1);
    if (this.life === 'running') this.#startQueue(queue, done);
    else done();
  }

  #startQueue(queue: number, done: () => void): void {
    this.#serving.add(queue);
    this.#placement.startQueue(queue, done);
  }

  #stopQueue(queue: number, done: () => void): void {
    if (!this.#queueExists(queue)) {
      done();
      return;
    }
    // Not ready first: kicks from now on raise nothing.
    this.#setQueue(queue, Q.ready, 0);
    const stopped = (): void => {
      resetQueueState(this.env, queue);
      done();
    };
    if (this.#serving.delete(queue)) this.#placement.stopQueue(queue, stopped);
    else stopped();
  }

  #resetQueue(queue: number, done: () => void): void {
    if ((this.features & VIRTIO_F_RING_RESET) === 0n) {
      reportGuestError(this.env, queue, VirtioFault.FeaturesRefused);
      done();
      return;
    }
    this.#stopQueue(queue, () => {
      this.#clearRegisters(queue);
      done();
    });
  }

  #reset(done: () => void): void {
    const { env } = this;
    this.#forEachQueue(
      () => true,
      (queue, next) => this.#stopQueue(queue, next),
      () => {
        for (const queue of this.model.queues.keys()) this.#clearRegisters(queue);
        for (const field of [
          D.driverFeaturesLow,
          D.driverFeaturesHigh,
          D.deviceFeaturesSel,
          D.driverFeaturesSel,
          D.queueSel,
          D.shmSel,
          D.fault,
          D.faultQueue,
          D.interruptStatus,
        ]) {
          this.#set(field, 0);
        }
        updateIrqLine(env);
        this.#set(D.status, 0);
        env.tracer.emit(TRACE.virtio_set_status, env.dev, 0);
        done();
      },
    );
  }

  #clearRegisters(queue: number): void {
    for (const field of [
      Q.size,
      Q.descLow,
      Q.descHigh,
      Q.driverLow,
      Q.driverHigh,
      Q.deviceLow,
      Q.deviceHigh,
    ]) {
      this.#setQueue(queue, field, 0);
    }
  }

  #applyConfig(change: ConfigChange): void {
    writeConfigBytes(this.env.mem, this.env.slotAddr, change.offset, change.bytes);
  }

  /** Does `action` to the queues `which` picks, all at once, and calls `done` after the last. */
  #forEachQueue(
    which: (queue: number) => boolean,
    action: (queue: number, next: () => void) => void,
    done: () => void,
  ): void {
    const picked = [...this.model.queues.keys()].filter(which);
    let left = picked.length;
    if (left === 0) {
      done();
      return;
    }
    for (const queue of picked) {
      action(queue, () => {
        left -= 1;
        if (left === 0) done();
      });
    }
  }

  #queueExists(queue: number): boolean {
    return queue < this.model.queues.length;
  }
  #set(field: number, value: number): void {
    this.env.mem.store32(this.env.slotAddr + field, value);
  }
  #queue(queue: number, field: number): number {
    return this.env.mem.load32(virtQueueAddr(this.env.slotAddr, queue) + field);
  }
  #setQueue(queue: number, field: number, value: number): void {
    this.env.mem.store32(virtQueueAddr(this.env.slotAddr, queue) + field, value);
  }
}

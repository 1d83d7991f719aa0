import { assert } from '../../base/assert.ts';
import { VIRTIO_BLK_DEFAULTS, type VirtioBlkConfig } from '../blk/config.ts';
import { type BlkErrorReport, VirtioBlkDataPlane } from '../blk/data-plane.ts';
import { VirtioBlkModel } from '../blk/device.ts';
import { VIRTIO_BLK_T_FLUSH, VIRTIO_BLK_T_GET_ID, VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT } from '../blk/spec.ts';
import type { TransportFeatures } from '../device.ts';
import type { DriverOptions } from './fake-driver.ts';
import type { FakeBuffer } from './fake-queue.ts';
import { MemoryDisk } from './memory-disk.ts';
import { TestMachine } from './test-machine.ts';

/** A request under way, as the driver remembers it. */
export interface PendingRequest {
  readonly token: number;
  readonly status: number;
  readonly data: number;
  readonly length: number;
}

export interface RequestOptions {
  readonly queue?: number;
  readonly indirect?: boolean;
  /** Cut the data into pieces of this many bytes. */
  readonly pieces?: number;
}

/** A machine with a virtio-blk device on a MemoryDisk, and a driver that speaks virtio-blk. */
export class BlkMachine extends TestMachine {
  readonly disk: MemoryDisk;
  readonly model: VirtioBlkModel;
  readonly config: VirtioBlkConfig;
  readonly errors: BlkErrorReport[] = [];

  constructor(
    options: {
      config?: Partial<VirtioBlkConfig>;
      diskBytes?: number;
      readOnly?: boolean;
      transport?: Partial<TransportFeatures>;
      ramBytes?: number;
      loops?: number;
    } = {},
  ) {
    super(options);
    this.config = { ...VIRTIO_BLK_DEFAULTS, ...options.config };
    this.disk = new MemoryDisk(this.mem, options.diskBytes ?? 1024 * 1024, options.readOnly);
    this.model = new VirtioBlkModel(this.config, this.disk);
    this.plug(this.model, (queue) => this.makeDataPlane(queue), options.transport);
  }

  makeDataPlane(queue: number): VirtioBlkDataPlane {
    const notifier = this.notifiers[queue];
    assert(notifier !== undefined, 'test machine: too many queues');
    return new VirtioBlkDataPlane(this.env, queue, notifier, this.config, this.disk, (report) =>
      this.errors.push(report),
    );
  }

  dataPlane(queue = 0): VirtioBlkDataPlane {
    const handler = this.handlers[queue];
    assert(handler instanceof VirtioBlkDataPlane, 'test machine: queue is not served');
    return handler;
  }

  /** Boots the driver. */
  boot(options: DriverOptions = {}): this {
    this.driver.init({ queues: this.config.numQueues, ...options });
    this.run();
    return this;
  }

  /** Adds a request to the ring without publishing it. */
  add(
    type: number,
    sector: number | bigint,
    data: FakeBuffer[],
    options: RequestOptions = {},
  ): PendingRequest {
    const { guest } = this;
    const header = guest.alloc(16);
    guest.setU32(header, type);
    guest.setU32(header + 4, 0);
    guest.setU64(header + 8, sector);
    const status = guest.alloc(1, 1);
    guest.bytes(status, 1)[0] = 0xff;
    const chain: FakeBuffer[] = [
      { addr: header, length: 16, writable: false },
      ...data,
      { addr: status, length: 1, writable: true },
    ];
    const token = this.driver.queue(options.queue).add(chain, options.indirect);
    const length = data.reduce((sum, piece) => sum + piece.length, 0);
    return { token, status, data: data[0]?.addr ?? 0, length };
  }

  /** A data buffer in one or more pieces that lie one behind the other. */
  buffer(bytes: number, writable: boolean, pieces = bytes): FakeBuffer[] {
    const addr = this.guest.alloc(bytes);
    const list: FakeBuffer[] = [];
    for (let at = 0; at < bytes; at += pieces) {
      list.push({ addr: addr + at, length: Math.min(pieces, bytes - at), writable });
    }
    return list;
  }

  addRead(sector: number, bytes: number, options: RequestOptions = {}): PendingRequest {
    return this.add(VIRTIO_BLK_T_IN, sector, this.buffer(bytes, true, options.pieces), options);
  }
  addWrite(sector: number, content: Uint8Array, options: RequestOptions = {}): PendingRequest {
    const data = this.buffer(content.length, false, options.pieces);
    if (data[0] !== undefined) this.guest.bytes(data[0].addr, content.length).set(content);
    return this.add(VIRTIO_BLK_T_OUT, sector, data, options);
  }
  addFlush(options: RequestOptions = {}): PendingRequest {
    return this.add(VIRTIO_BLK_T_FLUSH, 0, [], options);
  }
  addGetId(bytes = 20, options: RequestOptions = {}): PendingRequest {
    return this.add(VIRTIO_BLK_T_GET_ID, 0, this.buffer(bytes, true), options);
  }

  /** Status byte of a request; 0xff: none yet. */
  statusOf(request: PendingRequest): number {
    return this.guest.bytes(request.status, 1)[0] as number;
  }
  dataOf(request: PendingRequest): Uint8Array {
    return this.guest.bytes(request.data, request.length).slice();
  }

  /** Kicks, runs the loops, takes the used buffers. */
  turn(queue = 0): { token: number; length: number }[] {
    this.driver.kick(queue);
    this.run();
    return this.driver.queue(queue).takeUsed();
  }
}

/** Bytes that differ from place to place. */
export function pattern(bytes: number, seed = 1): Uint8Array {
  const content = new Uint8Array(bytes);
  let x = seed * 2654435761;
  for (let i = 0; i < bytes; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    content[i] = x >>> 24;
  }
  return content;
}

/** Are two runs of bytes equal? For long ones, where a matcher's element by element report takes its time. */
export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, i) => byte === b[i]);

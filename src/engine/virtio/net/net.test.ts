import { describe, expect, it } from 'vitest';
import type { NetBackend, NetFrontEnd } from '../../net/net-backend.ts';
import { pattern } from '../testing/blk-machine.ts';
import { TestMachine } from '../testing/test-machine.ts';
import { NetPort, NetReceiver, NetTransmitter } from './data-plane.ts';
import { NET_RECEIVEQ, NET_TRANSMITQ, VIRTIO_NET_DEFAULTS, VirtioNetModel } from './device.ts';

class FakeWire implements NetBackend {
  readonly id = 'net0';
  readonly type = 'fake';
  linkUp = true;
  readonly sent: Uint8Array[] = [];
  room = Infinity;
  readonly waiting: Uint8Array[] = [];
  frontEnd: NetFrontEnd | null = null;

  send(frame: Uint8Array): boolean {
    if (this.room === 0) return false;
    this.room -= 1;
    this.sent.push(frame.slice());
    return true;
  }
  setFrontEnd(frontEnd: NetFrontEnd | null): void {
    this.frontEnd = frontEnd;
  }
  acceptFrames(): void {
    while (this.waiting[0] !== undefined && this.frontEnd?.receive(this.waiting[0])) this.waiting.shift();
  }
  arrive(frame: Uint8Array): void {
    this.waiting.push(frame);
    this.acceptFrames();
  }
  close(): void {}
}

class NetMachine extends TestMachine {
  readonly wire = new FakeWire();
  readonly model = new VirtioNetModel(VIRTIO_NET_DEFAULTS, true);
  readonly port = new NetPort(this.wire, (up) => this.device.changeConfig(this.model.linkChange(up)));

  constructor() {
    super();
    this.plug(this.model, (queue) => {
      const notifier = this.notifiers[queue];
      if (notifier === undefined) throw new Error('no notifier');
      return queue === NET_RECEIVEQ
        ? new NetReceiver(this.env, notifier, this.port)
        : new NetTransmitter(this.env, notifier, this.port);
    });
    this.driver.init({ queues: 2, queueSize: 8 });
    this.run();
  }
  offer(bytes: number): number {
    const addr = this.guest.alloc(bytes);
    this.driver.queue(NET_RECEIVEQ).add([{ addr, length: bytes, writable: true }]);
    this.driver.kick(NET_RECEIVEQ);
    this.run();
    return addr;
  }
  /** Sends a frame with its header in a descriptor of its own. */
  transmit(frame: Uint8Array): void {
    const header = this.guest.alloc(12);
    this.guest.bytes(header, 12).fill(0);
    const addr = this.guest.alloc(Math.max(1, frame.length));
    this.guest.bytes(addr, frame.length).set(frame);
    this.driver
      .queue(NET_TRANSMITQ)
      .add([
        { addr: header, length: 12, writable: false },
        ...(frame.length > 0 ? [{ addr, length: frame.length, writable: false }] : []),
      ]);
    this.driver.kick(NET_TRANSMITQ);
    this.run();
  }
}

describe('virtio-net', () => {
  it('shows MAC address and link', () => {
    const m = new NetMachine();
    expect([0, 1, 2, 3, 4, 5].map((i) => m.front.read(0x100 + i, 1))).toEqual([
      0x52, 0x54, 0, 0x12, 0x34, 0x56,
    ]);
    expect(m.front.read(0x106, 2)).toBe(1);
    m.wire.frontEnd?.linkChanged(false);
    expect(m.front.read(0x106, 2)).toBe(0);
    expect(m.driver.interrupt().config).toBe(true);
  });

  it('sends frames without their header', () => {
    const m = new NetMachine();
    m.transmit(pattern(60));
    m.transmit(pattern(1514, 2));
    expect(m.wire.sent).toEqual([pattern(60), pattern(1514, 2)]);
    expect(m.driver.queue(NET_TRANSMITQ).takeUsed()).toHaveLength(2);
  });

  it('keeps frames the wire has no room for, in order', () => {
    const m = new NetMachine();
    m.wire.room = 1;
    for (let i = 1; i <= 3; i++) m.transmit(pattern(60, i));
    expect(m.driver.queue(NET_TRANSMITQ).takeUsed()).toHaveLength(1);
    m.wire.room = 10;
    m.wire.frontEnd?.sendable();
    m.run();
    expect(m.wire.sent).toEqual([1, 2, 3].map((i) => pattern(60, i)));
    expect(m.driver.queue(NET_TRANSMITQ).takeUsed()).toHaveLength(2);
  });

  it('drops what is no frame: too short, too long, nothing but a header', () => {
    const m = new NetMachine();
    m.transmit(pattern(13));
    m.transmit(new Uint8Array(0));
    m.transmit(pattern(70_000));
    m.transmit(pattern(14));
    expect(m.wire.sent).toEqual([pattern(14)]);
    expect(m.driver.queue(NET_TRANSMITQ).takeUsed()).toHaveLength(4);
  });

  it('receives a frame behind a header that says one buffer', () => {
    const m = new NetMachine();
    const addr = m.offer(1526);
    m.wire.arrive(pattern(100));
    m.run();
    expect(
      m.driver
        .queue(NET_RECEIVEQ)
        .takeUsed()
        .map((used) => used.length),
    ).toEqual([112]);
    expect([...m.guest.bytes(addr, 12)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    expect(m.guest.bytes(addr + 12, 100)).toEqual(pattern(100));
  });

  it('makes frames wait for buffers, and drops those that fit none', () => {
    const m = new NetMachine();
    m.wire.arrive(pattern(100, 1));
    expect(m.wire.waiting).toHaveLength(1);
    m.offer(1526);
    expect(m.wire.waiting).toHaveLength(0);
    const small = m.offer(64);
    m.wire.arrive(pattern(100, 2));
    m.wire.arrive(pattern(20, 3));
    m.run();
    expect(
      m.driver
        .queue(NET_RECEIVEQ)
        .takeUsed()
        .map((used) => used.length),
    ).toEqual([112, 32]);
    expect(m.guest.bytes(small + 12, 20)).toEqual(pattern(20, 3));
  });
});

import { describe, expect, it } from 'vitest';
import type { CharBackend, CharFrontEnd } from '../../chardev/chardev.ts';
import { VIRTIO_F_RING_EVENT_IDX } from '../spec.ts';
import { TestMachine } from '../testing/test-machine.ts';
import { ConsolePort, ConsoleReceiver, ConsoleTransmitter } from './data-plane.ts';
import { CONSOLE_RECEIVEQ, CONSOLE_TRANSMITQ, VirtioConsoleModel } from './device.ts';

/** A chardev with a bounded throat on both sides. */
class FakeChardev implements CharBackend {
  readonly id = 'chr0';
  readonly type = 'fake';
  output = '';
  room = Infinity;
  #input: number[] = [];
  #frontEnd: CharFrontEnd | null = null;

  write(bytes: Uint8Array): number {
    const taken = Math.min(bytes.length, this.room);
    this.output += String.fromCharCode(...bytes.subarray(0, taken));
    this.room -= taken;
    return taken;
  }
  setFrontEnd(frontEnd: CharFrontEnd | null): void {
    this.#frontEnd = frontEnd;
    this.acceptInput();
  }
  acceptInput(): void {
    for (;;) {
      const room = Math.min(this.#frontEnd?.canReceive() ?? 0, this.#input.length);
      if (room === 0) return;
      this.#frontEnd?.receive(Uint8Array.from(this.#input.splice(0, room)));
    }
  }
  close(): void {}
  typed(text: string): void {
    this.#input.push(...Array.from(text, (char) => char.charCodeAt(0)));
    this.acceptInput();
  }
  drain(room: number): void {
    this.room = room;
    this.#frontEnd?.writable?.();
  }
  get waiting(): number {
    return this.#input.length;
  }
  get connected(): boolean {
    return this.#frontEnd !== null;
  }
}

class ConsoleMachine extends TestMachine {
  readonly chardev = new FakeChardev();
  readonly port = new ConsolePort(this.chardev);
  readonly emergency: number[] = [];
  readonly model = new VirtioConsoleModel(
    { cols: 80, rows: 25 },
    {
      emergencyWrite: (byte) => void this.emergency.push(byte),
    },
  );

  constructor(refuse = 0n) {
    super({ loops: 2 });
    this.plug(this.model, (queue) => this.make(queue));
    this.driver.init({ queues: 2, queueSize: 8, refuse });
    this.run();
  }
  make(queue: number): ConsoleReceiver | ConsoleTransmitter {
    const notifier = this.notifiers[queue];
    if (notifier === undefined) throw new Error('no notifier');
    return queue === CONSOLE_RECEIVEQ
      ? new ConsoleReceiver(this.env, notifier, this.port)
      : new ConsoleTransmitter(this.env, notifier, this.port);
  }
  /** Hands the device a buffer to receive into. */
  offer(bytes: number): number {
    const addr = this.guest.alloc(bytes);
    this.driver.queue(CONSOLE_RECEIVEQ).add([{ addr, length: bytes, writable: true }]);
    this.driver.kick(CONSOLE_RECEIVEQ);
    this.run();
    return addr;
  }
  send(text: string): void {
    const addr = this.guest.alloc(text.length);
    this.guest.bytes(addr, text.length).set(Array.from(text, (char) => char.charCodeAt(0)));
    this.driver.queue(CONSOLE_TRANSMITQ).add([{ addr, length: text.length, writable: false }]);
    this.driver.kick(CONSOLE_TRANSMITQ);
    this.run();
  }
  received(addr: number, length: number): string {
    return String.fromCharCode(...this.guest.bytes(addr, length));
  }
}

describe.each([
  ['with', 0n],
  ['without', VIRTIO_F_RING_EVENT_IDX],
])('virtio-console %s EVENT_IDX', (_name, refuse) => {
  it('sends what the guest writes', () => {
    const m = new ConsoleMachine(refuse);
    m.send('hello ');
    m.send('world');
    expect(m.chardev.output).toBe('hello world');
    expect(
      m.driver
        .queue(CONSOLE_TRANSMITQ)
        .takeUsed()
        .map((used) => used.length),
    ).toEqual([0, 0]);
    expect(m.driver.interrupt().used).toBe(true);
  });

  it('keeps what the chardev has no room for, in the guest’s own buffer', () => {
    const m = new ConsoleMachine(refuse);
    m.chardev.room = 3;
    m.send('abcdef');
    m.send('ghi');
    expect(m.chardev.output).toBe('abc');
    expect(m.driver.queue(CONSOLE_TRANSMITQ).takeUsed()).toEqual([]);
    m.chardev.drain(4);
    m.run();
    expect(m.chardev.output).toBe('abcdefg');
    m.chardev.drain(100);
    m.run();
    expect(m.chardev.output).toBe('abcdefghi');
    expect(m.driver.queue(CONSOLE_TRANSMITQ).takeUsed()).toHaveLength(2);
  });

  it('receives into the guest’s buffers, and waits for them', () => {
    const m = new ConsoleMachine(refuse);
    m.chardev.typed('abcdef');
    expect(m.chardev.waiting).toBe(6);
    const first = m.offer(4);
    const second = m.offer(16);
    expect(
      m.driver
        .queue(CONSOLE_RECEIVEQ)
        .takeUsed()
        .map((used) => used.length),
    ).toEqual([4, 2]);
    expect(m.received(first, 4) + m.received(second, 2)).toBe('abcdef');
    const third = m.offer(16);
    m.chardev.typed('x');
    m.run();
    expect(m.received(third, 1)).toBe('x');
    expect(m.driver.interrupt().used).toBe(true);
  });

  it('moves to another context with a half-sent buffer: nothing lost, nothing twice', () => {
    const m = new ConsoleMachine(refuse);
    m.chardev.room = 3;
    m.send('abcdef');
    for (const queue of [CONSOLE_RECEIVEQ, CONSOLE_TRANSMITQ]) {
      let drained = false;
      m.handlers[queue]?.drainBegin(() => {
        drained = true;
      });
      expect(drained).toBe(true);
      m.handlers[queue]?.detach();
    }
    expect(m.chardev.connected).toBe(false);
    m.chardev.typed('in the gap');
    m.chardev.room = 100;
    for (const queue of [CONSOLE_RECEIVEQ, CONSOLE_TRANSMITQ]) {
      const handler = m.make(queue);
      m.handlers[queue] = handler;
      handler.attach(m.loops[1] as never);
    }
    m.run();
    expect(m.chardev.output).toBe('abcdef');
    const addr = m.offer(32);
    expect(m.received(addr, 10)).toBe('in the gap');
  });
});

it('shows its size, and a change of it', () => {
  const m = new ConsoleMachine();
  expect(m.front.read(0x100, 2)).toBe(80);
  expect(m.front.read(0x102, 2)).toBe(25);
  m.device.changeConfig(m.model.sizeChange({ cols: 120, rows: 40 }));
  expect(m.front.read(0x100, 4)).toBe(120 | (40 << 16));
  expect(m.driver.interrupt().config).toBe(true);
});

it('takes an emergency write', () => {
  const m = new ConsoleMachine();
  m.front.write(0x108, 4, 0x41);
  expect(m.emergency).toEqual([0x41]);
});

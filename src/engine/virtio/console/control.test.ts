import { expect, it } from 'vitest';
import { TestMachine } from '../testing/test-machine.ts';
import { ControlPort, type ControlLink, ControlReceiver, ControlTransmitter } from './control.ts';
import {
  CONSOLE_CONTROL_RECEIVEQ,
  CONSOLE_CONTROL_TRANSMITQ,
  consolePortOf,
  consoleQueues,
  VirtioConsoleModel,
} from './device.ts';

class FakeLink implements ControlLink {
  readonly sent: number[][] = [];
  readonly waiting: Uint8Array[] = [];
  room = Infinity;
  frontEnd: Parameters<ControlLink['setFrontEnd']>[0] = null;

  send(message: Uint8Array): boolean {
    if (this.room === 0) return false;
    this.room -= 1;
    this.sent.push([...message]);
    return true;
  }
  next(): Uint8Array | undefined {
    return this.waiting[0];
  }
  taken(): void {
    this.waiting.shift();
  }
  setFrontEnd(frontEnd: Parameters<ControlLink['setFrontEnd']>[0]): void {
    this.frontEnd = frontEnd;
    frontEnd?.arrived();
  }
}

class MultiportMachine extends TestMachine {
  readonly link = new FakeLink();
  readonly port = new ControlPort(this.link);
  multiport: boolean | undefined;
  readonly model = new VirtioConsoleModel(
    { cols: 80, rows: 25 },
    {
      emergencyWrite: () => {},
      featuresAccepted: (multiport) => {
        this.multiport = multiport;
      },
    },
    { ports: 3 },
  );

  constructor() {
    super();
    this.plug(this.model, (queue) => {
      const notifier = this.notifiers[queue];
      if (notifier === undefined) throw new Error('no notifier');
      return queue % 2 === 0
        ? new ControlReceiver(this.env, notifier, this.port)
        : new ControlTransmitter(this.env, notifier, this.port);
    });
    // Only the control queues are set up: what a port's queues do is tested beside the port.
    this.driver.init({ queues: 4, queueSize: 8 });
    this.run();
  }
  say(bytes: readonly number[]): void {
    const addr = this.guest.alloc(Math.max(1, bytes.length));
    this.guest.bytes(addr, bytes.length).set(bytes);
    this.driver.queue(CONSOLE_CONTROL_TRANSMITQ).add([{ addr, length: bytes.length, writable: false }]);
    this.driver.kick(CONSOLE_CONTROL_TRANSMITQ);
    this.run();
  }
  offer(length: number): number {
    const addr = this.guest.alloc(length);
    this.driver.queue(CONSOLE_CONTROL_RECEIVEQ).add([{ addr, length, writable: true }]);
    this.driver.kick(CONSOLE_CONTROL_RECEIVEQ);
    this.run();
    return addr;
  }
}

it('has its control queues behind port 0’s', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7].map(consolePortOf)).toEqual([0, 0, undefined, undefined, 1, 1, 2, 2]);
  expect([1, 2, 7].map(consoleQueues)).toEqual([2, 6, 16]);
  const { model } = new MultiportMachine();
  expect(model.queues.map(({ name }) => name)).toEqual([
    'receiveq0',
    'transmitq0',
    'control-receiveq',
    'control-transmitq',
    'receiveq1',
    'transmitq1',
    'receiveq2',
    'transmitq2',
  ]);
});

it('passes the driver’s messages on, whole; cuts off what follows and drops what is too short', () => {
  const m = new MultiportMachine();
  expect(m.multiport).toBe(true);
  m.say([0, 0, 0, 0, 0, 0, 1, 0]);
  m.say([1, 2, 3]);
  m.say([1, 0, 0, 0, 3, 0, 1, 0, 99, 99]);
  expect(m.link.sent).toEqual([
    [0, 0, 0, 0, 0, 0, 1, 0],
    [1, 0, 0, 0, 3, 0, 1, 0],
  ]);
  expect(m.driver.queue(CONSOLE_CONTROL_TRANSMITQ).takeUsed()).toHaveLength(3);
});

it('leaves a message in the driver’s buffer until there is room', () => {
  const m = new MultiportMachine();
  m.link.room = 0;
  m.say([0, 0, 0, 0, 0, 0, 1, 0]);
  expect(m.driver.queue(CONSOLE_CONTROL_TRANSMITQ).takeUsed()).toHaveLength(0);
  m.link.room = 1;
  m.link.frontEnd?.sendable();
  m.run();
  expect(m.link.sent).toHaveLength(1);
  expect(m.driver.queue(CONSOLE_CONTROL_TRANSMITQ).takeUsed()).toHaveLength(1);
});

it('gives each message a buffer of its own, and keeps those for which there is none', () => {
  const m = new MultiportMachine();
  m.link.waiting.push(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9, 65));
  m.link.frontEnd?.arrived();
  const first = m.offer(64);
  expect([...m.guest.bytes(first, 8)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  expect(m.link.waiting).toHaveLength(1);
  m.offer(64);
  m.offer(64);
  expect(
    m.driver
      .queue(CONSOLE_CONTROL_RECEIVEQ)
      .takeUsed()
      .map(({ length }) => length),
  ).toEqual([8, 9]);
});

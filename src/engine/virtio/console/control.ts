import type { VirtioEnv } from '../env.ts';
import { PullQueueHandler } from '../pull-queue-handler.ts';
import type { QueueEvent } from '../queue-handler.ts';
import { QueuePair } from '../queue-pair.ts';
import { CONSOLE_CONTROL_RECEIVEQ, CONSOLE_CONTROL_TRANSMITQ } from './device.ts';

/** 5.3.6.2: `id` of a port, `event`, `value`; a name follows PORT_NAME. */
export const CONTROL_BYTES = 8;
export const CONTROL_MESSAGE_MAX = 255;

/** The way from the control queues to the device's control plane; messages are kept whole and in order. */
export interface ControlLink {
  /** A message of the driver's. False: no room; `sendable` will be called. */
  send(message: Uint8Array): boolean;
  /** The oldest message for the driver; it stays until `taken`. */
  next(): Uint8Array | undefined;
  taken(): void;
  /** Who is told that messages have come and that there is room; null: nobody. */
  setFrontEnd(frontEnd: { arrived(): void; sendable(): void } | null): void;
}

/** The control queues of a multiport console in the context that serves them. */
export class ControlPort extends QueuePair<ControlReceiver, ControlTransmitter> {
  readonly link: ControlLink;

  constructor(link: ControlLink) {
    super();
    this.link = link;
  }

  protected override connect(connected: boolean): void {
    this.link.setFrontEnd(
      connected
        ? { arrived: () => this.receiver?.deliver(), sendable: () => this.transmitter?.transmit() }
        : null,
    );
  }
}

/** Control messages towards the driver, a buffer each. */
export class ControlReceiver extends PullQueueHandler {
  readonly #port: ControlPort;

  constructor(env: VirtioEnv, notifier: QueueEvent, port: ControlPort) {
    super(env, CONSOLE_CONTROL_RECEIVEQ, notifier);
    this.#port = port;
  }
  protected override served(serving: boolean): void {
    this.#port.setReceiver(serving ? this : undefined);
  }
  protected override buffersAdded(): void {
    this.deliver();
  }

  deliver(): void {
    for (;;) {
      const message = this.#port.link.next();
      const chain = message === undefined ? undefined : this.nextBuffer();
      if (message === undefined || chain === undefined) return;
      this.#port.link.taken();
      this.useBuffer(chain.writable.copyFrom(this.env.mem, message));
    }
  }
}

/** Control messages of the driver's. */
export class ControlTransmitter extends PullQueueHandler {
  readonly #port: ControlPort;
  readonly #message = new Uint8Array(CONTROL_MESSAGE_MAX);

  constructor(env: VirtioEnv, notifier: QueueEvent, port: ControlPort) {
    super(env, CONSOLE_CONTROL_TRANSMITQ, notifier);
    this.#port = port;
  }
  protected override served(serving: boolean): void {
    this.#port.setTransmitter(serving ? this : undefined);
  }
  protected override buffersAdded(): void {
    this.transmit();
  }

  transmit(): void {
    this.sendEach((chain) => {
      // What follows the message in its buffer is nothing of ours.
      const bytes = Math.min(chain.readable.bytes, CONTROL_BYTES);
      const message = this.#message.subarray(0, bytes);
      chain.readable.copyTo(this.env.mem, message);
      return bytes < CONTROL_BYTES || this.#port.link.send(message);
    });
  }
}

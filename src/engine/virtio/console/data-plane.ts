import type { CharBackend, CharFrontEnd } from '../../chardev/chardev.ts';
import type { AioLoop } from '../../qcontext/aio-interface.ts';
import type { VirtioEnv } from '../env.ts';
import { VirtQueueLayout } from '../layout.ts';
import { PullQueueHandler } from '../pull-queue-handler.ts';
import type { QueueEvent } from '../queue-handler.ts';
import { CONSOLE_RECEIVEQ, CONSOLE_TRANSMITQ } from './device.ts';

const Q = VirtQueueLayout.at;

/**
 * A console port in the context that serves it: joins the chardev and the handlers of the port's two
 * queues, which live in the same context. While a queue is not served its direction waits; nothing is lost.
 */
export class ConsolePort implements CharFrontEnd {
  readonly backend: CharBackend;
  #connected = false;
  #receiver: ConsoleReceiver | undefined;
  #transmitter: ConsoleTransmitter | undefined;

  constructor(backend: CharBackend) {
    this.backend = backend;
  }

  setReceiver(receiver: ConsoleReceiver | undefined): void {
    this.#receiver = receiver;
    this.#connect();
  }
  setTransmitter(transmitter: ConsoleTransmitter | undefined): void {
    this.#transmitter = transmitter;
    this.#connect();
  }
  #connect(): void {
    const used = this.#receiver !== undefined || this.#transmitter !== undefined;
    if (used === this.#connected) return;
    this.#connected = used;
    this.backend.setFrontEnd(used ? this : null);
  }

  canReceive(): number {
    return this.#receiver?.room() ?? 0;
  }
  receive(bytes: Uint8Array): void {
    this.#receiver?.receive(bytes);
  }
  writable(): void {
    this.#transmitter?.transmit();
  }
}

/** A port's receive queue: bytes towards the guest. */
export class ConsoleReceiver extends PullQueueHandler {
  readonly #port: ConsolePort;

  constructor(env: VirtioEnv, notifier: QueueEvent, port: ConsolePort, queue = CONSOLE_RECEIVEQ) {
    super(env, queue, notifier);
    this.#port = port;
  }

  override attach(aio: AioLoop): void {
    super.attach(aio);
    this.#port.setReceiver(this);
  }
  override detach(): void {
    this.#port.setReceiver(undefined);
    super.detach();
  }

  protected override buffersAdded(): void {
    this.#port.backend.acceptInput();
  }

  /** Bytes the next buffer takes. */
  room(): number {
    return this.nextBuffer()?.writable.bytes ?? 0;
  }

  /** Puts at most `room()` bytes into the next buffer. */
  receive(bytes: Uint8Array): void {
    const chain = this.nextBuffer();
    if (chain === undefined) return;
    const written = chain.writable.copyFrom(this.env.mem, bytes);
    this.state.addF64(Q.bytesRead, written);
    this.useBuffer(written);
  }
}

/** A port's transmit queue: bytes from the guest. */
export class ConsoleTransmitter extends PullQueueHandler {
  readonly #port: ConsolePort;
  readonly #scratch = new Uint8Array(4096);

  constructor(env: VirtioEnv, notifier: QueueEvent, port: ConsolePort, queue = CONSOLE_TRANSMITQ) {
    super(env, queue, notifier);
    this.#port = port;
  }

  override attach(aio: AioLoop): void {
    super.attach(aio);
    this.#port.setTransmitter(this);
  }
  override detach(): void {
    this.#port.setTransmitter(undefined);
    super.detach();
  }

  protected override buffersAdded(): void {
    this.transmit();
  }

  /** Sends what the chardev takes; it calls again when it takes more. */
  transmit(): void {
    for (let i = 0; ; i++) {
      const chain = this.nextBuffer();
      if (chain === undefined) return;
      if (i > this.queue.size) {
        this.workLater();
        return;
      }
      const { state } = this;
      // How much of the buffer was sent before is in shared memory: the queue may have moved in between.
      let sent = state.get(Q.headProgress);
      while (sent < chain.readable.bytes) {
        const piece = chain.readable.copyTo(this.env.mem, this.#scratch, sent);
        const taken = this.#port.backend.write(this.#scratch.subarray(0, piece));
        sent += taken;
        state.addF64(Q.bytesWritten, taken);
        if (taken < piece) {
          state.set(Q.headProgress, sent);
          return;
        }
      }
      state.set(Q.headProgress, 0);
      this.useBuffer(0);
    }
  }
}

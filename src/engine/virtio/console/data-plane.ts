import type { CharBackend, CharFrontEnd } from '../../chardev/chardev.ts';
import type { VirtioEnv } from '../env.ts';
import { VirtQueueLayout } from '../layout.ts';
import { PullQueueHandler } from '../pull-queue-handler.ts';
import type { DescriptorChain } from '../queue/chain.ts';
import type { QueueEvent } from '../queue-handler.ts';
import { QueuePair } from '../queue-pair.ts';
import { CONSOLE_RECEIVEQ, CONSOLE_TRANSMITQ } from './device.ts';

const Q = VirtQueueLayout.at;

/** A console port in the context that serves it: joins the chardev and the handlers of the port's two queues. */
export class ConsolePort extends QueuePair<ConsoleReceiver, ConsoleTransmitter> implements CharFrontEnd {
  readonly backend: CharBackend;

  constructor(backend: CharBackend) {
    super();
    this.backend = backend;
  }

  protected override connect(connected: boolean): void {
    this.backend.setFrontEnd(connected ? this : null);
  }

  canReceive(): number {
    return this.receiver?.room() ?? 0;
  }
  receive(bytes: Uint8Array): void {
    this.receiver?.receive(bytes);
  }
  writable(): void {
    this.transmitter?.transmit();
  }
}

/** A port's receive queue: bytes towards the guest. */
export class ConsoleReceiver extends PullQueueHandler {
  readonly #port: ConsolePort;

  constructor(env: VirtioEnv, notifier: QueueEvent, port: ConsolePort, queue = CONSOLE_RECEIVEQ) {
    super(env, queue, notifier);
    this.#port = port;
  }

  protected override served(serving: boolean): void {
    this.#port.setReceiver(serving ? this : undefined);
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

  protected override served(serving: boolean): void {
    this.#port.setTransmitter(serving ? this : undefined);
  }

  protected override buffersAdded(): void {
    this.transmit();
  }

  /** Sends what the chardev takes; it calls again when it takes more. */
  transmit(): void {
    this.sendEach((chain) => this.#send(chain));
  }

  #send(chain: DescriptorChain): boolean {
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
        return false;
      }
    }
    state.set(Q.headProgress, 0);
    return true;
  }
}

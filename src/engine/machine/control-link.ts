import type { CharWire } from '../chardev/wire.ts';
import type { ByteRing } from '../base/byte-ring.ts';
import type { AioLoop } from '../qcontext/aio-interface.ts';
import { CONTROL_MESSAGE_MAX, type ControlLink } from '../virtio/console/control.ts';

/** Messages in a byte ring: each has its length, one byte, before it, and goes in whole. */
class MessageRing {
  readonly #ring: ByteRing;
  readonly #record = new Uint8Array(1 + CONTROL_MESSAGE_MAX);

  constructor(ring: ByteRing) {
    this.#ring = ring;
  }
  put(message: Uint8Array): boolean {
    return this.#ring.putWhole(Uint8Array.of(message.length, ...message));
  }
  /** The oldest, valid until the next call; undefined if there is none. */
  peek(): Uint8Array | undefined {
    const length = this.#ring.peekByte();
    if (length === undefined) return undefined;
    const record = this.#record.subarray(0, 1 + length);
    this.#ring.peek(record);
    return record.subarray(1);
  }
  skip(): void {
    this.#ring.skip(1 + (this.#ring.peekByte() ?? 0));
  }
}

/** The control queues' end of a wire, in the context that serves them. */
export class WireControlLink implements ControlLink {
  readonly #name: string;
  readonly #aio: AioLoop;
  readonly #wire: CharWire;
  readonly #tx: MessageRing;
  readonly #rx: MessageRing;

  constructor(name: string, aio: AioLoop, wire: CharWire) {
    this.#name = name;
    this.#aio = aio;
    this.#wire = wire;
    this.#tx = new MessageRing(wire.tx);
    this.#rx = new MessageRing(wire.rx);
  }

  send(message: Uint8Array): boolean {
    if (!this.#tx.put(message)) {
      this.#wire.tx.wantSpace();
      if (!this.#tx.put(message)) return false; // ByteRing R3: looked again
    }
    this.#wire.notifiers.txReady.set();
    return true;
  }
  next(): Uint8Array | undefined {
    return this.#rx.peek();
  }
  taken(): void {
    this.#rx.skip();
  }

  setFrontEnd(frontEnd: { arrived(): void; sendable(): void } | null): void {
    const { rxReady, txSpace } = this.#wire.notifiers;
    const told = (notifier: typeof rxReady, tell: () => void) => ({
      ioRead: () => {
        notifier.testAndClear();
        tell();
      },
    });
    this.#aio.setEventNotifier(
      rxReady,
      frontEnd && told(rxReady, () => frontEnd.arrived()),
      `${this.#name}-rx`,
    );
    this.#aio.setEventNotifier(
      txSpace,
      frontEnd && told(txSpace, () => frontEnd.sendable()),
      `${this.#name}-tx`,
    );
    frontEnd?.arrived();
  }
}

/** The control plane's end of a wire, in the main context. */
export class ControlEnd {
  readonly #aio: AioLoop;
  readonly #wire: CharWire;
  readonly #rx: MessageRing;

  /** @param receive a message of the driver's; valid during the call */
  constructor(aio: AioLoop, wire: CharWire, receive: (message: Uint8Array) => void) {
    this.#aio = aio;
    this.#wire = wire;
    this.#rx = new MessageRing(wire.rx);
    const tx = new MessageRing(wire.tx);
    const { txReady } = wire.notifiers;
    const ioRead = (): void => {
      txReady.testAndClear();
      for (let message = tx.peek(); message !== undefined; message = tx.peek()) {
        receive(message);
        tx.skip();
        wire.txDrained();
      }
    };
    aio.setEventNotifier(txReady, { ioRead }, 'virtio-serial/control');
  }

  /** A message for the driver. One that floods us with questions and reads no answer loses some. */
  send(message: Uint8Array): void {
    if (this.#rx.put(message)) this.#wire.rxArrived();
  }
  /** Forgets what is under way. The control queues are not served. */
  clear(): void {
    this.#wire.clear();
  }
  close(): void {
    this.#aio.setEventNotifier(this.#wire.notifiers.txReady, null);
  }
}

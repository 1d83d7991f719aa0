import type { AioLoop, PollableNotifier } from '../../qcontext/aio-interface.ts';
import type { CharBackend } from '../../chardev/chardev.ts';
import type { Uart16550 } from './uart16550.ts';

/** Bytes handed to the back end at a time. */
const CHUNK_BYTES = 4096;

/**
 * The context's half of the UART: drains what the guest sent into a character back end and puts what the
 * back end has into the receive ring. Belongs to the loop's home thread.
 */
export class UartChardev {
  readonly #aio: AioLoop;
  readonly #uart: Uart16550;
  readonly #backend: CharBackend;
  readonly #txReady: PollableNotifier;
  readonly #rxSpace: PollableNotifier;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);

  constructor(
    aio: AioLoop,
    uart: Uart16550,
    backend: CharBackend,
    notifiers: { readonly txReady: PollableNotifier; readonly rxSpace: PollableNotifier },
  ) {
    this.#aio = aio;
    this.#uart = uart;
    this.#backend = backend;
    this.#txReady = notifiers.txReady;
    this.#rxSpace = notifiers.rxSpace;
    aio.setEventNotifier(this.#txReady, { ioRead: () => this.#drain() }, 'serial-tx');
    aio.setEventNotifier(
      this.#rxSpace,
      {
        ioRead: () => {
          this.#rxSpace.testAndClear();
          backend.acceptInput();
        },
      },
      'serial-rx',
    );
    backend.setFrontEnd({
      canReceive: () => this.#canReceive(),
      receive: (bytes) => this.#receive(bytes),
      writable: () => this.#drain(),
    });
    this.#drain();
  }

  /** Lets go of the loop and the back end. Bytes in the rings stay there. */
  close(): void {
    this.#backend.setFrontEnd(null);
    this.#aio.setEventNotifier(this.#txReady, null);
    this.#aio.setEventNotifier(this.#rxSpace, null);
  }

  #drain(): void {
    // ORDER: cleared before the ring is looked at; pairs with Uart16550, which fills the ring first.
    this.#txReady.testAndClear();
    const { tx } = this.#uart;
    for (;;) {
      const count = tx.peek(this.#chunk);
      if (count === 0) return;
      const taken = this.#backend.write(this.#chunk.subarray(0, count));
      tx.skip(taken);
      this.#uart.txDrained();
      if (taken < count) return; // `writable` continues
    }
  }

  #canReceive(): number {
    const { rx } = this.#uart;
    if (rx.free === 0) rx.wantSpace();
    return rx.free; // looked at again after wantSpace: see ByteRing R3
  }

  #receive(bytes: Uint8Array): void {
    this.#uart.rx.put(bytes);
    this.#uart.rxArrived();
  }
}

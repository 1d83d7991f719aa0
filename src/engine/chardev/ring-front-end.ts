import type { AioLoop, PollableNotifier } from '../qcontext/aio-interface.ts';
import type { ByteRing } from '../base/byte-ring.ts';
import type { CharBackend } from './chardev.ts';

/** Bytes handed to the back end at a time. */
const CHUNK_BYTES = 4096;

/** A serial line in shared memory: what another thread sends and receives, and how it is told. */
export interface SerialRings {
  /** From the guest. */
  readonly tx: ByteRing;
  /** Towards the guest. */
  readonly rx: ByteRing;
  /** Bytes were taken from `tx`. */
  txDrained(): void;
  /** Bytes were put into `rx`. */
  rxArrived(): void;
}

/**
 * The chardev's side of a serial line whose other side is another thread: drains what the guest sent into the
 * back end, and puts what the back end has into the receive ring. Belongs to the loop's home thread.
 */
export class RingFrontEnd {
  readonly #aio: AioLoop;
  readonly #rings: SerialRings;
  readonly #backend: CharBackend;
  readonly #txReady: PollableNotifier;
  readonly #rxSpace: PollableNotifier;
  readonly #chunk = new Uint8Array(CHUNK_BYTES);
  #open = true;

  /** @param name of its sources in the loop, e.g. `serial` */
  constructor(
    aio: AioLoop,
    rings: SerialRings,
    backend: CharBackend,
    notifiers: { readonly txReady: PollableNotifier; readonly rxSpace: PollableNotifier },
    name = 'serial',
  ) {
    this.#aio = aio;
    this.#rings = rings;
    this.#backend = backend;
    this.#txReady = notifiers.txReady;
    this.#rxSpace = notifiers.rxSpace;
    aio.setEventNotifier(this.#txReady, { ioRead: () => this.#drain() }, `${name}-tx`);
    aio.setEventNotifier(
      this.#rxSpace,
      {
        ioRead: () => {
          this.#rxSpace.testAndClear();
          backend.acceptInput();
        },
      },
      `${name}-rx`,
    );
    backend.setFrontEnd({
      canReceive: () => this.#canReceive(),
      receive: (bytes) => this.#receive(bytes),
      writable: () => this.#drain(),
    });
    this.#drain();
  }

  /** Is somebody listening at the other side? Until then input waits in the back end. */
  set open(open: boolean) {
    if (open === this.#open) return;
    this.#open = open;
    if (open) this.#backend.acceptInput();
  }

  /** Lets go of the loop and the back end. Bytes in the rings stay there. */
  close(): void {
    this.#backend.setFrontEnd(null);
    this.#aio.setEventNotifier(this.#txReady, null);
    this.#aio.setEventNotifier(this.#rxSpace, null);
  }

  #drain(): void {
    // ORDER: cleared before the ring is looked at; pairs with the sender, which fills the ring first.
    this.#txReady.testAndClear();
    const { tx } = this.#rings;
    for (;;) {
      const count = tx.peek(this.#chunk);
      if (count === 0) return;
      const taken = this.#backend.write(this.#chunk.subarray(0, count));
      tx.skip(taken);
      this.#rings.txDrained();
      if (taken < count) return; // `writable` continues
    }
  }

  #canReceive(): number {
    if (!this.#open) return 0;
    const { rx } = this.#rings;
    if (rx.free === 0) rx.wantSpace();
    return rx.free; // looked at again after wantSpace: see ByteRing R3
  }

  #receive(bytes: Uint8Array): void {
    this.#rings.rx.put(bytes);
    this.#rings.rxArrived();
  }
}

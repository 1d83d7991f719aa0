import type { SharedMemory } from '../base/shared-memory.ts';
import type { AioLoop, PollableNotifier } from '../qcontext/aio-interface.ts';
import { ByteRing, byteRingBytes } from '../base/byte-ring.ts';
import type { CharBackend, CharFrontEnd } from './chardev.ts';
import type { SerialRings } from './ring-front-end.ts';

/** Bytes under way in each direction. */
const WIRE_CAPACITY = 8192;
/** Shared memory one wire takes: a ring from the guest and one towards it. */
export const CHAR_WIRE_BYTES = 2 * byteRingBytes(WIRE_CAPACITY);

/** What the two ends of a wire tell each other. `…Ready`: bytes are there; `…Space`: there is room again. */
export interface WireNotifiers {
  readonly txReady: PollableNotifier;
  readonly txSpace: PollableNotifier;
  readonly rxReady: PollableNotifier;
  readonly rxSpace: PollableNotifier;
}

/**
 * A serial line between the context that serves a console port and the chardev, which stays with the main
 * loop. All its state is in shared memory: when the port moves to another context, the wire stays as it is.
 *
 *  - W1 bytes come out in the order they went in, each once, whichever context serves the port.
 */
export class CharWire implements SerialRings {
  readonly tx: ByteRing;
  readonly rx: ByteRing;
  readonly notifiers: WireNotifiers;

  /** @param addr byte offset of CHAR_WIRE_BYTES; zeroed memory is an idle wire */
  constructor(mem: SharedMemory, addr: number, notifiers: WireNotifiers) {
    this.tx = new ByteRing(mem, addr, WIRE_CAPACITY);
    this.rx = new ByteRing(mem, addr + byteRingBytes(WIRE_CAPACITY), WIRE_CAPACITY);
    this.notifiers = notifiers;
  }

  /** Chardev's end, after taking from `tx`. */
  txDrained(): void {
    if (this.tx.takeWanting()) this.notifiers.txSpace.set();
  }
  /** Chardev's end, after putting into `rx`. */
  rxArrived(): void {
    this.notifiers.rxReady.set();
  }

  /** Forgets what is under way. Only while no port is served. */
  clear(): void {
    this.tx.clear();
    this.rx.clear();
  }
}

/** The port's end of a wire: to the device it is the chardev. Belongs to the loop's home thread. */
export class WireChardev implements CharBackend {
  readonly type = 'wire';
  readonly id: string;
  readonly #aio: AioLoop;
  readonly #wire: CharWire;
  readonly #chunk = new Uint8Array(WIRE_CAPACITY);
  #frontEnd: CharFrontEnd | null = null;

  constructor(id: string, aio: AioLoop, wire: CharWire) {
    this.id = id;
    this.#aio = aio;
    this.#wire = wire;
  }

  write(bytes: Uint8Array): number {
    const { tx, notifiers } = this.#wire;
    let taken = tx.put(bytes);
    if (taken < bytes.length) {
      tx.wantSpace();
      taken += tx.put(bytes.subarray(taken)); // ByteRing R3: look again
    }
    if (taken > 0) notifiers.txReady.set();
    return taken;
  }

  setFrontEnd(frontEnd: CharFrontEnd | null): void {
    const { rxReady, txSpace } = this.#wire.notifiers;
    this.#frontEnd = frontEnd;
    if (frontEnd === null) {
      this.#aio.setEventNotifier(rxReady, null);
      this.#aio.setEventNotifier(txSpace, null);
      return;
    }
    this.#aio.setEventNotifier(rxReady, { ioRead: () => this.#arrived() }, `${this.id}-rx`);
    this.#aio.setEventNotifier(
      txSpace,
      {
        ioRead: () => {
          txSpace.testAndClear();
          this.#frontEnd?.writable?.();
        },
      },
      `${this.id}-tx`,
    );
    // What came while nobody listened.
    this.acceptInput();
  }

  #arrived(): void {
    this.#wire.notifiers.rxReady.testAndClear();
    this.acceptInput();
  }

  acceptInput(): void {
    const { rx, notifiers } = this.#wire;
    for (;;) {
      const room = Math.min(this.#frontEnd?.canReceive() ?? 0, this.#chunk.length);
      if (room === 0) return;
      const count = rx.peek(this.#chunk.subarray(0, room));
      if (count === 0) return;
      rx.skip(count);
      if (rx.takeWanting()) notifiers.rxSpace.set();
      this.#frontEnd?.receive(this.#chunk.subarray(0, count));
    }
  }

  close(): void {
    this.setFrontEnd(null);
  }
}

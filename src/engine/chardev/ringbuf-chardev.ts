import type { Result } from '../base/result.ts';
import { ok, userError } from '../base/result.ts';
import type { CharBackend, CharFrontEnd } from './chardev.ts';
import { InputQueue } from './input-queue.ts';

/** QEMU's default `size`. */
export const RINGBUF_BYTES = 65536;

/** `-chardev ringbuf,size=N`: keeps the last N bytes the guest wrote until the monitor reads them. */
export class RingbufChardev implements CharBackend {
  readonly type = 'ringbuf';
  readonly id: string;
  readonly #data: Uint8Array;
  readonly #input = new InputQueue();
  /** Bytes ever written and ever read; their difference is at most the size. */
  #written = 0;
  #read = 0;

  private constructor(id: string, size: number) {
    this.id = id;
    this.#data = new Uint8Array(size);
  }

  /** @param size a power of two, as QEMU wants it */
  static create(id: string, size = RINGBUF_BYTES): Result<RingbufChardev> {
    if (!Number.isInteger(size) || size < 1 || size > 2 ** 30 || (size & (size - 1)) !== 0) {
      return userError(`-chardev ringbuf,id=${id}: size must be a power of two`, {
        hint: `for example size=${RINGBUF_BYTES}`,
      });
    }
    return ok(new RingbufChardev(id, size));
  }

  /** Never refuses: the oldest bytes make room. */
  write(bytes: Uint8Array): number {
    const size = this.#data.length;
    const kept = bytes.length > size ? bytes.subarray(bytes.length - size) : bytes;
    this.#written += bytes.length - kept.length;
    const start = this.#written % size;
    const first = Math.min(kept.length, size - start);
    this.#data.set(kept.subarray(0, first), start);
    this.#data.set(kept.subarray(first), 0);
    this.#written += kept.length;
    this.#read = Math.max(this.#read, this.#written - size);
    return bytes.length;
  }

  /** Bytes waiting to be read. */
  get count(): number {
    return this.#written - this.#read;
  }

  /** `ringbuf-read`: removes and returns at most `max` of the oldest bytes. */
  read(max: number): Uint8Array<ArrayBuffer> {
    const count = Math.min(max, this.count);
    const start = this.#read % this.#data.length;
    const first = Math.min(count, this.#data.length - start);
    const out = new Uint8Array(count);
    out.set(this.#data.subarray(start, start + first));
    out.set(this.#data.subarray(0, count - first), first);
    this.#read += count;
    return out;
  }

  /** `ringbuf-write`: bytes towards the guest. */
  send(bytes: Uint8Array): void {
    this.#input.push(bytes.slice());
  }

  setFrontEnd(frontEnd: CharFrontEnd | null): void {
    this.#input.setFrontEnd(frontEnd);
  }
  acceptInput(): void {
    this.#input.deliver();
  }
  close(): void {
    this.#input.setFrontEnd(null);
  }
}

import type { CharFrontEnd } from './chardev.ts';

/** Input on its way to the guest: delivers what the front end can take and keeps the rest in order. */
export class InputQueue {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #frontEnd: CharFrontEnd | null = null;

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  setFrontEnd(frontEnd: CharFrontEnd | null): void {
    this.#frontEnd = frontEnd;
    this.deliver();
  }
  get frontEnd(): CharFrontEnd | null {
    return this.#frontEnd;
  }

  /** Takes the bytes over (the array must not be changed any more) and delivers what it can. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.#bytes += bytes.length;
    this.deliver();
  }

  deliver(): void {
    for (;;) {
      const chunk = this.#chunks[0];
      if (chunk === undefined || this.#frontEnd === null) return;
      const count = Math.min(chunk.length, this.#frontEnd.canReceive());
      if (count === 0) return;
      if (count === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(count);
      this.#bytes -= count;
      this.#frontEnd.receive(chunk.subarray(0, count));
    }
  }
}

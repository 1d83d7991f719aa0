import type { SerialPort } from '../../engine/vm.ts';

/** Bytes kept for those who listen late. */
const KEEP_BYTES = 1 << 20;

/**
 * A machine's serial port with a memory: whoever listens late (the terminal is loaded on demand) first hears
 * what was said so far.
 */
export class SerialLog implements SerialPort {
  readonly #port: SerialPort;
  readonly #listeners = new Set<(bytes: Uint8Array) => void>();
  readonly #inputListeners = new Set<() => void>();
  readonly #off: () => void;
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** @param past what the port had said when the machine's snapshot was made */
  constructor(port: SerialPort, past = '') {
    this.#port = port;
    if (past !== '') {
      const chunk = new TextEncoder().encode(past);
      this.#chunks.push(chunk);
      this.#bytes = chunk.length;
    }
    this.#off = port.onData((bytes) => {
      // A copy: the engine may reuse its buffer, and shared memory can't be decoded.
      const chunk = new Uint8Array(bytes);
      this.#chunks.push(chunk);
      this.#bytes += chunk.length;
      while (this.#bytes > KEEP_BYTES && this.#chunks.length > 1)
        this.#bytes -= this.#chunks.shift()?.length ?? 0;
      for (const listener of this.#listeners) listener(chunk);
    });
  }

  write(data: string | Uint8Array): void {
    this.#port.write(data);
    for (const listener of this.#inputListeners) listener();
  }

  /** Calls whenever something is sent to the guest. */
  onInput(listener: () => void): () => void {
    this.#inputListeners.add(listener);
    return () => this.#inputListeners.delete(listener);
  }

  /** Calls at once with what was kept, then with each new piece. */
  onData(listener: (bytes: Uint8Array) => void): () => void {
    for (const chunk of this.#chunks) listener(chunk);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#off();
    this.#listeners.clear();
    this.#inputListeners.clear();
    this.#chunks = [];
  }
}

import type { CharBackend, CharFrontEnd } from './chardev.ts';
import { InputQueue } from './input-queue.ts';

/** Bytes handed out and not acknowledged beyond which the guest has to wait. */
const OUTPUT_WINDOW = 256 * 1024;

/**
 * A terminal or a standard stream behind a callback. The page (or Node's stdout) acknowledges what it has
 * shown, so that a guest that prints faster than the terminal draws is slowed down instead of filling the
 * memory with messages.
 */
export class TerminalChardev implements CharBackend {
  readonly type: string;
  readonly id: string;
  readonly #onOutput: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly #input = new InputQueue();
  readonly #window: number;
  #unacknowledged = 0;
  #refused = false;

  /**
   * @param onOutput gets a copy of its own, which it may transfer to another thread; told to acknowledge it
   *   through `acknowledge` when it is shown
   */
  constructor(
    id: string,
    onOutput: (bytes: Uint8Array<ArrayBuffer>) => void,
    options: { readonly type?: string; readonly window?: number } = {},
  ) {
    this.id = id;
    this.type = options.type ?? 'stdio';
    this.#onOutput = onOutput;
    this.#window = options.window ?? OUTPUT_WINDOW;
  }

  write(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.#window - this.#unacknowledged);
    if (count < bytes.length) this.#refused = true;
    if (count === 0) return 0;
    this.#unacknowledged += count;
    const copy = new Uint8Array(count);
    copy.set(bytes.subarray(0, count));
    this.#onOutput(copy);
    return count;
  }

  /** The other side has shown `count` bytes. */
  acknowledge(count: number): void {
    this.#unacknowledged = Math.max(0, this.#unacknowledged - count);
    if (!this.#refused || this.#unacknowledged > this.#window / 2) return;
    this.#refused = false;
    this.#input.frontEnd?.writable?.();
  }

  /** Keys pressed or text pasted. Takes the array over. */
  input(bytes: Uint8Array): void {
    this.#input.push(bytes);
  }
  /** Input that the guest has not taken yet. */
  get inputBytes(): number {
    return this.#input.bytes;
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

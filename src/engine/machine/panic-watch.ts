/** What kernels print when they give up: a line of its own, so that a command that mentions it is none. */
const MARKS: readonly RegExp[] = [
  /^(?:\[ *\d+\.\d+\] )?(Kernel panic - not syncing: ?[^\r\n]*)[\r\n]/m, // Linux
  /^(panic: ?[^\r\n]*)[\r\n]/m, // xv6 and the BSDs
];
/** Longest message worth waiting for. */
const KEEP = 512;

/**
 * Reads along what a guest writes to its console and tells of a kernel panic, once until `reset`. The board
 * has no device for it (QEMU's pvpanic), and without a word the user would wait for a prompt that never comes.
 */
export class PanicWatch {
  readonly #onPanic: (detail: string) => void;
  #tail = '';
  #told = false;

  constructor(onPanic: (detail: string) => void) {
    this.#onPanic = onPanic;
  }

  /** A new start of the guest. */
  reset(): void {
    this.#tail = '';
    this.#told = false;
  }

  /** The next bytes of output. Cheap unless there is a panic: output is looked at once, line by line. */
  output(bytes: Uint8Array): void {
    if (this.#told) return;
    let text = this.#tail;
    for (const byte of bytes) text += String.fromCharCode(byte);
    for (const mark of MARKS) {
      const match = mark.exec(text);
      if (match === null) continue;
      this.#told = true;
      this.#tail = '';
      this.#onPanic((match[1] ?? '').trim());
      return;
    }
    const lineStart = text.lastIndexOf('\n') + 1;
    this.#tail = text.slice(Math.max(lineStart, text.length - KEEP));
  }
}

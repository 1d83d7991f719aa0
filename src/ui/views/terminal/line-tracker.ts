/**
 * Has the user begun a line? Decides whether Tab can mean completion. It watches what is typed, not what the
 * guest prints: a guess, but one that errs towards letting Tab leave the terminal.
 */
export class LineTracker {
  #length = 0;

  get started(): boolean {
    return this.#length > 0;
  }

  reset(): void {
    this.#length = 0;
  }

  /** Bytes on their way to the guest. */
  typed(data: string): void {
    // An escape sequence (arrow, function key) may recall a line from history: Up begins one.
    if (data === '\x1b[A' || data === '\x1bOA') this.#length = Math.max(1, this.#length);
    if (data.startsWith('\x1b')) return;
    for (const c of data) {
      if (c === '\r' || c === '\n' || c === '\x03' || c === '\x04' || c === '\x15') this.#length = 0;
      else if (c === '\x7f' || c === '\b') this.#length = Math.max(0, this.#length - 1);
      else if (c === '\t' || c >= ' ') this.#length++;
    }
  }
}

/** Output kept for the first listener, bytes. A terminal nobody ever looks at costs no more. */
export const EARLY_OUTPUT_BYTES = 64 * 1024;

type Listener = (bytes: Uint8Array) => void;

/**
 * What a machine's terminals write, handed to whoever listens, by chardev. The guest may run, and write, before whoever
 * made the machine has had a chance to listen: the first listener gets what came until then. On the thread of the
 * supervisor.
 */
export class TerminalOutput {
  readonly #listeners = new Map<string, Set<Listener>>();
  /** What came before anybody listened. */
  readonly #early = new Map<string, readonly Uint8Array[]>();

  /** The terminal of chardev `id` wrote `bytes`. */
  write(id: string, bytes: Uint8Array): void {
    const listeners = this.#listeners.get(id);
    if (listeners === undefined) this.#keep(id, bytes);
    else for (const listener of listeners) listener(bytes);
  }

  /** Hands `listener` all output of chardev `id` from now on, and what was kept; returns what ends that. */
  listen(id: string, listener: Listener): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    this.#listeners.set(id, listeners.add(listener));
    const early = this.#early.get(id) ?? [];
    this.#early.delete(id);
    // After this call, as all output comes: a listener may use what it returns.
    void Promise.resolve().then(() => {
      for (const bytes of early) if (listeners.has(listener)) listener(bytes);
    });
    return () => void listeners.delete(listener);
  }

  #keep(id: string, bytes: Uint8Array): void {
    const early = this.#early.get(id) ?? [];
    const kept = early.reduce((sum, { length }) => sum + length, 0);
    if (kept + bytes.length <= EARLY_OUTPUT_BYTES) this.#early.set(id, [...early, bytes]);
  }
}

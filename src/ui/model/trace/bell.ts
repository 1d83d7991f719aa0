import type { SharedMemory } from '../../../engine/base/shared-memory.ts';

/**
 * Waits for a machine's trace bell: a ring is half full, and whoever reads them must come before its next turn. Where
 * the surroundings have no such wait, turns must do.
 */
export class Bell {
  readonly #mem: SharedMemory;
  readonly #addr: number;
  readonly #onRing: () => void;
  #listening = true;

  /** @param addr byte offset of the word (TraceAttachment.bell) */
  constructor(mem: SharedMemory, addr: number, onRing: () => void) {
    this.#mem = mem;
    this.#addr = addr;
    this.#onRing = onRing;
    void this.#listen();
  }

  /** There is such a wait here, and it is waited. */
  get isHeard(): boolean {
    return this.#listening;
  }

  /** Listens no more, and keeps nothing of the machine's memory alive. */
  close(): void {
    this.#listening = false;
    this.#mem.notify32(this.#addr);
  }

  async #listen(): Promise<void> {
    let seen = this.#mem.load32(this.#addr);
    while (this.#listening) {
      const rung = this.#mem.waitAsync32(this.#addr, seen, Infinity);
      if (rung === undefined) {
        this.#listening = false;
        return;
      }
      await rung;
      if (!this.#listening) return;
      // Before the rings are read: what rings during that is heard at once.
      seen = this.#mem.load32(this.#addr);
      this.#onRing();
    }
  }
}

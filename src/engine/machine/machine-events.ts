import type { QmpEvent } from '../vm.ts';

/** QMP's events of a machine, on their way to who listens. Main context. */
export class MachineEvents {
  readonly #wallClockNs: () => bigint;
  readonly #listeners = new Set<(event: QmpEvent) => void>();

  constructor(wallClockNs: () => bigint) {
    this.#wallClockNs = wallClockNs;
  }

  /** The function it returns ends the listening. */
  listen(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  emit(event: string, data?: Readonly<Record<string, unknown>>): void {
    const now = this.#wallClockNs();
    const timestamp = {
      seconds: Number(now / 1_000_000_000n),
      microseconds: Number((now / 1000n) % 1_000_000n),
    };
    const full: QmpEvent = { event, timestamp, ...(data === undefined ? {} : { data }) };
    for (const listener of this.#listeners) listener(full);
  }
}

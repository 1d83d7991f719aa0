/** The longest a hart spins before it sleeps, in ns; KVM's `halt_poll_ns` of most architectures. */
export const HALT_POLL_MAX_NS = 200_000;
/** Where the time starts when it first grows; KVM's `halt_poll_ns_grow_start`. */
export const HALT_POLL_START_NS = 10_000;

/**
 * How long a hart in WFI spins before it sleeps, fitted to how long it had to wait lately: KVM's adaptive halt polling
 * with `halt_poll_ns_grow` 2 and `halt_poll_ns_shrink` 0. A wake costs tens of microseconds, so spinning pays where the
 * interrupt comes sooner than that; a hart that idles waits for milliseconds, and its time goes to nothing at once.
 */
export class HaltPoll {
  #ns = 0;

  /** Time to spin now, in ns. */
  get ns(): number {
    return this.#ns;
  }

  /** The hart waited for `blockNs`, spinning included. */
  waited(blockNs: number): void {
    if (blockNs <= this.#ns) return;
    if (blockNs > HALT_POLL_MAX_NS) this.#ns = 0;
    else this.#ns = Math.min(HALT_POLL_MAX_NS, this.#ns === 0 ? HALT_POLL_START_NS : this.#ns * 2);
  }
}

/**
 * Where the requests of a queue that are not followed stand: how many, since more is not known of them. What was taken of
 * them and what came back from the disk is told after what was published, so these are right at the end of a dispatch.
 */
export class CountedStanding {
  /** Taken and not filled; of these, at the disk. */
  open = 0;
  disk = 0;
  /** Published, and published with an interrupt the guest has not acknowledged. */
  #flushed = 0;
  waiting = 0;

  /** So many were published. */
  flush(n: number): void {
    this.#flushed = Math.max(0, n);
  }
  /** Published; the device interrupts for them or was asked not to. @param most that may wait */
  notify(suppressed: boolean, most: number): void {
    if (!suppressed) this.waiting = Math.min(most, this.waiting + this.#flushed);
    this.#flushed = 0;
  }
  /** Returns how many the guest has now acknowledged. */
  acknowledge(): number {
    const { waiting } = this;
    this.waiting = 0;
    return waiting;
  }
  /** All that are under way. */
  get all(): number {
    return Math.max(0, this.open) + this.#flushed + this.waiting;
  }
  clear(): void {
    this.open = this.disk = this.#flushed = this.waiting = 0;
  }
}

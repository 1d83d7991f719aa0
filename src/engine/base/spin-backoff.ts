/** So many spins in a row may find nothing before there is a pause. */
const IN_VAIN = 2;
/** The first pause and the longest, in ns: each probe that finds nothing doubles it. */
const FIRST_PAUSE_NS = 1_000_000;
const LONGEST_PAUSE_NS = 8_000_000;

/**
 * Keeps a thread from spinning while that finds nothing. The rules that fit the time to spin (KVM's for WFI, QEMU's for
 * contexts) only look at how long the thread had to wait. Where the scheduler has put it on the same core as the one it
 * waits for, as Linux does with threads that wake each other, and for ten milliseconds though another core is idle, every
 * wait is short and every spin in vain: nothing comes before it ends. One thread's own.
 */
export class SpinBackoff {
  #inVain = 0;
  #pauseNs = FIRST_PAUSE_NS;
  #until = 0;

  /** Whether to spin at this time. */
  maySpin(nowNs: number): boolean {
    return nowNs >= this.#until;
  }

  /** A spin has ended at this time, and found what it waited for or not. */
  spun(found: boolean, nowNs: number): void {
    if (found) {
      this.#inVain = 0;
      this.#pauseNs = FIRST_PAUSE_NS;
      this.#until = 0;
      return;
    }
    if (++this.#inVain < IN_VAIN) return;
    this.#until = nowNs + this.#pauseNs;
    this.#pauseNs = Math.min(LONGEST_PAUSE_NS, this.#pauseNs * 2);
  }
}

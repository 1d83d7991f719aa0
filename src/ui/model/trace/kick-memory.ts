/** Kicks that are remembered: more than a queue gets between two looks of its device. */
const KICKS = 256;

/** The newest kicks of a virtqueue, to find the one that announced a request. Times are host ns. */
export class KickMemory {
  readonly #time = new Float64Array(KICKS);
  /** avail.idx at the kick. */
  readonly #avail = new Uint16Array(KICKS);
  #count = 0;
  /** Kicks before this one have announced nothing that is still to be taken. */
  #from = 0;

  add(time: number, avail: number): void {
    const slot = this.#count++ % KICKS;
    this.#time[slot] = time;
    this.#avail[slot] = avail;
  }

  clear(): void {
    this.#count = this.#from = 0;
  }

  /**
   * The request before avail index `next` has been taken. A kick that announced no later one is done with: indexes have 16
   * bits, and a busy queue comes round to the same ones in a fifth of a second.
   */
  taken(next: number): void {
    let from = this.#oldest;
    while (from < this.#count) {
      const ahead = ((this.#avail[from % KICKS] as number) - next) & 0xffff;
      if (ahead > 0 && ahead < 0x8000) break;
      from++;
    }
    this.#from = from;
  }

  /**
   * Time of the oldest kick that announced the request before avail index `next`; NaN if none did: the driver was
   * asked not to kick, and the device found the request by looking.
   */
  covering(next: number): number {
    let found = Number.NaN;
    for (let i = this.#count - 1; i >= this.#oldest; i--) {
      if ((((this.#avail[i % KICKS] as number) - next) & 0xffff) >= 0x8000) break;
      found = this.#time[i % KICKS] as number;
    }
    return found;
  }

  /** Time of the oldest kick after `time`; NaN if there is none. */
  since(time: number): number {
    let found = Number.NaN;
    for (let i = this.#count - 1; i >= this.#oldest; i--) {
      if ((this.#time[i % KICKS] as number) <= time) break;
      found = this.#time[i % KICKS] as number;
    }
    return found;
  }

  get #oldest(): number {
    return Math.max(this.#from, this.#count - KICKS);
  }
}

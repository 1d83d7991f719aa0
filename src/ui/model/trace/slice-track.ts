/** Slices in a block, and blocks in a block of blocks, over which sums are kept. */
const BLOCK = 64;
const BIG = BLOCK * BLOCK;

/** What a painter is told: slices, or a run of slices too narrow to be drawn one by one. */
export interface SliceVisitor {
  /** One slice, by its number in the track. */
  slice(index: number): void;
  /** `count` slices between two times: ns they took together, and the number of the longest. */
  run(from: number, to: number, ns: number, longest: number, count: number): void;
}

/**
 * Things a thread did one after the other, never overlapping: a bounded window of start, end and what. Blocks of
 * 64 and of 4096 keep their sum and their longest, so that a wide view costs no more than its columns and still
 * knows every outlier.
 */
export class SliceTrack {
  readonly capacity: number;
  readonly start: Float64Array;
  readonly finish: Float64Array;
  /** Meaning is the owner's: here a source's name number, or a state. */
  readonly what: Uint32Array;
  readonly #sum: Float64Array;
  readonly #longest: Float64Array;
  readonly #bigSum: Float64Array;
  readonly #bigLongest: Float64Array;
  /** Slices ever added. */
  end = 0;

  /** @param capacity a power of two, at least 4096 */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.start = new Float64Array(capacity);
    this.finish = new Float64Array(capacity);
    this.what = new Uint32Array(capacity);
    this.#sum = new Float64Array(capacity / BLOCK);
    this.#longest = new Float64Array(capacity / BLOCK);
    this.#bigSum = new Float64Array(capacity / BIG);
    this.#bigLongest = new Float64Array(capacity / BIG);
  }

  get begin(): number {
    // A block that is being overwritten is no longer whole: it goes at once.
    return this.end <= this.capacity ? 0 : Math.ceil((this.end - this.capacity) / BIG) * BIG;
  }

  add(start: number, finish: number, what: number): void {
    const index = this.end++;
    const slot = index & (this.capacity - 1);
    this.start[slot] = start;
    this.finish[slot] = finish;
    this.what[slot] = what;
    const ns = finish - start;
    const block = Math.floor(slot / BLOCK);
    const big = Math.floor(slot / BIG);
    this.#account(this.#sum, this.#longest, block, slot % BLOCK === 0, ns, index);
    this.#account(this.#bigSum, this.#bigLongest, big, slot % BIG === 0, ns, index);
  }

  #account(
    sums: Float64Array,
    longest: Float64Array,
    block: number,
    first: boolean,
    ns: number,
    index: number,
  ): void {
    if (first) {
      sums[block] = 0;
      longest[block] = index;
    }
    sums[block] = (sums[block] as number) + ns;
    if (ns > this.nsOf(longest[block] as number)) longest[block] = index;
  }

  startOf(index: number): number {
    return this.start[index & (this.capacity - 1)] as number;
  }
  finishOf(index: number): number {
    return this.finish[index & (this.capacity - 1)] as number;
  }
  whatOf(index: number): number {
    return this.what[index & (this.capacity - 1)] as number;
  }
  nsOf(index: number): number {
    return this.finishOf(index) - this.startOf(index);
  }

  /** Number of the first slice that ends after `time`. */
  find(time: number): number {
    let low = this.begin;
    let high = this.end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.finishOf(middle) <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Visits what happened between two times. Runs of slices that end within one step of `stepNs` (a column of
   * the view) come as sums; with a step of 0 every slice comes by itself.
   */
  visit(from: number, to: number, stepNs: number, visitor: SliceVisitor): void {
    let index = this.find(from);
    while (index < this.end && this.startOf(index) < to) {
      if (
        index % BIG === 0 &&
        this.#asRun(index, BIG, from, stepNs, this.#bigSum, this.#bigLongest, visitor)
      ) {
        index += BIG;
      } else if (
        index % BLOCK === 0 &&
        this.#asRun(index, BLOCK, from, stepNs, this.#sum, this.#longest, visitor)
      ) {
        index += BLOCK;
      } else visitor.slice(index++);
    }
  }

  #asRun(
    index: number,
    count: number,
    from: number,
    stepNs: number,
    sums: Float64Array,
    longest: Float64Array,
    visitor: SliceVisitor,
  ): boolean {
    if (stepNs <= 0 || index + count > this.end) return false;
    const first = this.startOf(index);
    const last = this.finishOf(index + count - 1);
    if (first < from || Math.floor((first - from) / stepNs) !== Math.floor((last - from) / stepNs))
      return false;
    const block = Math.floor((index & (this.capacity - 1)) / count);
    visitor.run(first, last, sums[block] as number, longest[block] as number, count);
    return true;
  }
}

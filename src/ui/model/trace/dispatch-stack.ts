/** Dispatches within dispatches that are told apart. */
const MAX_DEPTH = 16;

/** Times at which a thread's running dispatches began, innermost last. */
export class DispatchStack {
  readonly #began = new Float64Array(MAX_DEPTH);
  #depth = 0;

  push(time: number): void {
    if (this.#depth < MAX_DEPTH) this.#began[this.#depth] = time;
    this.#depth++;
  }
  pop(): void {
    if (this.#depth > 0) this.#depth--;
  }
  clear(): void {
    this.#depth = 0;
  }
  /** NaN: none is running. */
  get innermost(): number {
    return this.#depth === 0 ? Number.NaN : (this.#began[Math.min(this.#depth, MAX_DEPTH) - 1] as number);
  }
}

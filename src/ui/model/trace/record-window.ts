import { TRACE_ARGS, type TraceBatch } from '../../../engine/trace/drain.ts';

/** The newest records, in the order of time, as columns; the oldest are overwritten. */
export class RecordWindow {
  readonly capacity: number;
  readonly time: Float64Array;
  readonly what: Uint32Array;
  readonly args: Uint32Array;
  /** Records ever kept; record `i` (counted from the start) is in slot `i & (capacity - 1)`. */
  end = 0;

  /** @param capacity records kept, a power of two; 32 bytes each */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.time = new Float64Array(capacity);
    this.what = new Uint32Array(capacity);
    this.args = new Uint32Array(capacity * TRACE_ARGS);
  }

  /** Number of the oldest record that is still there. */
  get begin(): number {
    return Math.max(0, this.end - this.capacity);
  }

  append(batch: TraceBatch): void {
    const from = Math.max(0, batch.count - this.capacity);
    this.end += from;
    let done = from;
    while (done < batch.count) {
      const slot = this.end & (this.capacity - 1);
      const count = Math.min(batch.count - done, this.capacity - slot);
      this.time.set(batch.time.subarray(done, done + count), slot);
      this.what.set(batch.what.subarray(done, done + count), slot);
      this.args.set(batch.args.subarray(done * TRACE_ARGS, (done + count) * TRACE_ARGS), slot * TRACE_ARGS);
      this.end += count;
      done += count;
    }
  }

  timeOf(record: number): number {
    return this.time[record & (this.capacity - 1)] as number;
  }
  eventOf(record: number): number {
    return (this.what[record & (this.capacity - 1)] as number) & 0xffff;
  }
  threadOf(record: number): number {
    return (this.what[record & (this.capacity - 1)] as number) >>> 16;
  }
  argOf(record: number, index: number): number {
    return this.args[(record & (this.capacity - 1)) * TRACE_ARGS + index] as number;
  }

  /** Number of the first record at or after `time`. */
  find(time: number): number {
    let low = this.begin;
    let high = this.end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.timeOf(middle) < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

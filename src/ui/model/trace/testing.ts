import type { TraceBatch, TraceCount, TraceGap } from '../../../engine/trace/drain.ts';
import { TRACE, type TraceEventName } from '../../../engine/trace/schema.ts';

/** One record as a test writes it: host ns, thread, event and its arguments. */
export type Row = readonly [time: number, thread: number, event: TraceEventName, ...args: number[]];

/** A batch as TraceDrain would hand it on. */
export function batchOf(rows: readonly Row[], gaps: TraceGap[] = [], counted: TraceCount[] = []): TraceBatch {
  const batch: TraceBatch = {
    count: rows.length,
    time: new Float64Array(rows.length),
    what: new Uint32Array(rows.length),
    args: new Uint32Array(rows.length * 5),
    gaps,
    counted,
  };
  rows.forEach(([time, thread, event, ...args], i) => {
    batch.time[i] = time;
    batch.what[i] = TRACE[event] | (thread << 16);
    batch.args.set(args, i * 5);
  });
  return batch;
}

import { TRACE } from '../../../engine/trace/schema.ts';
import type { TraceModel } from './trace-model.ts';

const T = TRACE;

/** What the records of a while say of one context. */
export interface ContextRecords {
  /** Index of the context. */
  readonly context: number;
  /** Its dispatches that its own thread wrote, and those another thread wrote. */
  readonly own: number;
  readonly foreign: number;
  /** Sources attached to it and detached from it. */
  readonly attached: number;
  readonly detached: number;
}

/**
 * Counts, by context, what was recorded since then (host ns). A record stands in the ring of the thread that wrote it and
 * names the context it is about: the two can be held against each other.
 */
export function contextRecords(model: TraceModel, since: number): readonly ContextRecords[] {
  const { window } = model;
  const found = new Map<number, { own: number; foreign: number; attached: number; detached: number }>();
  for (let i = window.find(since); i < window.end; i++) {
    const event = window.eventOf(i);
    if (event !== T.source_dispatch_begin && event !== T.source_attach && event !== T.source_detach) continue;
    const context = window.argOf(i, 0);
    const counts = found.get(context) ?? { own: 0, foreign: 0, attached: 0, detached: 0 };
    found.set(context, counts);
    if (event === T.source_attach) counts.attached++;
    else if (event === T.source_detach) counts.detached++;
    else if (window.threadOf(i) === context) counts.own++;
    else counts.foreign++;
  }
  return [...found]
    .map(([context, counts]) => ({ context, ...counts }))
    .toSorted((a, b) => a.context - b.context);
}

import { TRACE, TRACE_EVENTS } from '../../../engine/trace/schema.ts';
import type { TraceModel } from './trace-model.ts';

const T = TRACE;

/** One stage inside the dispatches of a step: all records of its events. Stages stand in the order in which each began. */
export interface InsideStage {
  /** Name of the trace event the stage began with. */
  readonly event: string;
  readonly label: string;
  readonly n: number;
  /** ns from the beginning of the step's first dispatch to the first and the last of them. */
  readonly first: number;
  readonly last: number;
  /** Happened on a hart, after the step. */
  readonly afterwards: boolean;
}

/** What the trace says of the last step of one context. Plain data. */
export interface StepInside {
  /** Host ns at which the step was over. */
  readonly at: number;
  readonly dispatches: number;
  readonly stages: readonly InsideStage[];
  /** Records the ring of that thread lost meanwhile: stages may be missing. */
  readonly lost: number;
}

/** The stages of a request, as the waterfall has them, in words. What is not here is not shown. */
const LABELS: Readonly<Record<number, string>> = {
  [T.virtqueue_pop]: 'taken',
  [T.blk_co_preadv]: 'submitted',
  [T.blk_co_pwritev]: 'submitted',
  [T.blk_co_flush]: 'submitted',
  [T.virtio_blk_req_complete]: 'answered',
  [T.virtqueue_flush]: 'used',
  [T.virtio_notify]: 'interrupt suppressed',
  [T.virtio_notify_irqfd]: 'interrupt',
  [T.plic_claim]: 'guest claims',
  [T.virtio_interrupt_ack]: 'guest acknowledges',
};

/** Does the record end a step of the context, or begin a hold? What is between two of these is one step. */
const isEdge = (event: number): boolean => event === T.context_step || event === T.context_hold;

/**
 * The stages inside the last step of a context, from its thread's records: a step stops between dispatches, so this is
 * where the stages within one are told apart. After "next stage" or "until" it is the last dispatch before the context was
 * held again. Undefined if no step has ended since `since` (host ns), or its records are no longer kept.
 */
export function stepInside(
  model: TraceModel,
  firstGsi: number,
  thread: number,
  since: number,
): StepInside | undefined {
  const { window } = model;
  let end = window.end - 1;
  while (end >= window.begin && !(window.threadOf(end) === thread && isEdge(window.eventOf(end)))) {
    if (window.timeOf(end--) < since) return undefined;
  }
  if (end < window.begin || window.timeOf(end) < since) return undefined;
  const isStep = window.eventOf(end) === T.context_step;
  // An end that is a release says that it runs.
  if (!isStep && window.argOf(end, 1) === 0) return undefined;

  let begin = end;
  let depth = 0;
  for (let i = end - 1; i >= window.begin; i--) {
    if (window.threadOf(i) !== thread) continue;
    const event = window.eventOf(i);
    if (isEdge(event)) break;
    if (event === T.source_dispatch_end) depth++;
    else if (event === T.source_dispatch_begin) {
      begin = i;
      depth--;
      // It ran freely: only the last dispatch is what it stopped after.
      if (!isStep && depth <= 0) break;
    }
  }
  return gather(model, firstGsi, thread, begin, end);
}

function gather(model: TraceModel, firstGsi: number, thread: number, begin: number, end: number): StepInside {
  const { window } = model;
  const start = window.timeOf(begin);
  const at = window.timeOf(end);
  const stages = new Map<string, InsideStage>();
  const add = (record: number, afterwards: boolean): void => {
    const event = window.eventOf(record);
    const label = LABELS[event];
    // A notification that is not suppressed is followed by the interrupt.
    if (label === undefined || (event === T.virtio_notify && window.argOf(record, 2) === 0)) return;
    const after = Math.max(0, window.timeOf(record) - start);
    const begun = stages.get(label);
    stages.set(label, {
      event: begun?.event ?? TRACE_EVENTS[event]?.name ?? String(event),
      label,
      n: (begun?.n ?? 0) + 1,
      first: begun?.first ?? after,
      last: after,
      afterwards,
    });
  };
  let depth = 0;
  let dispatches = 0;
  /** The device whose interrupt was raised, and when. */
  let raised: { readonly dev: number; readonly time: number } | undefined;
  for (let i = begin; i < end; i++) {
    if (window.threadOf(i) !== thread) continue;
    const event = window.eventOf(i);
    if (event === T.source_dispatch_begin && depth++ === 0) dispatches++;
    if (event === T.source_dispatch_end) depth--;
    if (event === T.virtio_notify_irqfd) raised ??= { dev: window.argOf(i, 0), time: window.timeOf(i) };
    add(i, false);
  }
  if (raised !== undefined) {
    const { dev, time } = raised;
    const next = (matches: (record: number) => boolean): void => {
      for (let i = window.find(time); i < window.end; i++) if (matches(i)) return add(i, true);
    };
    next((i) => window.eventOf(i) === T.plic_claim && window.argOf(i, 1) === firstGsi + dev);
    next((i) => window.eventOf(i) === T.virtio_interrupt_ack && window.argOf(i, 0) === dev);
  }
  let lost = 0;
  for (const gap of model.lanes.get(thread)?.gaps ?? [])
    if (gap.from < at && gap.to > start) lost += gap.lost;
  return { at, dispatches, stages: [...stages.values()], lost };
}

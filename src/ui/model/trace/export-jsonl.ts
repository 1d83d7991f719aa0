import { TRACE_EVENTS } from '../../../engine/trace/schema.ts';
import type { Labels } from './labels.ts';
import type { TraceModel } from './trace-model.ts';

/** Records per string: strings this long are still cheap to put together. */
const CHUNK = 4096;

/**
 * One JSON object per line: a header with the counts, then records and gaps in the order of time. Times are ns since the
 * machine's epoch; arguments bear the schema's names.
 */
export function* jsonLines(model: TraceModel, labels: Labels, epoch: number): Generator<string> {
  const { window } = model;
  yield `${JSON.stringify({
    format: 'qcontext-trace',
    version: 1,
    epochMs: epoch,
    counted: model.binned,
    onlyCounted: model.onlyCounted,
    lost: model.lost,
    notKept: model.notKept,
    records: window.end - window.begin,
    droppedFromWindow: window.begin,
    lanes: model.lanesInOrder().map((lane) => ({
      thread: lane.thread,
      name: labels.lane(lane.thread),
      counted: lane.binned,
      lost: lane.lost,
    })),
  })}\n`;
  const gaps = model
    .lanesInOrder()
    .flatMap((lane) => lane.gaps)
    .toSorted((a, b) => a.from - b.from);
  let nextGap = 0;
  let lines: string[] = [];
  for (let i = window.begin; i < window.end; i++) {
    const time = window.timeOf(i);
    for (let gap = gaps[nextGap]; gap !== undefined && gap.from <= time; gap = gaps[++nextGap])
      lines.push(JSON.stringify({ lost: gap.lost, thread: gap.thread, from: gap.from, to: gap.to }));
    const thread = window.threadOf(i);
    const event = TRACE_EVENTS[window.eventOf(i)];
    const record: Record<string, unknown> = { t: time, thread, event: event?.name ?? window.eventOf(i) };
    event?.args.forEach(([name, kind], arg) => {
      const value = window.argOf(i, arg);
      record[name] = kind === 'source' ? labels.source(thread, value) : value;
    });
    lines.push(JSON.stringify(record));
    if (lines.length >= CHUNK) {
      yield `${lines.join('\n')}\n`;
      lines = [];
    }
  }
  for (let gap = gaps[nextGap]; gap !== undefined; gap = gaps[++nextGap])
    lines.push(JSON.stringify({ lost: gap.lost, thread: gap.thread, from: gap.from, to: gap.to }));
  if (lines.length > 0) yield `${lines.join('\n')}\n`;
}

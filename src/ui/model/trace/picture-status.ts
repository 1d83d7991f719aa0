import { duration } from '../format.ts';
import { recordText, requestOf } from './answers.ts';
import { momentText } from './format-time.ts';
import { cellCount, HEAT_COLUMN_NS, type HeatView, rowEdges } from './heat-view.ts';
import type { Labels } from './labels.ts';
import type { HeatStatus, TimelineStatus } from './protocol.ts';
import type { TimelineView } from './timeline-view.ts';
import type { TraceModel } from './trace-model.ts';

/** What the page is told of the timeline: its place, and in words what is at the cursor. */
export function timelineStatus(model: TraceModel, view: TimelineView, labels: Labels): TimelineStatus {
  const { cursor } = view;
  const slice = view.sliceAtCursor(model);
  const words =
    cursor === undefined
      ? undefined
      : [
          momentText(cursor.time),
          labels.lane(cursor.thread),
          cursor.record === undefined || cursor.record < model.window.begin
            ? undefined
            : recordText(model, labels, cursor.record),
          slice === undefined
            ? undefined
            : `in ${labels.source(cursor.thread, slice.source)}, ${duration(slice.to - slice.from)}`,
        ]
          .filter((word) => word !== undefined)
          .join(' · ');
  return {
    from: view.from,
    span: view.span,
    follow: view.follow,
    selection: view.selection,
    cursor: words,
    request:
      cursor?.record === undefined || cursor.record < model.window.begin
        ? undefined
        : requestOf(model, cursor.record),
    records: model.window.find(view.to) - model.window.find(view.from),
  };
}

/** The same of the heat map. */
export function heatStatus(model: TraceModel, view: HeatView): HeatStatus {
  const { cursor } = view;
  if (cursor === undefined || view.dev < 0) return { cursor: undefined, n: 0 };
  const { heat } = model.requests.queue(view.dev, view.queue);
  const [from, to] = rowEdges(cursor.row);
  const n = cellCount(heat, view.metric, cursor.column, cursor.row);
  const at = (cursor.column * HEAT_COLUMN_NS) / 1e9;
  const latency = to === Infinity ? `over ${duration(from)}` : `${duration(from)} to ${duration(to)}`;
  return { cursor: `${at.toFixed(2)} s · ${latency} · ${n} ${n === 1 ? 'request' : 'requests'}`, n };
}

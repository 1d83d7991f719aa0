import { TRACE_EVENTS } from '../../../engine/trace/schema.ts';
import { FONT_SANS, KIND_GLYPHS, type Kind, type Theme, THEMES } from '../../tokens.ts';
import { type ColumnLayer, pixelOf } from './column-layer.ts';
import { spanText } from './format-time.ts';
import type { Labels } from './labels.ts';
import type { SliceTrack } from './slice-track.ts';
import { RULER } from './timeline-geometry.ts';
import type { TimelineView } from './timeline-view.ts';
import { type Lane, STATE_BLOCKED, STATE_POLLING, type TraceModel } from './trace-model.ts';

/** More records than this in view are not drawn one by one, unless a filter asks for some of them. */
const MAX_MARKS = 30_000;
const DISPATCH_BEGIN = TRACE_EVENTS.findIndex((event) => event.name === 'source_dispatch_begin');
const DISPATCH_END = DISPATCH_BEGIN + 1;

const KINDS = Object.keys(KIND_GLYPHS) as Kind[];

type Pen = OffscreenCanvasRenderingContext2D;

/** Rows of one lane, in px. */
interface Rows {
  readonly top: number;
  readonly marks: number;
  readonly depth: readonly [number, number];
  readonly depthHeight: readonly [number, number];
  readonly states: number;
  readonly statesHeight: number;
}

/**
 * Draws the timeline. Where dispatches are narrower than a pixel, a column's fill is its busy share and the line in
 * it the longest dispatch, on a logarithmic scale from 1 µs to 1 s: no zoom hides an outlier.
 */
export function paintTimeline(pen: Pen, view: TimelineView, model: TraceModel, labels: Labels): void {
  const theme = THEMES[view.theme];
  pen.setTransform(view.scale, 0, 0, view.scale, 0, 0);
  pen.fillStyle = theme.surface;
  pen.fillRect(0, 0, view.width, view.height);
  const lanes = view.lanes(model);
  const laneHeight = view.laneHeight(lanes.length);
  paintRuler(pen, view, theme);
  paintSelection(pen, view, theme);

  pen.save();
  pen.beginPath();
  pen.rect(view.left, 0, view.plot, view.height);
  pen.clip();
  const rows = lanes.map((lane, i) =>
    rowsOf(RULER + i * laneHeight, laneHeight, view.left === 0, lane.thread >= model.firstHart),
  );
  const columns = view.columns();
  columns.clear();
  lanes.forEach((lane, i) => {
    const row = rows[i] as Rows;
    paintStates(pen, columns, view, theme, lane, row, model);
    lane.dispatches.forEach((track, depth) => {
      if (track !== undefined)
        paintDispatches(pen, columns, view, theme, lane, track, depth as 0 | 1, row, labels);
    });
  });
  columns.drawOn(pen);
  lanes.forEach((lane, i) => paintGaps(pen, view, theme, lane, rows[i] as Rows, laneHeight));
  for (const span of model.frozen) {
    const from = Math.max(view.left, x(view, span.from));
    const to = Math.min(view.width, x(view, span.to));
    if (to > from) hatch(pen, from, RULER, to - from, laneHeight * lanes.length, theme.line, theme.surface);
  }
  paintMarks(pen, view, theme, model, lanes, rows);
  pen.restore();

  lanes.forEach((lane, i) => {
    const y = RULER + i * laneHeight;
    pen.fillStyle = theme.line;
    pen.fillRect(0, y, view.width, 1);
    pen.fillStyle = theme.text;
    pen.font = `600 12px ${FONT_SANS}`;
    pen.textBaseline = 'top';
    pen.textAlign = 'left';
    const label = labels.lane(lane.thread);
    if (view.left > 0) pen.fillText(fit(pen, label, view.left - 16), 12, y + 6);
    else outlined(pen, label, 6, y + 2, theme);
  });
  if (view.left > 0) {
    pen.fillStyle = theme.line;
    pen.fillRect(view.left - 1, 0, 1, view.height);
  }
  paintCursor(pen, view, theme, lanes, laneHeight);
}

function rowsOf(top: number, height: number, labelInside: boolean, statesOnly: boolean): Rows {
  const inside = labelInside ? Math.min(15, height * 0.3) : 3;
  const states = Math.max(3, height * 0.1);
  const marks = Math.max(4, height * 0.12);
  const rest = height - inside - states - marks - 3;
  const first = top + inside + marks + 1;
  // A hart dispatches nothing: what it does is its state.
  if (statesOnly)
    return {
      top,
      marks: top + inside,
      depth: [first, first],
      depthHeight: [0, 0],
      states: first,
      statesHeight: Math.min(height * 0.55, top + height - first - 2),
    };
  return {
    top,
    marks: top + inside,
    depth: [first, first + rest * 0.55],
    depthHeight: [rest * 0.55, rest * 0.45],
    states: top + height - states - 2,
    statesHeight: states,
  };
}

const x = (view: TimelineView, time: number): number =>
  view.left + ((time - view.from) / view.span) * view.plot;

function paintRuler(pen: Pen, view: TimelineView, theme: Theme): void {
  const step = niceStep(view.span / Math.max(2, view.plot / 110));
  pen.font = `11px ${FONT_SANS}`;
  pen.textBaseline = 'middle';
  pen.textAlign = 'left';
  pen.fillStyle = theme.muted;
  for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) {
    const at = x(view, t);
    pen.fillStyle = theme.line;
    pen.fillRect(Math.round(at), RULER - 5, 1, view.height);
    pen.fillStyle = theme.muted;
    pen.fillText(spanText(t, step), at + 4, RULER / 2);
  }
}

const niceStep = (ns: number): number => {
  const power = 10 ** Math.floor(Math.log10(ns));
  for (const factor of [1, 2, 5, 10]) if (factor * power >= ns) return factor * power;
  return 10 * power;
};

function paintSelection(pen: Pen, view: TimelineView, theme: Theme): void {
  const { selection } = view;
  if (selection === undefined) return;
  const from = Math.max(view.left, x(view, selection.from));
  const to = Math.min(view.width, x(view, selection.to));
  if (to < view.left || from > view.width) return;
  pen.fillStyle = theme.hover;
  pen.fillRect(from, 0, Math.max(1, to - from), view.height);
  pen.fillStyle = theme.text;
  pen.fillRect(from, 0, 1, view.height);
  pen.fillRect(to - 1, 0, 1, view.height);
}

function paintStates(
  pen: Pen,
  columns: ColumnLayer,
  view: TimelineView,
  theme: Theme,
  lane: Lane,
  row: Rows,
  model: TraceModel,
): void {
  const width = Math.ceil(view.plot) + 1;
  const awake = new Float32Array(width);
  const polling = new Float32Array(width);
  const add = (from: number, to: number, state: number): void => {
    if (state === STATE_BLOCKED) return;
    spread(state === STATE_POLLING ? polling : awake, x(view, from) - view.left, x(view, to) - view.left);
  };
  const { states } = lane;
  // States differ within a run, so runs are not used; a view so wide that this costs is drawn from fewer of them.
  states.visit(view.from, view.to, 0, {
    slice: (i) => add(states.startOf(i), states.finishOf(i), states.whatOf(i)),
    run: () => {},
  });
  if (!Number.isNaN(lane.since) && lane.since < view.to && model.keep)
    add(lane.since, Math.min(view.to, model.latest), lane.state);
  pen.fillStyle = theme.line;
  pen.fillRect(view.left, row.states + row.statesHeight - 1, view.plot, 1);
  const [awakePixel, pollingPixel] = [pixelOf(theme.text), pixelOf(theme.lineStrong)];
  for (let column = 0; column < width; column++) {
    const busy = Math.min(1, awake[column] as number);
    const poll = Math.min(1 - busy, polling[column] as number);
    if (busy > 0) {
      const height = Math.max(1, busy * row.statesHeight);
      columns.bar(view.left + column, row.states + row.statesHeight - height, 1, height, awakePixel);
    }
    if (poll > 0) {
      const height = Math.max(1, poll * row.statesHeight);
      const top = row.states + (1 - busy) * row.statesHeight - height;
      columns.bar(view.left + column, top, 1, height, pollingPixel);
    }
  }
}

/** Adds the share of each column that lies between two places. */
function spread(columns: Float32Array, from: number, to: number): void {
  const first = Math.max(0, from);
  const last = Math.min(columns.length, to);
  for (let column = Math.floor(first); column < last; column++)
    columns[column] = (columns[column] as number) + Math.min(last, column + 1) - Math.max(first, column);
}

function paintDispatches(
  pen: Pen,
  columns: ColumnLayer,
  view: TimelineView,
  theme: Theme,
  lane: Lane,
  track: SliceTrack,
  depth: 0 | 1,
  row: Rows,
  labels: Labels,
): void {
  const top = row.depth[depth];
  const height = row.depthHeight[depth] - 1;
  const { filter } = view;
  const width = Math.ceil(view.plot) + 1;
  const busy = new Float32Array(width);
  const longest = new Float64Array(width);
  const which = new Uint32Array(width);
  const stepNs = view.span / view.plot;
  const column = (from: number, to: number, sum: number, index: number): void => {
    const first = x(view, from) - view.left;
    const at = Math.floor(first);
    if (at < 0 || at >= width) return;
    const last = x(view, to) - view.left;
    if (sum >= to - from) spread(busy, first, last);
    else busy[at] = (busy[at] as number) + sum / stepNs;
    const ns = track.nsOf(index);
    if (ns >= (longest[at] as number)) {
      longest[at] = ns;
      which[at] = track.whatOf(index);
    }
  };
  pen.font = `11px ${FONT_SANS}`;
  pen.textBaseline = 'middle';
  pen.textAlign = 'left';
  track.visit(view.from, view.to, filter.empty ? stepNs : 0, {
    slice: (i) => {
      const from = track.startOf(i);
      const to = track.finishOf(i);
      const match = filter.matchesDispatch(lane.thread, track.whatOf(i));
      if (to - from < stepNs * 2) {
        if (match) column(from, to, to - from, i);
        return;
      }
      const left = Math.max(view.left, x(view, from));
      const right = Math.min(view.width, x(view, to));
      const kind = labels.kind(lane.thread, track.whatOf(i));
      pen.globalAlpha = match ? 1 : 0.25;
      pen.fillStyle = theme[kind];
      pen.fillRect(left, top, Math.max(1, right - left - 0.5), height);
      if (right - left > 34 && height >= 10) {
        pen.fillStyle = theme.inverse;
        const text = `${KIND_GLYPHS[kind]} ${labels.source(lane.thread, track.whatOf(i))}`;
        pen.fillText(fit(pen, text, right - left - 8), left + 4, top + height / 2 + 0.5);
      }
      pen.globalAlpha = 1;
    },
    run: (from, to, sum, index) => column(from, to, sum, index),
  });
  const pixels = Object.fromEntries(KINDS.map((kind) => [kind, pixelOf(theme[kind])])) as {
    readonly [K in Kind]: number;
  };
  for (let i = 0; i < width; i++) {
    if (longest[i] === 0 && busy[i] === 0) continue;
    const pixel = pixels[labels.kind(lane.thread, which[i] as number)];
    const fill = Math.max(1, Math.min(1, busy[i] as number) * height);
    columns.bar(view.left + i, top + height - fill, 1, fill, pixel);
    // The longest of the column: a dot as high as it is long.
    const level = Math.max(0, Math.min(1, Math.log10(Math.max(1, (longest[i] as number) / 1e3)) / 6));
    columns.bar(view.left + i - 0.5, top + (1 - level) * (height - 2), 2, 2, pixel);
  }
}

function paintGaps(pen: Pen, view: TimelineView, theme: Theme, lane: Lane, row: Rows, height: number): void {
  for (const gap of lane.gaps) {
    const from = Math.max(view.left, x(view, gap.from));
    const to = Math.min(view.width, Math.max(x(view, gap.to), x(view, gap.from) + 2));
    if (to < view.left || from > view.width) continue;
    hatch(pen, from, row.top + 1, to - from, height - 1, theme.alarm, theme.surface);
  }
}

function hatch(
  pen: Pen,
  left: number,
  top: number,
  width: number,
  height: number,
  colour: string,
  ground: string,
): void {
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  pen.fillStyle = ground;
  pen.fillRect(left, top, width, height);
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.beginPath();
  for (let at = left - height; at < left + width; at += 5) {
    pen.moveTo(at, top + height);
    pen.lineTo(at + height, top);
  }
  pen.stroke();
  pen.restore();
}

/** Ticks for single records: all of them when they are few, those that match when a filter is set. */
function paintMarks(
  pen: Pen,
  view: TimelineView,
  theme: Theme,
  model: TraceModel,
  lanes: readonly Lane[],
  rows: readonly Rows[],
): void {
  const { window } = model;
  const { filter } = view;
  const begin = window.find(view.from);
  const end = window.find(view.to);
  if (filter.empty && end - begin > MAX_MARKS) return;
  const byThread = new Map(lanes.map((lane, i) => [lane.thread, rows[i] as Rows]));
  const seen = new Map<number, number>();
  pen.fillStyle = filter.empty ? theme.muted : theme.text;
  for (let i = begin; i < end; i++) {
    const event = window.eventOf(i);
    if (filter.empty ? event === DISPATCH_BEGIN || event === DISPATCH_END : !filter.matches(window, i))
      continue;
    const thread = window.threadOf(i);
    const row = byThread.get(thread);
    if (row === undefined) continue;
    const at = Math.round(x(view, window.timeOf(i)));
    if (seen.get(thread) === at) continue;
    seen.set(thread, at);
    pen.fillRect(at, row.marks, filter.empty ? 1 : 2, row.depth[0] - row.marks - 1);
  }
}

function paintCursor(
  pen: Pen,
  view: TimelineView,
  theme: Theme,
  lanes: readonly Lane[],
  laneHeight: number,
): void {
  const { cursor } = view;
  if (cursor === undefined) return;
  const at = x(view, cursor.time);
  if (at < view.left || at > view.width) return;
  pen.fillStyle = theme.text;
  pen.fillRect(Math.round(at), RULER - 6, 1, view.height);
  const i = lanes.findIndex((lane) => lane.thread === cursor.thread);
  if (i < 0) return;
  pen.strokeStyle = theme.text;
  pen.lineWidth = 2;
  pen.strokeRect(Math.round(at) - 4, RULER + i * laneHeight + 3, 9, laneHeight - 6);
}

function outlined(pen: Pen, text: string, left: number, top: number, theme: Theme): void {
  pen.strokeStyle = theme.surface;
  pen.lineWidth = 3;
  pen.lineJoin = 'round';
  pen.strokeText(text, left, top);
  pen.fillText(text, left, top);
}

function fit(pen: Pen, text: string, width: number): string {
  if (pen.measureText(text).width <= width) return text;
  let end = Math.max(1, Math.floor((text.length * width) / Math.max(1, pen.measureText(text).width)) - 1);
  while (end > 1 && pen.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return end < 3 ? '' : `${text.slice(0, end)}…`;
}

import type { ThemeName } from '../../tokens.ts';
import { ColumnLayer } from './column-layer.ts';
import { Filter } from './filter.ts';
import type { Labels } from './labels.ts';
import { LANE, plotLeft, RULER, TALLEST_LANE } from './timeline-geometry.ts';
import type { Lane, TraceModel } from './trace-model.ts';

/** Shortest and longest span shown, ns. */
const MIN_SPAN = 20e3;
const MAX_SPAN = 600e9;

/** What a person does to the timeline. Fractions are of the plotted width, 0 at its left;
 * a zoom without a place is about the cursor, or the middle. */
export type TimelineCommand =
  | { readonly do: 'zoom'; readonly factor: number; readonly at: number | undefined }
  | { readonly do: 'pan'; readonly by: number }
  | { readonly do: 'follow'; readonly on: boolean }
  | { readonly do: 'all' }
  | { readonly do: 'span'; readonly ns: number }
  | { readonly do: 'range'; readonly from: number; readonly to: number }
  | { readonly do: 'filter'; readonly text: string }
  | { readonly do: 'select'; readonly from: number; readonly to: number }
  | { readonly do: 'select-view' }
  | { readonly do: 'clear' }
  | { readonly do: 'point'; readonly at: number; readonly y: number }
  | { readonly do: 'step'; readonly by: 1 | -1; readonly extend: boolean; readonly anyLane?: boolean }
  | { readonly do: 'lane'; readonly by: 1 | -1 }
  | { readonly do: 'select-slice' };

/** State of a timeline: what part of the trace is shown, and what is marked in it. Times are host ns. */
export class TimelineView {
  width = 0;
  height = 0;
  scale = 1;
  theme: ThemeName = 'dark';
  from = 0;
  span = 2e9;
  follow = true;
  filter: Filter;
  selection: { from: number; to: number } | undefined;
  cursor: { thread: number; time: number; record: number | undefined } | undefined;
  readonly #labels: Labels;
  #columns: ColumnLayer | undefined;

  constructor(labels: Labels) {
    this.#labels = labels;
    this.filter = new Filter('', labels);
  }

  /** Left edge of the plotted part, px. */
  get left(): number {
    return plotLeft(this.width);
  }
  get plot(): number {
    return Math.max(1, this.width - this.left);
  }
  get to(): number {
    return this.from + this.span;
  }
  timeAt(fraction: number): number {
    return this.from + fraction * this.span;
  }

  /** The layer for this size's columns, made anew when the size changes. */
  columns(): ColumnLayer {
    const width = Math.max(1, Math.round(this.width * this.scale));
    const height = Math.max(1, Math.round(this.height * this.scale));
    if (this.#columns?.fits(width, height, this.scale) !== true)
      this.#columns = new ColumnLayer(width, height, this.scale);
    return this.#columns;
  }

  /** Lanes in the order drawn: those of the board, and any other that has records. */
  lanes(model: TraceModel): Lane[] {
    const shown = new Set(this.#labels.lanes.map(({ thread }) => thread));
    return model
      .lanesInOrder()
      .filter((lane) => shown.size === 0 || shown.has(lane.thread) || lane.binned > 0);
  }

  laneHeight(count: number): number {
    return Math.max(LANE, Math.min(TALLEST_LANE, (this.height - RULER) / Math.max(1, count)));
  }

  /** Moves with the newest record, when it follows. */
  advance(model: TraceModel): void {
    if (this.follow) this.from = model.latest - this.span;
  }

  command(command: TimelineCommand, model: TraceModel): void {
    switch (command.do) {
      case 'zoom': {
        const span = Math.min(MAX_SPAN, Math.max(MIN_SPAN, this.span * command.factor));
        // Following, the right edge stays: it is now.
        const at = this.follow ? 1 : (command.at ?? this.#cursorFraction());
        this.from += (this.span - span) * at;
        this.span = span;
        return;
      }
      case 'pan':
        this.follow = false;
        this.from += command.by * this.span;
        this.#stayNear(model);
        return;
      case 'follow':
        this.follow = command.on;
        return;
      case 'all': {
        const first = model.window.end > model.window.begin ? model.window.timeOf(model.window.begin) : 0;
        this.#show(first, Math.max(first + MIN_SPAN, model.latest));
        return;
      }
      case 'span':
        this.from += this.span - command.ns;
        this.span = command.ns;
        return;
      case 'range':
        this.#show(command.from, command.to);
        return;
      case 'filter':
        this.filter = new Filter(command.text, this.#labels);
        return;
      case 'select':
        this.selection = ordered(this.timeAt(command.from), this.timeAt(command.to));
        return;
      case 'select-view':
        this.follow = false;
        this.selection = { from: this.from, to: this.to };
        return;
      case 'clear':
        this.selection = undefined;
        this.cursor = undefined;
        return;
      case 'point':
        this.#point(model, this.timeAt(command.at), command.y);
        return;
      case 'step':
        this.#step(model, command.by, command.extend, command.anyLane ?? false);
        return;
      case 'lane': {
        const lanes = this.lanes(model);
        const now = lanes.findIndex((lane) => lane.thread === this.cursor?.thread);
        const next = lanes[Math.max(0, Math.min(lanes.length - 1, now + command.by))];
        if (next !== undefined) this.#put(next.thread, this.cursor?.time ?? this.timeAt(0.5), undefined);
        return;
      }
      case 'select-slice': {
        const slice = this.sliceAtCursor(model);
        if (slice !== undefined) this.selection = { from: slice.from, to: slice.to };
        return;
      }
    }
  }

  /** The innermost dispatch at the cursor. */
  sliceAtCursor(
    model: TraceModel,
  ): { readonly from: number; readonly to: number; readonly source: number } | undefined {
    const { cursor } = this;
    const lane = cursor === undefined ? undefined : model.lanes.get(cursor.thread);
    if (cursor === undefined || lane === undefined) return undefined;
    for (const track of lane.dispatches.toReversed()) {
      if (track === undefined) continue;
      const index = track.find(cursor.time - 1);
      if (index < track.end && track.startOf(index) <= cursor.time)
        return { from: track.startOf(index), to: track.finishOf(index), source: track.whatOf(index) };
    }
    return undefined;
  }

  #cursorFraction(): number {
    const at = this.cursor === undefined ? -1 : (this.cursor.time - this.from) / this.span;
    return at >= 0 && at <= 1 ? at : 0.5;
  }

  #show(from: number, to: number): void {
    this.follow = false;
    const range = ordered(from, to);
    this.span = Math.min(MAX_SPAN, Math.max(MIN_SPAN, range.to - range.from));
    this.from = range.from;
  }

  /** Not further than half a view beyond what there is. */
  #stayNear(model: TraceModel): void {
    const first = Number.isNaN(model.earliest) ? 0 : model.earliest;
    this.from = Math.max(first - this.span / 2, Math.min(model.latest - this.span / 2, this.from));
  }

  #put(thread: number, time: number, record: number | undefined): void {
    this.follow = false;
    this.cursor = { thread, time, record };
    if (time < this.from || time > this.to) this.from = time - this.span / 2;
  }

  /** The record nearest to a point, of the lane under it. */
  #point(model: TraceModel, time: number, y: number): void {
    const lanes = this.lanes(model);
    const lane = lanes[Math.floor((y - RULER) / this.laneHeight(lanes.length))];
    if (lane === undefined) return;
    const { window } = model;
    const reach = (this.span / this.plot) * 6;
    let best: number | undefined;
    for (let i = window.find(time - reach); i < window.end && window.timeOf(i) <= time + reach; i++) {
      if (window.threadOf(i) !== lane.thread || !this.filter.matches(window, i)) continue;
      if (best === undefined || Math.abs(window.timeOf(i) - time) < Math.abs(window.timeOf(best) - time))
        best = i;
    }
    this.#put(lane.thread, best === undefined ? time : window.timeOf(best), best);
  }

  /** To the next or previous record of the lane (or of any) that matches the filter. */
  #step(model: TraceModel, by: 1 | -1, extend: boolean, anyLane: boolean): void {
    const { window } = model;
    const start = this.cursor ?? {
      thread: this.lanes(model)[0]?.thread ?? 0,
      time: this.timeAt(0.5),
      record: undefined,
    };
    const at = window.find(start.time);
    let i =
      start.record !== undefined && start.record >= window.begin ? start.record + by : by > 0 ? at : at - 1;
    for (; i >= window.begin && i < window.end; i += by) {
      if (!(anyLane || window.threadOf(i) === start.thread) || !this.filter.matches(window, i)) continue;
      const time = window.timeOf(i);
      if (extend) {
        const { selection } = this;
        const anchor =
          selection === undefined ? start.time : start.time === selection.to ? selection.from : selection.to;
        this.selection = ordered(anchor, time);
      }
      this.#put(window.threadOf(i), time, i);
      return;
    }
  }
}

const ordered = (a: number, b: number): { from: number; to: number } => ({
  from: Math.min(a, b),
  to: Math.max(a, b),
});

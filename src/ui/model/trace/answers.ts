import { CLOCK_FLOOR_NS } from '../format.ts';
import { TRACE_EVENTS } from '../../../engine/trace/schema.ts';
import { cellCount, HEAT_COLUMN_NS, HEAT_ROWS, type HeatView, rowEdges } from './heat-view.ts';
import type { Labels } from './labels.ts';
import type {
  HeatRow,
  LaneStatistics,
  ListedRequest,
  RecordRow,
  RequestList,
  RequestOrder,
  SourceStatistics,
  Statistics,
} from './protocol.ts';
import type { TracedRequest } from './request-log.ts';
import { extentOf, METRIC_TOTAL, metricOf, POINTS } from './stages.ts';
import type { TimelineView } from './timeline-view.ts';
import { type Lane, STATE_AWAKE, STATE_BLOCKED, STATE_POLLING, type TraceModel } from './trace-model.ts';

/** Sums over the selection, or over what is in view. Times at the edges count as far as they are inside. */
export function statistics(model: TraceModel, view: TimelineView, labels: Labels): Statistics {
  const { from, to } = view.selection ?? { from: view.from, to: view.to };
  const lanes = view.lanes(model);
  const { window } = model;
  const perEvent = new Map<number, number>();
  let records = 0;
  for (let i = window.find(from), end = window.find(to); i < end; i++) {
    if (!view.filter.matches(window, i)) continue;
    records++;
    const event = window.eventOf(i);
    perEvent.set(event, (perEvent.get(event) ?? 0) + 1);
  }
  return {
    from,
    to,
    records,
    lanes: lanes.map((lane) => laneStatistics(model, lane, from, to, labels)),
    sources: lanes
      .flatMap((lane) => sourceStatistics(lane, from, to, view, labels))
      .toSorted((a, b) => b.total - a.total),
    events: [...perEvent]
      .map(([event, n]) => ({ event: TRACE_EVENTS[event]?.name ?? `event ${event}`, n }))
      .toSorted((a, b) => b.n - a.n),
  };
}

function laneStatistics(
  model: TraceModel,
  lane: Lane,
  from: number,
  to: number,
  labels: Labels,
): LaneStatistics {
  const ns = [0, 0, 0];
  const add = (start: number, finish: number, state: number): void => {
    ns[state] = (ns[state] ?? 0) + Math.max(0, Math.min(to, finish) - Math.max(from, start));
  };
  const { states } = lane;
  for (let i = states.find(from); i < states.end && states.startOf(i) < to; i++)
    add(states.startOf(i), states.finishOf(i), states.whatOf(i));
  if (!Number.isNaN(lane.since)) add(lane.since, model.latest, lane.state);
  let lost = 0;
  for (const gap of lane.gaps) if (gap.from < to && gap.to > from) lost += gap.lost;
  return {
    lane: labels.lane(lane.thread),
    awake: ns[STATE_AWAKE] ?? 0,
    polling: ns[STATE_POLLING] ?? 0,
    blocked: ns[STATE_BLOCKED] ?? 0,
    lost,
  };
}

function sourceStatistics(
  lane: Lane,
  from: number,
  to: number,
  view: TimelineView,
  labels: Labels,
): SourceStatistics[] {
  const rows = new Map<number, { n: number; total: number; longest: number; longestAt: number }>();
  for (const track of lane.dispatches) {
    if (track === undefined) continue;
    for (let i = track.find(from); i < track.end && track.startOf(i) < to; i++) {
      const source = track.whatOf(i);
      if (!view.filter.matchesDispatch(lane.thread, source)) continue;
      const row = rows.get(source) ?? { n: 0, total: 0, longest: 0, longestAt: 0 };
      rows.set(source, row);
      const start = track.startOf(i);
      const ns = track.finishOf(i) - start;
      row.n++;
      row.total += Math.min(to, track.finishOf(i)) - Math.max(from, start);
      if (ns >= row.longest) {
        row.longest = ns;
        row.longestAt = start;
      }
    }
  }
  return [...rows].map(([source, row]) => ({
    lane: labels.lane(lane.thread),
    source: labels.source(lane.thread, source),
    share: row.total / Math.max(1, to - from),
    ...row,
  }));
}

/** The newest records of the selection or view that match its filter, oldest first. */
export function recordRows(
  model: TraceModel,
  view: TimelineView,
  labels: Labels,
  limit: number,
): readonly RecordRow[] {
  const { window } = model;
  const { from, to } = view.selection ?? { from: view.from, to: view.to };
  const rows: RecordRow[] = [];
  for (let i = window.find(to) - 1, first = window.find(from); i >= first && rows.length < limit; i--) {
    if (!view.filter.matches(window, i)) continue;
    rows.push({
      record: i,
      time: window.timeOf(i),
      lane: labels.lane(window.threadOf(i)),
      text: recordText(model, labels, i),
      request: requestOf(model, i),
    });
  }
  return rows.toReversed();
}

export function recordText(model: TraceModel, labels: Labels, record: number): string {
  const { window } = model;
  const args = [0, 1, 2, 3, 4].map((i) => window.argOf(record, i));
  return labels.record(window.eventOf(record), args, window.threadOf(record));
}

/** Where each event says which request it is of; below 0: nowhere. */
const REQUEST_ARG = TRACE_EVENTS.map(({ args }) => args.findIndex(([, kind]) => kind === 'req'));

/** Id of the request a record is of. */
export function requestOf({ window }: TraceModel, record: number): number | undefined {
  const arg = REQUEST_ARG[window.eventOf(record)] ?? -1;
  // A breakpoint that no request ran into says 0.
  return arg < 0 ? undefined : window.argOf(record, arg) || undefined;
}

function listed(model: TraceModel, labels: Labels, index: number): ListedRequest | undefined {
  const request = model.requests.log.get(index);
  return request === undefined ? undefined : withNames(labels, request, index, true);
}

/** Requests under way have no place in the log: below 0, and each another. */
const listedOpen = (labels: Labels, request: TracedRequest): ListedRequest =>
  withNames(labels, { ...request, times: request.times.slice() }, -request.req, false);

function withNames(labels: Labels, request: TracedRequest, index: number, isOver: boolean): ListedRequest {
  return {
    ...request,
    index,
    isOver,
    queueLabel: labels.queue(request.dev, request.queue),
    popLane: labels.lane(request.popThread),
    diskLane: labels.lane(request.diskThread),
  };
}

/** Requests logged since there were `index` of them, oldest first. */
export function requestsSince(model: TraceModel, labels: Labels, index: number): readonly ListedRequest[] {
  const { log } = model.requests;
  const found: ListedRequest[] = [];
  for (let i = Math.max(log.begin, index); i < log.end; i++) {
    const request = listed(model, labels, i);
    if (request !== undefined) found.push(request);
  }
  return found;
}

/**
 * Requests of one virtqueue: of the complete ones the newest, the slowest, or some evenly spread over all that are kept;
 * or those under way, the oldest first.
 */
export function requestList(
  model: TraceModel,
  labels: Labels,
  dev: number,
  queue: number,
  order: RequestOrder,
  limit: number,
): RequestList {
  const { log } = model.requests;
  const total = model.requests.queue(dev, queue).stats.total('used');
  if (order === 'under-way') {
    const open = model.requests.underWay(dev, queue);
    return {
      requests: open.slice(0, limit).map((one) => listedOpen(labels, one)),
      retained: open.length,
      total,
      notFollowed: model.requests.queue(dev, queue).counted.all,
    };
  }
  const all: number[] = [];
  for (let i = log.begin; i < log.end; i++) if (log.isOf(i, dev, queue)) all.push(i);
  let chosen: number[];
  if (order === 'newest') chosen = all.slice(-limit).toReversed();
  else if (order === 'sample') {
    const step = Math.max(1, all.length / limit);
    chosen = Array.from(
      { length: Math.min(limit, all.length) },
      (_, i) => all[Math.floor(i * step)] as number,
    );
  } else {
    const ns = new Map(all.map((i) => [i, metricOf(log.times, log.at(i), METRIC_TOTAL)]));
    chosen = all.toSorted((a, b) => (ns.get(b) ?? 0) - (ns.get(a) ?? 0)).slice(0, limit);
  }
  return {
    requests: chosen.map((i) => listed(model, labels, i)).filter((one) => one !== undefined),
    retained: Math.min(log.end - log.begin, all.length),
    total,
    notFollowed: 0,
  };
}

export function requestById(model: TraceModel, labels: Labels, req: number): ListedRequest | undefined {
  const index = model.requests.log.find(req);
  if (index !== undefined) return listed(model, labels, index);
  const open = model.requests
    .blockQueues()
    .flatMap(({ dev, queue }) => model.requests.underWay(dev, queue))
    .find((one) => one.req === req);
  return open === undefined ? undefined : listedOpen(labels, open);
}

/** Requests by latency, summed over the columns the heat map shows (or the column of its cursor). */
export function heatRows(model: TraceModel, view: HeatView): readonly HeatRow[] {
  if (view.dev < 0) return [];
  const { heat } = model.requests.queue(view.dev, view.queue);
  const [first, last] =
    view.cursor === undefined ? [view.first, view.last] : [view.cursor.column, view.cursor.column];
  const rows: HeatRow[] = [];
  for (let row = 0; row < HEAT_ROWS; row++) {
    let n = 0;
    for (let column = Math.max(0, first); column <= last; column++)
      n += cellCount(heat, view.metric, column, row);
    if (n === 0) continue;
    const [from, to] = rowEdges(row);
    const below = rows.at(-1);
    // What the clock can't tell apart is one row.
    if (from < CLOCK_FLOOR_NS && below !== undefined) rows[0] = { from: 0, to, n: n + below.n };
    else rows.push({ from: from < CLOCK_FLOOR_NS ? 0 : from, to, n });
  }
  return rows;
}

/** The slowest of the requests in the marked cell of a heat map that are kept; undefined where none is marked or kept. */
export function heatRequest(model: TraceModel, view: HeatView, labels: Labels): ListedRequest | undefined {
  const { cursor, metric } = view;
  if (view.dev < 0 || cursor === undefined) return undefined;
  const { log } = model.requests;
  const [from, to] = rowEdges(cursor.row);
  let slowest: number | undefined;
  let longest = -1;
  for (let i = log.begin; i < log.end; i++) {
    if (!log.isOf(i, view.dev, view.queue)) continue;
    const at = log.at(i);
    const ns = metricOf(log.times, at, metric);
    if (!(ns >= from && ns < to) || ns <= longest) continue;
    const [, over] = extentOf(log.times.subarray(at, at + POINTS.length));
    if (Math.floor(over / HEAT_COLUMN_NS) !== cursor.column) continue;
    slowest = i;
    longest = ns;
  }
  return slowest === undefined ? undefined : listed(model, labels, slowest);
}

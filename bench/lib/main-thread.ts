import type { Page } from '@playwright/test';
import { quantile } from './result.ts';

/** One thing of Chromium's trace: times in µs, `tdur` in CPU time of its thread. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** A top-level task of the page's main thread, ms. */
interface Task {
  readonly at: number;
  readonly wall: number;
  readonly cpu: number;
}

/** What the page's main thread did for its frames. All in ms. */
export interface FrameCost {
  /** Frames the main thread made in this time, and how long it was looked at (s). */
  readonly frames: number;
  readonly seconds: number;
  /** CPU time of the main thread per frame. */
  readonly cpu: { readonly median: number; readonly p95: number; readonly max: number };
  /** The same by the clock: what other threads took from a crowded core is in it. */
  readonly wallP95: number;
  /** Longest single task, CPU time. */
  readonly longestTask: number;
  /** Share of the whole time the main thread was in use. */
  readonly load: number;
  /** CPU ms per second by what was done: script, style and layout, paint and the rest. */
  readonly parts: Readonly<Record<string, number>>;
}

/** One interval of a display of 60 Hz, ms. */
const INTERVAL = 1000 / 60;
const CATEGORIES = [
  '__metadata',
  'devtools.timeline',
  'disabled-by-default-devtools.timeline',
  'disabled-by-default-devtools.timeline.frame',
  'devtools.timeline.frame',
];
/** Chromium's names of the parts of a frame; what is inside another one counts for itself. */
const PARTS: Readonly<Record<string, string>> = {
  FunctionCall: 'script',
  TimerFire: 'script',
  FireAnimationFrame: 'script',
  EvaluateScript: 'script',
  RunMicrotasks: 'script',
  HandlePostMessage: 'script',
  UpdateLayoutTree: 'style',
  Layout: 'layout',
  PrePaint: 'paint',
  Paint: 'paint',
  Layerize: 'paint',
  Commit: 'commit',
};

/**
 * Runs `work` under Chromium's own tracing and tells what each frame cost the page's main thread.
 *
 * The cost of a frame: everything the main thread ran since the frame before, in the interval of 1/60 s that ends with
 * the frame's commit, that is the timers and messages that changed the page, style, layout and paint. Intervals without a frame are not
 * counted: they would only make the figure look better. A frame longer than the interval counts whole.
 */
export async function frameCosts(page: Page, work: () => Promise<unknown>): Promise<FrameCost> {
  const client = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  client.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  const complete = new Promise<void>((resolve) => {
    client.once('Tracing.tracingComplete', () => resolve());
  });
  await client.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: CATEGORIES, excludedCategories: ['*'] },
  });
  try {
    await work();
  } finally {
    await client.send('Tracing.end');
    await complete;
    await client.detach();
  }
  return costsOf(events);
}

/** The analysis of a trace, apart from taking it. */
export function costsOf(events: readonly TraceEvent[]): FrameCost {
  const main = busiestMainThread(events);
  const own = events
    .filter((event) => event.pid === main.pid && event.tid === main.tid)
    .toSorted((a, b) => a.ts - b.ts);
  const complete = own.filter((event) => event.ph === 'X' && event.dur !== undefined);
  const tasks = complete
    .filter(({ name }) => name === 'RunTask')
    .map(
      (event): Task => ({
        at: event.ts / 1000,
        wall: (event.dur ?? 0) / 1000,
        cpu: (event.tdur ?? event.dur ?? 0) / 1000,
      }),
    );
  const commits = complete
    .filter(({ name }) => name === 'Commit')
    .map(({ ts, dur = 0 }) => (ts + dur) / 1000);
  const frames = commits.map((end, i) => costBetween(tasks, commits[i - 1] ?? 0, end));
  const first = tasks[0]?.at ?? 0;
  const span = (tasks.at(-1)?.at ?? 0) - first;
  const cpu = frames.map((frame) => frame.cpu);
  const wall = frames.map((frame) => frame.wall);
  return {
    frames: frames.length,
    seconds: span / 1000,
    cpu: { median: quantile(cpu, 0.5), p95: quantile(cpu, 0.95), max: Math.max(...cpu) },
    wallP95: quantile(wall, 0.95),
    longestTask: Math.max(...tasks.map((task) => task.cpu)),
    load: tasks.reduce((sum, task) => sum + task.cpu, 0) / span,
    parts: partsOf(complete, span),
  };
}

/** The main thread of the renderer that did most: an empty second renderer has one as well. */
function busiestMainThread(events: readonly TraceEvent[]): { readonly pid: number; readonly tid: number } {
  const mains = events.filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain');
  const busy = mains.map(({ pid, tid }) => ({
    pid,
    tid,
    n: events.filter((event) => event.pid === pid && event.tid === tid && event.name === 'Commit').length,
  }));
  const [busiest] = busy.toSorted((a, b) => b.n - a.n);
  if (busiest === undefined) throw new Error('the trace has no main thread of a page');
  return busiest;
}

/** What ran in the interval that ends at `end`, since the frame before; a task that reaches into it counts whole. */
function costBetween(tasks: readonly Task[], previous: number, end: number): { cpu: number; wall: number } {
  let cpu = 0;
  let wall = 0;
  for (const task of tasks) {
    if (task.at >= end) break;
    if (task.at <= previous || task.at + task.wall <= end - INTERVAL) continue;
    cpu += task.cpu;
    wall += task.wall;
  }
  return { cpu, wall };
}
/** CPU ms per second by part; a part's own time is without the parts inside it. */
function partsOf(events: readonly TraceEvent[], spanMs: number): Record<string, number> {
  const sums: Record<string, number> = {};
  const open: { readonly end: number; readonly part: string }[] = [];
  const add = (part: string, us: number): void => {
    sums[part] = (sums[part] ?? 0) + us / spanMs;
  };
  for (const event of events) {
    const part = event.name === 'RunTask' ? 'other' : PARTS[event.name];
    if (part === undefined) continue;
    while ((open.at(-1)?.end ?? Infinity) <= event.ts) open.pop();
    const outer = open.at(-1);
    const cpu = event.tdur ?? event.dur ?? 0;
    if (outer !== undefined) add(outer.part, -cpu);
    add(part, cpu);
    open.push({ end: event.ts + (event.dur ?? 0), part });
  }
  return sums;
}

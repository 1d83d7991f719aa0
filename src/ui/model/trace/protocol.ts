import type { TraceAttachment, TraceName } from '../../../engine/vm.ts';
import type { ThemeName } from '../../tokens.ts';
import type { EventCost } from './emit-cost.ts';
import type { ContextRecords } from './context-records.ts';
import type { HeatCommand } from './heat-view.ts';
import type { Quantiles } from './histogram.ts';
import type { TraceBoard } from './labels.ts';
import type { Counter } from './queue-stats.ts';
import type { TracedRequest } from './request-log.ts';
import type { StepInside } from './step-inside.ts';
import type { TimelineCommand } from './timeline-view.ts';

export type CanvasKind = 'timeline' | 'heat';

/** To the worker that reads the rings. */
export type ToAggregator =
  | { readonly type: 'machine'; readonly attachment: TraceAttachment }
  /** The machine is gone; what was read stays to be looked at. */
  | { readonly type: 'machine-gone' }
  | { readonly type: 'name'; readonly name: TraceName }
  | { readonly type: 'board'; readonly board: TraceBoard }
  | { readonly type: 'freeze'; readonly frozen: boolean }
  /** Somebody can see the page, or nobody: then nothing is drawn or told, and everything counted. */
  | { readonly type: 'visible'; readonly visible: boolean }
  /** Somebody is at work: what happens is told soon, not at the next full second. */
  | { readonly type: 'wake' }
  /** The machine wants the cores itself: pictures and summaries come less often. */
  | { readonly type: 'crowded'; readonly crowded: boolean }
  /** Every request is followed, whatever it costs; or as many as can be (Following). */
  | { readonly type: 'follow'; readonly every: boolean }
  /** Summaries are wanted, or no longer. */
  | { readonly type: 'summaries'; readonly wanted: boolean }
  | {
      readonly type: 'canvas';
      readonly id: number;
      readonly kind: CanvasKind;
      readonly canvas: OffscreenCanvas;
    }
  | {
      readonly type: 'canvas-size';
      readonly id: number;
      readonly width: number;
      readonly height: number;
      readonly scale: number;
      readonly theme: ThemeName;
    }
  | { readonly type: 'canvas-gone'; readonly id: number }
  | { readonly type: 'timeline'; readonly id: number; readonly command: TimelineCommand }
  | { readonly type: 'heat'; readonly id: number; readonly command: HeatCommand }
  | { readonly type: 'ask'; readonly ticket: number; readonly question: Question };

/** From it. */
export type FromAggregator =
  | { readonly type: 'summary'; readonly summary: Summary }
  | { readonly type: 'timeline-status'; readonly id: number; readonly status: TimelineStatus }
  | { readonly type: 'heat-status'; readonly id: number; readonly status: HeatStatus }
  | { readonly type: 'answer'; readonly ticket: number; readonly answer: unknown };

/** What is told four times a second to who wants it. */
export interface Summary {
  /** Host ns of the machine's clock. */
  readonly now: number;
  /** Events the machine recorded or counted, and dropped, since the start: seen = written + lost. */
  readonly written: number;
  readonly lost: number;
  /** Events counted here; written − binned wait in the rings. */
  readonly binned: number;
  /** Of these, without a record: of requests that are not followed. */
  readonly onlyCounted: number;
  /** Now one batch of requests of so many is followed. */
  readonly followOneOf: number;
  /** Records kept, to be drawn. */
  readonly retained: number;
  /** Counted while the view was frozen, not kept. */
  readonly notKept: number;
  readonly perSecond: number;
  /** Largest share of a ring that was in use when it was emptied, in the last second. */
  readonly fill: number;
  /** Share of the aggregator's own thread that was in use, in the last second. */
  readonly load: number;
  /** The part of it that went into drawing. */
  readonly drawing: number;
  /** What an event costs in this browser; undefined until it is measured, some seconds after the machine's start. */
  readonly eventCost: EventCost | undefined;
  /** The share of a core that the last second's events cost. */
  readonly cost: number | undefined;
  /** Smallest step of the clock seen, ns; undefined before any. */
  readonly clockStep: number | undefined;
  /** Records by event id, since the start. */
  readonly perEvent: Float64Array;
  readonly queues: readonly QueueSummary[];
  readonly requests: number;
  readonly requestsRetained: number;
}

/** One virtqueue of a disk: what the Flow view shows. */
export interface QueueSummary {
  readonly dev: number;
  readonly queue: number;
  readonly label: string;
  readonly rates: { readonly [C in Counter]: number };
  readonly totals: { readonly [C in Counter]: number };
  /** By METRICS, over the last ten seconds. */
  readonly metrics: readonly Quantiles[];
  /** Requests completed since the last summary, if all of them can be shown one by one; else undefined. */
  readonly recent: readonly ListedRequest[] | undefined;
  readonly taken: number;
  readonly disk: number;
  readonly done: number;
  readonly unacknowledged: number;
}

export interface TimelineStatus {
  readonly from: number;
  readonly span: number;
  readonly follow: boolean;
  readonly selection: { readonly from: number; readonly to: number } | undefined;
  /** What is at the cursor, in words. */
  readonly cursor: string | undefined;
  /** Id of the request the record at the cursor is of, if it is of one. */
  readonly request: number | undefined;
  readonly records: number;
}

export interface HeatStatus {
  /** What is in the marked cell, in words; undefined: none is marked. */
  readonly cursor: string | undefined;
  /** Requests in it. */
  readonly n: number;
}

/** Which requests are listed, and in which order. */
export type RequestOrder = 'newest' | 'slowest' | 'sample' | 'under-way';

/** What may be asked of the aggregator, and what it answers. */
export type Question =
  | { readonly ask: 'statistics'; readonly id: number }
  | { readonly ask: 'records'; readonly id: number; readonly limit: number }
  | {
      readonly ask: 'requests';
      readonly dev: number;
      readonly queue: number;
      readonly order: RequestOrder;
      readonly limit: number;
    }
  | { readonly ask: 'request'; readonly req: number }
  /** The stages inside the last step of a context, if one has ended since then (host ns). */
  | { readonly ask: 'step-inside'; readonly thread: number; readonly since: number }
  /** What was recorded of each context since then (host ns). */
  | { readonly ask: 'context-records'; readonly since: number }
  | { readonly ask: 'heat-table'; readonly id: number }
  /** The slowest of the requests in the marked cell that are kept. */
  | { readonly ask: 'heat-request'; readonly id: number }
  | { readonly ask: 'export'; readonly format: 'jsonl' | 'perfetto' };

export interface Answers {
  readonly statistics: Statistics;
  readonly records: readonly RecordRow[];
  readonly requests: RequestList;
  readonly request: ListedRequest | undefined;
  readonly 'step-inside': StepInside | undefined;
  readonly 'context-records': readonly ContextRecords[];
  readonly 'heat-table': readonly HeatRow[];
  readonly 'heat-request': ListedRequest | undefined;
  readonly export: { readonly blob: Blob; readonly name: string };
}

export interface Statistics {
  readonly from: number;
  readonly to: number;
  readonly lanes: readonly LaneStatistics[];
  readonly sources: readonly SourceStatistics[];
  readonly events: readonly { readonly event: string; readonly n: number }[];
  readonly records: number;
}
export interface LaneStatistics {
  readonly lane: string;
  readonly awake: number;
  readonly polling: number;
  readonly blocked: number;
  readonly lost: number;
}
export interface SourceStatistics {
  readonly lane: string;
  readonly source: string;
  readonly n: number;
  readonly total: number;
  readonly share: number;
  readonly longest: number;
  readonly longestAt: number;
}
export interface RecordRow {
  readonly record: number;
  readonly time: number;
  readonly lane: string;
  readonly text: string;
  /** Id of the request it is of, if it is of one. */
  readonly request: number | undefined;
}
export interface ListedRequest extends TracedRequest {
  /** Its number in the log; below 0 while it is under way. */
  readonly index: number;
  /** Nothing more will be seen of it. */
  readonly isOver: boolean;
  readonly queueLabel: string;
  readonly popLane: string;
  readonly diskLane: string;
}
export interface RequestList {
  readonly requests: readonly ListedRequest[];
  /** Requests of the kind that was asked for that are kept, and complete requests since the start. */
  readonly retained: number;
  readonly total: number;
  /** Under way, and not followed. */
  readonly notFollowed: number;
}
export interface HeatRow {
  readonly from: number;
  readonly to: number;
  readonly n: number;
}

import { bucketOf } from './histogram.ts';

/**
 * The moments of one request's life and the stages between them. A moment that was not seen (no kick was
 * needed, the interrupt was suppressed, a record was lost) is NaN, and so is every stage that needs it.
 */
export const POINTS = ['kick', 'dispatch', 'pop', 'submit', 'complete', 'used', 'claim', 'ack'] as const;
export type Point = (typeof POINTS)[number];

/** Index of a moment: `P.pop`. */
export const P = Object.fromEntries(POINTS.map((point, index) => [point, index])) as {
  readonly [K in Point]: number;
};

/** What each moment is, in the names of the trace events it is read from. */
export const POINT_EVENTS: { readonly [K in Point]: string } = {
  kick: 'virtio_queue_notify',
  dispatch: 'source_dispatch_begin',
  pop: 'virtqueue_pop',
  submit: 'blk_co_preadv / blk_co_pwritev / blk_co_flush',
  complete: 'virtio_blk_req_complete',
  used: 'virtqueue_flush',
  claim: 'plic_claim',
  ack: 'virtio_interrupt_ack',
};

export interface Stage {
  readonly id: string;
  readonly label: string;
  readonly from: Point;
  readonly to: Point;
  /** Nobody works on the request: it waits. */
  readonly waiting: boolean;
  readonly explain: string;
}

export const STAGES: readonly Stage[] = [
  {
    id: 'wake',
    label: 'kick → dispatch',
    from: 'kick',
    to: 'dispatch',
    waiting: true,
    explain: 'the context wakes and gets to this source',
  },
  {
    id: 'queue',
    label: 'dispatch → pop',
    from: 'dispatch',
    to: 'pop',
    waiting: true,
    explain: 'requests before it in the same batch',
  },
  {
    id: 'prepare',
    label: 'pop → submit',
    from: 'pop',
    to: 'submit',
    waiting: false,
    explain: 'parsed, merged, throttled',
  },
  {
    id: 'disk',
    label: 'submit → disk done',
    from: 'submit',
    to: 'complete',
    waiting: false,
    explain: 'the block layer and the file',
  },
  {
    id: 'finish',
    label: 'disk done → used',
    from: 'complete',
    to: 'used',
    waiting: false,
    explain: 'status written, batch published',
  },
  {
    id: 'deliver',
    label: 'used → claim',
    from: 'used',
    to: 'claim',
    waiting: true,
    explain: 'the interrupt waits for a hart',
  },
  {
    id: 'guest',
    label: 'claim → acknowledged',
    from: 'claim',
    to: 'ack',
    waiting: false,
    explain: 'the guest’s interrupt handler',
  },
];

/** What can be measured of a request: each stage, and the whole as the device sees it. */
export const METRICS: readonly { readonly id: string; readonly label: string }[] = [
  { id: 'total', label: 'kick (or pop) → used' },
  ...STAGES.map(({ id, label }) => ({ id, label })),
];
export const METRIC_TOTAL = 0;

/** First moment that is known: of a request that needed no kick, when the device found it. */
export const firstTime = (times: ArrayLike<number>, at = 0): number => {
  const kick = times[at + P.kick] as number;
  return Number.isNaN(kick) ? (times[at + P.pop] as number) : kick;
};

/** From its first known moment to its last. */
export function extentOf(times: ArrayLike<number>): readonly [from: number, to: number] {
  const from = firstTime(times);
  let to = from;
  for (let i = 0; i < POINTS.length; i++) {
    const time = times[i] as number;
    if (time > to) to = time;
  }
  return [from, to];
}

/** Where each metric begins and ends, as indexes of POINTS: looked up for every stage of every request. */
const METRIC_FROM = Uint8Array.from([P.kick, ...STAGES.map(({ from }) => P[from])]);
const METRIC_TO = Uint8Array.from([P.used, ...STAGES.map(({ to }) => P[to])]);

/**
 * Length in ns of metric `metric` of a request whose moments start at `times[at]`; NaN if a moment is missing.
 * A handler that was already running when the kick came gives 0, not less.
 */
export function metricOf(times: ArrayLike<number>, at: number, metric: number): number {
  const to = times[at + (METRIC_TO[metric] as number)] as number;
  if (metric === METRIC_TOTAL) return to - firstTime(times, at);
  const point = METRIC_FROM[metric] as number;
  let from = times[at + point] as number;
  if (point === P.dispatch) from = Math.max(from, firstTime(times, at));
  return Math.max(0, to - from);
}

/**
 * The buckets of all metrics of a request, by metric; -1 where a moment is missing.
 */
export function metricBuckets(times: ArrayLike<number>, into: Int16Array): void {
  for (let metric = 0; metric < METRIC_FROM.length; metric++) {
    const ns = metricOf(times, 0, metric);
    into[metric] = Number.isNaN(ns) ? -1 : bucketOf(ns);
  }
}

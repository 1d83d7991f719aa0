import { describe, expect, it } from 'vitest';
import { heatRequest, requestById, requestList, requestOf } from './answers.ts';
import { HEAT_ROWS, HeatView } from './heat-view.ts';
import { BUCKETS, bucketOf, bucketStart } from './histogram.ts';
import { Labels } from './labels.ts';
import { C } from './queue-stats.ts';
import { SliceTrack } from './slice-track.ts';
import { METRIC_TOTAL, metricBuckets, METRICS, metricOf, P, POINTS, STAGES } from './stages.ts';
import { TRACE } from '../../../engine/trace/schema.ts';
import { batchOf, type Row } from './testing.ts';
import { STATE_AWAKE, STATE_BLOCKED, TraceModel } from './trace-model.ts';

const DEV = 7;
const HART = 16;
const MS = 1e6;
const US = 1e3;
const make = () =>
  new TraceModel({ firstHart: HART, firstGsi: 1, records: 4096, slices: 4096, requests: 64 });

/** A read of one block from kick to acknowledgement, moments `step` apart. */
function request(t: number, req: number, avail: number, step = 10 * US): Row[] {
  return [
    [t, HART, 'virtio_queue_notify', DEV, 0, avail],
    [t + step, 1, 'source_dispatch_begin', 1, 3, 0],
    [t + 2 * step, 1, 'virtqueue_pop', DEV, 0, 5, req, avail],
    [t + 2 * step, 1, 'virtio_blk_handle_read', DEV, req, 64, 0, 4096],
    [t + 3 * step, 1, 'blk_co_preadv', DEV, req, 64, 0, 4096],
    [t + 5 * step, 1, 'virtio_blk_rw_complete', DEV, req, 0],
    [t + 5 * step, 1, 'virtio_blk_req_complete', DEV, req, 0],
    [t + 5 * step, 1, 'virtqueue_fill', DEV, 0, 5, req, 4097],
    [t + 6 * step, 1, 'virtqueue_flush', DEV, 0, 1, avail],
    [t + 6 * step, 1, 'virtio_notify', DEV, 0, 0, avail, avail - 1],
    [t + 7 * step, 1, 'source_dispatch_end', 1, 3, 1],
    [t + 8 * step, HART, 'plic_claim', 0, 1 + DEV],
    [t + 9 * step, HART, 'virtio_interrupt_ack', DEV, 1],
  ];
}

/** A dispatch that takes three requests of a kick that announced two, published in two interrupts: followed, or counted. */
function dispatch(followed: boolean, errors = false): Row[] {
  const all = [0, 1, 2].map((i) => [512 * (i + 1), i + 1] as const);
  const pops = all.flatMap(([req, avail]): Row[] => [
    [3000, 1, 'virtqueue_pop', DEV, 0, avail, req, avail],
    [3000, 1, 'virtio_blk_handle_read', DEV, req, 64, 0, 4096],
  ]);
  const done = all.map(([req, avail]): Row[] => {
    const status: Row = [5000, 1, 'virtio_blk_req_complete', DEV, req, errors && req === 512 ? 1 : 0];
    if (!followed) return status[5] === 0 ? [] : [status];
    return [
      [4000, 1, 'blk_co_preadv', DEV, req, 64, 0, 4096],
      status,
      [5000, 1, 'virtqueue_fill', DEV, 0, avail, req, 4097],
    ];
  });
  const [first = [], second = [], third = []] = done;
  return [
    [1000, HART, 'virtio_queue_notify', DEV, 0, 2],
    [2000, 1, 'source_dispatch_begin', 1, 3, 0],
    ...(followed ? pops : []),
    ...first,
    ...second,
    [6000, 1, 'virtqueue_flush', DEV, 0, 2, 2],
    [6000, 1, 'virtio_notify', DEV, 0, 0, 2, 1],
    ...third,
    [7000, 1, 'virtqueue_flush', DEV, 0, 1, 3],
    [7000, 1, 'virtio_notify', DEV, 0, 1, 3, 9],
    ...(followed
      ? []
      : ([
          [8000, 1, 'virtqueue_counted', DEV, 0, 3, 3, 3],
          [8000, 1, 'virtio_blk_counted', DEV, 0, 3, 3, 3 * 4096],
        ] as const)),
    [8000, 1, 'source_dispatch_end', 1, 3, 1],
    [8500, HART, 'plic_claim', 0, 1 + DEV],
    [9000, HART, 'virtio_interrupt_ack', DEV, 1],
  ];
}

describe('requests that are not followed', () => {
  it.each([
    ['split', false, false],
    ['split, one of them failing', false, true],
    ['packed', true, false],
  ])('are counted as those that are: %s', (_name, packed, errors) => {
    const [followed, counted] = [true, false].map((whether) => {
      const model = make();
      if (packed) model.requests.packed.add(DEV * 1024);
      model.reduce(batchOf(dispatch(whether, errors)));
      return model;
    });
    const totals = (model: TraceModel | undefined) => model?.requests.queue(DEV, 0).stats.totals;
    expect(totals(counted)).toEqual(totals(followed));
    expect(totals(counted)?.[C.acks]).toBe(2);
    expect(totals(counted)?.[C.withoutKick]).toBe(packed ? 2 : 1);
    expect([followed, counted].map((model) => model?.requests.log.end)).toEqual([3, 0]);
    for (const model of [followed, counted]) {
      expect(model?.requests.queue(DEV, 0).inFlight()).toEqual({ taken: 0, disk: 0, done: 0 });
      expect(model?.requests.unacknowledged(DEV, 0)).toBe(0);
    }
  });

  it('stand where they are, and are told as under way', () => {
    const model = make();
    const rows = dispatch(false);
    model.reduce(batchOf(rows.slice(0, -1)));
    expect(model.requests.unacknowledged(DEV, 0)).toBe(2);
    model.reduce(
      batchOf([
        [10_000, 1, 'virtqueue_counted', DEV, 0, 5, 1, 8],
        [10_000, 1, 'virtio_blk_counted', DEV, 0, 4, 1, 4096],
      ]),
    );
    expect(model.requests.queue(DEV, 0).inFlight()).toEqual({ taken: 1, disk: 3, done: 0 });
    const list = requestList(model, new Labels(HART), DEV, 0, 'under-way', 10);
    expect(list).toMatchObject({ requests: [], retained: 0, notFollowed: 6 });
    model.reduce(batchOf([[11_000, 0, 'virtio_set_status', DEV, 0]]));
    expect(model.requests.queue(DEV, 0).inFlight()).toEqual({ taken: 0, disk: 0, done: 0 });
    expect(model.requests.dropped).toBe(4);
  });

  it('are counted by event and lane though nothing of them is kept', () => {
    const model = make();
    const counted = [{ thread: 1, event: TRACE.virtqueue_pop, n: 7 }];
    model.reduce(batchOf([[1000, 1, 'virtqueue_pop', DEV, 0, 0, 512, 1]], [], counted));
    model.reduce(batchOf([], [], counted));
    expect(model.perEvent[TRACE.virtqueue_pop]).toBe(15);
    expect([model.binned, model.onlyCounted, model.lanes.get(1)?.binned]).toEqual([15, 14, 15]);
    expect(model.window.end).toBe(1);
  });
});

describe('a request', () => {
  it('is tied together by its id across threads, from the kick to the acknowledgement', () => {
    const model = make();
    model.reduce(batchOf(request(MS, 512, 1)));
    const found = model.requests.log.get(0);
    expect(found).toMatchObject({ req: 512, dev: DEV, queue: 0, kind: 0, bytes: 4096, sector: 64, head: 5 });
    expect([...(found?.times ?? [])].map((t) => (t - MS) / (10 * US))).toEqual([0, 1, 2, 3, 5, 6, 8, 9]);
  });

  it('is the same, and counted the same, whether virtio_blk_rw_complete is on or off', () => {
    const [on, off] = [true, false].map((whether) => {
      const model = make();
      model.reduce(
        batchOf(request(MS, 512, 1).filter(([, , event]) => whether || event !== 'virtio_blk_rw_complete')),
      );
      return { request: model.requests.log.get(0), totals: model.requests.queue(DEV, 0).stats.totals };
    });
    expect(off).toEqual(on);
    expect(off?.totals[C.completes]).toBe(1);
  });

  it('is under way from the pop to the acknowledgement, and then over', () => {
    const rows = request(MS, 512, 1);
    const model = make();
    const labels = new Labels(HART);
    const underWay = (): readonly number[] => model.requests.underWay(DEV, 0).map(({ req }) => req);
    const states = rows.map((row) => {
      model.reduce(batchOf([row]));
      return underWay().length;
    });
    //                      notify, begin, pop … irq decided, end, claim, ack
    expect(states).toEqual([0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0]);
    expect(requestById(model, labels, 512)).toMatchObject({ req: 512, index: 0, isOver: true });
    model.reduce(batchOf(request(2 * MS, 1024, 2).slice(0, 5)));
    expect(underWay()).toEqual([1024]);
    const open = requestById(model, labels, 1024);
    expect(open).toMatchObject({ req: 1024, isOver: false });
    expect(open?.times[P.complete]).toBeNaN();
    expect(requestList(model, labels, DEV, 0, 'under-way', 10)).toMatchObject({ retained: 1, total: 1 });
  });

  it('does not depend on where batches end', () => {
    const rows = [...request(MS, 512, 1), ...request(2 * MS, 1024, 2)];
    const whole = make();
    whole.reduce(batchOf(rows));
    const pieces = make();
    for (const row of rows) pieces.reduce(batchOf([row]));
    expect(pieces.requests.log.get(1)).toEqual(whole.requests.log.get(1));
    expect(pieces.perEvent).toEqual(whole.perEvent);
  });

  it('that needed no kick has none: avail.idx of the kicks says which it announced', () => {
    const model = make();
    model.reduce(
      batchOf([
        [1000, HART, 'virtio_queue_notify', DEV, 0, 1],
        [2000, 1, 'virtqueue_pop', DEV, 0, 0, 512, 1],
        [2000, 1, 'virtqueue_pop', DEV, 0, 1, 1024, 2],
        [3000, 1, 'virtio_blk_handle_read', DEV, 512, 0, 0, 512],
        [3000, 1, 'virtqueue_fill', DEV, 0, 0, 512, 1],
        [3000, 1, 'virtqueue_fill', DEV, 0, 1, 1024, 1],
        [4000, 1, 'virtqueue_flush', DEV, 0, 2, 2],
        [4000, 1, 'virtio_notify', DEV, 0, 1, 2, 9],
      ]),
    );
    const [first, second] = [model.requests.log.get(0), model.requests.log.get(1)];
    expect(first?.times[P.kick]).toBe(1000);
    expect(second?.times[P.kick]).toBeNaN();
    expect(second?.suppressed).toBe(true);
    expect(second?.times[P.ack]).toBeNaN();
    expect(model.requests.queue(DEV, 0).stats.total('withoutKick')).toBe(1);
  });

  it('belongs to the oldest kick that announced it, also across the wrap of avail.idx', () => {
    const model = make();
    model.reduce(
      batchOf([
        [1000, HART, 'virtio_queue_notify', DEV, 0, 0xffff],
        [2000, HART, 'virtio_queue_notify', DEV, 0, 1],
        [3000, HART, 'virtio_queue_notify', DEV, 0, 3],
        [4000, 1, 'virtqueue_pop', DEV, 0, 0, 512, 0],
      ]),
    );
    const [open] = model.requests.queue(DEV, 0).open;
    expect(open?.times[P.kick]).toBe(2000);
  });

  it('finds its kick when the clock gives both the same time and the kick is read second', () => {
    const model = make();
    model.reduce(
      batchOf([
        [5000, 1, 'virtqueue_pop', DEV, 0, 0, 512, 1],
        [5000, HART, 'virtio_queue_notify', DEV, 0, 1],
      ]),
    );
    const [open] = model.requests.queue(DEV, 0).open;
    expect(open?.times[P.kick]).toBe(5000);
  });

  it('merged into another is submitted with it', () => {
    const model = make();
    model.reduce(
      batchOf([
        [1000, 1, 'virtqueue_pop', DEV, 0, 0, 512, 1],
        [1000, 1, 'virtio_blk_handle_write', DEV, 512, 8, 0, 4096],
        [1000, 1, 'virtqueue_pop', DEV, 0, 1, 1024, 2],
        [1000, 1, 'virtio_blk_handle_write', DEV, 1024, 16, 0, 4096],
        [1000, 1, 'virtqueue_pop', DEV, 0, 2, 1536, 3],
        [1000, 1, 'virtio_blk_handle_write', DEV, 1536, 999, 0, 4096],
        [2000, 1, 'virtio_blk_submit_multireq', DEV, 512, 2, 8192, 1],
        [2500, 2, 'blk_co_pwritev', DEV, 512, 8, 0, 8192],
      ]),
    );
    const open = [...model.requests.queue(DEV, 0).open];
    expect(open.map((one) => one.times[P.submit])).toEqual([2500, 2500, Number.NaN]);
    expect(open.map((one) => one.leader)).toEqual([512, 512, 0]);
    expect(open.map((one) => one.diskThread)).toEqual([2, 2, 1]);
  });

  it('is given up when the driver resets the device', () => {
    const model = make();
    model.reduce(
      batchOf([
        [1000, 1, 'virtqueue_pop', DEV, 0, 0, 512, 1],
        [2000, HART, 'virtio_set_status', DEV, 0],
      ]),
    );
    expect(model.requests.dropped).toBe(1);
    expect(model.requests.queue(DEV, 0).open.length).toBe(0);
  });

  it('stages add up to the whole when every moment is known', () => {
    const model = make();
    model.reduce(batchOf(request(MS, 512, 1)));
    const { times } = model.requests.log;
    const upToUsed = STAGES.slice(0, 5).reduce((sum, _, i) => sum + metricOf(times, 0, i + 1), 0);
    expect(upToUsed).toBe(metricOf(times, 0, 0));
    expect(METRICS).toHaveLength(STAGES.length + 1);
  });
});

describe('counts', () => {
  it('are exact: what was taken is what was binned, by event and by lane, and gaps are lost', () => {
    const model = make();
    const rows = Array.from({ length: 400 }, (_, i) => request(i * MS, (i + 1) << 9, i + 1)).flat();
    for (let i = 0; i < rows.length; i += 37) model.reduce(batchOf(rows.slice(i, i + 37)));
    model.reduce(batchOf([], [{ thread: 1, from: 1, to: 2, lost: 9 }]));
    const lanes = model.lanesInOrder();
    expect(model.binned).toBe(rows.length);
    expect(model.perEvent.reduce((a, b) => a + b, 0)).toBe(rows.length);
    expect(lanes.reduce((sum, lane) => sum + lane.binned, 0)).toBe(rows.length);
    expect(model.lost).toBe(9);
    expect(model.requests.log.end).toBe(400);
    // The window keeps the newest only.
    expect(model.window.end - model.window.begin).toBe(4096);
    expect(model.window.timeOf(model.window.end - 1)).toBe(model.latest);
  });

  it('go on while the view is frozen, but nothing is kept', () => {
    const model = make();
    model.reduce(batchOf(request(MS, 512, 1)));
    const kept = model.window.end;
    model.keep = false;
    model.reduce(batchOf(request(2 * MS, 1024, 2)));
    expect(model.window.end).toBe(kept);
    expect(model.binned).toBe(26);
    expect(model.notKept).toBe(13);
    model.reduce(batchOf(request(3 * MS, 1536, 3)));
    model.keep = true;
    model.reduce(batchOf(request(4 * MS, 2048, 4)));
    model.keep = false;
    model.reduce(batchOf(request(5 * MS, 2560, 5)));
    expect(model.frozen.map(({ from, records }) => [from, records])).toEqual([
      [2 * MS, 26],
      [5 * MS, 13],
    ]);
  });

  it('rates are of the last whole second, percentiles of the last ten', () => {
    const model = make();
    for (let i = 0; i < 50; i++) model.reduce(batchOf(request(i * 20 * MS, (i + 1) << 9, i + 1)));
    const { stats } = model.requests.queue(DEV, 0);
    expect(stats.rate(1.5e9, 'pops')).toBe(50);
    expect(stats.rate(2.5e9, 'pops')).toBe(0);
    const total = stats.quantiles(1.5e9, 0);
    expect(total.n).toBe(50);
    expect(total.p50).toBeGreaterThan(55 * US);
    expect(total.p50).toBeLessThan(66 * US);
    expect(total.p99).toBeUndefined();
    expect(stats.quantiles(30e9, 0).n).toBe(0);
  });

  it('the heat map counts each request once per metric, in its column and row', () => {
    const model = make();
    model.reduce(batchOf(request(MS, 512, 1)));
    const { heat } = model.requests.queue(DEV, 0);
    expect(heat.count(0, 0, bucketOf(60 * US))).toBe(1);
    let all = 0;
    for (let row = 0; row < BUCKETS; row++) all += heat.count(0, 0, row);
    expect(all).toBe(1);
  });
});

describe('from a picture to a request', () => {
  it('a cell of the heat map leads to the slowest of its requests, an empty one to none', () => {
    const model = make();
    const labels = new Labels(HART);
    model.reduce(batchOf(request(MS, 512, 1)));
    model.reduce(batchOf(request(400 * MS, 1024, 2)));
    const view = new HeatView();
    view.command({ do: 'show', dev: DEV, queue: 0, metric: METRIC_TOTAL });
    expect(heatRequest(model, view, labels)).toBeUndefined();
    const found = (column: number): number[] =>
      Array.from({ length: HEAT_ROWS }, (_, row) => {
        view.cursor = { column, row };
        return heatRequest(model, view, labels)?.req ?? 0;
      }).filter((req) => req > 0);
    // 400 ms are in the second column of 250.
    expect(found(0)).toEqual([512]);
    expect(found(1)).toEqual([1024]);
    expect(found(2)).toEqual([]);
  });

  it('keys begin at the newest cell that has a request, and at an empty map in its middle', () => {
    const model = make();
    model.reduce(batchOf(request(MS, 512, 1)));
    const view = new HeatView();
    view.last = 9;
    view.command({ do: 'show', dev: DEV, queue: 0, metric: METRIC_TOTAL });
    view.command({ do: 'move', columns: -1, rows: 0 });
    expect(view.cursor).toEqual({ column: 9, row: Math.floor((view.low + view.high) / 2) });
    view.command({ do: 'clear' });
    view.command({ do: 'move', columns: -1, rows: 0 }, model.requests.queue(DEV, 0).heat);
    expect(view.cursor?.column).toBe(0);
    expect(heatRequest(model, view, new Labels(HART))?.req).toBe(512);
    view.command({ do: 'move', columns: 1, rows: 0 }, model.requests.queue(DEV, 0).heat);
    expect(view.cursor?.column).toBe(1);
  });

  it('a record leads to the request it is of, if it is of one', () => {
    const model = make();
    const rows = request(MS, 512, 1);
    model.reduce(batchOf(rows));
    const requests = rows.map((_, record) => requestOf(model, record));
    expect(requests[rows.findIndex(([, , event]) => event === 'virtqueue_pop')]).toBe(512);
    expect(requests[rows.findIndex(([, , event]) => event === 'virtio_queue_notify')]).toBeUndefined();
  });
});

describe('lanes', () => {
  it('have dispatches by depth over states', () => {
    const model = make();
    model.reduce(
      batchOf([
        [100, 1, 'context_poll_begin', 1, 0],
        [200, 1, 'context_poll_end', 1, 1],
        [210, 1, 'source_dispatch_begin', 1, 4, 0],
        [220, 1, 'source_dispatch_begin', 1, 5, 0],
        [250, 1, 'source_dispatch_end', 1, 5, 1],
        [260, 1, 'source_dispatch_end', 1, 4, 1],
        [300, 1, 'context_poll_begin', 1, 0],
      ]),
    );
    const lane = model.lanes.get(1);
    expect(lane?.dispatches.map((track) => [track.startOf(0), track.finishOf(0), track.whatOf(0)])).toEqual([
      [210, 260, 4],
      [220, 250, 5],
    ]);
    expect([0, 1].map((i) => [lane?.states.whatOf(i), lane?.states.nsOf(i)])).toEqual([
      [STATE_BLOCKED, 100],
      [STATE_AWAKE, 100],
    ]);
  });

  it('a dispatch whose end was lost is not drawn for ever', () => {
    const model = make();
    model.reduce(batchOf([[100, 1, 'source_dispatch_begin', 1, 4, 0]]));
    model.reduce(
      batchOf([[900, 1, 'source_dispatch_end', 1, 9, 1]], [{ thread: 1, from: 100, to: 800, lost: 3 }]),
    );
    expect(model.lanes.get(1)?.dispatches).toEqual([]);
  });
});

describe('Labels', () => {
  it('lanes keep their names when their context, or the whole machine, is gone', () => {
    const labels = new Labels(HART);
    const board = { sources: [], devices: [] };
    labels.board({ ...board, lanes: [{ thread: 1, label: 'ctx0' }] });
    labels.board({ ...board, lanes: [] });
    expect([labels.lane(1), labels.lane(2), labels.lane(HART)]).toEqual(['ctx0', 'context 2', 'hart 0']);
    labels.board({ ...board, lanes: [{ thread: 1, label: 'ctx9' }] });
    expect(labels.lane(1)).toBe('ctx9');
  });
});

describe('SliceTrack', () => {
  it('runs give the same sums as slices one by one, and no outlier is hidden', () => {
    const track = new SliceTrack(8192);
    let t = 0;
    for (let i = 0; i < 20_000; i++) {
      const ns = i === 15_321 ? 900 : 1 + (i % 7);
      track.add(t, t + ns, i & 3);
      t += ns + 3;
    }
    for (const columns of [1, 10, 1000]) {
      const from = track.startOf(track.begin);
      let ns = 0;
      let count = 0;
      let longest = 0;
      let visits = 0;
      track.visit(from, t, (t - from) / columns, {
        slice: (i) => {
          visits++;
          ns += track.nsOf(i);
          count++;
          longest = Math.max(longest, track.nsOf(i));
        },
        run: (_from, _to, sum, index, n) => {
          visits++;
          ns += sum;
          count += n;
          longest = Math.max(longest, track.nsOf(index));
        },
      });
      let expected = 0;
      for (let i = track.begin; i < track.end; i++) expected += track.nsOf(i);
      expect(ns).toBe(expected);
      expect(count).toBe(track.end - track.begin);
      expect(longest).toBe(900);
      if (columns === 1) expect(visits).toBeLessThan(200);
    }
  });
});

describe('histogram', () => {
  it('a bucket holds what lies between its edges', () => {
    for (const ns of [0, 999, 1000, 1091, 5000, 123_456, 9e9]) {
      const bucket = bucketOf(ns);
      expect(bucketStart(bucket)).toBeLessThanOrEqual(ns + 1e-6);
      expect(bucketStart(bucket + 1)).toBeGreaterThan(ns);
    }
    expect(bucketOf(1e13)).toBe(BUCKETS - 1);
  });

  it('is eight buckets to the octave, as a logarithm says', () => {
    for (let i = 0; i < 26 * 8 * 16; i++) {
      // Between two edges, not on one: there either neighbour is right.
      const ns = 1000 * 2 ** ((i + 0.5) / (8 * 16));
      expect(bucketOf(ns)).toBe(1 + Math.floor(Math.log2(ns / 1000) * 8));
    }
  });

  it('of all stages at once is that of each', () => {
    let seed = 5;
    const random = (): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) / 0x7fffffff;
    const together = new Int16Array(METRICS.length);
    for (let round = 0; round < 500; round++) {
      const times = Float64Array.from(POINTS, () => (random() < 0.2 ? Number.NaN : random() * 1e7));
      times[P.pop] = random() * 1e7;
      metricBuckets(times, together);
      const singly = METRICS.map((_, metric) => {
        const ns = metricOf(times, 0, metric);
        return Number.isNaN(ns) ? -1 : bucketOf(ns);
      });
      expect([...together]).toEqual(singly);
    }
  });
});

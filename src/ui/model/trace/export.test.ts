import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { TRACE, TRACE_EVENTS, type TraceEventName } from '../../../engine/trace/schema.ts';
import { jsonLines } from './export-jsonl.ts';
import { perfettoTrace } from './export-perfetto.ts';
import { Filter } from './filter.ts';
import { Labels } from './labels.ts';
import { TimelineView } from './timeline-view.ts';
import { TraceModel } from './trace-model.ts';

type Row = readonly [time: number, thread: number, event: TraceEventName, ...args: number[]];

function recorded(rows: readonly Row[], lost = 0): { model: TraceModel; labels: Labels } {
  const model = new TraceModel({ firstHart: 16, firstGsi: 1, records: 4096, slices: 4096, requests: 64 });
  const labels = new Labels(16);
  labels.name({ thread: 1, id: 3, kind: 'source', name: 'virtio7/vq0' });
  labels.board({
    lanes: [
      { thread: 0, label: 'main' },
      { thread: 1, label: 'ctx0' },
      { thread: 16, label: 'hart 0' },
    ],
    sources: [{ context: 1, name: 'virtio7/vq0', kind: 'fd' }],
    devices: [{ slot: 7, id: 'disk0', queues: [{ index: 0, name: 'requestq1', packed: false }] }],
  });
  const batch = {
    count: rows.length,
    time: Float64Array.from(rows, ([time]) => time),
    what: Uint32Array.from(rows, ([, thread, event]) => TRACE[event] | (thread << 16)),
    args: new Uint32Array(rows.length * 5),
    gaps: lost === 0 ? [] : [{ thread: 1, from: 150, to: 180, lost }],
    counted: [],
  };
  rows.forEach(([, , , ...args], i) => batch.args.set(args, i * 5));
  model.reduce(batch);
  return { model, labels };
}

const ROWS: Row[] = [
  [100, 16, 'virtio_queue_notify', 7, 0, 1],
  [200, 1, 'source_dispatch_begin', 1, 3, 100],
  [210, 1, 'virtqueue_pop', 7, 0, 0, 519, 1],
  [230, 1, 'virtqueue_fill', 7, 0, 0, 519, 1],
  [240, 1, 'source_dispatch_end', 1, 3, 1],
  [300, 1, 'context_poll_begin', 1, 5],
];

describe('JSON lines', () => {
  it('say every record with its arguments by name, what was lost and when, and the counts', () => {
    const { model, labels } = recorded(ROWS, 4);
    const lines = [...jsonLines(model, labels, 1e12)]
      .join('')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines[0]).toMatchObject({ counted: 6, lost: 4, records: 6, droppedFromWindow: 0 });
    expect(lines.slice(1).map((line) => line['event'] ?? `lost ${String(line['lost'])}`)).toEqual([
      'virtio_queue_notify',
      'lost 4',
      'source_dispatch_begin',
      'virtqueue_pop',
      'virtqueue_fill',
      'source_dispatch_end',
      'context_poll_begin',
    ]);
    expect(lines[3]).toMatchObject({ t: 200, thread: 1, source: 'virtio7/vq0', wake_ns: 100 });
    expect(lines[4]).toMatchObject({ dev: 7, req: 519, last_avail_idx: 1 });
  });
});

interface Packet {
  time: number;
  type: number;
  track: number;
  name: string | undefined;
  flow: number | undefined;
  annotations: Record<string, number>;
}

/** Reads back what a Perfetto reader would: the fields of TracePacket and TrackEvent used here. */
function packets(chunks: Iterable<Uint8Array>): { events: Packet[]; tracks: Map<number, string> } {
  const events: Packet[] = [];
  const tracks = new Map<number, string>();
  for (const chunk of chunks)
    each(chunk, (field, file) => {
      expect(field).toBe(1);
      let time = 0;
      each(file.bytes(), (part, packet) => {
        if (part === 8) time = Number(packet.uint64());
        else if (part === 60) {
          let uuid = 0;
          let name = '';
          each(packet.bytes(), (f, descriptor) => {
            if (f === 1) uuid = Number(descriptor.uint64());
            else if (f === 3)
              each(descriptor.bytes(), (g, process) => (g === 6 ? (name = process.string()) : skip(process)));
            else if (f === 2) name = descriptor.string();
            else if (f === 4) each(descriptor.bytes(), (g, t) => (g === 5 ? (name = t.string()) : skip(t)));
            else skip(descriptor);
          });
          tracks.set(uuid, name);
        } else if (part === 11) {
          const event: Packet = {
            time,
            type: 0,
            track: 0,
            name: undefined,
            flow: undefined,
            annotations: {},
          };
          each(packet.bytes(), (f, e) => {
            if (f === 9) event.type = e.int32();
            else if (f === 11) event.track = Number(e.uint64());
            else if (f === 23) event.name = e.string();
            else if (f === 47) event.flow = Number(e.fixed64());
            else if (f === 4) {
              let key = '';
              let value = 0;
              each(e.bytes(), (g, a) => {
                if (g === 10) key = a.string();
                else if (g === 3) value = Number(a.uint64());
                else skip(a);
              });
              event.annotations[key] = value;
            } else skip(e);
          });
          events.push(event);
        } else skip(packet);
      });
    });
  return { events, tracks };
}

let wire: WireType = WireType.Varint;
function each(bytes: Uint8Array, visit: (field: number, reader: BinaryReader) => void): void {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    wire = type;
    visit(field, reader);
  }
}
function skip(reader: BinaryReader): void {
  reader.skip(wire);
}

describe('Perfetto', () => {
  it('has a track per thread, slices that are closed, instants with arguments, and flows by request', () => {
    const { model, labels } = recorded(ROWS, 4);
    const { events, tracks } = packets(perfettoTrace(model, labels));
    expect([...tracks.values()].filter((name) => name !== 'state' && name !== 'lost')).toEqual([
      'QContext Playground',
      'trace counts',
      'ctx0',
      'hart 0',
    ]);
    // An event on a track without a descriptor would be dropped by the reader.
    for (const event of events) expect(tracks.has(event.track), `track of ${event.name}`).toBe(true);
    const slice = events.filter(({ name, type }) => name === 'virtio7/vq0' && type === 1);
    expect(slice).toHaveLength(1);
    const begins = events.filter(({ type }) => type === 1).length;
    expect(events.filter(({ type }) => type === 2)).toHaveLength(begins);
    const pop = events.find(({ name }) => name === 'virtqueue_pop');
    expect(pop).toMatchObject({ time: 210, type: 3, flow: 519 });
    expect(pop?.annotations).toMatchObject({ dev: 7, req: 519 });
    expect(events.find(({ name }) => name === 'virtqueue_fill')?.flow).toBe(519);
  });

  it('contains the lost ones and the counts', () => {
    const { model, labels } = recorded(ROWS, 4);
    const { events } = packets(perfettoTrace(model, labels));
    expect(events.find(({ name }) => name === 'lost 4')).toMatchObject({
      time: 150,
      annotations: { lost: 4 },
    });
    expect(events.find(({ name }) => name === 'trace counts')?.annotations).toMatchObject({
      counted: 6,
      lost: 4,
      records: 6,
    });
  });
});

describe('filter', () => {
  const matching = (text: string): string[] => {
    const { model, labels } = recorded(ROWS);
    const filter = new Filter(text, labels);
    const found: string[] = [];
    for (let i = model.window.begin; i < model.window.end; i++)
      if (filter.matches(model.window, i)) found.push(TRACE_EVENTS[model.window.eventOf(i)]?.name ?? '');
    return found;
  };
  it('finds by event, group, source, lane and request; every word must match', () => {
    expect(matching('')).toHaveLength(6);
    expect(matching('virtqueue_')).toEqual(['virtqueue_pop', 'virtqueue_fill']);
    expect(matching('hart')).toEqual(['virtio_queue_notify']);
    expect(matching('vq0')).toEqual(['source_dispatch_begin', 'source_dispatch_end']);
    expect(matching('ctx0 fill')).toEqual(['virtqueue_fill']);
    expect(matching('#519')).toEqual(['virtqueue_pop', 'virtqueue_fill']);
    expect(matching('#520')).toEqual([]);
  });
});

describe('timeline view', () => {
  const open = () => {
    const { model, labels } = recorded(ROWS);
    const view = new TimelineView(labels);
    Object.assign(view, { width: 1104, height: 200 });
    view.command({ do: 'range', from: 0, to: 100e3 }, model);
    return { model, view };
  };

  it('zooms about the place pointed at', () => {
    const { model, view } = open();
    view.command({ do: 'zoom', factor: 0.5, at: 0.25 }, model);
    expect([view.from, view.span]).toEqual([12.5e3, 50e3]);
  });

  it('steps from event to event of the lane, selects with extension, and takes the dispatch under the cursor', () => {
    const { model, view } = open();
    view.command({ do: 'point', at: 0.002, y: 30 }, model);
    expect(view.cursor).toMatchObject({ thread: 1, time: 200 });
    view.command({ do: 'step', by: 1, extend: true }, model);
    view.command({ do: 'step', by: 1, extend: true }, model);
    expect(view.selection).toEqual({ from: 200, to: 230 });
    view.command({ do: 'select-slice' }, model);
    expect(view.selection).toEqual({ from: 200, to: 240 });
    view.command({ do: 'filter', text: 'notify' }, model);
    view.command({ do: 'step', by: -1, extend: false, anyLane: true }, model);
    expect(view.cursor).toMatchObject({ thread: 16, time: 100 });
  });
});

import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { TRACE_EVENTS } from '../../../engine/trace/schema.ts';
import type { Labels } from './labels.ts';
import { STATE_NAMES, type TraceModel } from './trace-model.ts';

/** Field numbers of Perfetto's messages, as its published .proto files give them. */
const TRACE_PACKET = 1;
const PACKET = {
  timestamp: 8,
  trustedPacketSequenceId: 10,
  trackEvent: 11,
  sequenceFlags: 13,
  trackDescriptor: 60,
} as const;
const TRACK = { uuid: 1, name: 2, process: 3, thread: 4, parentUuid: 5 } as const;
const PROCESS = { pid: 1, processName: 6 } as const;
const THREAD = { pid: 1, tid: 2, name: 5 } as const;
const EVENT = { debugAnnotations: 4, type: 9, trackUuid: 11, categories: 22, name: 23, flowIds: 47 } as const;
const ANNOTATION = { uintValue: 3, stringValue: 6, name: 10 } as const;
const SLICE_BEGIN = 1;
const SLICE_END = 2;
const INSTANT = 3;
const SEQUENCE = 1;
const PID = 1;
/** Not the process's own number: a thread of that number would be its main thread. */
const FIRST_TID = 2;
const INCREMENTAL_STATE_CLEARED = 1;
const CHUNK_BYTES = 1 << 18;

const T = Object.fromEntries(TRACE_EVENTS.map((event) => [event.name, event.id]));
/** Which arguments carry a request id. */
const REQ_ARG = TRACE_EVENTS.map((event) => event.args.findIndex(([, kind]) => kind === 'req'));

/** Collects packets into chunks, so that no single buffer has to hold the trace. */
class PacketWriter {
  #writer = new BinaryWriter();
  #bytes = 0;

  packet(write: (packet: BinaryWriter) => void): void {
    const packet = new BinaryWriter();
    write(packet);
    const bytes = packet.finish();
    this.#writer.tag(TRACE_PACKET, WireType.LengthDelimited).bytes(bytes);
    this.#bytes += bytes.length;
  }

  /** What has been written, once it is a chunk (or at the end, whatever it is). */
  *take(atEnd = false): Generator<Uint8Array<ArrayBuffer>> {
    if (this.#bytes < (atEnd ? 1 : CHUNK_BYTES)) return;
    yield new Uint8Array(this.#writer.finish());
    this.#writer = new BinaryWriter();
    this.#bytes = 0;
  }
}

/**
 * A trace for ui.perfetto.dev: a thread track per context and hart with its dispatches as slices and its events as
 * instants, a track of states beside each, flows that join the events of one request, and a slice "lost" where a
 * ring was full. Times are ns since the machine's epoch.
 */
export function* perfettoTrace(model: TraceModel, labels: Labels): Generator<Uint8Array<ArrayBuffer>> {
  const out = new PacketWriter();
  const { window } = model;
  describeMachine(out);
  for (const { thread } of model.lanesInOrder()) describe(out, labels, thread);

  const open = new Map<number, number>();
  for (let i = window.begin; i < window.end; i++) {
    yield* out.take();
    const time = window.timeOf(i);
    const thread = window.threadOf(i);
    const event = window.eventOf(i);
    const def = TRACE_EVENTS[event];
    if (event === T['source_dispatch_begin']) {
      open.set(thread, (open.get(thread) ?? 0) + 1);
      trackEvent(
        out,
        time,
        SLICE_BEGIN,
        eventTrack(thread),
        labels.source(thread, window.argOf(i, 1)),
        'source',
      );
    } else if (event === T['source_dispatch_end']) {
      // The window may begin within a dispatch: an end without a beginning would close nothing.
      const depth = open.get(thread) ?? 0;
      if (depth === 0) continue;
      open.set(thread, depth - 1);
      trackEvent(out, time, SLICE_END, eventTrack(thread));
    } else {
      const arg = REQ_ARG[event] ?? -1;
      trackEvent(
        out,
        time,
        INSTANT,
        eventTrack(thread),
        def?.name ?? `event ${event}`,
        def?.group ?? 'unknown',
        {
          flow: arg < 0 ? undefined : window.argOf(i, arg),
          annotations: (def?.args ?? []).map(([name], at) => [name, window.argOf(i, at)] as const),
        },
      );
    }
  }
  for (const [thread, depth] of open)
    for (let i = 0; i < depth; i++) trackEvent(out, model.latest, SLICE_END, eventTrack(thread));

  for (const lane of model.lanesInOrder()) {
    const { states } = lane;
    for (let i = states.begin; i < states.end; i++) {
      yield* out.take();
      const name = STATE_NAMES[states.whatOf(i) as 0 | 1 | 2];
      trackEvent(out, states.startOf(i), SLICE_BEGIN, stateTrack(lane.thread), name, 'state');
      trackEvent(out, states.finishOf(i), SLICE_END, stateTrack(lane.thread));
    }
    for (const gap of lane.gaps) {
      trackEvent(out, gap.from, SLICE_BEGIN, lostTrack(lane.thread), `lost ${gap.lost}`, 'lost', {
        flow: undefined,
        annotations: [['lost', gap.lost]],
      });
      trackEvent(out, gap.to, SLICE_END, lostTrack(lane.thread));
    }
  }
  // The counts, so that whoever reads the trace knows what is not in it.
  trackEvent(out, model.latest, INSTANT, COUNTS_TRACK, 'trace counts', 'lost', {
    flow: undefined,
    annotations: [
      ['counted', model.binned],
      ['only_counted', model.onlyCounted],
      ['lost', model.lost],
      ['not_kept_while_frozen', model.notKept],
      ['dropped_from_window', window.begin],
      ['records', window.end - window.begin],
    ],
  });
  yield* out.take(true);
}

const COUNTS_TRACK = 1;
const MACHINE_TRACK = 2;
const eventTrack = (thread: number): number => 10 + thread * 4;
const stateTrack = (thread: number): number => 11 + thread * 4;
const lostTrack = (thread: number): number => 12 + thread * 4;

/** The machine as a process, and the track of the counts: an event on a track nobody described is dropped. */
function describeMachine(out: PacketWriter): void {
  const process = new BinaryWriter()
    .tag(PROCESS.pid, WireType.Varint)
    .int32(PID)
    .tag(PROCESS.processName, WireType.LengthDelimited)
    .string('QContext Playground');
  describeTrack(out, MACHINE_TRACK, (track) =>
    track.tag(TRACK.process, WireType.LengthDelimited).bytes(process.finish()),
  );
  describeNamed(out, COUNTS_TRACK, 'trace counts', MACHINE_TRACK);
}

function describe(out: PacketWriter, labels: Labels, thread: number): void {
  const described = new BinaryWriter()
    .tag(THREAD.pid, WireType.Varint)
    .int32(PID)
    .tag(THREAD.tid, WireType.Varint)
    .int32(thread + FIRST_TID)
    .tag(THREAD.name, WireType.LengthDelimited)
    .string(labels.lane(thread));
  describeTrack(out, eventTrack(thread), (track) =>
    track.tag(TRACK.thread, WireType.LengthDelimited).bytes(described.finish()),
  );
  describeNamed(out, stateTrack(thread), 'state', eventTrack(thread));
  describeNamed(out, lostTrack(thread), 'lost', eventTrack(thread));
}

function describeNamed(out: PacketWriter, uuid: number, name: string, parent: number): void {
  describeTrack(out, uuid, (track) =>
    track
      .tag(TRACK.name, WireType.LengthDelimited)
      .string(name)
      .tag(TRACK.parentUuid, WireType.Varint)
      .uint64(parent),
  );
}

function describeTrack(out: PacketWriter, uuid: number, write: (track: BinaryWriter) => void): void {
  const descriptor = new BinaryWriter().tag(TRACK.uuid, WireType.Varint).uint64(uuid);
  write(descriptor);
  out.packet((packet) => {
    packet
      .tag(PACKET.trustedPacketSequenceId, WireType.Varint)
      .uint32(SEQUENCE)
      .tag(PACKET.sequenceFlags, WireType.Varint)
      .uint32(INCREMENTAL_STATE_CLEARED)
      .tag(PACKET.trackDescriptor, WireType.LengthDelimited)
      .bytes(descriptor.finish());
  });
}

function trackEvent(
  out: PacketWriter,
  time: number,
  type: number,
  track: number,
  name?: string,
  category?: string,
  more?: { readonly flow: number | undefined; readonly annotations: readonly (readonly [string, number])[] },
): void {
  out.packet((packet) => {
    const event = new BinaryWriter().tag(EVENT.type, WireType.Varint).int32(type);
    for (const [key, value] of more?.annotations ?? []) {
      const annotation = new BinaryWriter()
        .tag(ANNOTATION.name, WireType.LengthDelimited)
        .string(key)
        .tag(ANNOTATION.uintValue, WireType.Varint)
        .uint64(value);
      event.tag(EVENT.debugAnnotations, WireType.LengthDelimited).bytes(annotation.finish());
    }
    event.tag(EVENT.trackUuid, WireType.Varint).uint64(track);
    if (category !== undefined) event.tag(EVENT.categories, WireType.LengthDelimited).string(category);
    if (name !== undefined) event.tag(EVENT.name, WireType.LengthDelimited).string(name);
    if (more?.flow !== undefined && more.flow !== 0)
      event.tag(EVENT.flowIds, WireType.Bit64).fixed64(more.flow);
    packet
      .tag(PACKET.timestamp, WireType.Varint)
      .uint64(Math.max(0, Math.round(time)))
      .tag(PACKET.trustedPacketSequenceId, WireType.Varint)
      .uint32(SEQUENCE)
      .tag(PACKET.trackEvent, WireType.LengthDelimited)
      .bytes(event.finish());
  });
}

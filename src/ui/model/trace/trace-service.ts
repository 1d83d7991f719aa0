import { SharedMemory } from '../../../engine/base/shared-memory.ts';
import { TraceDrain } from '../../../engine/trace/drain.ts';
import type { TraceAttachment } from '../../../engine/vm.ts';
import { type EventCost, measureEmit } from './emit-cost.ts';
import {
  heatRequest,
  heatRows,
  recordRows,
  requestById,
  requestList,
  requestsSince,
  statistics,
} from './answers.ts';
import { Following } from './following.ts';
import { exportTrace } from './export.ts';
import { Labels } from './labels.ts';
import { Pace } from './pace.ts';
import { Pictures, type Shown } from './pictures.ts';
import type { FromAggregator, Question, QueueSummary, Summary, ToAggregator } from './protocol.ts';
import { COUNTERS, type Counter } from './queue-stats.ts';
import { queueKey } from './request-tracker.ts';
import { METRICS } from './stages.ts';
import { Bell } from './bell.ts';
import { contextRecords } from './context-records.ts';
import { stepInside } from './step-inside.ts';
import { TraceModel } from './trace-model.ts';

/** Records younger than this may have older ones of other threads still on their way. */
const SETTLE_NS = 2e6;
/** What an event costs is measured when the machine has started, which has no core to spare. */
const MEASURE_AFTER_MS = 4000;
const SUMMARY_MS = 250;
/** Pictures and summaries while the machine wants the cores itself, */
const CROWDED = { pictureMs: 250, summaryMs: 500 };
/** and while it also has more events than anyone can look at: what tells of the last second is told once a second. */
const FLOODED = { pictureMs: 1000, summaryMs: 1000 };
/** Up to this many requests per second can be shown one by one. */
const SINGLY = 8;

interface Machine {
  readonly drain: TraceDrain;
  readonly model: TraceModel;
  readonly labels: Labels;
  readonly origin: number;
  readonly attachment: TraceAttachment;
  readonly bell: Bell;
}

/**
 * What runs in the aggregator's worker: empties the rings, folds them into the model, draws the canvases it was given
 * and answers questions. Records never leave this thread but by an export.
 */
export class TraceService {
  readonly #post: (message: FromAggregator) => void;
  readonly #nowMs: () => number;
  readonly #hurry: () => void;
  readonly #pace = new Pace();
  readonly #following: Following;
  #machine: Machine | undefined;
  #alive = false;
  #crowded = false;
  #summaryMs = SUMMARY_MS;
  readonly #pictures: Pictures;
  #summaries = false;
  #visible = true;
  #summaryAt = 0;
  #secondAt = 0;
  #secondBinned = 0;
  #secondOnlyCounted = 0;
  #perSecond = 0;
  #onlyCountedPerSecond = 0;
  #busyMs = 0;
  #load = 0;
  #drawing = 0;
  #fill = 0;
  #fillNow = 0;
  #clockStep: number | undefined;
  #eventCost: EventCost | undefined;
  #startedAt = 0;
  /** Requests logged at the last summary. */
  #told = 0;

  /**
   * @param nowMs `performance.timeOrigin + performance.now()`
   * @param hurry called when a turn is due before the time the last one gave
   * @param cores of the host
   */
  constructor(
    post: (message: FromAggregator) => void,
    nowMs: () => number,
    { hurry = () => {}, cores = Infinity }: { readonly hurry?: () => void; readonly cores?: number } = {},
  ) {
    this.#post = post;
    this.#hurry = hurry;
    this.#following = new Following(cores);
    this.#nowMs = nowMs;
    this.#pictures = new Pictures(post, nowMs);
  }

  /** One turn; returns in how many ms the next is due. */
  tick(): number {
    const began = this.#nowMs();
    const machine = this.#machine;
    const records = machine !== undefined && this.#alive ? this.#read(machine) : 0;
    if (machine !== undefined && this.#alive && this.#following.look(began, machine.model.lanes.values())) {
      machine.drain.followOneOf(this.#following.oneOf);
      this.#makeWay();
      this.#summaryAt = 0;
    }
    if (machine !== undefined && began - this.#startedAt >= MEASURE_AFTER_MS)
      this.#eventCost ??= measureEmit(this.#nowMs);
    this.#pace.found(began, {
      records,
      perSecond: this.#perSecond,
      fill: machine?.drain.fill ?? 0,
      fillNow: this.#fillNow,
    });
    if (machine !== undefined && this.#visible && this.#pace.tells(began)) {
      this.#pictures.paint(this.#shown(machine), began, this.#pace.quiet);
      if (this.#summaries && began - this.#summaryAt >= this.#summaryMs) {
        this.#summaryAt = began;
        this.#post({ type: 'summary', summary: this.#summary(machine) });
      }
    }
    const ended = this.#nowMs();
    this.#busyMs += ended - began;
    if (ended - this.#secondAt >= 1000) {
      const seconds = (ended - this.#secondAt) / 1000;
      this.#load = this.#busyMs / 1000 / seconds;
      this.#drawing = this.#pictures.takePaintMs() / 1000 / seconds;
      this.#perSecond = ((machine?.model.binned ?? 0) - this.#secondBinned) / seconds;
      this.#secondBinned = machine?.model.binned ?? 0;
      this.#onlyCountedPerSecond = ((machine?.model.onlyCounted ?? 0) - this.#secondOnlyCounted) / seconds;
      this.#secondOnlyCounted = machine?.model.onlyCounted ?? 0;
      this.#fill = this.#fillNow;
      this.#fillNow = 0;
      this.#busyMs = 0;
      this.#secondAt = ended;
    }
    return this.#pace.wait(ended, this.#alive, machine?.bell.isHeard);
  }

  receive(message: ToAggregator): void {
    switch (message.type) {
      case 'machine':
        this.#start(message.attachment);
        return;
      case 'machine-gone':
        if (this.#machine !== undefined && this.#alive) this.#read(this.#machine, Infinity);
        this.#alive = false;
        this.#followAll();
        this.#machine?.bell.close();
        this.#pictures.dirtyAll();
        return;
      case 'name':
        this.#machine?.labels.name(message.name);
        return;
      case 'board':
        this.#board(message.board);
        return;
      case 'freeze':
        if (this.#machine !== undefined) this.#machine.model.keep = !message.frozen;
        this.#pictures.follow(!message.frozen);
        return;
      case 'visible':
        this.#visible = message.visible;
        return;
      case 'wake':
        this.#pace.wake(this.#nowMs());
        return;
      case 'crowded':
        this.#crowded = message.crowded;
        this.#makeWay();
        return;
      case 'follow':
        this.#following.every = message.every;
        return;
      case 'summaries':
        this.#pace.wake(this.#nowMs());
        this.#summaries = message.wanted;
        this.#summaryAt = 0;
        return;
      case 'canvas':
        this.#pictures.add(message, this.#machine?.labels ?? new Labels(0));
        return;
      case 'canvas-size':
        this.#pictures.resize(message, this.#machine && this.#shown(this.#machine));
        return;
      case 'canvas-gone':
        this.#pictures.remove(message.id);
        return;
      case 'timeline':
        if (this.#machine !== undefined)
          this.#pictures.timeline(message.id, message.command, this.#machine.model);
        return;
      case 'heat':
        this.#pictures.heat(message.id, message.command, this.#machine?.model);
        return;
      case 'ask':
        void this.#answer(message.question).then((answer) =>
          this.#post({ type: 'answer', ticket: message.ticket, answer }),
        );
        return;
    }
  }

  #start(attachment: TraceAttachment): void {
    const options = { firstHart: attachment.firstHart, firstGsi: attachment.firstVirtioGsi };
    this.#machine?.bell.close();
    const mem = new SharedMemory(attachment.memory as WebAssembly.Memory);
    this.#machine = {
      drain: new TraceDrain(mem, attachment.rings, attachment.follow),
      bell: new Bell(mem, attachment.bell, this.#hurry),
      model: new TraceModel(options),
      labels: new Labels(attachment.firstHart),
      origin: attachment.epoch,
      attachment,
    };
    this.#alive = true;
    this.#pace.wake(this.#nowMs());
    this.#startedAt = this.#nowMs();
    this.#secondBinned = 0;
    this.#secondOnlyCounted = 0;
    this.#followAll();
    this.#told = 0;
    this.#clockStep = undefined;
    this.#pictures.begin(this.#machine.labels, this.#machine.model);
  }

  /** A machine that is new has had no events, and one that is gone has no more. */
  #followAll(): void {
    this.#following.clear();
    this.#makeWay();
  }

  /** What moves by itself moves less often where the page says so, or what is recorded does, which is sooner. */
  #makeWay(): void {
    const held = this.#following.oneOf > 1 ? FLOODED : this.#crowded ? CROWDED : undefined;
    this.#pictures.leastMs = held?.pictureMs ?? 0;
    this.#summaryMs = held?.summaryMs ?? SUMMARY_MS;
  }

  #board(board: Parameters<Labels['board']>[0]): void {
    const machine = this.#machine;
    if (machine === undefined) return;
    machine.labels.board(board);
    const { packed } = machine.model.requests;
    for (const device of board.devices)
      for (const queue of device.queues) {
        if (queue.packed) packed.add(queueKey(device.slot, queue.index));
        else packed.delete(queueKey(device.slot, queue.index));
      }
    this.#pictures.dirtyAll();
  }

  /** What the pictures show of a machine now. */
  #shown(machine: Machine): Shown {
    const { model, labels } = machine;
    const alive = this.#alive;
    return { model, labels, alive, nowNs: alive ? this.#now(machine) : model.latest };
  }

  #now(machine: Machine): number {
    return (this.#nowMs() - machine.origin) * 1e6;
  }

  /** Empties the rings into the model; returns how many records there were. */
  #read(machine: Machine, until?: number): number {
    const now = this.#now(machine);
    const batch = machine.drain.drain(until ?? now - SETTLE_NS, now);
    this.#fillNow = Math.max(this.#fillNow, machine.drain.fill);
    const events = batch.counted.reduce((sum, { n }) => sum + n, batch.count);
    if (events === 0 && batch.gaps.length === 0) return 0;
    for (let i = 1; i < Math.min(batch.count, 256); i++) {
      // Clocks of two threads differ by less than a step: only one thread's own times say how long that is.
      if ((batch.what[i] as number) >>> 16 !== (batch.what[i - 1] as number) >>> 16) continue;
      const step = (batch.time[i] as number) - (batch.time[i - 1] as number);
      if (step > 100 && step < (this.#clockStep ?? Infinity)) this.#clockStep = step;
    }
    machine.model.reduce(batch);
    this.#pictures.moved(machine.model);
    return batch.count;
  }

  #summary(machine: Machine): Summary {
    const { model, drain } = machine;
    const { log } = model.requests;
    const recent = log.end - this.#told > SINGLY ? [] : requestsSince(model, machine.labels, this.#told);
    this.#told = log.end;
    const now = this.#alive ? this.#now(machine) : model.latest;
    return {
      now,
      written: drain.taken + drain.counted,
      lost: drain.lost,
      binned: model.binned,
      onlyCounted: model.onlyCounted,
      followOneOf: this.#following.oneOf,
      retained: model.window.end - model.window.begin,
      notKept: model.notKept,
      perSecond: this.#perSecond,
      fill: this.#fill,
      load: this.#load,
      drawing: this.#drawing,
      eventCost: this.#eventCost,
      cost:
        this.#eventCost === undefined
          ? undefined
          : ((this.#perSecond - this.#onlyCountedPerSecond) * this.#eventCost.written +
              this.#onlyCountedPerSecond * this.#eventCost.counted) /
            1e9,
      clockStep: this.#clockStep,
      perEvent: model.perEvent.slice(),
      queues: model.requests.blockQueues().map((state): QueueSummary => {
        const { stats } = state;
        const every = (read: (counter: Counter) => number) =>
          Object.fromEntries(COUNTERS.map((counter) => [counter, read(counter)])) as QueueSummary['rates'];
        return {
          dev: state.dev,
          queue: state.queue,
          label: machine.labels.queue(state.dev, state.queue),
          rates: every((counter) => stats.rate(now, counter)),
          totals: every((counter) => stats.total(counter)),
          recent:
            stats.rate(now, 'used') > SINGLY
              ? undefined
              : recent.filter((one) => one.dev === state.dev && one.queue === state.queue),
          metrics: METRICS.map((_, metric) => stats.quantiles(now, metric)),
          ...state.inFlight(),
          unacknowledged: model.requests.unacknowledged(state.dev, state.queue),
        };
      }),
      requests: model.requests.log.end,
      requestsRetained: model.requests.log.end - model.requests.log.begin,
    };
  }

  async #answer(question: Question): Promise<unknown> {
    const machine = this.#machine;
    if (machine === undefined) return undefined;
    const { model, labels } = machine;
    switch (question.ask) {
      case 'statistics':
      case 'records': {
        const picture = this.#pictures.get(question.id);
        if (picture?.kind !== 'timeline') return undefined;
        return question.ask === 'statistics'
          ? statistics(model, picture.view, labels)
          : recordRows(model, picture.view, labels, question.limit);
      }
      case 'requests':
        return requestList(model, labels, question.dev, question.queue, question.order, question.limit);
      case 'request':
        return requestById(model, labels, question.req);
      case 'step-inside':
        return stepInside(model, machine.attachment.firstVirtioGsi, question.thread, question.since);
      case 'context-records':
        return contextRecords(model, question.since);
      case 'heat-table':
      case 'heat-request': {
        const picture = this.#pictures.get(question.id);
        if (picture?.kind !== 'heat') return undefined;
        const { view } = picture;
        return question.ask === 'heat-table' ? heatRows(model, view) : heatRequest(model, view, labels);
      }
      case 'export': {
        return exportTrace(model, labels, question.format, machine.attachment.epoch);
      }
    }
  }
}

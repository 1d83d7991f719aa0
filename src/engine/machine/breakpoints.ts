import { type Result, ok, userError } from '../base/result.ts';
import type { BreakpointSpec, BreakpointStatus, StoppedAt } from '../qom/machine-ops.ts';
import { possible } from '../qom/options/suggest.ts';
import { isTraceEnabled, setTraceEnabled } from '../trace/ring.ts';
import {
  type ArgKind,
  isBreakable,
  TRACE,
  TRACE_EVENTS,
  type TraceEventDef,
  traceEventByName,
} from '../trace/schema.ts';
import { VirtioDeviceLayout, VirtQueueLayout, virtQueueAddr } from '../virtio/layout.ts';
import type { BoardDevice } from './board-device.ts';
import type { BreakHit } from './break-watch.ts';
import { type BreakpointFilter, BreakpointTable, MAX_BREAKPOINTS } from './breakpoint-table.ts';
import type { ContextCore } from './context-core.ts';
import type { ContextDirectory } from './context-directory.ts';
import type { Holds } from './holds.ts';
import type { VirtioBoard } from './virtio-board.ts';

/** What happens to one request, in the context that serves it or that owns its disk. */
const STAGES: readonly number[] = [
  TRACE.virtqueue_pop,
  TRACE.virtio_blk_handle_read,
  TRACE.virtio_blk_handle_write,
  TRACE.virtio_blk_handle_other,
  TRACE.virtio_blk_submit_multireq,
  TRACE.blk_co_preadv,
  TRACE.blk_co_pwritev,
  TRACE.blk_co_flush,
  TRACE.virtio_blk_rw_complete,
  TRACE.virtio_blk_req_complete,
  TRACE.virtqueue_fill,
];
interface Breakpoint {
  readonly id: number;
  readonly spec: BreakpointSpec;
  /** Goes when this context is held again: it was a step of it. */
  readonly stepOf: string | undefined;
  /** The event was off before, and is switched off again. */
  readonly switchedOn: number | undefined;
}

const has = ({ args }: TraceEventDef, ...kinds: readonly ArgKind[]): boolean =>
  args.some(([, kind]) => kinds.includes(kind));

/**
 * Breakpoints on trace events: the context in which one happens is held, before its next dispatch. Steps that run until
 * something happens are breakpoints that go when the context is held again. Main context; the tracers' side is BreakWatch.
 */
export class Breakpoints {
  readonly #core: ContextCore;
  readonly #contexts: ContextDirectory;
  readonly #holds: Holds;
  readonly #board: VirtioBoard;
  readonly #table: BreakpointTable;
  readonly #all = new Map<number, Breakpoint>();
  /** What held each context that is held by a breakpoint. */
  readonly #last = new Map<string, BreakHit>();
  #next = 1;

  constructor(core: ContextCore, contexts: ContextDirectory, holds: Holds, board: VirtioBoard) {
    this.#core = core;
    this.#contexts = contexts;
    this.#holds = holds;
    this.#board = board;
    this.#table = new BreakpointTable(core.mem, core.layout.breakpoints);
  }

  /** Sets one; its number. An event that is off is switched on as long as there is a breakpoint on it. */
  add(spec: BreakpointSpec): Result<number> {
    const filter = this.#filter(spec);
    return filter.ok ? this.#put(spec, filter.value, undefined) : filter;
  }

  remove(id: number): Result<void> {
    const found = this.#all.get(id);
    if (found === undefined) return userError(`there is no breakpoint ${id}`);
    this.#table.remove(id);
    this.#all.delete(id);
    const { switchedOn: event } = found;
    const { mem, layout } = this.#core;
    if (event !== undefined && ![...this.#all.values()].some(({ switchedOn }) => switchedOn === event))
      setTraceEnabled(mem, layout.traceMask, event, false);
    return ok(undefined);
  }

  /** Those that were set, without those of steps. */
  list(): readonly BreakpointStatus[] {
    return [...this.#all.values()]
      .filter(({ stepOf }) => stepOf === undefined)
      .map(({ id, spec }) => ({ id, ...spec, hits: this.#table.hits(id) }));
  }

  removeAll(): void {
    for (const id of this.#all.keys()) this.remove(id);
  }

  /** Lets a held context run until an event that `spec` describes happens in it. */
  stepUntil(id: string, spec: BreakpointSpec): Result<void> {
    const filter = this.#filter({ ...spec, context: id });
    return filter.ok ? this.#run(id, spec, filter.value) : filter;
  }

  /**
   * Lets a held context run until something more happens to a request: the one given, else the one it was stopped
   * for. Stopped for a kick, it runs until that queue's next request is taken.
   */
  stepRequest(id: string, request: number | undefined): Result<void> {
    const held = this.#holds.heldContext(id);
    if (!held.ok) return held;
    const last = this.#last.get(id);
    const req = request ?? last?.req;
    const ctx = held.value.index;
    if (req === undefined) {
      if (last?.dev === undefined) {
        return userError(`which request? ${id} was not stopped for one`, {
          hint: 'Name it: request=ID, or set a breakpoint on virtqueue_pop first.',
        });
      }
      const { dev, queue } = last;
      const filter = { events: [TRACE.virtqueue_pop], ctx, dev, queue };
      return this.#run(id, { event: 'virtqueue_pop' }, filter);
    }
    if (!this.#isInFlight(req)) {
      return userError(`request ${req} is not in flight: all its stages here are over`, {
        hint: 'Stages that one dispatch goes through can’t be told apart by stopping between dispatches; the waterfall shows them.',
      });
    }
    return this.#run(id, { event: 'virtqueue_fill', request: req }, { events: STAGES, ctx, req });
  }

  /** A context's thread says that a breakpoint holds it. What to tell of it; undefined if it is held no more. */
  hit(index: number, hit: BreakHit): { readonly id: string; readonly at: StoppedAt } | undefined {
    const entry = this.#contexts.byIndex(index);
    if (entry === undefined || !this.#contexts.isHeld(entry)) return undefined;
    if (this.#holds.isNeeded(entry)) {
      this.#contexts.letGo(entry);
      return undefined;
    }
    const at = this.#stoppedAt(hit);
    this.heldAnew(entry.id);
    this.#last.set(entry.id, hit);
    this.#core.tracer.emit(TRACE.context_break, index, hit.breakpoint, hit.req ?? 0);
    return { id: entry.id, at };
  }

  /** A step of a held context ran into a breakpoint. */
  stepHit(id: string, hit: BreakHit): StoppedAt {
    this.#last.set(id, hit);
    return this.#stoppedAt(hit);
  }

  /** A context was held: its steps are over. */
  heldAnew(id: string): void {
    for (const { id: number, stepOf } of this.#all.values()) if (stepOf === id) this.remove(number);
  }

  released(id: string): void {
    this.#last.delete(id);
  }

  /** A hit in names rather than numbers. */
  #stoppedAt(hit: BreakHit): StoppedAt {
    const device = hit.dev === undefined ? undefined : this.#board.bySlot(hit.dev)?.spec;
    const breakpoint = this.#all.get(hit.breakpoint);
    return {
      breakpoint: breakpoint?.stepOf === undefined ? hit.breakpoint : undefined,
      event: TRACE_EVENTS[hit.event]?.name ?? String(hit.event),
      device: device === undefined ? undefined : (device.id ?? device.qomPath),
      queue: hit.queue,
      request: hit.req,
    };
  }

  #run(id: string, spec: BreakpointSpec, filter: BreakpointFilter): Result<void> {
    const held = this.#holds.heldContext(id);
    if (!held.ok) return held;
    const put = this.#put(spec, filter, id);
    if (!put.ok) return put;
    return this.#holds.release(id, 'step');
  }

  #put(spec: BreakpointSpec, filter: BreakpointFilter, stepOf: string | undefined): Result<number> {
    const { mem, layout } = this.#core;
    const id = this.#next;
    const [event, ...more] = filter.events;
    const isOff = more.length === 0 && event !== undefined && !isTraceEnabled(mem, layout.traceMask, event);
    if (!this.#table.put(id, filter)) {
      return userError(`a machine has at most ${MAX_BREAKPOINTS} breakpoints`, {
        hint: 'Remove one: x-breakpoint-remove ID; info breakpoints lists them.',
      });
    }
    this.#next++;
    const shared = [...this.#all.values()].some(({ switchedOn }) => switchedOn === event);
    if (isOff) setTraceEnabled(mem, layout.traceMask, event, true);
    this.#all.set(id, { id, spec, stepOf, switchedOn: isOff || shared ? event : undefined });
    return ok(id);
  }

  #filter({ event, context, device, queue, request }: BreakpointSpec): Result<BreakpointFilter> {
    const def = traceEventByName(event);
    if (def === undefined) {
      const names = TRACE_EVENTS.map(({ name }) => name);
      return userError(`unknown event "${event}"`, { hint: possible(event, names) });
    }
    if (!isBreakable(def))
      return userError(`${event} can't hold a context: it happens in none, or speaks of holds`);
    const lacks = (name: string): Result<never> =>
      userError(`${event} does not say which ${name} it is about`);
    let ctx: number | undefined;
    if (context !== undefined) {
      const found = this.#holds.find(context);
      if (!found.ok) return found;
      ctx = found.value.index;
    }
    let dev: number | undefined;
    if (device !== undefined) {
      if (!has(def, 'dev', 'gsi')) return lacks('device');
      const found = this.#device(device);
      if (!found.ok) return found;
      dev = found.value.slot;
    }
    if (queue !== undefined && !has(def, 'queue')) return lacks('queue');
    if (request !== undefined && !has(def, 'req')) return lacks('request');
    return ok({ events: [def.id], ctx, dev, queue, req: request });
  }

  #device(name: string): Result<BoardDevice> {
    const device = this.#board.all().find(({ spec }) => spec.id === name || spec.qomPath === name);
    if (device === undefined) return userError(`Device '${name}' not found`, { class: 'DeviceNotFound' });
    if (device.placement.some(({ index, threaded }) => index !== 0 && threaded)) return ok(device);
    return userError(`${name} is served by main, which can't be held`, {
      hint: `Move it first: qom-set ${device.spec.qomPath} context ID`,
    });
  }

  #isInFlight(req: number): boolean {
    const { mem, layout } = this.#core;
    return this.#board.all().some(({ slot }) => {
      const slotAddr = layout.virtioSlots[slot] as number;
      const queues = mem.load32(slotAddr + VirtioDeviceLayout.at.queueCount);
      for (let queue = 0; queue < queues; queue++) {
        const addr = virtQueueAddr(slotAddr, queue);
        const size = mem.load32(addr + VirtQueueLayout.at.size);
        for (let key = 0; key < size; key++)
          if (mem.load32(addr + VirtQueueLayout.at.inFlightRequest + key * 4) === req) return true;
      }
      return false;
    });
  }
}

import type { SharedMemory } from '../base/shared-memory.ts';
import { struct } from '../base/struct.ts';
import { TRACE_MASK_WORDS } from '../trace/ring.ts';
import { type ArgKind, TRACE_EVENTS } from '../trace/schema.ts';

/** Breakpoints a machine can have at a time, those of steps included. */
export const MAX_BREAKPOINTS = 16;
/** A filter that lets everything through. */
const ANY = 0xffff_ffff;

/** One breakpoint: the events it is for, and what they must be about. Written by the main context, read by every tracer. */
const BreakpointLayout = struct(
  'Breakpoint',
  {
    /** 0: the place is free. Written last. */
    id: 'u32',
    ctx: 'u32',
    dev: 'u32',
    queue: 'u32',
    req: 'u32',
    /** Atomic: events that matched, whether or not they held a context. */
    hits: 'u32',
    events: `bytes:${TRACE_MASK_WORDS * 4}`,
  },
  64,
);

/** Events any breakpoint is for, so that a tracer looks at one word; then the breakpoints. */
const TableLayout = struct('Breakpoints', { mask: `bytes:${TRACE_MASK_WORDS * 4}` }, 64);

export const BREAKPOINT_TABLE_BYTES = TableLayout.size + MAX_BREAKPOINTS * BreakpointLayout.size;

/** What an event must be about; undefined: anything. Devices are virtio-mmio slots, contexts are indexes. */
export interface BreakpointFilter {
  readonly events: readonly number[];
  readonly ctx?: number | undefined;
  readonly dev?: number | undefined;
  readonly queue?: number | undefined;
  readonly req?: number | undefined;
}

/** What an event is about, as far as it says. */
export interface EventSubject {
  readonly event: number;
  readonly ctx: number | undefined;
  readonly dev: number | undefined;
  readonly queue: number | undefined;
  readonly req: number | undefined;
}

/** The arguments of an event by what they are. `slotOfGsi` gives the device behind an interrupt. */
export function subjectOf(
  event: number,
  args: readonly number[],
  slotOfGsi: (gsi: number) => number | undefined,
): EventSubject {
  const kinds = TRACE_EVENTS[event]?.args ?? [];
  const of = (kind: ArgKind): number | undefined => {
    const at = kinds.findIndex(([, each]) => each === kind);
    return at < 0 ? undefined : args[at];
  };
  const gsi = of('gsi');
  return {
    event,
    ctx: of('ctx'),
    dev: of('dev') ?? (gsi === undefined ? undefined : slotOfGsi(gsi)),
    queue: of('queue'),
    req: of('req'),
  };
}

/** The machine's breakpoints in shared memory. */
export class BreakpointTable {
  readonly #mem: SharedMemory;
  readonly #addr: number;

  constructor(mem: SharedMemory, addr: number) {
    this.#mem = mem;
    this.#addr = addr;
  }

  /** Byte offset of the mask of events any breakpoint is for, laid out as a trace mask. */
  static maskAt(addr: number): number {
    return addr + TableLayout.at.mask;
  }

  #at(place: number): number {
    return this.#addr + TableLayout.size + place * BreakpointLayout.size;
  }

  /** Main context: puts a breakpoint into a free place; false if there is none. */
  put(id: number, filter: BreakpointFilter): boolean {
    const mem = this.#mem;
    const { at } = BreakpointLayout;
    for (let place = 0; place < MAX_BREAKPOINTS; place++) {
      const entry = this.#at(place);
      if (mem.load32(entry + at.id) !== 0) continue;
      mem.bytes(entry + at.events, TRACE_MASK_WORDS * 4).fill(0);
      for (const event of filter.events) mem.or32(entry + at.events + (event >>> 5) * 4, 1 << (event & 31));
      mem.store32(entry + at.ctx, filter.ctx ?? ANY);
      mem.store32(entry + at.dev, filter.dev ?? ANY);
      mem.store32(entry + at.queue, filter.queue ?? ANY);
      mem.store32(entry + at.req, filter.req ?? ANY);
      mem.store32(entry + at.hits, 0);
      // ORDER: the id last; pairs with its load in match(): a breakpoint that is seen is whole.
      mem.store32(entry + at.id, id);
      this.#publishMask();
      return true;
    }
    return false;
  }

  /** Main context. */
  remove(id: number): void {
    for (let place = 0; place < MAX_BREAKPOINTS; place++) {
      const entry = this.#at(place) + BreakpointLayout.at.id;
      if (this.#mem.load32(entry) === id) this.#mem.store32(entry, 0);
    }
    this.#publishMask();
  }

  #publishMask(): void {
    const { at } = BreakpointLayout;
    for (let word = 0; word < TRACE_MASK_WORDS; word++) {
      let bits = 0;
      for (let place = 0; place < MAX_BREAKPOINTS; place++) {
        const entry = this.#at(place);
        if (this.#mem.load32(entry + at.id) !== 0) bits |= this.#mem.load32(entry + at.events + word * 4);
      }
      this.#mem.store32(this.#addr + TableLayout.at.mask + word * 4, bits >>> 0);
    }
  }

  /** Events that have matched a breakpoint. Any thread. */
  hits(id: number): number {
    for (let place = 0; place < MAX_BREAKPOINTS; place++) {
      const entry = this.#at(place);
      if (this.#mem.load32(entry + BreakpointLayout.at.id) === id)
        return this.#mem.load32(entry + BreakpointLayout.at.hits);
    }
    return 0;
  }

  /** The first breakpoint an event matches, counted as hit; 0: none. Any thread. */
  match({ event, dev, queue, req }: EventSubject, ctx: number | undefined): number {
    const mem = this.#mem;
    const { at } = BreakpointLayout;
    const lets = (wanted: number, value: number | undefined): boolean => wanted === ANY || wanted === value;
    for (let place = 0; place < MAX_BREAKPOINTS; place++) {
      const entry = this.#at(place);
      const id = mem.load32(entry + at.id);
      if (id === 0 || (mem.load32(entry + at.events + (event >>> 5) * 4) & (1 << (event & 31))) === 0)
        continue;
      if (!lets(mem.load32(entry + at.ctx), ctx) || !lets(mem.load32(entry + at.dev), dev)) continue;
      if (!lets(mem.load32(entry + at.queue), queue) || !lets(mem.load32(entry + at.req), req)) continue;
      mem.add32(entry + at.hits, 1);
      return id;
    }
    return 0;
  }
}

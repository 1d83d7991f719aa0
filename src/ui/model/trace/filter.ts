import { TRACE_EVENTS } from '../../../engine/trace/schema.ts';
import type { Labels } from './labels.ts';
import type { RecordWindow } from './record-window.ts';

/** Arguments that hold a request id, by event. */
const REQ_ARG: readonly number[] = TRACE_EVENTS.map((event) =>
  event.args.findIndex(([, kind]) => kind === 'req'),
);
const SOURCE_ARG: readonly number[] = TRACE_EVENTS.map((event) =>
  event.args.findIndex(([, kind]) => kind === 'source'),
);
const DISPATCH = TRACE_EVENTS.findIndex((event) => event.name === 'source_dispatch_begin');

/**
 * A search: words that must each occur in the event's name, its group, its source's name or its lane's, and `#512` for
 * the records of one request.
 */
export class Filter {
  readonly text: string;
  readonly empty: boolean;
  readonly #words: readonly string[];
  readonly #req: number | undefined;
  readonly #labels: Labels;
  readonly #events: Uint8Array;
  readonly #cache = new Map<number, number>();
  readonly #all: number;

  constructor(text: string, labels: Labels) {
    this.text = text;
    this.#labels = labels;
    const tokens = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.empty = tokens.length === 0;
    const req = tokens.find((token) => /^#\d+$/.test(token));
    this.#req = req === undefined ? undefined : Number(req.slice(1));
    this.#words = tokens.filter((token) => token !== req).slice(0, 8);
    this.#all = (1 << this.#words.length) - 1;
    this.#events = new Uint8Array(TRACE_EVENTS.length + 1);
    for (const event of TRACE_EVENTS) this.#events[event.id] = this.#mask(`${event.name} ${event.group}`);
  }

  #mask(text: string): number {
    const lower = text.toLowerCase();
    let mask = 0;
    this.#words.forEach((word, i) => {
      if (lower.includes(word)) mask |= 1 << i;
    });
    return mask;
  }

  #place(thread: number, source: number): number {
    const key = thread * 65536 + source;
    let mask = this.#cache.get(key);
    if (mask === undefined) {
      const text = source === 0 ? '' : this.#labels.source(thread, source);
      mask = this.#mask(`${this.#labels.lane(thread)} ${text}`);
      this.#cache.set(key, mask);
    }
    return mask;
  }

  /** Does this record match? */
  matches(window: RecordWindow, record: number): boolean {
    if (this.empty) return true;
    const event = window.eventOf(record);
    if (this.#req !== undefined) {
      const arg = REQ_ARG[event] ?? -1;
      if (arg < 0 || window.argOf(record, arg) !== this.#req) return false;
    }
    const arg = SOURCE_ARG[event] ?? -1;
    const source = arg < 0 ? 0 : window.argOf(record, arg);
    const found = (this.#events[event] ?? 0) | this.#place(window.threadOf(record), source);
    return (found & this.#all) === this.#all;
  }

  /** Does a dispatch of this source match? */
  matchesDispatch(thread: number, source: number): boolean {
    if (this.empty) return true;
    if (this.#req !== undefined) return false;
    const found = (this.#events[DISPATCH] ?? 0) | this.#place(thread, source);
    return (found & this.#all) === this.#all;
  }
}

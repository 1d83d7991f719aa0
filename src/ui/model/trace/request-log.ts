import { POINTS } from './stages.ts';

export const KINDS = ['read', 'write', 'flush', 'other'] as const;
export type RequestKind = (typeof KINDS)[number];

/** One request, from the driver to the guest's acknowledgement. */
export interface TracedRequest {
  req: number;
  dev: number;
  queue: number;
  head: number;
  /** Index into KINDS. */
  kind: number;
  bytes: number;
  sector: number;
  status: number;
  /** Threads that took it and that gave it to the file. */
  popThread: number;
  diskThread: number;
  /** Request it was merged into (its own id if it leads a merge); 0: not merged. */
  leader: number;
  /** The device was not asked to interrupt for it. */
  suppressed: boolean;
  /** Host ns of each of POINTS; NaN: not seen. */
  readonly times: Float64Array;
}

export const newRequest = (): TracedRequest => ({
  req: 0,
  dev: 0,
  queue: 0,
  head: 0,
  kind: 3,
  bytes: 0,
  sector: -1,
  status: 0,
  popThread: 0,
  diskThread: 0,
  leader: 0,
  suppressed: false,
  times: new Float64Array(POINTS.length).fill(Number.NaN),
});

/** Makes a request that is over as good as a new one: a busy disk would leave thousands a second to the collector. */
export function renewRequest(request: TracedRequest): TracedRequest {
  request.kind = 3;
  request.bytes = 0;
  request.sector = -1;
  request.status = 0;
  request.leader = 0;
  request.suppressed = false;
  request.times.fill(Number.NaN);
  return request;
}

const WORDS = 11;

/** The newest complete requests, as columns; the oldest are overwritten. */
export class RequestLog {
  readonly capacity: number;
  readonly times: Float64Array;
  readonly #words: Float64Array;
  /** Requests ever logged. */
  end = 0;

  /** @param capacity a power of two */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.times = new Float64Array(capacity * POINTS.length);
    this.#words = new Float64Array(capacity * WORDS);
  }

  get begin(): number {
    return Math.max(0, this.end - this.capacity);
  }

  add(r: TracedRequest): void {
    const slot = this.end++ & (this.capacity - 1);
    this.times.set(r.times, slot * POINTS.length);
    const words = this.#words;
    let at = slot * WORDS;
    words[at++] = r.req;
    words[at++] = r.dev;
    words[at++] = r.queue;
    words[at++] = r.head;
    words[at++] = r.kind;
    words[at++] = r.bytes;
    words[at++] = r.sector;
    words[at++] = r.status;
    words[at++] = r.popThread;
    words[at++] = r.diskThread;
    words[at] = r.suppressed ? -1 - r.leader : r.leader;
  }

  /** Where in `times` the moments of request number `index` are. */
  at(index: number): number {
    return (index & (this.capacity - 1)) * POINTS.length;
  }

  isOf(index: number, dev: number, queue: number): boolean {
    const at = (index & (this.capacity - 1)) * WORDS;
    return this.#words[at + 1] === dev && this.#words[at + 2] === queue;
  }

  get(index: number): TracedRequest | undefined {
    if (index < this.begin || index >= this.end) return undefined;
    const at = (index & (this.capacity - 1)) * WORDS;
    const word = (i: number): number => this.#words[at + i] as number;
    const packed = word(10);
    return {
      req: word(0),
      dev: word(1),
      queue: word(2),
      head: word(3),
      kind: word(4),
      bytes: word(5),
      sector: word(6),
      status: word(7),
      popThread: word(8),
      diskThread: word(9),
      leader: packed < 0 ? -1 - packed : packed,
      suppressed: packed < 0,
      times: this.times.slice(this.at(index), this.at(index) + POINTS.length),
    };
  }

  /** Number of the newest logged request with this id. */
  find(req: number): number | undefined {
    for (let index = this.end - 1; index >= this.begin; index--)
      if (this.#words[(index & (this.capacity - 1)) * WORDS] === req) return index;
    return undefined;
  }
}

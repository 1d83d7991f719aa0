import { createStore, type StoreApi } from 'zustand/vanilla';
import { say, tell } from '../announcer.ts';
import { revealInspector, revealTimeline } from '../layout.ts';
import type { ListedRequest, RequestOrder } from './protocol.ts';
import { extentOf } from './stages.ts';
import type { TraceClient } from './trace-client.ts';

/** What the views of requests look at: one for all of them, so that each goes on where another left off. */
export interface LookedAt {
  /** Virtqueue, as `queueId` names it; undefined: the first there is. */
  readonly queue: string | undefined;
  /** Which requests the waterfall lists. */
  readonly order: RequestOrder;
  readonly request: ListedRequest | undefined;
  /** The request is to be shown at the stations of the flow, instead of those that pass. */
  readonly inFlow: boolean;
}

/** A virtqueue of a device, as one word. */
export const queueId = (dev: number, queue: number): string => `${dev} ${queue}`;

/** Room left and right of a request in the timeline, as a share of its length, and at least so much (ns). */
const MARGIN = 0.3;
const LEAST_MARGIN = 10_000;
/** Newest complete requests among which one with a given head is looked for. */
const SEARCHED = 256;

/** The ways from one view of a request to another. */
export class RequestLinks {
  readonly store: StoreApi<LookedAt> = createStore(() => ({
    queue: undefined,
    order: 'slowest',
    request: undefined,
    inFlow: false,
  }));
  readonly #trace: Pick<TraceClient, 'ask' | 'timeline'>;

  constructor(trace: Pick<TraceClient, 'ask' | 'timeline'>) {
    this.#trace = trace;
  }

  /** Another machine's requests are others. */
  forget(): void {
    this.store.setState({ request: undefined, inFlow: false });
  }

  /** Opens a request's stages. */
  inWaterfall(request: ListedRequest): void {
    this.store.setState({ queue: queueId(request.dev, request.queue), request });
    revealInspector('waterfall');
    say(`Request #${request.req} in the waterfall`);
  }

  /** The same by its id; says so if the trace has it no more. */
  async inWaterfallById(req: number): Promise<void> {
    const request = await this.#trace.ask({ ask: 'request', req });
    if (request === undefined) tell(`Request #${req} is no longer kept`);
    else this.inWaterfall(request);
  }

  /** The same of the request that has this head in a virtqueue: the one under way, else the newest that had it. */
  async inWaterfallByHead(dev: number, queue: number, head: number): Promise<void> {
    for (const order of ['under-way', 'newest'] as const) {
      const list = await this.#trace.ask({ ask: 'requests', dev, queue, order, limit: SEARCHED });
      const request = list?.requests.find((one) => one.head === head);
      if (request !== undefined) return this.inWaterfall(request);
    }
    tell(`No request with head ${head} is kept`);
  }

  /** Lists a virtqueue's requests. */
  listInWaterfall(dev: number, queue: number, order: RequestOrder): void {
    this.store.setState({ queue: queueId(dev, queue), order, request: undefined });
    revealInspector('waterfall');
  }

  /** Shows a request at the stations it passed. */
  inFlow(request: ListedRequest): void {
    this.store.setState({ queue: queueId(request.dev, request.queue), request, inFlow: true });
    revealInspector('flow');
    say(`Request #${request.req} at the six stations`);
  }

  /** Shows a request among all else, from its first moment to its last. */
  inTimeline(request: ListedRequest): void {
    const [from, to] = extentOf(request.times);
    const margin = Math.max(LEAST_MARGIN, (to - from) * MARGIN);
    this.#trace.timeline.setState({
      wish: { from: from - margin, to: to + margin, filter: `#${request.req}` },
    });
    revealTimeline();
  }
}

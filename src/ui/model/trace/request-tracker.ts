import { TRACE_ARGS, type TraceBatch } from '../../../engine/trace/drain.ts';
import { DispatchStack } from './dispatch-stack.ts';
import { OpenRequests } from './open-requests.ts';
import { C } from './queue-stats.ts';
import { newRequest, renewRequest, RequestLog, type TracedRequest } from './request-log.ts';
import {
  ACKNOWLEDGE,
  CLAIM,
  COUNTED,
  COUNTED_AT_DISK,
  DISK_DONE,
  DISPATCH_BEGIN,
  DISPATCH_END,
  FILL,
  FLUSH,
  KICK,
  MERGE,
  NOTHING,
  NOTIFY,
  OTHER,
  POLL_BEGIN,
  POP,
  READ,
  REQUEST_ROLE,
  SET_STATUS,
  STATUS,
  SUBMIT,
  WRITE,
} from './request-roles.ts';
import { METRICS, metricBuckets, P } from './stages.ts';
import { TracedQueue } from './traced-queue.ts';

/** Requests of a device that may wait for the guest's acknowledgement; the oldest are closed without. */
const MAX_WAITING = 4096;

/** What is known of one device between two records. */
interface DeviceState {
  /** Published with an interrupt, not acknowledged. */
  readonly waiting: TracedRequest[];
  readonly queues: TracedQueue[];
  lastClaim: number;
}

/**
 * Ties the records of each request together by its id, over all threads. A fold: its state after a batch is a
 * function of the records alone. Records of one device must come in the order of time.
 *
 * A busy disk writes a million records a second. Nothing is allocated for one: within, a record goes by its number in the
 * batch, since a time that is handed to a function is a number on the heap.
 */
export class RequestTracker {
  readonly log: RequestLog;
  readonly #queues = new Map<number, TracedQueue>();
  readonly #open = new OpenRequests();
  /** The queue asked for last: records of one come in rows. */
  #lastQueue: TracedQueue | undefined;
  /** Of the request that is being closed, by metric. */
  readonly #buckets = new Int16Array(METRICS.length);
  readonly #devices = new Map<number, DeviceState>();
  /** Requests that are over and logged, to be used again. Nothing else refers to them. */
  readonly #over: TracedRequest[] = [];
  /** By thread. */
  readonly #dispatches: DispatchStack[] = [];
  /** Of the batch that is being reduced. */
  #times: Float64Array = new Float64Array(0);
  #args: Uint32Array = new Uint32Array(0);
  readonly #firstGsi: number;
  /** By queue key: rings whose kicks carry no index (packed). */
  readonly packed = new Set<number>();
  /** Requests taken and not given back because the device was reset. */
  dropped = 0;

  constructor(firstGsi: number, capacity = 1 << 16) {
    this.#firstGsi = firstGsi;
    this.log = new RequestLog(capacity);
  }

  /** Virtqueues seen so far, those of block devices only. */
  blockQueues(): readonly TracedQueue[] {
    return [...this.#queues.values()].filter((queue) => queue.block);
  }

  queue(dev: number, queue: number): TracedQueue {
    const last = this.#lastQueue;
    if (last !== undefined && last.dev === dev && last.queue === queue) return last;
    return (this.#lastQueue = this.#queue(dev, queue));
  }

  #queue(dev: number, queue: number): TracedQueue {
    const key = queueKey(dev, queue);
    let state = this.#queues.get(key);
    if (state === undefined) {
      state = new TracedQueue(dev, queue);
      this.#queues.set(key, state);
      this.#device(dev).queues.push(state);
    }
    return state;
  }

  #device(dev: number): DeviceState {
    let device = this.#devices.get(dev);
    if (device === undefined) {
      device = { waiting: [], queues: [], lastClaim: -Infinity };
      this.#devices.set(dev, device);
    }
    return device;
  }

  /** Requests that are under way, oldest first: taken and not yet acknowledged, as far as their interrupt was not suppressed. */
  underWay(dev: number, queue: number): readonly TracedRequest[] {
    const { open, filled, flushed } = this.queue(dev, queue);
    const waiting = this.#device(dev).waiting.filter((request) => request.queue === queue);
    return [...waiting, ...flushed, ...filled, ...open];
  }

  /** Requests of the device that the guest has not acknowledged. */
  unacknowledged(dev: number, queue: number): number {
    const followed = this.#device(dev).waiting.filter((request) => request.queue === queue).length;
    return followed + this.queue(dev, queue).counted.waiting;
  }

  reduce(batch: TraceBatch): void {
    const { what } = batch;
    this.#times = batch.time;
    this.#args = batch.args;
    for (let i = 0; i < batch.count; i++) {
      const word = what[i] as number;
      const role = REQUEST_ROLE[word & 0xffff] as number;
      if (role !== NOTHING) this.#record(i, role, word >>> 16);
    }
  }

  #record(i: number, role: number, thread: number): void {
    const t = this.#times[i] as number;
    const args = this.#args;
    const at = i * TRACE_ARGS;
    const a0 = args[at] as number;
    const a1 = args[at + 1] as number;
    switch (role) {
      case POP:
        this.#pop(i, thread, this.queue(a0, a1));
        return;
      case READ:
      case WRITE: {
        const request = this.#open.get(a1);
        if (request === undefined) return;
        request.kind = role === READ ? 0 : 1;
        request.sector = (args[at + 2] as number) + (args[at + 3] as number) * 2 ** 32;
        request.bytes = args[at + 4] as number;
        this.queue(request.dev, request.queue).block = true;
        return;
      }
      case SUBMIT:
        this.#submitted(i, thread, a1);
        return;
      case DISK_DONE: {
        const request = this.#open.get(a1);
        if (request === undefined) return;
        request.times[P.complete] = t;
        this.queue(request.dev, request.queue).stats.count(t, C.completes);
        return;
      }
      case STATUS: {
        const request = this.#open.get(a1);
        if (request === undefined) {
          // Errors are recorded of all requests.
          if (args[at + 2] !== 0) this.queue(a0, queueOfRequest(a1)).stats.count(t, C.errors);
          return;
        }
        request.status = args[at + 2] as number;
        const queue = this.queue(request.dev, request.queue);
        queue.block = true;
        if (Number.isNaN(request.times[P.complete])) {
          request.times[P.complete] = t;
          // What was answered without the disk is not done by it.
          if (!Number.isNaN(request.times[P.submit])) queue.stats.count(t, C.completes);
        }
        if (request.status !== 0) queue.stats.count(t, C.errors);
        return;
      }
      case FILL: {
        const request = this.#open.get(args[at + 3] as number);
        if (request === undefined) return;
        this.#open.delete(request.req);
        const queue = this.queue(request.dev, request.queue);
        remove(queue.open, request);
        queue.filled.push(request);
        return;
      }
      case FLUSH:
        this.#flush(i, this.queue(a0, a1), args[at + 2] as number);
        return;
      case NOTIFY:
        this.#notify(i, this.queue(a0, a1), args[at + 2] !== 0);
        return;
      case CLAIM:
        this.#claim(i, a1 - this.#firstGsi);
        return;
      case ACKNOWLEDGE:
        this.#acknowledge(i, a0);
        return;
      case KICK:
        this.#kick(i, this.queue(a0, a1), args[at + 2] as number);
        return;
      case DISPATCH_BEGIN:
        (this.#dispatches[thread] ??= new DispatchStack()).push(t);
        return;
      case DISPATCH_END:
        this.#dispatches[thread]?.pop();
        return;
      case POLL_BEGIN:
        // Whatever was lost, a context that goes to sleep dispatches nothing.
        this.#dispatches[thread]?.clear();
        return;
      case MERGE:
        this.#merged(a1, args[at + 3] as number);
        return;
      case OTHER: {
        const request = this.#open.get(a1);
        if (request === undefined) return;
        request.kind = args[at + 2] === 4 ? 2 : 3;
        this.queue(request.dev, request.queue).block = true;
        return;
      }
      case COUNTED:
        this.#counted(i, thread, this.queue(a0, a1));
        return;
      case COUNTED_AT_DISK: {
        const queue = this.queue(a0, a1);
        const submitted = args[at + 2] as number;
        const completed = args[at + 3] as number;
        queue.block = true;
        queue.counted.disk += submitted - completed;
        queue.stats.count(t, C.submits, submitted);
        queue.stats.count(t, C.completes, completed);
        queue.stats.count(t, C.bytes, args[at + 4] as number);
        return;
      }
      case SET_STATUS:
        if (a1 === 0) this.#reset(a0);
        return;
    }
  }

  #kick(i: number, queue: TracedQueue, avail: number): void {
    const t = this.#times[i] as number;
    queue.kicks.add(t, avail);
    queue.stats.count(t, C.kicks);
    // Of equal times the kick may come second here: the request it announced has just been popped.
    if (queue.lastPop < t) return;
    for (const request of queue.open)
      if (Number.isNaN(request.times[P.kick]) && (request.times[P.pop] as number) >= t)
        request.times[P.kick] = t;
  }

  #pop(i: number, thread: number, queue: TracedQueue): void {
    const t = this.#times[i] as number;
    const args = this.#args;
    const at = i * TRACE_ARGS;
    const over = this.#over.pop();
    const request = over === undefined ? newRequest() : renewRequest(over);
    request.dev = queue.dev;
    request.queue = queue.queue;
    request.head = args[at + 2] as number;
    request.req = args[at + 3] as number;
    request.popThread = thread;
    request.diskThread = thread;
    const began = this.#dispatches[thread]?.innermost ?? Number.NaN;
    request.times[P.kick] = this.#kickOf(queue, args[at + 4] as number);
    request.times[P.dispatch] = began;
    request.times[P.pop] = t;
    this.#open.add(request);
    queue.open.push(request);
    queue.stats.count(t, C.pops);
    if (Number.isNaN(request.times[P.kick])) queue.stats.count(t, C.withoutKick);
    if (began !== queue.lastDispatch) queue.stats.count(t, C.dispatches);
    queue.lastDispatch = began;
    queue.lastPop = t;
  }

  /** The kick that announced the request before avail index `next`: a packed ring's kicks carry no index. */
  #kickOf(queue: TracedQueue, next: number): number {
    const { kicks } = queue;
    if (this.packed.has(queueKey(queue.dev, queue.queue))) return kicks.since(queue.lastPop);
    const kick = kicks.covering(next);
    kicks.taken(next);
    return kick;
  }

  /** Requests that lie in the leader's range and have not been submitted travel with it. */
  #merged(leaderReq: number, bytes: number): void {
    const leader = this.#open.get(leaderReq);
    if (leader === undefined) return;
    leader.leader = leaderReq;
    const end = leader.sector + bytes / 512;
    for (const other of this.queue(leader.dev, leader.queue).open) {
      const inside = other.sector >= leader.sector && other.sector < end && other.kind === leader.kind;
      if (inside && Number.isNaN(other.times[P.submit]) && other.leader === 0) other.leader = leaderReq;
    }
  }

  #submitted(i: number, thread: number, req: number): void {
    const t = this.#times[i] as number;
    const request = this.#open.get(req);
    // A write through a disk without write cache is followed by a flush of its own: the first counts.
    if (request === undefined || !Number.isNaN(request.times[P.submit])) return;
    const queue = this.queue(request.dev, request.queue);
    request.times[P.submit] = t;
    request.diskThread = thread;
    let submits = 1;
    if (request.leader === req)
      for (const other of queue.open) {
        if (other.leader !== req || other === request) continue;
        other.times[P.submit] = t;
        other.diskThread = thread;
        submits++;
      }
    queue.stats.count(t, C.submits, submits);
  }

  /** Sums of requests that are not followed: all that was taken of them was taken in one dispatch, the one that runs. */
  #counted(i: number, thread: number, queue: TracedQueue): void {
    const t = this.#times[i] as number;
    const args = this.#args;
    const at = i * TRACE_ARGS;
    const popped = args[at + 2] as number;
    queue.counted.open += popped - (args[at + 3] as number);
    if (popped === 0) return;
    queue.stats.count(t, C.pops, popped);
    const lastAvail = args[at + 4] as number;
    for (let before = popped - 1; before >= 0; before--) {
      if (Number.isNaN(this.#kickOf(queue, (lastAvail - before) & 0xffff)))
        queue.stats.count(t, C.withoutKick);
      queue.lastPop = t;
    }
    const began = this.#dispatches[thread]?.innermost ?? Number.NaN;
    if (began !== queue.lastDispatch) queue.stats.count(t, C.dispatches);
    queue.lastDispatch = began;
  }

  #flush(i: number, queue: TracedQueue, count: number): void {
    const t = this.#times[i] as number;
    const { flushed } = queue;
    this.#close(i, flushed);
    queue.flushed = queue.filled;
    queue.filled = flushed;
    for (const request of queue.flushed) request.times[P.used] = t;
    queue.counted.flush(count - queue.flushed.length);
    queue.stats.count(t, C.used, count);
  }

  #notify(i: number, queue: TracedQueue, suppressed: boolean): void {
    const t = this.#times[i] as number;
    const { flushed } = queue;
    queue.stats.count(t, suppressed ? C.suppressed : C.interrupts);
    queue.counted.notify(suppressed, MAX_WAITING);
    if (suppressed) {
      for (const request of flushed) request.suppressed = true;
      this.#close(i, flushed);
      return;
    }
    const { waiting, lastClaim } = this.#device(queue.dev);
    for (const request of flushed) {
      // Of equal times the claim may have come before.
      if (lastClaim >= t) request.times[P.claim] = lastClaim;
      waiting.push(request);
    }
    flushed.length = 0;
    if (waiting.length > MAX_WAITING) this.#close(i, waiting.splice(0, waiting.length - MAX_WAITING));
  }

  #claim(i: number, dev: number): void {
    const t = this.#times[i] as number;
    const device = this.#device(dev);
    device.lastClaim = t;
    for (const request of device.waiting)
      if (Number.isNaN(request.times[P.claim])) request.times[P.claim] = t;
  }

  #acknowledge(i: number, dev: number): void {
    const t = this.#times[i] as number;
    const { waiting, queues } = this.#device(dev);
    for (const request of waiting) {
      request.times[P.ack] = t;
      this.queue(dev, request.queue).stats.count(t, C.acks);
    }
    this.#close(i, waiting);
    for (const queue of queues) {
      const counted = queue.counted.acknowledge();
      if (counted > 0) queue.stats.count(t, C.acks, counted);
    }
  }

  /** The requests are over, as far as the trace shows them; the list is empty then. */
  #close(i: number, requests: TracedRequest[]): void {
    const t = this.#times[i] as number;
    const buckets = this.#buckets;
    for (const request of requests) {
      const queue = this.queue(request.dev, request.queue);
      if (!queue.block) continue;
      this.log.add(request);
      queue.stats.count(t, C.bytes, request.bytes);
      metricBuckets(request.times, buckets);
      queue.stats.latencies(t, buckets);
      queue.heat.add(t, buckets);
      this.#over.push(request);
    }
    requests.length = 0;
  }

  /** The driver reset the device: what was under way will not come back. */
  #reset(dev: number): void {
    for (const queue of this.#queues.values()) {
      if (queue.dev !== dev) continue;
      this.dropped += queue.open.length + Math.max(0, queue.counted.open);
      queue.counted.clear();
      for (const request of queue.open) this.#open.delete(request.req);
      queue.open.length = 0;
      queue.filled.length = 0;
      queue.flushed.length = 0;
      queue.kicks.clear();
    }
    this.#device(dev).waiting.length = 0;
  }
}

export const queueKey = (dev: number, queue: number): number => dev * 1024 + queue;

/** Which queue of its device a request was of (requestId). */
const queueOfRequest = (req: number): number => req & 15;

/** Takes one out of a list in order. A disk mostly ends what it began first, so it is near the front. */
function remove(list: TracedRequest[], request: TracedRequest): void {
  const at = list.indexOf(request);
  if (at < 0) return;
  for (let i = at + 1; i < list.length; i++) list[i - 1] = list[i] as TracedRequest;
  list.pop();
}

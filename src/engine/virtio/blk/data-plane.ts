import { assertUnreachable } from '../../base/assert.ts';
import { KiB, SECTOR_BYTES } from '../../base/brands.ts';
import {
  BLK_OK,
  type BlockBackend,
  type BlockErrno,
  type BlockResult,
  ENOSPC,
  ENOTSUP,
} from '../../block/block-backend.ts';
import { TRACE } from '../../trace/schema.ts';
import type { VirtioEnv } from '../env.ts';
import { VirtioDeviceLayout, VirtQueueLayout } from '../layout.ts';
import { copyElement, type DescriptorChain } from '../queue/chain.ts';
import { BatchQueueHandler } from '../batch-queue-handler.ts';
import type { QueueEvent } from '../queue-handler.ts';
import { type ParkedBlkRequest, parkedOf, restoreParked } from './parked.ts';
import { RequestBatch } from './batch.ts';
import { blkSerialBytes, type OnError, type VirtioBlkConfig } from './config.ts';
import { type BlkCompletion, type BlkLimits, parseBlkRequest, VirtioBlkRequest } from './request.ts';
import {
  BLK_CONFIG,
  type BlkStatus,
  VIRTIO_BLK_S_IOERR,
  VIRTIO_BLK_S_OK,
  VIRTIO_BLK_S_UNSUPP,
  VIRTIO_BLK_T_GET_ID,
  VIRTIO_BLK_T_IN,
} from './spec.ts';

const Q = VirtQueueLayout.at;

/** Within a batch, completions are published after so many bytes (K6): copying them takes longer than an interrupt. */
const PUBLISH_BYTES = 256 * KiB;
/** And after so many requests: a driver that waits has its next ones ready by the time the device asks for them. */
const PUBLISH_REQUESTS = 8;

/** What became of a failed request: QEMU's BlockErrorAction. */
export type BlockErrorAction = 'report' | 'ignore' | 'stop';

/** A backend error, as BLOCK_IO_ERROR tells it. Plain data. */
export interface BlkErrorReport {
  readonly dev: number;
  readonly queue: number;
  readonly operation: 'read' | 'write';
  readonly action: BlockErrorAction;
  readonly errno: BlockErrno;
  readonly nospace: boolean;
}

/** What to do about an error under a policy (QEMU's blk_get_error_action). */
export function blockErrorAction(policy: OnError, errno: BlockErrno): BlockErrorAction {
  switch (policy) {
    case 'enospc':
      return errno === ENOSPC ? 'stop' : 'report';
    case 'report':
    case 'ignore':
    case 'stop':
      return policy;
    default:
      return assertUnreachable(policy);
  }
}

/**
 * Serves one queue of a virtio-blk device (virtio 5.2) in the context that owns it. The backend is attached
 * to the same loop before, and detached after.
 *
 * Rules (tests bear the numbers):
 *  - K1 each request taken is answered exactly once, whatever the backend does and however often its queue
 *    moves.
 *  - K2 a flush is submitted after every write taken before it.
 *  - K3 with the cache off a write is answered only after a flush that followed it.
 *  - K4 requests are merged only with neighbours of the same direction, at most 32, and share their outcome.
 *  - K5 a stopped request keeps its buffer; `resume` submits it again, in this context.
 *  - K6 within a batch completions are published after each 256 KiB, and at the latest after eight requests.
 */
export class VirtioBlkDataPlane extends BatchQueueHandler implements BlkCompletion {
  readonly #config: VirtioBlkConfig;
  readonly #backend: BlockBackend;
  readonly #serial: Uint8Array;
  readonly #limits: BlkLimits;
  readonly #onError: (report: BlkErrorReport) => void;
  readonly #batch = new RequestBatch();
  readonly #free: VirtioBlkRequest[] = [];
  #parked: VirtioBlkRequest[] = [];

  /** @param onError told of every backend error, on this thread; `stop` asks for the machine to be stopped */
  constructor(
    env: VirtioEnv,
    index: number,
    notifier: QueueEvent,
    config: VirtioBlkConfig,
    backend: BlockBackend,
    onError: (report: BlkErrorReport) => void,
  ) {
    super(env, index, notifier);
    this.#config = config;
    this.#backend = backend;
    this.#onError = onError;
    this.#serial = blkSerialBytes(config.serial);
    this.#limits = {
      bytes: 0,
      readOnly: backend.readOnly,
      blockSize: config.logicalBlockSize,
      canDiscard: config.discard && backend.canDiscard,
      canWriteZeroes: config.writeZeroes,
      maxDiscardSectors: config.maxDiscardSectors,
      maxWriteZeroesSectors: config.maxWriteZeroesSectors,
    };
  }

  protected override handleChain(chain: DescriptorChain, nowNs: number): void {
    const { env } = this;
    const request = this.#free.pop() ?? new VirtioBlkRequest(env.dev, this);
    copyElement(chain, request);
    this.#limits.bytes = this.#backend.bytes;
    const verdict = parseBlkRequest(env.mem, chain, this.#limits, request);
    switch (verdict) {
      case 'submit':
        this.#accept(request, nowNs);
        return;
      case 'get-id':
        env.tracer.emitFor(
          request.followed,
          0,
          TRACE.virtio_blk_handle_other,
          env.dev,
          request.req,
          request.type,
        );
        this.state.addF64(Q.others, 1);
        request.data.fillZero(env.mem);
        request.data.copyFrom(env.mem, this.#serial);
        this.#finish(request, VIRTIO_BLK_S_OK);
        return;
      case 'nothing-to-do':
        this.#finish(request, VIRTIO_BLK_S_OK);
        return;
      case 'ioerr':
        this.#finish(request, VIRTIO_BLK_S_IOERR);
        return;
      case 'unsupp':
        this.#finish(request, VIRTIO_BLK_S_UNSUPP);
        return;
      case 'fault':
        this.#free.push(request);
        this.fail(request.fault);
        return;
      default:
        assertUnreachable(verdict);
    }
  }

  #accept(request: VirtioBlkRequest, nowNs: number): void {
    const { tracer, dev } = this.env;
    const { followed, req, type } = request;
    this.queue.counted.submitted += followed ? 0 : 1;
    if (request.kind !== 'read' && request.kind !== 'write') {
      tracer.emitFor(followed, 0, TRACE.virtio_blk_handle_other, dev, req, type);
      this.submitBatch(); // K2
      this.#backend.submit(request);
      return;
    }
    const event = request.kind === 'read' ? TRACE.virtio_blk_handle_read : TRACE.virtio_blk_handle_write;
    this.#traceRange(nowNs, event, request);
    if (!this.#config.requestMerging) {
      this.#backend.submit(request);
      return;
    }
    if (!this.#batch.takes(request)) this.submitBatch();
    this.#batch.add(request);
  }

  protected override submitBatch(): void {
    const batch = this.#batch;
    if (batch.count === 0) return;
    const { env } = this;
    this.#backend.plug();
    batch.merge();
    const write = batch.direction === 'write';
    let unpublished = 0;
    for (let i = 0; i < batch.count; i++) {
      const leader = batch.at(i);
      let followers = 0;
      for (let next = leader.merged; next !== undefined; next = next.merged) followers += 1;
      if (followers > 0) {
        this.state.addF64(write ? Q.writesMerged : Q.readsMerged, followers);
        env.tracer.emitFor(
          leader.followed,
          0,
          TRACE.virtio_blk_submit_multireq,
          env.dev,
          leader.req,
          followers + 1,
          leader.bytes,
          write ? 1 : 0,
        );
      }
      const { bytes } = leader;
      this.#backend.submit(leader);
      unpublished += bytes;
      const due = unpublished >= PUBLISH_BYTES || this.queue.unpublished >= PUBLISH_REQUESTS;
      if (due && i + 1 < batch.count) {
        this.queue.flush(); // K6
        unpublished = 0;
      }
    }
    batch.clear();
    this.#backend.unplug();
  }

  /** The backend has finished a request, and with it those merged into it. */
  requestDone(leader: VirtioBlkRequest, result: BlockResult): void {
    if (leader.flushing) {
      leader.flushing = false;
      leader.kind = 'write';
    } else if (leader.kind === 'write' && result === BLK_OK && !this.#writeCacheOn()) {
      leader.flushing = true;
      leader.kind = 'flush';
      this.#backend.submit(leader); // K3
      return;
    }
    if (leader.merged !== undefined) {
      leader.data.truncate(leader.dataBytes);
      leader.bytes = leader.dataBytes;
    }
    const nowNs = this.env.clock.nowNs();
    let request: VirtioBlkRequest | undefined = leader;
    while (request !== undefined) {
      const next: VirtioBlkRequest | undefined = request.merged;
      request.merged = undefined;
      const { followed, req } = request;
      this.env.tracer.emitFor(followed, nowNs, TRACE.virtio_blk_rw_complete, this.env.dev, req, result);
      if (result === BLK_OK) this.#succeed(request, nowNs);
      else this.#failed(request, result);
      request = next;
    }
  }

  #succeed(request: VirtioBlkRequest, nowNs: number): void {
    const { state } = this;
    const elapsed = nowNs - state.sinceNsAt(request.key);
    switch (request.kind) {
      case 'read':
        state.addF64(Q.reads, 1);
        state.addF64(Q.bytesRead, request.bytes);
        state.addF64(Q.readNs, elapsed);
        break;
      case 'write':
        state.addF64(Q.writes, 1);
        state.addF64(Q.bytesWritten, request.bytes);
        state.addF64(Q.writeNs, elapsed);
        break;
      case 'flush':
        state.addF64(Q.flushes, 1);
        state.addF64(Q.flushNs, elapsed);
        break;
      case 'discard':
      case 'write-zeroes':
        state.addF64(Q.unmaps, 1);
        state.addF64(Q.bytesUnmapped, request.bytes);
        break;
      default:
        assertUnreachable(request.kind);
    }
    this.#answer(request, VIRTIO_BLK_S_OK, nowNs);
  }

  #failed(request: VirtioBlkRequest, errno: BlockErrno): void {
    const operation = request.kind === 'read' ? 'read' : 'write';
    if (errno === ENOTSUP) {
      // The backend can't do this kind of request: an answer, not an error.
      this.#answer(request, VIRTIO_BLK_S_UNSUPP);
      return;
    }
    const policy = operation === 'read' ? this.#config.rerror : this.#config.werror;
    const action = blockErrorAction(policy, errno);
    switch (action) {
      case 'report':
        this.#answer(request, VIRTIO_BLK_S_IOERR);
        break;
      case 'ignore':
        this.#answer(request, VIRTIO_BLK_S_OK);
        break;
      case 'stop':
        this.#parked.push(request);
        this.park();
        break;
      default:
        assertUnreachable(action);
    }
    const { dev } = this.env;
    this.#onError({ dev, queue: this.index, operation, action, errno, nospace: errno === ENOSPC });
  }

  /** Answers a request that has been at the disk. */
  #answer(request: VirtioBlkRequest, status: BlkStatus, nowNs?: number): void {
    const { counted } = this.queue;
    counted.completed += request.followed ? 0 : 1;
    counted.bytes += request.followed ? 0 : request.bytes;
    this.#finish(request, status, nowNs);
  }

  /** Answers a request: the status byte, then the buffer. The one place where requests end. */
  #finish(request: VirtioBlkRequest, status: BlkStatus, nowNs = this.env.clock.nowNs()): void {
    const { env } = this;
    if (status !== VIRTIO_BLK_S_OK) this.state.addF64(Q.errors, 1);
    env.mem.u8[request.statusAddr] = status;
    // An error is recorded, followed or not.
    const followed = request.followed || status !== VIRTIO_BLK_S_OK;
    env.tracer.emitFor(followed, nowNs, TRACE.virtio_blk_req_complete, env.dev, request.req, status);
    // The length says how many bytes from the start were written (2.7.8.2); the status byte is the last.
    const fillsBuffer = request.type === VIRTIO_BLK_T_IN || request.type === VIRTIO_BLK_T_GET_ID;
    const whole = request.writableBytes === 1 || (status === VIRTIO_BLK_S_OK && fillsBuffer);
    this.complete(request, whole ? request.writableBytes : 0, nowNs);
    this.#free.push(request);
  }

  /** Requests held back by an error policy. */
  get parkedCount(): number {
    return this.#parked.length;
  }

  /** `cont`: submits the stopped requests again, in their order (K5). */
  resume(): void {
    const parked = this.#parked;
    if (parked.length === 0 || this.life !== 'serving') return;
    this.#parked = [];
    for (const request of parked) {
      this.unpark();
      this.#backend.submit(request);
    }
  }

  /** Takes the stopped requests out, for the context the queue moves to. Only when drained. */
  takeParked(): ParkedBlkRequest[] {
    const parked = this.#parked;
    this.#parked = [];
    return parked.map((request) => {
      this.#free.push(request);
      return parkedOf(request);
    });
  }

  /** The other end of `takeParked`, after `attach`. */
  adoptParked(parked: readonly ParkedBlkRequest[]): void {
    for (const from of parked) {
      const request = this.#free.pop() ?? new VirtioBlkRequest(this.env.dev, this);
      restoreParked(from, request);
      this.#parked.push(request);
    }
  }

  protected override hurry(): void {
    // Lets throttled requests go (B8); our own in-flight count says when they are done.
    this.#backend.drain(() => {});
  }

  #writeCacheOn(): boolean {
    const at = this.env.slotAddr + VirtioDeviceLayout.at.config + BLK_CONFIG.writeback;
    return this.env.mem.u8[at] !== 0;
  }

  #traceRange(nowNs: number, event: number, request: VirtioBlkRequest): void {
    const { tracer, dev } = this.env;
    if (!tracer.enabled(event)) return;
    const { followed, req, bytes } = request;
    const sector = request.offset / SECTOR_BYTES;
    const high = Math.floor(sector / 0x1_0000_0000);
    tracer.emitFor(followed, nowNs, event, dev, req, sector >>> 0, high, bytes);
  }
}

import type { AioLoop, AioTimer } from '../qcontext/aio-interface.ts';
import { BLK_OK, type BlockBackend, type BlockRequest, type BlockResult } from './block-backend.ts';
import { FilterBackend } from './filter-backend.ts';
import type { ThrottleBucketName, ThrottleLimit, ThrottleLimits } from './throttle-limits.ts';

type Direction = 'read' | 'write';
const NS = 1e9;

/** A leaky bucket: requests pour in, time lets it leak, and while it is too full the next one waits. */
class Bucket {
  readonly #limit: ThrottleLimit;
  #level = 0;
  /** Fill above the burst rate, when bursts may last longer than a second. */
  #burstLevel = 0;

  constructor(limit: ThrottleLimit) {
    this.#limit = limit;
  }

  leak(deltaNs: number): void {
    const { avg, max } = this.#limit;
    this.#level = Math.max(0, this.#level - (avg * deltaNs) / NS);
    this.#burstLevel = Math.max(0, this.#burstLevel - (max * deltaNs) / NS);
  }

  /** ns until the next request may go. */
  waitNs(): number {
    const { avg, max, maxLength } = this.#limit;
    if (avg === 0) return 0;
    // Without an explicit burst, a tenth of a second: else every other request of a steady stream would wait.
    const size = max > 0 ? max * maxLength : avg / 10;
    if (this.#level > size) return ((this.#level - size) / avg) * NS;
    if (maxLength > 1 && this.#burstLevel > max / 10) return ((this.#burstLevel - max / 10) / max) * NS;
    return 0;
  }

  pour(units: number): void {
    if (this.#limit.avg === 0) return;
    this.#level += units;
    this.#burstLevel += units;
  }
}

/**
 * I/O limits: QEMU's `throttle` filter with its semantics (docs/throttle.txt). Reads and writes wait in two
 * queues, in order; flushes, discards and write-zeroes are not limited.
 */
export class ThrottleBackend extends FilterBackend {
  readonly #queues: Record<Direction, BlockRequest[]> = { read: [], write: [] };
  #limits: ThrottleLimits;
  #buckets!: Record<ThrottleBucketName, Bucket>;
  #aio: AioLoop | undefined;
  #timer: AioTimer | undefined;
  #leakedNs = 0;

  constructor(nodeName: string, child: BlockBackend, limits: ThrottleLimits) {
    super(nodeName, child);
    this.#limits = limits;
    this.#fillBuckets();
  }

  get limits(): ThrottleLimits {
    return this.#limits;
  }

  /** `block_set_io_throttle`: new limits with empty buckets; what waits is looked at anew. Home thread. */
  setLimits(limits: ThrottleLimits): void {
    this.#limits = limits;
    this.#fillBuckets();
    this.#pump();
  }

  override async attach(aio: AioLoop): Promise<BlockResult> {
    const result = await super.attach(aio);
    if (result !== BLK_OK) return result;
    this.#aio = aio;
    this.#timer = aio.timerNew(`throttle ${this.nodeName}`, () => this.#pump());
    this.#leakedNs = aio.nowNs();
    return BLK_OK;
  }
  override detach(durable = true): Promise<BlockResult> {
    this.#timer?.del();
    this.#timer = undefined;
    this.#aio = undefined;
    return super.detach(durable);
  }

  override submit(request: BlockRequest): void {
    this.begin();
    if (request.kind !== 'read' && request.kind !== 'write') {
      this.pass(request);
      return;
    }
    this.#queues[request.kind].push(request);
    this.#pump();
  }

  protected override releaseHeld(): void {
    for (const direction of ['read', 'write'] as const) {
      for (const request of this.#queues[direction].splice(0)) this.#go(direction, request);
    }
    this.#timer?.del();
  }

  /** Requests that wait. */
  get held(): number {
    return this.#queues.read.length + this.#queues.write.length;
  }

  #pump(): void {
    this.#leak();
    let next = Infinity;
    for (const direction of ['read', 'write'] as const) {
      const queue = this.#queues[direction];
      while (queue.length > 0) {
        const wait = this.#waitNs(direction);
        if (wait > 0) {
          next = Math.min(next, wait);
          break;
        }
        this.#go(direction, queue.shift() as BlockRequest);
      }
    }
    if (next === Infinity) this.#timer?.del();
    else this.#timer?.modNs((this.#aio as AioLoop).nowNs() + Math.ceil(next));
  }

  #go(direction: Direction, request: BlockRequest): void {
    const { iopsSize } = this.#limits;
    const operations = iopsSize > 0 ? Math.max(1, request.bytes / iopsSize) : 1;
    this.#buckets['bps-total'].pour(request.bytes);
    this.#buckets[`bps-${direction}`].pour(request.bytes);
    this.#buckets['iops-total'].pour(operations);
    this.#buckets[`iops-${direction}`].pour(operations);
    this.pass(request);
  }

  #waitNs(direction: Direction): number {
    const buckets = this.#buckets;
    return Math.max(
      buckets['bps-total'].waitNs(),
      buckets['iops-total'].waitNs(),
      buckets[`bps-${direction}`].waitNs(),
      buckets[`iops-${direction}`].waitNs(),
    );
  }

  #leak(): void {
    const now = this.#aio?.nowNs() ?? this.#leakedNs;
    const delta = now - this.#leakedNs;
    this.#leakedNs = now;
    for (const bucket of Object.values(this.#buckets)) bucket.leak(delta);
  }

  #fillBuckets(): void {
    const { buckets } = this.#limits;
    this.#buckets = {
      'bps-total': new Bucket(buckets['bps-total']),
      'bps-read': new Bucket(buckets['bps-read']),
      'bps-write': new Bucket(buckets['bps-write']),
      'iops-total': new Bucket(buckets['iops-total']),
      'iops-read': new Bucket(buckets['iops-read']),
      'iops-write': new Bucket(buckets['iops-write']),
    };
  }
}

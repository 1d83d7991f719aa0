import { assert } from '../../base/assert.ts';
import { MiB } from '../../base/brands.ts';
import { CHAIN_SEGMENTS_MAX } from '../spec.ts';
import type { VirtioBlkRequest } from './request.ts';

/** QEMU's VIRTIO_BLK_MAX_MERGE_REQS. */
export const BATCH_MAX = 32;
/** A merged request grows no longer: beyond this, one call more costs nothing beside the bytes. */
export const MERGED_BYTES_MAX = MiB;

/** Reads or writes gathered in one run of a queue's handler, to be submitted in disk order. */
export class RequestBatch {
  readonly #requests: (VirtioBlkRequest | undefined)[] = Array.from({ length: BATCH_MAX });
  /** Their places on the disk, for sorting: numbers side by side are compared faster than objects. */
  readonly #offsets = new Float64Array(BATCH_MAX);
  count = 0;

  /** The kind of all requests in it. */
  get direction(): VirtioBlkRequest['kind'] {
    return this.at(0).kind;
  }

  at(index: number): VirtioBlkRequest {
    const request = this.#requests[index];
    assert(request !== undefined, 'batch: index out of range');
    return request;
  }

  /** May `request` join? */
  takes(request: VirtioBlkRequest): boolean {
    return this.count === 0 || (this.count < BATCH_MAX && this.direction === request.kind);
  }

  add(request: VirtioBlkRequest): void {
    assert(this.takes(request), 'batch: full, or of another direction');
    this.#requests[this.count++] = request;
  }

  clear(): void {
    this.#requests.fill(undefined, 0, this.count);
    this.count = 0;
  }

  /**
   * Sorts by place on the disk and joins what is adjacent: afterwards the batch holds the leaders, each with
   * the requests that travel inside it behind `merged`.
   */
  merge(): void {
    if (this.count < 2) return;
    this.#sort();
    let leaders = 1;
    let leader = this.at(0);
    let last = leader;
    for (let i = 1; i < this.count; i++) {
      const request = this.at(i);
      const joins =
        leader.offset + leader.bytes === request.offset &&
        leader.bytes + request.bytes <= MERGED_BYTES_MAX &&
        leader.data.count + request.data.count <= CHAIN_SEGMENTS_MAX;
      if (joins) {
        leader.data.addAll(request.data);
        leader.bytes += request.bytes;
        last.merged = request;
        last = request;
      } else {
        this.#requests[leaders++] = request;
        leader = request;
        last = request;
      }
    }
    this.#requests.fill(undefined, leaders, this.count);
    this.count = leaders;
  }

  /** Insertion sort: at most 32, nearly always in order already, and stable (equal places keep their order). */
  #sort(): void {
    const requests = this.#requests;
    const offsets = this.#offsets;
    for (let i = 0; i < this.count; i++) {
      const request = this.at(i);
      const { offset } = request;
      let j = i;
      while (j > 0 && (offsets[j - 1] as number) > offset) {
        requests[j] = requests[j - 1];
        offsets[j] = offsets[j - 1] as number;
        j -= 1;
      }
      requests[j] = request;
      offsets[j] = offset;
    }
  }
}

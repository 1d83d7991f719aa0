import { IoVector } from '../base/io-vector.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { BLK_OK, type BlockResult, ENOSPC, ENOTSUP } from './block-backend.ts';
import type { DiskStore } from './disk-store.ts';
import { CLUSTER_BYTES, eachCluster, type MemoryStore } from './memory-store.ts';

/**
 * `snapshot=on`: reads what was never written from the image below, writes into memory above, and forgets it
 * all when the machine ends. The image is never changed.
 */
export class OverlayStore implements DiskStore {
  readonly readOnly = false;
  readonly canDiscard = true;
  readonly #mem: SharedMemory;
  readonly #base: DiskStore;
  readonly #top: MemoryStore;
  readonly #run = new IoVector();

  /** @param top memory allocated with the size of `base`; from then on its size is the disk's */
  constructor(mem: SharedMemory, base: DiskStore, top: MemoryStore) {
    this.#mem = mem;
    this.#base = base;
    this.#top = top;
  }

  get bytes(): number {
    return this.#top.bytes;
  }

  read(iov: IoVector, offset: number): BlockResult {
    for (let done = 0; done < iov.bytes; ) {
      const bytes = this.#runLength(offset + done, iov.bytes - done);
      const result = this.#readRun(this.#slice(iov, done, bytes), offset + done);
      if (result !== BLK_OK) return result;
      done += bytes;
    }
    return BLK_OK;
  }

  readInto(into: Uint8Array, offset: number): BlockResult {
    return eachCluster(offset, into.length, (cluster, skip, length) => {
      const from = cluster * CLUSTER_BYTES + skip;
      const piece = into.subarray(from - offset, from - offset + length);
      return this.#top.has(cluster) ? this.#top.readInto(piece, from) : this.#readBase(piece, from);
    });
  }

  write(iov: IoVector, offset: number): BlockResult {
    const end = offset + iov.bytes;
    // Only the first and the last cluster can be written in part.
    for (const at of [offset, end]) {
      if (at % CLUSTER_BYTES === 0) continue;
      const result = this.#copyUp(Math.floor(at / CLUSTER_BYTES));
      if (result !== BLK_OK) return result;
    }
    return this.#top.write(iov, offset);
  }

  flush(): BlockResult {
    return BLK_OK; // nothing here outlives the machine
  }

  discard(offset: number, bytes: number): BlockResult {
    return this.writeZeroes(offset, bytes);
  }

  writeZeroes(offset: number, bytes: number): BlockResult {
    return eachCluster(offset, bytes, (cluster, skip, length) => {
      if (length === CLUSTER_BYTES) {
        this.#top.zeroCluster(cluster);
        return BLK_OK;
      }
      const result = this.#copyUp(cluster);
      if (result !== BLK_OK) return result;
      return this.#top.writeZeroes(cluster * CLUSTER_BYTES + skip, length);
    });
  }

  /** Grows only: behind a smaller size the image below would show again after growing back. */
  resize(bytes: number): BlockResult {
    return bytes < this.bytes ? ENOTSUP : this.#top.resize(bytes);
  }

  close(): void {
    this.#base.close();
  }

  /** Makes a cluster exist above with the bytes it has below. */
  #copyUp(cluster: number): BlockResult {
    if (this.#top.has(cluster)) return BLK_OK;
    const below = new Uint8Array(CLUSTER_BYTES);
    const result = this.#readBase(below, cluster * CLUSTER_BYTES);
    if (result !== BLK_OK) return result;
    const above = this.#top.claimCluster(cluster);
    if (above === undefined) return ENOSPC;
    above.set(below);
    return BLK_OK;
  }

  /** How many bytes from `offset` on, at most `limit`, lie on the same side, above or below. */
  #runLength(offset: number, limit: number): number {
    const first = Math.floor(offset / CLUSTER_BYTES);
    const above = this.#top.has(first);
    let cluster = first + 1;
    while (cluster * CLUSTER_BYTES < offset + limit && this.#top.has(cluster) === above) cluster += 1;
    return Math.min(limit, cluster * CLUSTER_BYTES - offset);
  }

  #readRun(iov: IoVector, offset: number): BlockResult {
    if (this.#top.has(Math.floor(offset / CLUSTER_BYTES))) return this.#top.read(iov, offset);
    const below = Math.max(0, Math.min(iov.bytes, this.#base.bytes - offset));
    if (below === iov.bytes) return this.#base.read(iov, offset);
    // Grown beyond the image: B5.
    iov.fillZero(this.#mem);
    if (below === 0) return BLK_OK;
    const part = new IoVector();
    part.addSlice(iov, 0, below);
    return this.#base.read(part, offset);
  }

  #readBase(into: Uint8Array, offset: number): BlockResult {
    const below = Math.max(0, Math.min(into.length, this.#base.bytes - offset));
    if (below < into.length) into.fill(0, below);
    return below === 0 ? BLK_OK : this.#base.readInto(into.subarray(0, below), offset);
  }

  #slice(iov: IoVector, offset: number, bytes: number): IoVector {
    if (bytes === iov.bytes) return iov;
    this.#run.clear();
    this.#run.addSlice(iov, offset, bytes);
    return this.#run;
  }
}

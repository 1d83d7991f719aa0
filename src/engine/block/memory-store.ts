import { assert } from '../base/assert.ts';
import { KiB } from '../base/brands.ts';
import type { IoVector } from '../base/io-vector.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { struct } from '../base/struct.ts';
import { BLK_OK, type BlockResult, ENOSPC } from './block-backend.ts';
import type { DiskStore } from './disk-store.ts';

/** Unit of allocation: a file system's block, so that its writes never need the rest of a cluster. */
export const CLUSTER_BYTES = 4 * KiB;
const WASM_PAGE = 64 * KiB;
/** Table entries: nothing was written; zeroes, without a place; else the place plus 1. */
const ABSENT = 0;
const ZERO = 0xffff_ffff;

/** Head of a memory disk's memory; the table follows, then the data. */
export const MemoryDiskLayout = struct(
  'MemoryDisk',
  {
    /** Size of the disk in bytes. */
    bytes: 'f64',
    /** Entries of the table: clusters the disk can have. */
    tableClusters: 'u32',
    /** Clusters of data there is room for, and how many have ever been taken. */
    dataClusters: 'u32',
    taken: 'u32',
    /** First cluster of the free list plus 1, 0 for none; each free cluster begins with the next one's. */
    free: 'u32',
  },
  64,
);

/**
 * A disk in memory of its own, sparse: a table says where each 4 KiB cluster of the disk is, if anywhere. The memory is shared, so that whichever context owns the disk finds the same
 * bytes; handing it over is the owners' business, nothing here is atomic.
 */
export class MemoryStore implements DiskStore {
  readonly canDiscard = true;
  readonly readOnly: boolean;
  readonly #mem: SharedMemory;
  readonly #arena: SharedMemory;
  readonly #data: number;

  /**
   * @param mem the machine's memory, where requests point to
   * @param arena memory made by `allocate`
   */
  constructor(mem: SharedMemory, arena: SharedMemory, readOnly = false) {
    this.#mem = mem;
    this.#arena = arena;
    this.readOnly = readOnly;
    this.#data = dataOffset(this.#word('tableClusters'));
  }

  /**
   * Makes the memory of a disk: address space for `capacity` bytes of data, real memory only for what is
   * written. Any thread; post the result to those that will own the disk.
   *
   * @param maxBytes how far the disk can be resized
   */
  static allocate(
    bytes: number,
    options: { readonly capacity?: number; readonly maxBytes?: number } = {},
  ): WebAssembly.Memory {
    const tableClusters = Math.ceil(Math.max(bytes, options.maxBytes ?? bytes) / CLUSTER_BYTES);
    const dataClusters = Math.ceil(
      Math.min(options.capacity ?? Infinity, tableClusters * CLUSTER_BYTES) / CLUSTER_BYTES,
    );
    const pages = Math.ceil((dataOffset(tableClusters) + dataClusters * CLUSTER_BYTES) / WASM_PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const arena = new SharedMemory(memory);
    arena.storeF64(MemoryDiskLayout.at.bytes, bytes);
    arena.store32(MemoryDiskLayout.at.tableClusters, tableClusters);
    arena.store32(MemoryDiskLayout.at.dataClusters, dataClusters);
    return memory;
  }

  get bytes(): number {
    return this.#arena.loadF64(MemoryDiskLayout.at.bytes);
  }
  /** Clusters that hold data now. */
  get allocatedClusters(): number {
    let free = 0;
    for (let next = this.#word('free'); next !== 0; free++)
      next = this.#arena.u32[this.#place(next) >>> 2] as number;
    return this.#word('taken') - free;
  }

  /** Was anything written to this cluster of the disk? */
  has(cluster: number): boolean {
    return this.#entry(cluster) !== ABSENT;
  }

  /**
   * View of the bytes of a cluster, for writing all of it or, where `has` it, a part; undefined when the
   * memory is used up. The bytes of a cluster that was not there are those of whoever had the place before.
   */
  claimCluster(cluster: number): Uint8Array | undefined {
    let entry = this.#entry(cluster);
    if (entry === ABSENT || entry === ZERO) {
      const place = this.#take();
      if (place === 0) return undefined;
      if (entry === ZERO) this.#view(place).fill(0);
      entry = place;
      this.#setEntry(cluster, entry);
    }
    return this.#view(entry);
  }

  /** Makes a cluster zeroes that `has` it, and gives its place back. */
  zeroCluster(cluster: number): void {
    this.#release(cluster, ZERO);
  }

  read(iov: IoVector, offset: number): BlockResult {
    return eachPiece(iov, offset, (addr, cluster, skip, length) => {
      this.#copyOut(cluster, skip, this.#mem.bytes(addr, length));
      return BLK_OK;
    });
  }

  readInto(into: Uint8Array, offset: number): BlockResult {
    for (let done = 0; done < into.length; ) {
      const skip = (offset + done) % CLUSTER_BYTES;
      const piece = into.subarray(done, done + CLUSTER_BYTES - skip);
      this.#copyOut(Math.floor((offset + done) / CLUSTER_BYTES), skip, piece);
      done += piece.length;
    }
    return BLK_OK;
  }

  write(iov: IoVector, offset: number): BlockResult {
    return eachPiece(iov, offset, (addr, cluster, skip, length) => {
      const absent = !this.has(cluster);
      const bytes = this.claimCluster(cluster);
      if (bytes === undefined) return ENOSPC;
      if (absent && length < CLUSTER_BYTES) bytes.fill(0);
      bytes.set(this.#mem.bytes(addr, length), skip);
      return BLK_OK;
    });
  }

  flush(): BlockResult {
    return BLK_OK;
  }

  discard(offset: number, bytes: number): BlockResult {
    return this.writeZeroes(offset, bytes);
  }

  writeZeroes(offset: number, bytes: number): BlockResult {
    eachCluster(offset, bytes, (cluster, skip, length) => {
      if (length === CLUSTER_BYTES) this.#release(cluster, ABSENT);
      else if (this.#hasPlace(cluster)) this.#view(this.#entry(cluster)).fill(0, skip, skip + length);
      return BLK_OK;
    });
    return BLK_OK;
  }

  resize(bytes: number): BlockResult {
    if (bytes > this.#word('tableClusters') * CLUSTER_BYTES) return ENOSPC;
    if (bytes < this.bytes) this.writeZeroes(bytes, this.bytes - bytes);
    this.#arena.storeF64(MemoryDiskLayout.at.bytes, bytes);
    return BLK_OK;
  }

  close(): void {}

  #take(): number {
    const free = this.#word('free');
    if (free !== 0) {
      this.#arena.store32(MemoryDiskLayout.at.free, this.#arena.u32[this.#place(free) >>> 2] as number);
      return free;
    }
    const taken = this.#word('taken');
    if (taken >= this.#word('dataClusters')) return 0;
    this.#arena.store32(MemoryDiskLayout.at.taken, taken + 1);
    return taken + 1;
  }
  /** Sets a table entry that needs no place and puts the place it had on the free list. */
  #release(cluster: number, entry: typeof ABSENT | typeof ZERO): void {
    if (this.#hasPlace(cluster)) {
      const place = this.#entry(cluster);
      this.#arena.u32[this.#place(place) >>> 2] = this.#word('free');
      this.#arena.store32(MemoryDiskLayout.at.free, place);
    }
    this.#setEntry(cluster, entry);
  }
  #copyOut(cluster: number, skip: number, into: Uint8Array): void {
    if (this.#hasPlace(cluster))
      into.set(this.#view(this.#entry(cluster)).subarray(skip, skip + into.length));
    else into.fill(0); // B5
  }

  #word(field: 'tableClusters' | 'dataClusters' | 'taken' | 'free'): number {
    return this.#arena.load32(MemoryDiskLayout.at[field]);
  }
  #entry(cluster: number): number {
    assert(cluster < this.#word('tableClusters'), 'MemoryStore: cluster beyond the table');
    return this.#arena.u32[(MemoryDiskLayout.size >>> 2) + cluster] as number;
  }
  #setEntry(cluster: number, entry: number): void {
    this.#arena.u32[(MemoryDiskLayout.size >>> 2) + cluster] = entry;
  }
  #hasPlace(cluster: number): boolean {
    const entry = this.#entry(cluster);
    return entry !== ABSENT && entry !== ZERO;
  }
  #view(entry: number): Uint8Array {
    return this.#arena.bytes(this.#place(entry), CLUSTER_BYTES);
  }
  #place(entry: number): number {
    return this.#data + (entry - 1) * CLUSTER_BYTES;
  }
}

/** Bytes from the start of a memory disk's memory that say anything; the rest was never used. */
export const memoryDiskUsed = (arena: SharedMemory): number =>
  dataOffset(arena.load32(MemoryDiskLayout.at.tableClusters)) +
  arena.load32(MemoryDiskLayout.at.taken) * CLUSTER_BYTES;

const dataOffset = (tableClusters: number): number =>
  Math.ceil((MemoryDiskLayout.size + tableClusters * 4) / CLUSTER_BYTES) * CLUSTER_BYTES;

/**
 * Cuts a request at segment and cluster borders; stops at the first result that is not BLK_OK.
 *
 * @param piece gets the address in the machine's memory, the disk's cluster, the first byte in it and the length
 */
export function eachPiece(
  iov: IoVector,
  offset: number,
  piece: (addr: number, cluster: number, skip: number, length: number) => BlockResult,
): BlockResult {
  let at = offset;
  for (let i = 0; i < iov.count; i++) {
    let addr = iov.addrs[i] as number;
    let left = iov.lengths[i] as number;
    while (left > 0) {
      const skip = at % CLUSTER_BYTES;
      const length = Math.min(CLUSTER_BYTES - skip, left);
      const result = piece(addr, Math.floor(at / CLUSTER_BYTES), skip, length);
      if (result !== BLK_OK) return result;
      addr += length;
      at += length;
      left -= length;
    }
  }
  return BLK_OK;
}

/** Cuts a range at cluster borders; stops at the first result that is not BLK_OK. */
export function eachCluster(
  offset: number,
  bytes: number,
  visit: (cluster: number, skip: number, length: number) => BlockResult,
): BlockResult {
  const end = offset + bytes;
  for (let at = offset; at < end; ) {
    const skip = at % CLUSTER_BYTES;
    const length = Math.min(CLUSTER_BYTES - skip, end - at);
    const result = visit(Math.floor(at / CLUSTER_BYTES), skip, length);
    if (result !== BLK_OK) return result;
    at += length;
  }
  return BLK_OK;
}

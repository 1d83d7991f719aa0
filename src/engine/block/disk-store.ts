import type { IoVector } from '../base/io-vector.ts';
import type { BlockResult } from './block-backend.ts';

/**
 * Storage that answers at once: a file through synchronous calls, memory, an overlay of the two.
 * `StoreBackend` makes a BlockBackend of it. Belongs to one thread; ranges are inside `bytes` and multiples
 * of 512, and writes come only to what is writable: the caller has checked.
 */
export interface DiskStore {
  /** Size in bytes, a multiple of 512. */
  readonly bytes: number;
  readonly readOnly: boolean;
  readonly canDiscard: boolean;
  read(iov: IoVector, offset: number): BlockResult;
  /** As `read`, to anywhere: for a store that lies on top of this one. */
  readInto(into: Uint8Array, offset: number): BlockResult;
  write(iov: IoVector, offset: number): BlockResult;
  flush(): BlockResult;
  /** Only where `canDiscard`: the range may read as anything but is given as zeroes. */
  discard(offset: number, bytes: number): BlockResult;
  writeZeroes(offset: number, bytes: number, mayUnmap: boolean): BlockResult;
  resize(bytes: number): BlockResult;
  /** Lets go of what is behind it; nothing is called afterwards. */
  close(): void;
}

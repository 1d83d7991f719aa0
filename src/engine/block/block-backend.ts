import type { IoVector } from '../base/io-vector.ts';
import type { AioLoop } from '../qcontext/aio-interface.ts';

/**
 * Outcome of a block request: 0, or an errno. A closed set, numbered as Linux does so that traces and
 * `BLOCK_IO_ERROR` read as people expect.
 */
export const BLK_OK = 0;
export const EIO = 5;
export const EINVAL = 22;
export const ENOSPC = 28;
export const EROFS = 30;
export const ENOTSUP = 95;
export const ENOMEDIUM = 123;
export type BlockErrno =
  | typeof EIO
  | typeof EINVAL
  | typeof ENOSPC
  | typeof EROFS
  | typeof ENOTSUP
  | typeof ENOMEDIUM;
export type BlockResult = typeof BLK_OK | BlockErrno;

/** Name of an outcome, for messages. */
export function blockResultName(result: BlockResult): string {
  switch (result) {
    case BLK_OK:
      return 'OK';
    case EIO:
      return 'EIO';
    case EINVAL:
      return 'EINVAL';
    case ENOSPC:
      return 'ENOSPC';
    case EROFS:
      return 'EROFS';
    case ENOTSUP:
      return 'ENOTSUP';
    case ENOMEDIUM:
      return 'ENOMEDIUM';
  }
}

export type BlockRequestKind = 'read' | 'write' | 'flush' | 'discard' | 'write-zeroes';

/**
 * One request to a backend. The object belongs to the submitter, who preallocates and reuses it; between
 * `submit` and `complete` the backend alone uses it and nobody changes it.
 */
export interface BlockRequest {
  readonly kind: BlockRequestKind;
  /** First byte on the disk; a multiple of 512, except that flush ignores it. Exact up to 2^53. */
  readonly offset: number;
  /** Length in bytes: `iov.bytes` for read and write, the range for discard and write-zeroes, 0 for flush. */
  readonly bytes: number;
  /** Where the bytes are or go in the machine's shared memory; empty but for read and write. */
  readonly iov: IoVector;
  /** write-zeroes: the range may be deallocated as long as it reads as zeroes. */
  readonly mayUnmap: boolean;
  /** Request id and device, for trace events. */
  readonly id: number;
  readonly dev: number;
  /** Its trace events are recorded; else they are counted. */
  readonly followed: boolean;
  /**
   * Called by the backend exactly once, on the thread of the loop it is attached to, possibly from inside
   * `submit`. Anything else than BLK_OK says that none of the bytes may be relied on.
   */
  complete(result: BlockResult): void;
}

/**
 * What a block device asks of the thing that keeps its bytes. One object per context that uses it: all
 * methods are for the thread of the loop it is attached to, and nothing here crosses threads.
 *
 * Life: detached → `attach` → attached → `drain` → `detach` → detached. `submit` is allowed while attached.
 *
 * Rules (the conformance suite bears the numbers):
 *  - B1 every submitted request is completed exactly once.
 *  - B2 `inFlight` counts from before `submit` acts until `complete` has returned.
 *  - B3 a range that ends beyond `bytes` completes with EINVAL (the device checks first; the backend does too).
 *  - B4 a write to a read-only backend completes with EROFS.
 *  - B5 a read of what was never written gives zeroes.
 *  - B6 writes that completed before a flush was submitted are durable when the flush completes with BLK_OK.
 *  - B7 a short write is ENOSPC, never success.
 *  - B8 `drain` calls back once `inFlight` is 0; throttled requests are let go at once to get there.
 */
export interface BlockBackend {
  /** Node name, as `-blockdev node-name=` and query-block show it. */
  readonly nodeName: string;
  /** Size in bytes now; a multiple of 512. */
  readonly bytes: number;
  readonly readOnly: boolean;
  /** Can ranges be discarded (deallocated)? Where not, discard completes with ENOTSUP. */
  readonly canDiscard: boolean;
  /** Requests submitted and not completed. */
  readonly inFlight: number;

  /**
   * Takes up residence in a context: opens what has to be opened by the thread that uses it. Resolves with
   * BLK_OK, after which `bytes` is right, or with what stands in the way (and stays detached).
   */
  attach(aio: AioLoop): Promise<BlockResult>;
  /**
   * Lets go of the loop and the file, after making what was written durable unless `durable` is false: a disk
   * that only changes hands is not flushed on the way. Only with nothing in flight.
   */
  detach(durable?: boolean): Promise<BlockResult>;

  /** Hands over one request. The backend traces `blk_co_preadv` and its like when it begins to work on it. */
  submit(request: BlockRequest): void;
  /**
   * Between `plug` and `unplug` the backend may hold requests back to start them together (QEMU's
   * blk_io_plug): a device brackets each batch. Calls nest.
   */
  plug(): void;
  unplug(): void;

  /** Calls `done` once nothing is in flight; from inside the call if that is so already. */
  drain(done: () => void): void;

  /** Changes the size; resolves with the outcome and then tells `onResize`. */
  resize(bytes: number): Promise<BlockResult>;
  /** Told after each change of `bytes` (block_resize, a file that grew). One listener. */
  onResize: (() => void) | undefined;
}

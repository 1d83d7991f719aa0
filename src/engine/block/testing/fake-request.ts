import { IoVector } from '../../base/io-vector.ts';
import type { BlockRequest, BlockRequestKind, BlockResult } from '../block-backend.ts';

/** A request that remembers how it ended. */
export class FakeRequest implements BlockRequest {
  readonly kind: BlockRequestKind;
  readonly offset: number;
  readonly bytes: number;
  readonly iov = new IoVector();
  readonly mayUnmap = false;
  readonly id = 1;
  readonly followed: boolean = true;
  dev = 0;
  readonly results: BlockResult[] = [];
  onComplete: ((result: BlockResult) => void) | undefined;

  /** @param pieces (address, length) pairs in the machine's memory, for reads and writes */
  constructor(
    kind: BlockRequestKind,
    offset = 0,
    pieces: readonly (readonly [addr: number, length: number])[] = [],
    bytes?: number,
  ) {
    this.kind = kind;
    this.offset = offset;
    for (const [addr, length] of pieces) this.iov.add(addr, length);
    this.bytes = bytes ?? this.iov.bytes;
  }

  complete(result: BlockResult): void {
    this.results.push(result);
    this.onComplete?.(result);
  }

  /** The one outcome; throws if there is none or more than one (B1). */
  get result(): BlockResult {
    if (this.results.length !== 1) throw new Error(`request completed ${this.results.length} times`);
    return this.results[0] as BlockResult;
  }
}

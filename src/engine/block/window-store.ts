import type { IoVector } from '../base/io-vector.ts';
import { type BlockResult, ENOTSUP } from './block-backend.ts';
import type { DiskStore } from './disk-store.ts';

/**
 * A window into another store: `-blockdev raw,offset=,size=`. Its size is fixed; a window without a size
 * reaches to the end of what is below when it is opened.
 */
export class WindowStore implements DiskStore {
  readonly bytes: number;
  readonly #below: DiskStore;
  readonly #offset: number;

  /** @param offset first byte of the window, a multiple of 512; @param size bytes, within what is below */
  constructor(below: DiskStore, offset: number, size: number | undefined) {
    this.#below = below;
    this.#offset = offset;
    this.bytes = size ?? Math.max(0, below.bytes - offset);
  }

  get readOnly(): boolean {
    return this.#below.readOnly;
  }
  get canDiscard(): boolean {
    return this.#below.canDiscard;
  }
  read(iov: IoVector, offset: number): BlockResult {
    return this.#below.read(iov, this.#offset + offset);
  }
  readInto(into: Uint8Array, offset: number): BlockResult {
    return this.#below.readInto(into, this.#offset + offset);
  }
  write(iov: IoVector, offset: number): BlockResult {
    return this.#below.write(iov, this.#offset + offset);
  }
  flush(): BlockResult {
    return this.#below.flush();
  }
  discard(offset: number, bytes: number): BlockResult {
    return this.#below.discard(this.#offset + offset, bytes);
  }
  writeZeroes(offset: number, bytes: number, mayUnmap: boolean): BlockResult {
    return this.#below.writeZeroes(this.#offset + offset, bytes, mayUnmap);
  }
  resize(): BlockResult {
    return ENOTSUP;
  }
  close(): void {
    this.#below.close();
  }
}

import type { IoVector } from '../base/io-vector.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { BLK_OK, type BlockResult } from './block-backend.ts';
import type { DiskStore } from './disk-store.ts';

/**
 * `null-co://`: takes everything and keeps nothing, to measure all that is not storage. Reads give zeroes,
 * QEMU's `read-zeroes=on`; with `readZeroes` false they leave the guest's buffer as it is, as QEMU's
 * default does.
 */
export class NullStore implements DiskStore {
  readonly readOnly: boolean;
  readonly canDiscard = true;
  readonly #mem: SharedMemory;
  readonly #readZeroes: boolean;
  bytes: number;

  constructor(
    mem: SharedMemory,
    bytes: number,
    options: { readonly readZeroes?: boolean; readonly readOnly?: boolean } = {},
  ) {
    this.#mem = mem;
    this.bytes = bytes;
    this.#readZeroes = options.readZeroes ?? true;
    this.readOnly = options.readOnly ?? false;
  }

  read(iov: IoVector): BlockResult {
    if (this.#readZeroes) iov.fillZero(this.#mem);
    return BLK_OK;
  }
  readInto(into: Uint8Array): BlockResult {
    into.fill(0);
    return BLK_OK;
  }
  write(): BlockResult {
    return BLK_OK;
  }
  flush(): BlockResult {
    return BLK_OK;
  }
  discard(): BlockResult {
    return BLK_OK;
  }
  writeZeroes(): BlockResult {
    return BLK_OK;
  }
  resize(bytes: number): BlockResult {
    this.bytes = bytes;
    return BLK_OK;
  }
  close(): void {}
}

import { type BlockResult, BLK_OK, EIO } from './block-backend.ts';
import type { DiskStore } from './disk-store.ts';

/**
 * A disk that could not be opened again: as large as it was, and every request fails with EIO, as with a cable
 * that was pulled. Its next move opens the disk itself again.
 */
export class LostStore implements DiskStore {
  readonly bytes: number;
  readonly readOnly: boolean;
  readonly canDiscard: boolean;

  constructor(was: Pick<DiskStore, 'bytes' | 'readOnly' | 'canDiscard'>) {
    this.bytes = was.bytes;
    this.readOnly = was.readOnly;
    this.canDiscard = was.canDiscard;
  }

  read(): BlockResult {
    return EIO;
  }
  readInto(): BlockResult {
    return EIO;
  }
  write(): BlockResult {
    return EIO;
  }
  /** Nothing is kept here that could be made durable; the file has what was written to it. */
  flush(): BlockResult {
    return this.readOnly ? BLK_OK : EIO;
  }
  discard(): BlockResult {
    return EIO;
  }
  writeZeroes(): BlockResult {
    return EIO;
  }
  resize(): BlockResult {
    return EIO;
  }
  close(): void {}
}

import { KiB, MiB, SECTOR_BYTES } from '../base/brands.ts';
import type { IoVector } from '../base/io-vector.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { ViewCache } from '../base/view-cache.ts';
import type { DiskFile, DiskLocator, Host } from '../host.ts';
import { BLK_OK, type BlockResult, EIO, ENOSPC } from './block-backend.ts';
import type { DiskStore } from './disk-store.ts';

/**
 * Pieces shorter than this are gathered through the bounce buffer: a system call (in a browser, a message to
 * another process) costs more than copying them. From here on it is the other way round.
 */
const DIRECT_BYTES = 128 * KiB;
const BOUNCE_BYTES = 1 * MiB;

/**
 * A raw image in a file: OPFS through a sync access handle, or a file of Node. One contiguous run goes
 * straight between the file and guest RAM; a scattered request goes through one buffer in as few calls as
 * possible, since there is no writev.
 *
 * A file whose size is not a multiple of 512 counts as rounded up, the rest reads as zeroes.
 */
export class RawStore implements DiskStore {
  readonly readOnly: boolean;
  readonly canDiscard = false;
  readonly #mem: SharedMemory;
  readonly #views: ViewCache;
  readonly #file: DiskFile;
  #bytes: number;
  #bounce: Uint8Array<ArrayBuffer> | undefined;

  constructor(mem: SharedMemory, file: DiskFile, readOnly: boolean) {
    this.#mem = mem;
    this.#views = new ViewCache(mem);
    this.#file = file;
    this.readOnly = readOnly;
    this.#bytes = roundUp(file.size());
  }

  /** Opens the image for the calling thread. Rejects with DiskOpenError. */
  static async open(host: Host, mem: SharedMemory, disk: DiskLocator): Promise<RawStore> {
    return new RawStore(mem, await host.openDisk(disk), disk.readOnly);
  }

  get bytes(): number {
    return this.#bytes;
  }

  read(iov: IoVector, offset: number): BlockResult {
    try {
      if (isDirect(iov)) {
        let at = offset;
        for (let i = 0; i < iov.count; i++) {
          const length = iov.lengths[i] as number;
          this.#readAll(this.#views.at(iov.addrs[i] as number, length), at);
          at += length;
        }
        return BLK_OK;
      }
      for (let done = 0; done < iov.bytes; ) {
        const piece = this.#bounceFor(iov.bytes - done);
        this.#readAll(piece, offset + done);
        iov.copyFrom(this.#mem, piece, done);
        done += piece.length;
      }
      return BLK_OK;
    } catch {
      return EIO;
    }
  }

  readInto(into: Uint8Array, offset: number): BlockResult {
    try {
      this.#readAll(into, offset);
      return BLK_OK;
    } catch {
      return EIO;
    }
  }

  write(iov: IoVector, offset: number): BlockResult {
    try {
      if (isDirect(iov)) {
        let at = offset;
        for (let i = 0; i < iov.count; i++) {
          const length = iov.lengths[i] as number;
          if (!this.#writeAll(this.#views.at(iov.addrs[i] as number, length), at)) return ENOSPC; // B7
          at += length;
        }
        return BLK_OK;
      }
      for (let done = 0; done < iov.bytes; ) {
        const piece = this.#bounceFor(iov.bytes - done);
        iov.copyTo(this.#mem, piece, done);
        if (!this.#writeAll(piece, offset + done)) return ENOSPC;
        done += piece.length;
      }
      return BLK_OK;
    } catch (error) {
      return writeErrno(error);
    }
  }

  flush(): BlockResult {
    try {
      this.#file.flush();
      return BLK_OK;
    } catch (error) {
      return writeErrno(error);
    }
  }

  discard(): BlockResult {
    return BLK_OK; // never called: canDiscard is false, neither OPFS nor Node can punch holes
  }

  writeZeroes(offset: number, bytes: number): BlockResult {
    try {
      for (let done = 0; done < bytes; ) {
        const piece = this.#bounceFor(bytes - done).fill(0);
        if (!this.#writeAll(piece, offset + done)) return ENOSPC;
        done += piece.length;
      }
      return BLK_OK;
    } catch (error) {
      return writeErrno(error);
    }
  }

  resize(bytes: number): BlockResult {
    try {
      this.#file.truncate(bytes);
      this.#bytes = bytes;
      return BLK_OK;
    } catch (error) {
      return writeErrno(error);
    }
  }

  close(): void {
    this.#file.close();
  }

  #readAll(into: Uint8Array, offset: number): void {
    let done = 0;
    while (done < into.length) {
      const count = this.#file.read(done === 0 ? into : into.subarray(done), offset + done);
      if (count <= 0) break;
      done += count;
    }
    // B5: behind the end of the file.
    if (done < into.length) into.fill(0, done);
  }

  /** False when the disk is full: B7. */
  #writeAll(from: Uint8Array, offset: number): boolean {
    return this.#file.write(from, offset) === from.length;
  }

  #bounceFor(bytes: number): Uint8Array<ArrayBuffer> {
    this.#bounce ??= new Uint8Array(BOUNCE_BYTES);
    return bytes >= BOUNCE_BYTES ? this.#bounce : this.#bounce.subarray(0, bytes);
  }
}

const roundUp = (bytes: number): number => Math.ceil(bytes / SECTOR_BYTES) * SECTOR_BYTES;

/** Few long pieces: no bounce buffer. */
const isDirect = (iov: IoVector): boolean => iov.count <= 1 || iov.bytes >= iov.count * DIRECT_BYTES;

/** A full disk has many faces: Chromium's QuotaExceededError, Node's ENOSPC and EDQUOT. */
function writeErrno(error: unknown): BlockResult {
  if (typeof error !== 'object' || error === null) return EIO;
  const { name, code } = error as { readonly name?: unknown; readonly code?: unknown };
  return name === 'QuotaExceededError' || code === 'ENOSPC' || code === 'EDQUOT' ? ENOSPC : EIO;
}

import fs from 'node:fs';
import { type DiskFile, type DiskLocator, DiskOpenError } from '../../src/engine/host.ts';
import { type DiskLock, lockDisk } from './disk-lock.ts';

/** A file through synchronous calls. */
export class NodeDisk implements DiskFile {
  readonly #fd: number;
  readonly #lock: DiskLock | undefined;
  constructor(fd: number, lock?: DiskLock) {
    this.#fd = fd;
    this.#lock = lock;
  }
  size(): number {
    return fs.fstatSync(this.#fd).size;
  }
  read(into: Uint8Array, offset: number): number {
    return fs.readSync(this.#fd, into, 0, into.length, offset);
  }
  write(from: Uint8Array, offset: number): number {
    return fs.writeSync(this.#fd, from, 0, from.length, offset);
  }
  flush(): void {
    fs.fdatasyncSync(this.#fd);
  }
  truncate(bytes: number): void {
    fs.ftruncateSync(this.#fd, bytes);
  }
  close(): void {
    fs.closeSync(this.#fd);
    this.#lock?.release();
  }
}

/**
 * Host.openDisk of a Node worker. Of the machines on this computer one may write an image, or any number
 * read it; the check is a lock file in the temporary directory, so other programs are not kept out.
 */
export async function openNodeDisk(disk: DiskLocator): Promise<DiskFile> {
  if (disk.kind !== 'file')
    throw new DiskOpenError('not-found', `Node has no ${disk.kind} disk '${disk.name}'`);
  let fd: number;
  try {
    fd = fs.openSync(disk.name, disk.readOnly ? 'r' : 'r+');
  } catch (error) {
    throw openError(disk.name, error);
  }
  try {
    const stat = fs.fstatSync(fd);
    if (stat.isDirectory()) throw new DiskOpenError('io', `'${disk.name}' is a directory, not a disk image`);
    return new NodeDisk(fd, lockDisk(stat, disk));
  } catch (error) {
    fs.closeSync(fd);
    throw error instanceof DiskOpenError ? error : openError(disk.name, error);
  }
}

/** Host.diskStamp. */
export async function nodeDiskStamp(disk: DiskLocator): Promise<string> {
  return String((await fs.promises.stat(disk.name, { bigint: true })).mtimeNs);
}

export function openError(name: string, error: unknown): DiskOpenError {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new DiskOpenError('not-found', `there is no file '${name}'`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new DiskOpenError('permission', `the file '${name}' may not be opened for writing: ${message}`);
    case 'EISDIR':
      return new DiskOpenError('io', `'${name}' is a directory, not a disk image`);
    default:
      return new DiskOpenError('io', `the file '${name}' can't be opened: ${message}`);
  }
}

import { type DiskFile, type DiskLocator, DiskOpenError } from '../host.ts';

/**
 * Chromium keeps a file locked for 2 s after a reload ended a worker that was blocked; another tab keeps it
 * for good. So a locked file is tried again for longer than the first and not much longer.
 */
const LOCK_PATIENCE_MS = 4000;
const LOCK_RETRY_MS = 50;

/** The synchronous handle, which TypeScript declares for workers only. */
interface SyncAccessHandle {
  getSize(): number;
  read(into: ArrayBufferView, options: { at: number }): number;
  write(from: ArrayBufferView, options: { at: number }): number;
  flush(): void;
  truncate(bytes: number): void;
  close(): void;
}
export interface SyncCapableHandle {
  getFile(): Promise<File>;
  createSyncAccessHandle?(options?: { mode: 'read-only' | 'readwrite' }): Promise<SyncAccessHandle>;
}

/** A file in the origin private file system. */
class OpfsDisk implements DiskFile {
  readonly #handle: SyncAccessHandle;
  /** The one options object of all calls. */
  readonly #options = { at: 0 };
  constructor(handle: SyncAccessHandle) {
    this.#handle = handle;
  }
  size(): number {
    return this.#handle.getSize();
  }
  read(into: Uint8Array, offset: number): number {
    this.#options.at = offset;
    return this.#handle.read(into, this.#options);
  }
  /** On a full disk Chromium throws QuotaExceededError and Firefox returns less: both reach the caller. */
  write(from: Uint8Array, offset: number): number {
    this.#options.at = offset;
    return this.#handle.write(from, this.#options);
  }
  flush(): void {
    this.#handle.flush();
  }
  truncate(bytes: number): void {
    this.#handle.truncate(bytes);
  }
  close(): void {
    this.#handle.close();
  }
}

/** Files of this worker that were found and not opened since. */
const prepared = new Map<string, SyncCapableHandle>();

/** Host.prepareDisk of a browser worker: the handle is found, in as many messages to another process as its path has parts. */
export async function prepareOpfsDisk(disk: DiskLocator): Promise<void> {
  if (disk.kind !== 'opfs') return;
  prepared.delete(disk.name);
  try {
    prepared.set(disk.name, await findFile(disk.name));
  } catch (error) {
    if (!(error instanceof DiskOpenError)) throw error;
  }
}

/** Host.openDisk of a browser worker. The name may contain directories, separated by `/`. */
export async function openOpfsDisk(disk: DiskLocator): Promise<DiskFile> {
  if (disk.kind !== 'opfs') {
    throw new DiskOpenError('not-found', `a browser has no ${disk.kind} disk '${disk.name}'`);
  }
  const file = prepared.get(disk.name);
  prepared.delete(disk.name);
  if (file === undefined) return openHandle(await findFile(disk.name), disk);
  try {
    return await openHandle(file, disk);
  } catch (error) {
    if (!(error instanceof DiskOpenError) || error.reason !== 'not-found') throw error;
    // Another file has the name since; or none has, and then this says so.
    return openHandle(await findFile(disk.name), disk);
  }
}

/** Host.diskStamp of a browser worker. */
export async function opfsDiskStamp(disk: DiskLocator): Promise<string> {
  return String((await (await findFile(disk.name)).getFile()).lastModified);
}

/** Opens a file for this thread alone. */
export async function openHandle(file: SyncCapableHandle, disk: DiskLocator): Promise<DiskFile> {
  if (file.createSyncAccessHandle === undefined) {
    throw new DiskOpenError('no-opfs', 'this browser gives workers no synchronous access to files');
  }
  const mode = disk.readOnly ? 'read-only' : 'readwrite';
  const deadline = performance.now() + LOCK_PATIENCE_MS;
  for (;;) {
    try {
      return new OpfsDisk(await file.createSyncAccessHandle({ mode }));
    } catch (error) {
      if (errorName(error) !== 'NoModificationAllowedError') throw openError(disk.name, error);
      if (performance.now() >= deadline) {
        throw new DiskOpenError('in-use', `the disk '${disk.name}' is open in another tab or machine`);
      }
    }
    await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
  }
}

async function findFile(name: string): Promise<SyncCapableHandle> {
  // Absent in insecure contexts, whatever the types say.
  const storage = navigator.storage as StorageManager | undefined;
  if (storage?.getDirectory === undefined) {
    throw new DiskOpenError('no-opfs', 'this browser has no origin private file system here');
  }
  try {
    const path = name.split('/').filter((part) => part !== '');
    const last = path.pop() ?? '';
    let directory = await storage.getDirectory();
    for (const part of path) directory = await directory.getDirectoryHandle(part);
    return await directory.getFileHandle(last);
  } catch (error) {
    throw openError(name, error);
  }
}

function openError(name: string, error: unknown): DiskOpenError {
  switch (errorName(error)) {
    case 'NotFoundError':
    case 'TypeMismatchError':
      return new DiskOpenError('not-found', `there is no disk '${name}'`);
    case 'SecurityError':
    case 'NotAllowedError':
      return new DiskOpenError(
        'permission',
        `the browser does not let this page use its storage: ${String(error)}`,
      );
    default:
      return new DiskOpenError('io', `the disk '${name}' can't be opened: ${String(error)}`);
  }
}

const errorName = (error: unknown): string => (error instanceof Error ? error.name : '');

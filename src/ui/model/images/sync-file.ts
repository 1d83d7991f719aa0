/**
 * FileSystemSyncAccessHandle and how to get one, as workers have it; the DOM library that pages are compiled
 * against leaves both out, and renaming is in no library yet.
 */
export interface SyncFile {
  write(data: Uint8Array<ArrayBuffer>, options: { readonly at: number }): number;
  truncate(bytes: number): void;
  flush(): void;
  close(): void;
}

export interface SyncFileHandle {
  createSyncAccessHandle(): Promise<SyncFile>;
  move(name: string): Promise<void>;
}

/** Opens (and creates) a file of the private file system. Workers only. */
export async function openSyncFileHandle(name: string): Promise<SyncFileHandle> {
  const root = await navigator.storage.getDirectory();
  const handle: unknown = await root.getFileHandle(name, { create: true });
  return handle as SyncFileHandle;
}

import { DiskOpenError, type SnapshotStore } from '../host.ts';
import { openHandle } from './browser-disk.ts';

/** The directory of that path, undefined if there is none. */
async function directory(
  name: string,
  options: FileSystemGetDirectoryOptions = {},
): Promise<FileSystemDirectoryHandle | undefined> {
  let found = await navigator.storage.getDirectory();
  try {
    for (const part of name.split('/').filter((each) => each !== ''))
      found = await found.getDirectoryHandle(part, options);
    return found;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'NotFoundError') return undefined;
    throw error;
  }
}

/** Snapshots as files in a directory of the origin private file system, beside the disk image. */
export const opfsSnapshots: SnapshotStore = {
  names: async (folder) => {
    const names: string[] = [];
    const found = (await directory(folder)) as
      | (FileSystemDirectoryHandle & { keys(): AsyncIterable<string> })
      | undefined;
    if (found !== undefined) for await (const name of found.keys()) names.push(name);
    return names;
  },
  open: async (folder, name, mode) => {
    const create = mode === 'create';
    const kept = await directory(folder, { create });
    if (kept === undefined) throw new DiskOpenError('not-found', `there is no file '${folder}/${name}'`);
    const handle = await kept.getFileHandle(name, { create });
    const file = await openHandle(handle, { kind: 'opfs', name: `${folder}/${name}`, readOnly: !create });
    if (create) file.truncate(0);
    return file;
  },
  remove: async (folder, name) => {
    const kept = await directory(folder);
    if (kept === undefined) return false;
    try {
      await kept.removeEntry(name);
      return true;
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotFoundError') return false;
      throw error;
    }
  },
};

import fs from 'node:fs';
import path from 'node:path';
import type { SnapshotStore } from '../../src/engine/host.ts';
import { NodeDisk, openError } from './node-disk.ts';

/** Snapshots as files in a directory beside the disk image. */
export const nodeSnapshots: SnapshotStore = {
  names: async (folder) => {
    try {
      return await fs.promises.readdir(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  },
  open: async (folder, name, mode) => {
    const file = path.join(folder, name);
    try {
      if (mode === 'create') fs.mkdirSync(folder, { recursive: true });
      return new NodeDisk(fs.openSync(file, mode === 'create' ? 'w+' : 'r'));
    } catch (error) {
      throw openError(file, error);
    }
  },
  remove: async (folder, name) => {
    const file = path.join(folder, name);
    if (!fs.existsSync(file)) return false;
    await fs.promises.rm(file);
    return true;
  },
};

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { threadId } from 'node:worker_threads';
import { type DiskLocator, DiskOpenError } from '../../src/engine/host.ts';

/** A disk image that this thread alone may write. */
export interface DiskLock {
  release(): void;
}

/**
 * Takes the lock of a file that is to be written, or makes sure that nobody writes one that is to be read.
 *
 * A lock is a file named after the image's inode that names the process holding it and when that process
 * started. One left by a process that has died (or whose number another has now) counts
 * for nothing. Rejects with DiskOpenError `in-use`.
 */
export function lockDisk(stat: fs.Stats, disk: DiskLocator): DiskLock | undefined {
  const file = lockPath(stat);
  for (let attempt = 0; attempt < 10; attempt++) {
    const found = readLock(file);
    if (found !== undefined) {
      if (isAlive(found)) {
        const holder = `process ${found.split(' ')[0]}`;
        throw new DiskOpenError(
          'in-use',
          `the file '${disk.name}' is the disk of another machine (${holder}); its lock is ${file}`,
        );
      }
      removeStale(file, found);
      continue;
    }
    if (disk.readOnly) return undefined;
    if (placeFile(file, `${process.pid} ${startTime(process.pid)}`)) return held(file);
  }
  throw new DiskOpenError('in-use', `the lock of '${disk.name}' can't be taken; it is ${file}`);
}

function lockPath(stat: fs.Stats): string {
  const directory = path.join(os.tmpdir(), `qcontext-playground-${os.userInfo().uid}`);
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  return path.join(directory, `disk-${stat.dev}-${stat.ino}.lock`);
}

function held(file: string): DiskLock {
  const release = (): void => {
    process.off('exit', release);
    fs.rmSync(file, { force: true });
  };
  // A thread that ends without closing its disk takes its lock along.
  process.once('exit', release);
  return { release };
}

/** Makes a file with its contents in place from the first moment; false if there is one already. */
function placeFile(file: string, contents: string): boolean {
  const draft = `${file}.${process.pid}.${threadId}`;
  fs.writeFileSync(draft, contents);
  try {
    fs.linkSync(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

/** Removes the lock a dead process left, unless somebody else has put a live one there meanwhile. */
function removeStale(file: string, contents: string): void {
  const aside = `${file}.${process.pid}.${threadId}.stale`;
  try {
    fs.renameSync(file, aside);
  } catch {
    return; // somebody else removed it
  }
  const removed = readLock(aside);
  if (removed !== undefined && removed !== contents) placeFile(file, removed);
  fs.rmSync(aside, { force: true });
}

function readLock(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return undefined;
  }
}

/** Is the process that a lock's contents name still the one that made it? */
function isAlive(contents: string): boolean {
  const [pid, started] = contents.split(' ');
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return startTime(Number(pid)) === started;
}

/** When a process started, as the kernel counts; where there is no /proc, nothing, and the number decides alone. */
function startTime(pid: number): string {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the name in parentheses and may contain anything; the start time is the 22nd.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '-';
  } catch {
    return '-';
  }
}

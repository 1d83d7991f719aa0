import { ProblemError, type Problem } from '../problem.ts';
import type { GuestFile } from './manifest.ts';
import { type ImageFailure, type ImageReport, type ImageTask, partName } from './protocol.ts';

/** An image in the origin private file system. */
export interface StoredImage {
  readonly name: string;
  readonly bytes: number;
  readonly modified: Date;
}

export type Progress = (doneBytes: number, totalBytes: number) => void;

/** What a disk image may be called: it stands in command lines, between commas. */
export const IMAGE_NAME = /^[\w][\w.+-]{0,63}$/;

/** The images of this site: they live in the browser's private file system and survive reloads. */
export class ImageStore {
  /** All images, by name; half-written ones are not listed. */
  async list(): Promise<readonly StoredImage[]> {
    const root = await navigator.storage.getDirectory();
    const images: StoredImage[] = [];
    for await (const handle of root.values()) {
      if (handle.kind !== 'file' || handle.name.endsWith(partName('')) || handle.name.startsWith('.'))
        continue;
      const file = await handle.getFile();
      images.push({ name: handle.name, bytes: file.size, modified: new Date(file.lastModified) });
    }
    return images.toSorted((a, b) => a.name.localeCompare(b.name));
  }

  /** Size in bytes, undefined when there is no such image. */
  async size(name: string): Promise<number | undefined> {
    const file = await this.file(name);
    return file?.size;
  }

  /** The image as a File, for export; reads nothing yet. */
  async file(name: string): Promise<File | undefined> {
    try {
      const root = await navigator.storage.getDirectory();
      return await (await root.getFileHandle(name)).getFile();
    } catch {
      return undefined;
    }
  }

  fetch(name: string, file: GuestFile, base: URL, progress: Progress, signal?: AbortSignal): Promise<void> {
    const url = new URL(`guest/${file.gzip.file}`, base).href;
    return run({ kind: 'fetch', name, url, file }, progress, signal);
  }

  import(name: string, blob: Blob, progress: Progress, signal?: AbortSignal): Promise<void> {
    return run({ kind: 'import', name, blob, bytes: blob.size }, progress, signal);
  }

  /** A disk of zeros; takes no room until written to, but counts against the quota. */
  create(name: string, bytes: number): Promise<void> {
    return run({ kind: 'create', name, bytes }, () => {});
  }

  async delete(name: string): Promise<void> {
    const root = await navigator.storage.getDirectory();
    try {
      await root.removeEntry(name);
    } catch (error) {
      throw new ProblemError({
        title: `${name} could not be deleted`,
        detail: `A machine in this or another tab has it open (${String(error)}).`,
        hint: 'Power that machine off, then try again.',
        ways: ['dismiss'],
      });
    }
  }

  /** Bytes this site uses and may use. */
  async usage(): Promise<{ readonly usedBytes: number; readonly quotaBytes: number }> {
    const { usage = 0, quota = 0 } = await navigator.storage.estimate();
    return { usedBytes: usage, quotaBytes: quota };
  }

  /** Asks the browser not to clear the disks when it runs short of room. */
  async persist(): Promise<boolean> {
    return (await navigator.storage.persisted()) || (await navigator.storage.persist());
  }
}

function run(task: ImageTask, progress: Progress, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./image.worker.ts', import.meta.url), {
      type: 'module',
      name: 'image',
    });
    const stop = (): void => {
      worker.terminate();
      signal?.removeEventListener('abort', abort);
    };
    const abort = (): void => {
      stop();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort);
    worker.onerror = (event) => {
      stop();
      reject(new Error(`the image worker failed: ${event.message}`));
    };
    worker.onmessage = ({ data }: MessageEvent<ImageReport>) => {
      if (data.kind === 'progress') return progress(data.doneBytes, data.totalBytes);
      stop();
      if (data.kind === 'done') resolve();
      else reject(new ProblemError(failureProblem(task.name, data.reason, data.message)));
    };
    worker.postMessage(task);
  });
}

const HINTS: Record<ImageFailure, string> = {
  network: 'Check the connection to the server and try again; what was there before is untouched.',
  damaged: 'Try again. If it happens every time, the images on the server need rebuilding (`npm run guest`).',
  full: 'Delete images you no longer need, or free room on this computer, then try again.',
  busy: 'Close the other tab or wait until it is done.',
  io: 'Try again; if it persists, reload the page.',
};

function failureProblem(name: string, reason: ImageFailure, message: string): Problem {
  return {
    title: reason === 'full' ? `No room for ${name}` : `${name} could not be written`,
    detail: `${message[0]?.toUpperCase() ?? ''}${message.slice(1)}.`,
    hint: HINTS[reason],
    ways: reason === 'full' ? ['open-images', 'retry'] : ['retry', 'edit-command-line'],
  };
}

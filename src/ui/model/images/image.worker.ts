import { type ImageFailure, type ImageReport, type ImageTask, partName } from './protocol.ts';
import { openSyncFileHandle, type SyncFile } from './sync-file.ts';

/** Writes one image into the origin private file system, then gives it its name. */

class TaskError extends Error {
  readonly reason: ImageFailure;
  constructor(reason: ImageFailure, message: string) {
    super(message);
    this.reason = reason;
  }
}

const report = (message: ImageReport): void => self.postMessage(message);

async function perform(task: ImageTask): Promise<void> {
  const part = await openSyncFileHandle(partName(task.name));
  const file = await part.createSyncAccessHandle().catch((error: unknown) => {
    throw new TaskError('busy', `another tab is writing this image (${String(error)})`);
  });
  try {
    file.truncate(0);
    const total = task.kind === 'fetch' ? task.file.bytes : task.bytes;
    file.truncate(total);
    if (task.kind === 'fetch') await fetchInto(file, task, total);
    else if (task.kind === 'import') await copyInto(file, task.blob.stream(), total);
    file.flush();
  } finally {
    file.close();
  }
  await part.move(task.name);
}

/** Downloads the compressed form, checks each chunk by its hash, and leaves chunks of zeros as holes. */
async function fetchInto(
  file: SyncFile,
  task: Extract<ImageTask, { kind: 'fetch' }>,
  total: number,
): Promise<void> {
  const answer = await fetch(task.url).catch((error: unknown) => {
    throw new TaskError('network', `the download did not start (${String(error)})`);
  });
  if (!answer.ok || answer.body === null)
    throw new TaskError('network', `the server answered ${answer.status} for ${task.url}`);
  const { chunkBytes, chunks } = task.file.gzip;
  const reader = answer.body.pipeThrough(new DecompressionStream('gzip')).getReader();
  const chunk = new Uint8Array(chunkBytes);
  let filled = 0;
  let offset = 0;
  let index = 0;
  const finishChunk = async (): Promise<void> => {
    const data = chunk.subarray(0, filled);
    const expected = chunks[index];
    if (expected === undefined || (await sha256(data)) !== expected.sha256)
      throw new TaskError('damaged', `bytes ${offset} to ${offset + filled} arrived damaged`);
    if (expected.zero !== true) write(file, data, offset);
    offset += filled;
    index++;
    filled = 0;
    report({ kind: 'progress', doneBytes: offset, totalBytes: total });
  };
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw new TaskError(
        'network',
        `the download broke off after ${offset + filled} bytes (${String(error)})`,
      );
    });
    if (done) break;
    for (let at = 0; at < value.length; ) {
      const take = Math.min(value.length - at, chunkBytes - filled);
      chunk.set(value.subarray(at, at + take), filled);
      filled += take;
      at += take;
      if (filled === chunkBytes) await finishChunk();
    }
  }
  if (filled > 0) await finishChunk();
  if (offset !== total) throw new TaskError('damaged', `the download ended at ${offset} of ${total} bytes`);
}

async function copyInto(
  file: SyncFile,
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  total: number,
): Promise<void> {
  const reader = stream.getReader();
  let offset = 0;
  let told = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    write(file, value, offset);
    offset += value.length;
    if (offset - told >= 1 << 20 || offset === total) {
      told = offset;
      report({ kind: 'progress', doneBytes: offset, totalBytes: total });
    }
  }
}

/** Chromium throws when the disk is full, Firefox writes less than asked: both are the same to us. */
function write(file: SyncFile, data: Uint8Array<ArrayBuffer>, at: number): void {
  const written = file.write(data, { at });
  if (written !== data.length) throw new TaskError('full', 'the storage for this site is full');
}

async function sha256(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', data));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

self.onmessage = ({ data }: MessageEvent<ImageTask>) => {
  perform(data).then(
    () => report({ kind: 'done' }),
    (error: unknown) => {
      const full = error instanceof DOMException && error.name === 'QuotaExceededError';
      const reason = error instanceof TaskError ? error.reason : full ? 'full' : 'io';
      report({ kind: 'failed', reason, message: error instanceof Error ? error.message : String(error) });
    },
  );
};

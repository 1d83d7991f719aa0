/** Raw OPFS: what a worker reaches with nothing between it and the file. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Page } from '@playwright/test';

/** Fills a host file with other bytes in each sector, so that no file system keeps it as a hole. */
export function fillPattern(file: string, bytes: number): void {
  const block = new Uint32Array(1 << 18);
  const fd = openSync(file, 'w');
  for (let at = 0; at < bytes; at += block.byteLength) {
    for (let i = 0; i < block.length; i++) block[i] = Math.imul(at + i, 0x9e3779b1);
    writeSync(fd, block);
  }
  closeSync(fd);
}

/** A load as the disk benchmarks of the guests have it. */
export interface RawLoad {
  readonly file: string;
  readonly operation: 'read' | 'write';
  readonly random: boolean;
  readonly blockBytes: number;
  readonly ms: number;
}

/**
 * Runs in a worker of the page; self-contained. A handle has no queue: calls are synchronous, so this is the most one
 * worker gets at any queue depth. The buffer is shared memory, as guest RAM is.
 */
async function work(): Promise<void> {
  interface Handle {
    getSize(): number;
    read(into: Uint8Array, options: { at: number }): number;
    write(from: Uint8Array, options: { at: number }): number;
    close(): void;
  }
  const load = await new Promise<RawLoad>((resolve) => {
    self.onmessage = ({ data }: MessageEvent<RawLoad>) => resolve(data);
  });
  const directory = await navigator.storage.getDirectory();
  const file = (await directory.getFileHandle(load.file)) as unknown as {
    createSyncAccessHandle(): Promise<Handle>;
  };
  const handle = await file.createSyncAccessHandle();
  const blocks = Math.floor(handle.getSize() / load.blockBytes);
  const buffer = new Uint8Array(new SharedArrayBuffer(load.blockBytes)).fill(0x5a);
  let seed = 1;
  let index = 0;
  let count = 0;
  const start = performance.now();
  let now = start;
  while (now - start < load.ms) {
    for (let i = 0; i < 16; i++) {
      if (load.random) {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        index = Math.floor((seed / 2 ** 32) * blocks);
      } else {
        index = (index + 1) % blocks;
      }
      const at = index * load.blockBytes;
      const done = load.operation === 'read' ? handle.read(buffer, { at }) : handle.write(buffer, { at });
      if (done !== load.blockBytes) throw new Error(`${done} of ${load.blockBytes} bytes at ${at}`);
      count++;
    }
    now = performance.now();
  }
  handle.close();
  self.postMessage(count / ((now - start) / 1000));
}

/** Requests per second of a load on a file in OPFS that nobody has open. */
export const runRawOpfs = (page: Page, load: RawLoad): Promise<number> =>
  page.evaluate(
    ([source, given]) =>
      new Promise<number>((resolve, reject) => {
        const url = URL.createObjectURL(new Blob([`(${source})()`], { type: 'text/javascript' }));
        const worker = new Worker(url);
        const end = (): void => {
          worker.terminate();
          URL.revokeObjectURL(url);
        };
        worker.onmessage = ({ data }: MessageEvent<number>) => {
          end();
          resolve(data);
        };
        worker.onerror = ({ message }) => {
          end();
          reject(new Error(message));
        };
        worker.postMessage(given);
      }),
    [work.toString(), load] as const,
  );

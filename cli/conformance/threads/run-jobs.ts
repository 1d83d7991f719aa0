import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { SharedMemory } from '../../../src/engine/base/shared-memory.ts';
import type { Job, JobReport } from './jobs.ts';

/** Not named in the import itself, so that a bundler leaves it alone. */
const BUNDLER = 'rolldown';

/** Bundles worker.ts, since Node 20 runs no TypeScript, and returns the path of the result. */
export async function bundleWorker(root: string): Promise<string> {
  const { build }: typeof import('rolldown') = await import(BUNDLER);
  const file = join(root, 'build/node', `thread-worker-${process.pid}.mjs`);
  mkdirSync(join(root, 'build/node'), { recursive: true });
  await build({
    cwd: root,
    input: 'cli/conformance/threads/worker.ts',
    platform: 'node',
    logLevel: 'warn',
    output: { file, format: 'esm' },
  });
  return file;
}

export function createMemory(): SharedMemory {
  return new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
}

/** A started job. */
export interface Running {
  /** The thread is up and about to begin. */
  readonly ready: Promise<void>;
  readonly report: Promise<JobReport>;
}

/** Starts one job on a thread of its own. */
export function startJob(file: string, job: Job): Running {
  const worker = new Worker(file, { workerData: job });
  let isReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const report = new Promise<JobReport>((resolve, reject) => {
    worker.on('message', (message: 'ready' | JobReport) => {
      if (message === 'ready') isReady();
      else resolve(message);
    });
    worker.on('error', reject);
  });
  return { ready, report };
}

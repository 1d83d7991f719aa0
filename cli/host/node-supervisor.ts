import { randomFillSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { MessageChannel, type Transferable, Worker } from 'node:worker_threads';
import { assembleBareMetal } from '../../guest/baremetal/index.ts';
import type { Port } from '../../src/engine/base/rpc.ts';
import type { SupervisorHost, WorkerHandle } from '../../src/engine/host.ts';

/** The built-in guest has a name like a file's, and gives way to a file of that name. */
const BUILT_IN_GUEST = 'baremetal.bin';

function createWorker(workerUrl: URL, name: string): WorkerHandle {
  const worker = new Worker(workerUrl, { name });
  const handle: WorkerHandle = {
    name,
    postMessage: (message, transfer = []) => worker.postMessage(message, transfer as Transferable[]),
    onError: undefined,
    terminate: () => void worker.terminate(),
  };
  worker.on('error', (error) => handle.onError?.(error.stack ?? error.message));
  return handle;
}

/**
 * The supervising thread's surroundings in Node.
 *
 * @param interpreterPath the built `interp.wasm`
 * @param workerUrl the bundled worker entry; by default the neighbour of the bundle this code is in
 */
export function createNodeSupervisor(
  interpreterPath: string | URL,
  workerUrl = new URL('./machine.worker.js', import.meta.url),
): SupervisorHost {
  const start = process.hrtime.bigint();
  return {
    kind: 'node',
    epoch: Number(start),
    clock: { nowNs: () => Number(process.hrtime.bigint() - BigInt(Number(start))) },
    cores: availableParallelism(),
    createWorker: (name) => createWorker(workerUrl, name),
    createChannel: () => {
      const { port1, port2 } = new MessageChannel();
      return [port1 as unknown as Port, port2 as unknown as Port];
    },
    interpreter: async () => new WebAssembly.Module(new Uint8Array(await readFile(interpreterPath))),
    readFile: async (name) => {
      try {
        return new Uint8Array(await readFile(name));
      } catch {
        return name === BUILT_IN_GUEST ? assembleBareMetal() : undefined;
      }
    },
    delay: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
    randomBytes: (into) => void randomFillSync(into),
    encodeUtf8: (text) => new TextEncoder().encode(text),
  };
}

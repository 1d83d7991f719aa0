import { createVm } from '../index.ts';
import type { Result } from '../base/result.ts';
import type { Port } from '../base/rpc.ts';
import type { SupervisorHost, WorkerHandle } from '../host.ts';
import { createBrowserClock } from './browser-clock.ts';
import type { Vm } from '../vm.ts';
import { compiledInterpreter, dropSpareThreads, takeThread } from './spare-threads.ts';

async function readOpfsFile(name: string): Promise<Uint8Array | undefined> {
  try {
    const root = await navigator.storage.getDirectory();
    const file = await (await root.getFileHandle(name)).getFile();
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    return name === BUILT_IN_GUEST ? assembleBuiltInGuest() : undefined;
  }
}

/** The built-in guest has a name like a file's, and gives way to a file of that name. */
const BUILT_IN_GUEST = 'baremetal.bin';

async function assembleBuiltInGuest(): Promise<Uint8Array> {
  const { assembleBareMetal } = await import('../../../guest/baremetal/index.ts');
  return assembleBareMetal();
}

function createWorker(name: string): WorkerHandle {
  const worker = takeThread(name);
  const handle: WorkerHandle = {
    name,
    postMessage: (message, transfer = []) => worker.postMessage(message, transfer as Transferable[]),
    onError: undefined,
    terminate: () => worker.terminate(),
  };
  worker.onerror = (event) => handle.onError?.(event.message || 'the worker could not be loaded');
  return handle;
}

/** The supervising thread's surroundings in a page. Files and disks are those of the origin private file system. */
export function createBrowserSupervisor(): SupervisorHost {
  const epoch = performance.timeOrigin + performance.now();
  return {
    kind: 'browser',
    epoch,
    clock: createBrowserClock(epoch),
    cores: navigator.hardwareConcurrency,
    createWorker,
    createChannel: () => {
      const { port1, port2 } = new MessageChannel();
      return [port1 as unknown as Port, port2 as unknown as Port];
    },
    interpreter: compiledInterpreter,
    readFile: readOpfsFile,
    delay: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
    randomBytes: (into) => void crypto.getRandomValues(into),
    encodeUtf8: (text) => new TextEncoder().encode(text),
  };
}

/** Makes a machine in this page from QEMU-style arguments. @param started told when its threads are on their way */
export async function createVmInPage(
  argv: readonly string[],
  started: () => void = () => {},
): Promise<Result<Vm>> {
  const host = createBrowserSupervisor();
  const made = await createVm(argv, {
    ...host,
    createWorker: (name) => {
      started();
      return host.createWorker(name);
    },
  });
  dropSpareThreads();
  return made;
}

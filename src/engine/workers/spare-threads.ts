import interpreterUrl from '../../../build/wasm/interp.wasm?url';

let interpreter: Promise<WebAssembly.Module> | undefined;

/** The compiled interpreter, loaded once. */
export function compiledInterpreter(): Promise<WebAssembly.Module> {
  interpreter ??= WebAssembly.compileStreaming(fetch(interpreterUrl)).catch((error: unknown) => {
    interpreter = undefined;
    throw error;
  });
  return interpreter;
}

/** Workers that wait for a machine, by name. */
const spares = new Map<string, Worker>();
/** Threads that nearly every machine has; the one whose work takes longest comes first. */
const USUAL_THREADS = ['main', 'hart-0', 'context-1', 'context-2'];

/** Each sort of thread has an entry of its own. Vite looks for exactly this form. */
function newWorker(name: string): Worker {
  switch (name.replace(/-\d+$/, '')) {
    case 'main':
      return new Worker(new URL('./main.worker.ts', import.meta.url), { type: 'module', name });
    case 'hart':
      return new Worker(new URL('./hart.worker.ts', import.meta.url), { type: 'module', name });
    case 'context':
      return new Worker(new URL('./context.worker.ts', import.meta.url), { type: 'module', name });
    case 'compiler':
      return new Worker(new URL('./compiler.worker.ts', import.meta.url), { type: 'module', name });
    default:
      throw new Error(`no worker is made for a thread called ${name}`);
  }
}

/**
 * Begins to load what every machine needs, threads included, before there is one. It imports nothing, so that a page
 * can do this before its own script is there.
 */
export function preloadThreads(): void {
  for (const name of USUAL_THREADS) {
    const worker = newWorker(name);
    // One that can't be loaded is no spare: the machine makes its own, and hears why that fails.
    worker.onerror = () => spares.delete(name);
    spares.set(name, worker);
  }
  // Whoever makes a machine asks again, and is told of the failure.
  compiledInterpreter().catch(() => {});
}

/** A worker for the thread of that name: the one that waits for it, or a new one. */
export function takeThread(name: string): Worker {
  const worker = spares.get(name) ?? newWorker(name);
  spares.delete(name);
  return worker;
}

/** Ends those a machine had no use for. */
export function dropSpareThreads(): void {
  for (const worker of spares.values()) worker.terminate();
  spares.clear();
}

import { PeerGoneError, type Port, Rpc, wakeInbox } from '../base/rpc.ts';
import { type Result, ok, userError } from '../base/result.ts';
import { CONTROL_HOLD, WakeWord } from '../base/wake-word.ts';
import type { AioContext } from '../qcontext/aio-context.ts';
import type { ContextSpec } from '../qom/machine-ops.ts';
import { CONTEXT_STATE, ContextBlockLayout, MAX_CONTEXTS } from './context-block.ts';
import type { ContextCore } from './context-core.ts';
import type { SupervisorService } from './protocol.ts';
import { QueueHost } from './queue-host.ts';
import type { ContextReports, ContextService, LoopTuning } from './queue-plan.ts';

/** A service seen across threads: every method answers by promise. */
type Remote<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

/** One context, as the main context directs it. */
export interface ContextEntry {
  readonly index: number;
  readonly id: string;
  readonly qomPath: string;
  readonly type: ContextSpec['type'] | 'main';
  readonly threaded: boolean;
  /** Name of the worker that runs it. */
  readonly worker: string;
  readonly service: Remote<ContextService>;
}

/** Who waits for the worker of a context to come up. */
interface Waiting {
  resolve(port: Port): void;
  reject(error: PeerGoneError): void;
}

/**
 * The machine's contexts: `main`, those with a worker of their own, and those the main loop iterates. Main
 * context only.
 */
export class ContextDirectory {
  readonly #core: ContextCore;
  readonly #supervisor: Rpc<SupervisorService>;
  readonly #reports: ContextReports;
  readonly #entries = new Map<string, ContextEntry>();
  readonly #waiting = new Map<number, Waiting>();
  readonly #unthreaded = new Map<string, AioContext>();
  readonly #ports = new Map<string, Rpc<ContextService>>();

  constructor(core: ContextCore, supervisor: Rpc<SupervisorService>, reports: ContextReports) {
    this.#core = core;
    this.#supervisor = supervisor;
    this.#reports = reports;
    this.#entries.set('main', {
      index: 0,
      id: 'main',
      qomPath: '/objects/main',
      type: 'main',
      threaded: true,
      worker: 'main',
      service: this.#local(core.aio),
    });
  }

  get(id: string): ContextEntry | undefined {
    return this.#entries.get(id);
  }
  byIndex(index: number): ContextEntry | undefined {
    return [...this.#entries.values()].find((entry) => entry.index === index);
  }
  all(): readonly ContextEntry[] {
    return [...this.#entries.values()];
  }

  /** Is it to dispatch nothing, whoever asked for that? */
  isHeld({ index }: ContextEntry): boolean {
    return (this.#wakeOf(index).control & CONTROL_HOLD) !== 0;
  }

  /** Ends its hold. */
  letGo({ index }: ContextEntry): void {
    this.#wakeOf(index).revoke(CONTROL_HOLD);
  }

  #wakeOf(index: number): WakeWord {
    const { mem, layout } = this.#core;
    return new WakeWord(mem, (layout.contexts[index] as number) + ContextBlockLayout.at.wake);
  }

  /** Makes a context and, if threaded, waits until its worker answers. */
  async create(spec: ContextSpec): Promise<Result<ContextEntry>> {
    const taken = new Set([...this.#entries.values()].map(({ index }) => index));
    const index = Array.from({ length: MAX_CONTEXTS }, (_, i) => i).find((i) => !taken.has(i));
    if (index === undefined) return userError(`a machine has at most ${MAX_CONTEXTS} contexts`);
    const { id, qomPath, type, threaded } = spec;
    const worker = threaded ? `context-${index}` : 'main';
    let entry: ContextEntry;
    try {
      const service = threaded ? await this.#startThread(index, id) : this.#startUnthreaded(id);
      entry = { index, id, qomPath, type, threaded, worker, service };
      // Before its first answer: a breakpoint may hold it as soon as it runs, and it tells so by its index.
      this.#entries.set(id, entry);
      await service.configure(spec);
    } catch (error) {
      if (!(error instanceof PeerGoneError)) throw error;
      this.#entries.delete(id);
      this.#ports.delete(id);
      return userError(`cannot start the thread of '${id}': ${error.message}`);
    } finally {
      this.#waiting.delete(index);
    }
    return ok(entry);
  }

  async configure(id: string, loop: LoopTuning): Promise<void> {
    await this.#entries.get(id)?.service.configure(loop);
  }

  /** Ends a context nothing is attached to any more. */
  async delete(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined || id === 'main') return;
    this.#entries.delete(id);
    await entry.service.quit();
    const aio = this.#unthreaded.get(id);
    if (aio !== undefined) {
      this.#unthreaded.delete(id);
      this.#core.removeAio(aio);
    } else {
      await this.#core.hostAsync(this.#left(entry.index));
      this.#ports.get(id)?.fail('the context is gone');
      this.#ports.delete(id);
      this.#supervisor.send('contextGone', entry.index);
    }
  }

  /** The supervisor has started the worker of a context: its port. */
  started(index: number, port: Port): void {
    this.#waiting.get(index)?.resolve(port);
  }

  /** The worker of a context could not be started. */
  failed(index: number, message: string): void {
    this.#waiting.get(index)?.reject(new PeerGoneError(message));
  }

  /** Resolves when the thread has left its loop: only then may its block, wake word included, be used anew. */
  async #left(index: number): Promise<void> {
    const { mem, layout, host } = this.#core;
    const state = (layout.contexts[index] as number) + ContextBlockLayout.at.state;
    while (mem.load32(state) !== CONTEXT_STATE.free) await host.macrotask();
  }

  async #startThread(index: number, id: string): Promise<Remote<ContextService>> {
    const { mem, layout } = this.#core;
    const block = layout.contexts[index] as number;
    mem.bytes(block, ContextBlockLayout.size).fill(0);
    mem.store32(block + ContextBlockLayout.at.state, CONTEXT_STATE.starting);
    const port = new Promise<Port>((resolve, reject) => {
      this.#waiting.set(index, { resolve, reject });
    });
    this.#supervisor.send('startContext', index, id);
    const rpc = new Rpc<ContextService>(await port, this.#reports, {
      posted: () => wakeInbox(mem, block + ContextBlockLayout.at.wake),
      received: () => this.#core.inbox.receive(),
    });
    this.#ports.set(id, rpc);
    // From here on what waits for it is the first call.
    this.#waiting.set(index, { resolve: () => {}, reject: ({ message }) => rpc.fail(message) });
    return remoteService(((method: keyof ContextService, ...args: never[]) =>
      (rpc.call as (method: string, ...args: unknown[]) => Promise<unknown>).call(
        rpc,
        method,
        ...args,
      )) as Call);
  }

  #startUnthreaded(id: string): Remote<ContextService> {
    const aio = this.#core.addAio(`${id}/aio`);
    this.#unthreaded.set(id, aio);
    return this.#local(aio);
  }

  #local(aio: AioContext): Remote<ContextService> {
    const host = new QueueHost(this.#core, aio, this.#reports) as ContextService;
    return remoteService(async (method, ...args) => {
      const target = host[method] as (...args: unknown[]) => unknown;
      return (await target.apply(host, args)) as never;
    });
  }
}

type Call = <K extends keyof ContextService>(
  method: K,
  ...args: Parameters<ContextService[K]>
) => Promise<Awaited<ReturnType<ContextService[K]>>>;

function remoteService(call: Call): Remote<ContextService> {
  return {
    openBlock: (access) => call('openBlock', access),
    prepareBlock: (plan) => call('prepareBlock', plan),
    closeBlock: (id, durable) => call('closeBlock', id, durable),
    resizeBlock: (id, bytes) => call('resizeBlock', id, bytes),
    flushBlock: (id) => call('flushBlock', id),
    startQueues: (starts) => call('startQueues', starts),
    drainQueue: (slot, queue) => call('drainQueue', slot, queue),
    resumeQueue: (slot, queue) => call('resumeQueue', slot, queue),
    detachQueues: (slot, queues) => call('detachQueues', slot, queues),
    release: (slot, queues, block) => call('release', slot, queues, block),
    takeOver: (access, starts) => call('takeOver', access, starts),
    resumeParked: () => call('resumeParked'),
    configure: (loop) => call('configure', loop),
    hold: () => call('hold'),
    step: (limit) => call('step', limit),
    quit: () => call('quit'),
  };
}

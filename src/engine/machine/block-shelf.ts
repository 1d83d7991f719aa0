import { assert, assertUnreachable } from '../base/assert.ts';
import { IoVector } from '../base/io-vector.ts';
import { BLK_OK, type BlockBackend, type BlockResult } from '../block/block-backend.ts';
import { ForwardBackend } from '../block/forward-backend.ts';
import { ForwardServer, type ForwardNotifiers } from '../block/forward-server.ts';
import { LostStore } from '../block/lost-store.ts';
import { StoreBackend } from '../block/store-backend.ts';
import type { AioContext } from '../qcontext/aio-context.ts';
import { type BlockPlan, diskLocator, makeBackend } from './block-open.ts';
import type { ContextCore } from './context-core.ts';
import { NOTIFIER } from './notifier-table.ts';
import type { BlockAccess, BlockOpened } from './queue-plan.ts';

interface Shelved {
  readonly backend: BlockBackend;
  readonly servers: readonly ForwardServer[];
}

/** The block nodes one context can reach: those it owns, and ways to those of others. Bound to its thread. */
export class BlockShelf {
  readonly #core: ContextCore;
  readonly #aio: AioContext;
  readonly #blocks = new Map<string, Shelved>();

  constructor(core: ContextCore, aio: AioContext) {
    this.#core = core;
    this.#aio = aio;
  }

  get(id: string): BlockBackend {
    const shelved = this.#blocks.get(id);
    assert(shelved !== undefined, `block node ${id} is not open in ${this.#core.name}`);
    return shelved.backend;
  }

  ids(): readonly string[] {
    return [...this.#blocks.keys()];
  }

  /** Finds the file of a node that this context is about to own. */
  async prepare({ spec }: BlockPlan): Promise<void> {
    const disk = diskLocator(spec, this.#core.host);
    if (disk !== undefined) await this.#core.hostAsync(this.#core.host.prepareDisk(disk));
  }

  async open(access: BlockAccess): Promise<BlockOpened> {
    const id = access.kind === 'own' ? access.plan.spec.id : access.id;
    assert(!this.#blocks.has(id), `block node ${id} is open in ${this.#core.name} already`);
    const { backend, detail } = this.#backend(id, access);
    const result = await this.#core.hostAsync(backend.attach(this.#aio));
    if (result === BLK_OK) {
      const ways = access.kind === 'way' ? [] : access.serve;
      this.#blocks.set(id, { backend, servers: ways.map((way) => this.#serve(backend, way)) });
    }
    const { bytes, readOnly, canDiscard } = backend;
    const why = detail();
    return { result, bytes, readOnly, canDiscard, ...(why === undefined ? {} : { detail: why }) };
  }

  #backend(id: string, access: BlockAccess): ReturnType<typeof makeBackend> {
    const detail = () => undefined;
    switch (access.kind) {
      case 'own':
        return makeBackend(access.plan, this.#core);
      case 'way':
        return { backend: this.#way(id, access.way), detail };
      case 'lost': {
        const { was } = access;
        const open = () => Promise.resolve(new LostStore(was));
        return { backend: new StoreBackend(id, open, { tracer: this.#core.tracer, ...was }), detail };
      }
      default:
        return assertUnreachable(access);
    }
  }

  async close(id: string, durable: boolean): Promise<BlockResult> {
    const shelved = this.#blocks.get(id);
    assert(shelved !== undefined, `block node ${id} is not open in ${this.#core.name}`);
    this.#blocks.delete(id);
    for (const server of shelved.servers) server.close();
    return this.#core.hostAsync(shelved.backend.detach(durable));
  }

  async resize(id: string, bytes: number): Promise<BlockResult> {
    const shelved = this.#blocks.get(id);
    assert(shelved !== undefined, `block node ${id} is not open in ${this.#core.name}`);
    const result = await this.#core.hostAsync(shelved.backend.resize(bytes));
    for (const server of shelved.servers) server.publish();
    return result;
  }

  /** Nothing else is in flight. */
  async flush(id: string): Promise<BlockResult> {
    const backend = this.get(id);
    const flushed = this.#core.deferred<BlockResult>();
    backend.submit({
      kind: 'flush',
      offset: 0,
      bytes: 0,
      iov: new IoVector(),
      mayUnmap: false,
      id: 0,
      dev: 0,
      followed: true,
      complete: (result) => flushed.resolve(result),
    });
    return flushed.promise;
  }

  #wayNotifiers(way: number): ForwardNotifiers {
    const { notifiers } = this.#core;
    return {
      submitted: notifiers.get(NOTIFIER.waySubmitted(way)),
      completed: notifiers.get(NOTIFIER.wayCompleted(way)),
    };
  }

  #way(id: string, way: number): ForwardBackend {
    const { mem, layout } = this.#core;
    return new ForwardBackend(id, mem, layout.ways[way] as number, this.#wayNotifiers(way));
  }

  #serve(backend: BlockBackend, way: number): ForwardServer {
    const { mem, layout } = this.#core;
    return new ForwardServer(mem, layout.ways[way] as number, this.#wayNotifiers(way), this.#aio, backend);
  }
}

import { assert, assertUnreachable } from '../base/assert.ts';
import { SECTOR_BYTES } from '../base/brands.ts';
import { DiskOpenError } from '../host.ts';
import type { AioLoop } from '../qcontext/aio-interface.ts';
import { TRACE } from '../trace/schema.ts';
import type { Tracer } from '../trace/tracer.ts';
import { nullTracer } from '../trace/tracer.ts';
import {
  BLK_OK,
  type BlockBackend,
  type BlockRequest,
  type BlockResult,
  EINVAL,
  EIO,
  ENOMEDIUM,
  ENOTSUP,
  EROFS,
} from './block-backend.ts';
import type { DiskStore } from './disk-store.ts';

/** Life of a backend: who may call what depends on it. */
type State =
  | { readonly kind: 'detached' }
  | { readonly kind: 'attaching' }
  | { readonly kind: 'attached'; readonly aio: AioLoop; readonly store: DiskStore };

/**
 * A block backend over storage that answers at once: every request is completed inside `submit`, so nothing
 * is ever in flight between two callbacks of the loop, and there is nothing to plug or to wait for.
 */
export class StoreBackend implements BlockBackend {
  readonly nodeName: string;
  onResize: (() => void) | undefined;
  /** Why the last `attach` failed, for the message the user sees. */
  openError: DiskOpenError | undefined;
  readonly #open: () => Promise<DiskStore>;
  readonly #tracer: Tracer;
  #state: State = { kind: 'detached' };
  #inFlight = 0;
  /** What is known of the storage while it is not open. */
  #bytes: number;
  #readOnly: boolean;
  #canDiscard = false;

  /**
   * @param open opens the storage for the calling thread; rejects with DiskOpenError
   * @param known size and mode shown before the first attach
   */
  constructor(
    nodeName: string,
    open: () => Promise<DiskStore>,
    options: { readonly tracer?: Tracer; readonly bytes?: number; readonly readOnly?: boolean } = {},
  ) {
    this.nodeName = nodeName;
    this.#open = open;
    this.#tracer = options.tracer ?? nullTracer;
    this.#bytes = options.bytes ?? 0;
    this.#readOnly = options.readOnly ?? false;
  }

  get bytes(): number {
    return this.#state.kind === 'attached' ? this.#state.store.bytes : this.#bytes;
  }
  get readOnly(): boolean {
    return this.#readOnly;
  }
  get canDiscard(): boolean {
    return this.#canDiscard;
  }
  get inFlight(): number {
    return this.#inFlight;
  }

  async attach(aio: AioLoop): Promise<BlockResult> {
    assert(this.#state.kind === 'detached', `${this.nodeName}: attached twice`);
    this.#state = { kind: 'attaching' };
    this.openError = undefined;
    try {
      const store = await this.#open();
      this.#bytes = store.bytes;
      this.#readOnly = store.readOnly;
      this.#canDiscard = store.canDiscard && !store.readOnly;
      this.#state = { kind: 'attached', aio, store };
      return BLK_OK;
    } catch (error) {
      this.#state = { kind: 'detached' };
      if (!(error instanceof DiskOpenError)) throw error;
      this.openError = error;
      return error.reason === 'not-found' ? ENOMEDIUM : EIO;
    }
  }

  detach(durable = true): Promise<BlockResult> {
    const { store } = this.#attached('detach');
    assert(this.#inFlight === 0, `${this.nodeName}: detached with requests in flight`);
    const result = store.readOnly || !durable ? BLK_OK : store.flush();
    this.#bytes = store.bytes;
    store.close();
    this.#state = { kind: 'detached' };
    return Promise.resolve(result);
  }

  submit(request: BlockRequest): void {
    const { store } = this.#attached('submit');
    this.#inFlight += 1; // B2
    const result = this.#execute(store, request);
    request.complete(result); // B1
    this.#inFlight -= 1;
  }

  plug(): void {}
  unplug(): void {}

  drain(done: () => void): void {
    // Requests are over before submit returns; inside one of them, a drain would wait for itself.
    assert(this.#inFlight === 0, `${this.nodeName}: drained from inside a completion`);
    done(); // B8
  }

  resize(bytes: number): Promise<BlockResult> {
    const { store } = this.#attached('resize');
    if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes % SECTOR_BYTES !== 0)
      return Promise.resolve(EINVAL);
    if (store.readOnly) return Promise.resolve(EROFS);
    const result = store.resize(bytes);
    if (result === BLK_OK) this.onResize?.();
    return Promise.resolve(result);
  }

  #attached(what: string): Extract<State, { kind: 'attached' }> {
    const state = this.#state;
    assert(state.kind === 'attached', `${this.nodeName}: ${what} while ${state.kind}`);
    return state;
  }

  #execute(store: DiskStore, request: BlockRequest): BlockResult {
    const { kind, offset, bytes, id, dev, followed } = request;
    if (kind === 'flush') {
      this.#tracer.emitFor(followed, 0, TRACE.blk_co_flush, dev, id);
      return store.readOnly ? BLK_OK : store.flush();
    }
    if (!isRange(offset, bytes, store.bytes)) return EINVAL; // B3
    const sector = offset / SECTOR_BYTES;
    // A fraction handed over would be a number on the heap.
    const high = Math.floor(sector / 2 ** 32);
    if (kind === 'read') {
      this.#tracer.emitFor(followed, 0, TRACE.blk_co_preadv, dev, id, sector, high, bytes);
      return store.read(request.iov, offset);
    }
    if (store.readOnly) return EROFS; // B4
    switch (kind) {
      case 'write':
        this.#tracer.emitFor(followed, 0, TRACE.blk_co_pwritev, dev, id, sector, high, bytes);
        return store.write(request.iov, offset);
      case 'discard':
        return store.canDiscard ? store.discard(offset, bytes) : ENOTSUP;
      case 'write-zeroes':
        return store.writeZeroes(offset, bytes, request.mayUnmap);
      default:
        return assertUnreachable(kind);
    }
  }
}

/** Is it a range of whole sectors inside a disk of `diskBytes`? */
export function isRange(offset: number, bytes: number, diskBytes: number): boolean {
  return (
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(bytes) &&
    offset >= 0 &&
    bytes >= 0 &&
    offset % SECTOR_BYTES === 0 &&
    bytes % SECTOR_BYTES === 0 &&
    offset + bytes <= diskBytes
  );
}

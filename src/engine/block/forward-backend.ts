import { assert } from '../base/assert.ts';
import { SECTOR_BYTES } from '../base/brands.ts';
import { IoVector } from '../base/io-vector.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import type { AioLoop } from '../qcontext/aio-interface.ts';
import {
  BLK_OK,
  type BlockBackend,
  type BlockRequest,
  type BlockResult,
  ENOMEDIUM,
} from './block-backend.ts';
import {
  FORWARD_KINDS,
  FORWARD_PIECES,
  FORWARD_SLOTS,
  type ForwardKind,
  ForwardLayout,
  ForwardSlotLayout,
  slotAddr,
} from './forward-layout.ts';
import type { ForwardNotifiers } from './forward-server.ts';

/** A request of the device, or a resize or flush of our own, in one or more parts. */
interface Job {
  readonly kind: ForwardKind;
  readonly mayUnmap: boolean;
  readonly id: number;
  readonly dev: number;
  readonly followed: boolean;
  parts: number;
  result: BlockResult;
  complete(result: BlockResult): void;
}
/** What fits one slot. */
interface Part {
  readonly job: Job;
  readonly offset: number;
  readonly bytes: number;
  readonly iov: IoVector | undefined;
}

/**
 * A disk that another context owns: a file handle belongs to one thread, so the queues of a device that run
 * elsewhere send their requests to the owner's `ForwardServer` through rings in shared memory. The data does
 * not travel: slots name places in guest RAM. Belongs to the home thread of the loop it is attached to.
 */
export class ForwardBackend implements BlockBackend {
  readonly nodeName: string;
  onResize: (() => void) | undefined;
  readonly #mem: SharedMemory;
  readonly #base: number;
  readonly #notifiers: ForwardNotifiers;
  readonly #free = Array.from({ length: FORWARD_SLOTS }, (_, slot) => slot);
  readonly #inSlot: (Job | undefined)[] = Array.from({ length: FORWARD_SLOTS }, () => undefined);
  readonly #waiting: Part[] = [];
  #aio: AioLoop | undefined;
  #inFlight = 0;
  #plugged = 0;
  #unannounced = false;
  #resizes = 0;
  #drained: (() => void)[] = [];

  /** @param base `FORWARD_BYTES` of shared memory that the owner's server uses too */
  constructor(nodeName: string, mem: SharedMemory, base: number, notifiers: ForwardNotifiers) {
    this.nodeName = nodeName;
    this.#mem = mem;
    this.#base = base;
    this.#notifiers = notifiers;
  }

  get bytes(): number {
    return this.#mem.loadF64(this.#base + ForwardLayout.at.bytes);
  }
  get readOnly(): boolean {
    return this.#mem.load32(this.#base + ForwardLayout.at.readOnly) !== 0;
  }
  get canDiscard(): boolean {
    return this.#mem.load32(this.#base + ForwardLayout.at.canDiscard) !== 0;
  }
  get inFlight(): number {
    return this.#inFlight;
  }

  attach(aio: AioLoop): Promise<BlockResult> {
    assert(this.#aio === undefined, `${this.nodeName}: attached twice`);
    // ORDER: pairs with the store in ForwardServer.publish().
    if (this.#mem.load32(this.#base + ForwardLayout.at.published) === 0) return Promise.resolve(ENOMEDIUM);
    this.#aio = aio;
    this.#resizes = this.#mem.load32(this.#base + ForwardLayout.at.resizes);
    aio.setEventNotifier(
      this.#notifiers.completed,
      { ioRead: () => this.#reap() },
      `forward ${this.nodeName}`,
    );
    return Promise.resolve(BLK_OK);
  }

  async detach(durable = true): Promise<BlockResult> {
    const aio = this.#aio;
    assert(aio !== undefined && this.#inFlight === 0, `${this.nodeName}: detached with requests in flight`);
    const result = this.readOnly || !durable ? BLK_OK : await this.#call('flush', 0);
    aio.setEventNotifier(this.#notifiers.completed, null);
    this.#aio = undefined;
    return result;
  }

  submit(request: BlockRequest): void {
    assert(this.#aio !== undefined, `${this.nodeName}: submit while detached`);
    const { kind, offset, bytes, iov, mayUnmap, id, dev, followed } = request;
    this.#inFlight += 1; // B2
    const job: Job = {
      kind,
      mayUnmap,
      id,
      dev,
      followed,
      parts: 0,
      result: BLK_OK,
      complete: (result) => request.complete(result),
    };
    if (iov.count <= FORWARD_PIECES) this.#enqueue({ job, offset, bytes, iov });
    else for (const part of splitParts(job, offset, iov)) this.#enqueue(part);
  }

  plug(): void {
    this.#plugged += 1;
  }
  unplug(): void {
    this.#plugged -= 1;
    if (this.#plugged === 0) this.#announce();
  }

  drain(done: () => void): void {
    if (this.#inFlight === 0)
      done(); // B8
    else this.#drained.push(done);
  }

  resize(bytes: number): Promise<BlockResult> {
    return this.#call('resize', bytes);
  }

  #call(kind: 'flush' | 'resize', offset: number): Promise<BlockResult> {
    return new Promise((resolve) => {
      this.#inFlight += 1;
      const job: Job = {
        kind,
        mayUnmap: false,
        id: 0,
        dev: 0,
        followed: true,
        parts: 0,
        result: BLK_OK,
        complete: resolve,
      };
      this.#enqueue({ job, offset, bytes: 0, iov: undefined });
    });
  }

  #enqueue(part: Part): void {
    part.job.parts += 1;
    this.#waiting.push(part);
    this.#fill();
  }

  /** Puts what waits into free slots. */
  #fill(): void {
    while (this.#waiting.length > 0 && this.#free.length > 0) {
      this.#put(this.#free.pop() as number, this.#waiting.shift() as Part);
      this.#unannounced = true;
    }
    if (this.#plugged === 0) this.#announce();
  }

  #put(slot: number, { job, offset, bytes, iov }: Part): void {
    const mem = this.#mem;
    const addr = slotAddr(this.#base, slot);
    const at = ForwardSlotLayout.at;
    this.#inSlot[slot] = job;
    mem.storeF64(addr + at.offset, offset);
    mem.storeF64(addr + at.bytes, bytes);
    mem.store32(addr + at.kind, FORWARD_KINDS.indexOf(job.kind));
    mem.store32(addr + at.mayUnmap, job.mayUnmap ? 1 : 0);
    mem.store32(addr + at.id, job.id);
    mem.store32(addr + at.dev, job.dev);
    mem.store32(addr + at.followed, job.followed ? 1 : 0);
    const pieces = iov?.count ?? 0;
    mem.store32(addr + at.pieces, pieces);
    for (let i = 0; i < pieces; i++) {
      mem.store32(addr + at.addrs + i * 4, iov?.addrs[i] as number);
      mem.store32(addr + at.lengths + i * 4, iov?.lengths[i] as number);
    }
    const head = mem.load32(this.#base + ForwardLayout.at.submitHead);
    mem.store32(this.#base + ForwardLayout.at.submitRing + (head % FORWARD_SLOTS) * 4, slot);
    // ORDER: after slot and ring entry; pairs with the load in ForwardServer#take().
    mem.store32(this.#base + ForwardLayout.at.submitHead, (head + 1) >>> 0);
  }

  #announce(): void {
    if (!this.#unannounced) return;
    this.#unannounced = false;
    if (!this.#notifiers.submitted.isSet()) this.#notifiers.submitted.set();
  }

  #reap(): void {
    const { at } = ForwardLayout;
    // ORDER: cleared before the ring is looked at; pairs with ForwardServer#complete().
    this.#notifiers.completed.testAndClear();
    const resizes = this.#mem.load32(this.#base + at.resizes);
    if (resizes !== this.#resizes) {
      this.#resizes = resizes;
      this.onResize?.();
    }
    let tail = this.#mem.load32(this.#base + at.doneTail);
    while (tail !== this.#mem.load32(this.#base + at.doneHead)) {
      const slot = this.#mem.load32(this.#base + at.doneRing + (tail % FORWARD_SLOTS) * 4);
      tail = (tail + 1) >>> 0;
      this.#mem.store32(this.#base + at.doneTail, tail);
      this.#finish(slot);
    }
    this.#fill();
  }

  #finish(slot: number): void {
    const job = this.#inSlot[slot];
    assert(job !== undefined, 'forward: completion of an empty slot');
    const result = this.#mem.load32(slotAddr(this.#base, slot) + ForwardSlotLayout.at.result) as BlockResult;
    this.#inSlot[slot] = undefined;
    this.#free.push(slot);
    if (result !== BLK_OK && job.result === BLK_OK) job.result = result;
    job.parts -= 1;
    if (job.parts > 0) return;
    job.complete(job.result); // B1
    this.#inFlight -= 1;
    if (this.#inFlight > 0 || this.#drained.length === 0) return;
    const drained = this.#drained;
    this.#drained = [];
    for (const done of drained) done();
  }
}

/** Cuts a long list at sector borders so that each part fits a slot. */
function* splitParts(job: Job, offset: number, iov: IoVector): Generator<Part> {
  let done = 0;
  let piece = 0;
  /** Bytes of the list before `piece`. */
  let before = 0;
  while (done < iov.bytes) {
    let end = before;
    const last = Math.min(piece + FORWARD_PIECES, iov.count);
    for (let i = piece; i < last; i++) end += iov.lengths[i] as number;
    if (last < iov.count) end -= end % SECTOR_BYTES;
    const part = new IoVector();
    part.addSlice(iov, done, end - done);
    yield { job, offset: offset + done, bytes: end - done, iov: part };
    done = end;
    while (piece < iov.count && before + (iov.lengths[piece] as number) <= done) {
      before += iov.lengths[piece] as number;
      piece += 1;
    }
  }
}

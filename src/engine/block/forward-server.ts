import { assert } from '../base/assert.ts';
import { IoVector } from '../base/io-vector.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import type { AioLoop, PollableNotifier } from '../qcontext/aio-interface.ts';
import type { BlockBackend, BlockRequest, BlockRequestKind, BlockResult } from './block-backend.ts';
import {
  FORWARD_KINDS,
  FORWARD_SLOTS,
  ForwardLayout,
  ForwardSlotLayout,
  slotAddr,
} from './forward-layout.ts';

/** The notifiers of one way: `submitted` is polled by the owner, `completed` by the submitter. */
export interface ForwardNotifiers {
  readonly submitted: PollableNotifier;
  readonly completed: PollableNotifier;
}

/**
 * The owner's end of a `ForwardBackend`: takes requests another context put into the rings and hands them to
 * the disk here. Belongs to the home thread of the loop; the backend is attached to the same loop.
 *
 * The owner may change: `close` here with the disk drained, then a new server elsewhere over the same memory
 * finds whatever was submitted in between.
 */
export class ForwardServer {
  readonly #mem: SharedMemory;
  readonly #base: number;
  readonly #notifiers: ForwardNotifiers;
  readonly #aio: AioLoop;
  readonly #backend: BlockBackend;
  readonly #requests: SlotRequest[];
  #inFlight = 0;

  constructor(
    mem: SharedMemory,
    base: number,
    notifiers: ForwardNotifiers,
    aio: AioLoop,
    backend: BlockBackend,
  ) {
    this.#mem = mem;
    this.#base = base;
    this.#notifiers = notifiers;
    this.#aio = aio;
    this.#backend = backend;
    this.#requests = Array.from(
      { length: FORWARD_SLOTS },
      (_, slot) => new SlotRequest(mem, slotAddr(base, slot), (result) => this.#complete(slot, result)),
    );
    this.publish();
    aio.setEventNotifier(notifiers.submitted, { ioRead: () => this.#take() }, `forward ${backend.nodeName}`);
    this.#take();
  }

  /** Requests taken from the ring and not completed. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Tells the submitter what the disk is: at the start and after each change of its size. */
  publish(): void {
    const { at } = ForwardLayout;
    const before = this.#mem.loadF64(this.#base + at.bytes);
    this.#mem.storeF64(this.#base + at.bytes, this.#backend.bytes);
    this.#mem.store32(this.#base + at.readOnly, this.#backend.readOnly ? 1 : 0);
    this.#mem.store32(this.#base + at.canDiscard, this.#backend.canDiscard ? 1 : 0);
    const first = this.#mem.load32(this.#base + at.published) === 0;
    // ORDER: after the facts; pairs with the loads in ForwardBackend.
    this.#mem.store32(this.#base + at.published, 1);
    if (!first && before !== this.#backend.bytes) {
      this.#mem.add32(this.#base + at.resizes, 1);
      this.#notifiers.completed.set();
    }
  }

  /** Lets go of the loop. Only with nothing in flight. */
  close(): void {
    assert(this.#inFlight === 0, 'forward: closed with requests in flight');
    this.#aio.setEventNotifier(this.#notifiers.submitted, null);
  }

  #take(): void {
    const { at } = ForwardLayout;
    // ORDER: cleared before the ring is looked at; pairs with ForwardBackend, which fills the ring first.
    this.#notifiers.submitted.testAndClear();
    this.#backend.plug();
    let tail = this.#mem.load32(this.#base + at.submitTail);
    while (tail !== this.#mem.load32(this.#base + at.submitHead)) {
      const slot = this.#mem.load32(this.#base + at.submitRing + (tail % FORWARD_SLOTS) * 4);
      tail = (tail + 1) >>> 0;
      this.#mem.store32(this.#base + at.submitTail, tail);
      this.#start(slot);
    }
    this.#backend.unplug();
  }

  #start(slot: number): void {
    this.#inFlight += 1;
    const addr = slotAddr(this.#base, slot);
    const kind = FORWARD_KINDS[this.#mem.load32(addr + ForwardSlotLayout.at.kind)];
    assert(kind !== undefined, 'forward: unknown request kind');
    if (kind !== 'resize') {
      const request = this.#requests[slot] as SlotRequest;
      request.load(kind);
      this.#backend.submit(request);
      return;
    }
    const bytes = this.#mem.loadF64(addr + ForwardSlotLayout.at.offset);
    void this.#backend.resize(bytes).then((result) => {
      this.publish();
      this.#complete(slot, result);
    });
  }

  #complete(slot: number, result: BlockResult): void {
    const { at } = ForwardLayout;
    this.#mem.store32(slotAddr(this.#base, slot) + ForwardSlotLayout.at.result, result);
    const head = this.#mem.load32(this.#base + at.doneHead);
    this.#mem.store32(this.#base + at.doneRing + (head % FORWARD_SLOTS) * 4, slot);
    // ORDER: after the result and the ring entry; pairs with the load in ForwardBackend#reap().
    this.#mem.store32(this.#base + at.doneHead, (head + 1) >>> 0);
    this.#inFlight -= 1;
    if (!this.#notifiers.completed.isSet()) this.#notifiers.completed.set();
  }
}

/** A slot's contents as the request the disk gets. */
class SlotRequest implements BlockRequest {
  kind: BlockRequestKind = 'flush';
  offset = 0;
  bytes = 0;
  readonly iov = new IoVector();
  mayUnmap = false;
  id = 0;
  dev = 0;
  followed = true;
  readonly complete: (result: BlockResult) => void;
  readonly #mem: SharedMemory;
  readonly #addr: number;

  constructor(mem: SharedMemory, addr: number, complete: (result: BlockResult) => void) {
    this.#mem = mem;
    this.#addr = addr;
    this.complete = complete;
  }

  load(kind: BlockRequestKind): void {
    const { at } = ForwardSlotLayout;
    const word = (offset: number): number => this.#mem.load32(this.#addr + offset);
    this.kind = kind;
    this.offset = this.#mem.loadF64(this.#addr + at.offset);
    this.bytes = this.#mem.loadF64(this.#addr + at.bytes);
    this.mayUnmap = word(at.mayUnmap) !== 0;
    this.id = word(at.id);
    this.dev = word(at.dev);
    this.followed = word(at.followed) !== 0;
    this.iov.clear();
    const pieces = word(at.pieces);
    for (let i = 0; i < pieces; i++) this.iov.add(word(at.addrs + i * 4), word(at.lengths + i * 4));
  }
}

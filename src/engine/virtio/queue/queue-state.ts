import type { SharedMemory } from '../../base/shared-memory.ts';
import { VirtQueueLayout, virtQueueAddr } from '../layout.ts';

const Q = VirtQueueLayout.at;

/**
 * One queue's state in shared memory, by name. Plain accesses: the home context is the only writer of what
 * it writes here; readers in other threads (inspector) may see a value a moment old.
 */
export class QueueState {
  readonly addr: number;
  readonly mem: SharedMemory;
  readonly #words: Uint32Array;
  readonly #doubles: Float64Array;
  readonly #word: number;
  readonly #double: number;

  constructor(mem: SharedMemory, slotAddr: number, queue: number) {
    this.mem = mem;
    this.addr = virtQueueAddr(slotAddr, queue);
    this.#words = mem.u32;
    this.#doubles = mem.f64;
    this.#word = this.addr >>> 2;
    this.#double = this.addr >>> 3;
  }

  /** Any u32 field by its offset in VirtQueueLayout. */
  get(field: number): number {
    return this.#words[this.#word + (field >>> 2)] as number;
  }
  set(field: number, value: number): void {
    this.#words[this.#word + (field >>> 2)] = value;
  }
  /** Any f64 field by its offset in VirtQueueLayout. */
  getF64(field: number): number {
    return this.#doubles[this.#double + (field >>> 3)] as number;
  }
  addF64(field: number, delta: number): void {
    const at = this.#double + (field >>> 3);
    this.#doubles[at] = (this.#doubles[at] as number) + delta;
  }

  /** Request id that holds a key, 0 if it is not in flight. */
  requestAt(key: number): number {
    return this.get(Q.inFlightRequest + key * 4);
  }
  setRequestAt(key: number, req: number, sinceNs: number): void {
    this.set(Q.inFlightRequest + key * 4, req);
    this.#doubles[this.#double + (Q.inFlightSince >>> 3) + key] = sinceNs;
  }
  sinceNsAt(key: number): number {
    return this.#doubles[this.#double + (Q.inFlightSince >>> 3) + key] as number;
  }
}

import { assert } from './assert.ts';

/** Outcome of a futex wait, as `Atomics.wait` reports it. */
export type WaitOutcome = 'ok' | 'not-equal' | 'timed-out';

/** `Atomics.pause`, where the surroundings have it (Chromium 133, Node 24). */
const pauseHint = (Atomics as { readonly pause?: () => void }).pause;

/**
 * The machine's one shared WebAssembly.Memory, with typed access by byte offset.
 *
 * Every thread of a machine holds its own instance over the same buffer. All of the engine's atomics and
 * shared views are made here (rule 2 of the style): other code names offsets, never typed arrays of its own.
 * The memory is allocated whole and never grows, so the views stay valid. Any thread may call everything
 * here, except `wait32`, which a browser's page thread must not call.
 */
export class SharedMemory {
  readonly memory: WebAssembly.Memory;
  readonly buffer: SharedArrayBuffer;
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  readonly view: DataView;
  readonly #i32: Int32Array;
  readonly #i64: BigInt64Array;

  constructor(memory: WebAssembly.Memory) {
    const buffer = memory.buffer;
    assert(!(buffer instanceof ArrayBuffer), 'the machine memory must be shared');
    this.memory = memory;
    this.buffer = buffer;
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.view = new DataView(buffer);
    this.#i32 = new Int32Array(buffer);
    this.#i64 = new BigInt64Array(buffer);
  }

  get byteLength(): number {
    return this.buffer.byteLength;
  }

  /** Atomic 32-bit load (sequentially consistent); `addr` is 4-aligned, as for all the *32 below. */
  load32(addr: number): number {
    return Atomics.load(this.u32, addr >>> 2);
  }
  store32(addr: number, value: number): void {
    Atomics.store(this.u32, addr >>> 2, value);
  }
  /** Each returns the old value. */
  add32(addr: number, value: number): number {
    return Atomics.add(this.u32, addr >>> 2, value);
  }
  or32(addr: number, bits: number): number {
    return Atomics.or(this.u32, addr >>> 2, bits);
  }
  and32(addr: number, bits: number): number {
    return Atomics.and(this.u32, addr >>> 2, bits);
  }
  exchange32(addr: number, value: number): number {
    return Atomics.exchange(this.u32, addr >>> 2, value);
  }
  /** Compare and swap; returns the value found (equal to `expected` when it swapped). */
  cas32(addr: number, expected: number, value: number): number {
    return Atomics.compareExchange(this.u32, addr >>> 2, expected, value);
  }
  /** Atomic 64-bit load and store, for counters that must not tear. */
  load64(addr: number): bigint {
    return Atomics.load(this.#i64, addr >>> 3);
  }
  store64(addr: number, value: bigint): void {
    Atomics.store(this.#i64, addr >>> 3, value);
  }
  /** Plain 16-bit access; ordering comes from a neighbouring atomic, or from `fence`. */
  load16(addr: number): number {
    return Atomics.load(this.u16, addr >>> 1);
  }
  store16(addr: number, value: number): void {
    Atomics.store(this.u16, addr >>> 1, value);
  }
  loadF64(addr: number): number {
    return this.f64[addr >>> 3] as number;
  }
  storeF64(addr: number, value: number): void {
    this.f64[addr >>> 3] = value;
  }

  /** Between two looks of a thread that spins: leaves the core's units to its sibling, where there is such a hint. */
  pause(): void {
    pauseHint?.();
  }

  /** Sleeps while the word equals `expected`, at most `timeoutNs` (Infinity: for ever). */
  wait32(addr: number, expected: number, timeoutNs: number): WaitOutcome {
    return Atomics.wait(
      this.#i32,
      addr >>> 2,
      expected | 0,
      timeoutNs === Infinity ? undefined : timeoutNs / 1e6,
    );
  }
  /** As `wait32`, without blocking the thread. Where the surroundings have no such wait, undefined. */
  waitAsync32(addr: number, expected: number, timeoutNs: number): Promise<unknown> | undefined {
    if (typeof Atomics.waitAsync !== 'function') return undefined;
    const waiting = Atomics.waitAsync(this.#i32, addr >>> 2, expected | 0, timeoutNs / 1e6);
    return waiting.async ? waiting.value : Promise.resolve();
  }
  /** Wakes up to `count` sleepers; returns how many there were. */
  notify32(addr: number, count = Infinity): number {
    return Atomics.notify(this.#i32, addr >>> 2, count);
  }

  /** A view of `bytes` bytes at `addr` that file handles can read into and write from without a copy. */
  bytes(addr: number, bytes: number): Uint8Array {
    return this.u8.subarray(addr, addr + bytes);
  }
}

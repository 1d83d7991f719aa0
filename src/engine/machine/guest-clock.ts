import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { struct } from '../base/struct.ts';

/** The guest's clock in shared memory: stands still while the machine is paused. */
export const GuestClockLayout = struct(
  'GuestClock',
  { running: 'u32', spare: 'u32', offset: 'f64', frozen: 'f64' },
  64,
);

/** Ticks per second of the `time` CSR and mtime, as on QEMU's virt board. */
export const TIMEBASE_HZ = 10_000_000;
const NS_PER_TICK = 1e9 / TIMEBASE_HZ;

/**
 * Guest time = host time − offset while running, frozen otherwise. Any thread reads it; only the main
 * context starts and stops it.
 */
export class GuestClock {
  readonly #mem: SharedMemory;
  readonly #addr: number;
  readonly #clock: Clock;

  constructor(mem: SharedMemory, addr: number, clock: Clock) {
    this.#mem = mem;
    this.#addr = addr;
    this.#clock = clock;
  }

  /** Ticks of 100 ns since the machine was made, less the time it stood still. An integer. */
  ticks(): number {
    return Math.floor(this.ns() / NS_PER_TICK);
  }

  /** The same in ns. */
  ns(): number {
    const { at } = GuestClockLayout;
    if (this.#mem.load32(this.#addr + at.running) === 0) return this.#mem.loadF64(this.#addr + at.frozen);
    return this.#clock.nowNs() - this.#mem.loadF64(this.#addr + at.offset);
  }

  /** Host ns at which the guest clock will show `ticks`, if it keeps running. */
  hostNsOfTicks(ticks: number): number {
    return ticks * NS_PER_TICK + this.#mem.loadF64(this.#addr + GuestClockLayout.at.offset);
  }

  /** Main context: lets guest time go on. */
  start(): void {
    const { at } = GuestClockLayout;
    if (this.#mem.load32(this.#addr + at.running) !== 0) return;
    this.#mem.storeF64(
      this.#addr + at.offset,
      this.#clock.nowNs() - this.#mem.loadF64(this.#addr + at.frozen),
    );
    this.#mem.store32(this.#addr + at.running, 1);
  }

  /** Main context: stops guest time. */
  stop(): void {
    const { at } = GuestClockLayout;
    if (this.#mem.load32(this.#addr + at.running) === 0) return;
    this.#mem.storeF64(this.#addr + at.frozen, this.ns());
    this.#mem.store32(this.#addr + at.running, 0);
  }

  /** Main context, while stopped: the time it will go on from (a restored snapshot's). */
  set(ns: number): void {
    const { at } = GuestClockLayout;
    assert(this.#mem.load32(this.#addr + at.running) === 0, 'the guest clock is set while stopped');
    this.#mem.storeF64(this.#addr + at.frozen, ns);
  }
}

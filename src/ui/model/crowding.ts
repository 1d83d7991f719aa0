import type { BoardSnapshot } from '../../engine/vm.ts';

/** Cores that the page and its workers want: with less than that left to them, they are in the machine's way. */
const WANTED_CORES = 1;
/** On one core nothing can be left to them: there it is about who has more of it. */
const LEAST_CORES = 0.5;
/** So much less than it takes to be crowded must be used before it is over. */
const HYSTERESIS_CORES = 0.25;
/** The share of cores is smoothed over this time. */
const WINDOW_NS = 2.5e8;

/**
 * Whether the machine leaves the page so few cores that looking at it takes from it. Then what shows it moves less often:
 * a context and a hart that pass requests to each other both stand still while a third thread has the core of one.
 */
export class Crowding {
  readonly #cores: number;
  #last: BoardSnapshot | undefined;
  #used = 0;
  #crowded = false;

  /** @param cores of the host, `navigator.hardwareConcurrency` */
  constructor(cores: number) {
    this.#cores = cores;
  }

  get crowded(): boolean {
    return this.#crowded;
  }

  /** Another machine, or none. */
  clear(): void {
    this.#last = undefined;
    this.#used = 0;
    this.#crowded = false;
  }

  /** Takes the newest look at the board. */
  look(board: BoardSnapshot): void {
    const last = this.#last;
    this.#last = board;
    if (last === undefined || board.timeNs <= last.timeNs) return;
    const ns = board.timeNs - last.timeNs;
    const used = awakeNs(last, board) / ns;
    this.#used += (used - this.#used) * Math.min(1, ns / WINDOW_NS);
    const limit = Math.max(LEAST_CORES, this.#cores - WANTED_CORES);
    this.#crowded = this.#used > (this.#crowded ? limit - HYSTERESIS_CORES : limit);
  }
}

/** How long the threads of the machine were awake between two looks, summed up, in ns. */
function awakeNs(before: BoardSnapshot, now: BoardSnapshot): number {
  const ns = now.timeNs - before.timeNs;
  const within = (share: number): number => Math.min(ns, Math.max(0, share));
  let sum = 0;
  for (const context of now.contexts) {
    const old = before.contexts.find(({ index }) => index === context.index);
    if (old !== undefined) sum += within(context.busyNs + context.pollingNs - old.busyNs - old.pollingNs);
  }
  for (const hart of now.harts) {
    const old = before.harts.find(({ index }) => index === hart.index);
    if (old === undefined || hart.state === 'paused' || hart.state === 'stopped') continue;
    sum += within(ns - (hart.idleNs - old.idleNs));
  }
  return sum;
}

import type { BoardSnapshot, ContextSnapshot, DeviceSnapshot, QueueSnapshot, Vm } from '../../engine/vm.ts';
import { Crowding } from './crowding.ts';
import { pageFrames } from './frame-queue.ts';
import { msToFullSecond, PAGE_AFTER_MS } from './full-second.ts';

/** Two looks at the board: now, and about a second earlier, so that rates can be told. */
export interface BoardFrame {
  readonly now: BoardSnapshot;
  readonly before: BoardSnapshot | undefined;
  /** Seconds between the two; 0 while there is only one. */
  readonly seconds: number;
}

/** How often the board is read, at most (ms). A number on the page changes at every fifth look. */
export const BOARD_INTERVAL_MS = 100;
const PARTS = 5;
/** The same where the machine wants the cores itself. */
const CROWDED_INTERVAL_MS = 200;
const CROWDED_PARTS = 3;
/** And where it has more to do than anyone can look at. */
const FLOODED_INTERVAL_MS = 1000;
/**
 * A machine that sleeps is looked at once a second. Sleep is a second of looks between which hardly anything happened: a
 * guest's own housekeeping, so many iterations and interrupts a second, does not count.
 */
const SLEEP_AFTER = 10;
const HOUSEKEEPING_PER_SECOND = 40;
const RATE_WINDOW_NS = 1e9;
/** Snapshots this far back are kept, one a second, for the "before" of a move. */
const HISTORY_SECONDS = 15;

/**
 * Polls `vm.board()` and tells two kinds of listeners: *shape* (which contexts, devices, queues and sources
 * there are and where they stand: React renders these) and *numbers* (written straight into text nodes, twice
 * a second, never through React).
 */
export class LiveBoard {
  #vm: Vm | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame: BoardFrame | undefined;
  #shape: BoardSnapshot | undefined;
  #shapeKey = '';
  #recent: BoardSnapshot[] = [];
  #history: BoardSnapshot[] = [];
  /** Which part of the listeners to numbers is next. */
  #part = 0;
  #activity = 0;
  /** Looks since the last change. */
  #still = 0;
  readonly #crowding: Crowding;
  readonly #shapeListeners = new Set<() => void>();
  readonly #frameListeners = new Set<(frame: BoardFrame) => void>();
  readonly #numberListeners = new Set<(frame: BoardFrame) => void>();
  readonly #wakeListeners = new Set<() => void>();

  /** The machine has more to do than anyone can look at, and the cores are its own: what shows it moves once a second. */
  flooded = false;

  /** @param cores of the host */
  constructor(cores = globalThis.navigator?.hardwareConcurrency ?? 1) {
    this.#crowding = new Crowding(cores);
  }

  /** Starts reading this machine. */
  attach(vm: Vm): void {
    this.detach();
    this.#vm = vm;
    this.#still = 0;
    this.#tick();
    this.#schedule();
  }

  /** Stops reading; the last picture stays until the next machine. */
  detach(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#vm = undefined;
    pageFrames.rest(false);
    this.#recent = [];
    this.#history = [];
    this.#part = 0;
    this.#crowding.clear();
  }

  /** Forgets the last picture as well: no machine, no board. */
  clear(): void {
    this.detach();
    this.#frame = undefined;
    this.#setShape(undefined, '');
  }

  /** Reads the board now (after a command that changed it). */
  refresh(): void {
    this.#tick();
    this.wake();
  }

  /** Somebody is at work: from now on the board is looked at often again, until nothing has happened for a second. */
  wake(): void {
    for (const listener of this.#wakeListeners) listener();
    const slept = this.asleep;
    this.#still = 0;
    if (slept) this.#schedule();
  }

  /** Calls whenever somebody is at work. */
  onWake(listener: () => void): () => void {
    this.#wakeListeners.add(listener);
    return () => this.#wakeListeners.delete(listener);
  }

  readonly subscribeShape = (listener: () => void): (() => void) => {
    this.#shapeListeners.add(listener);
    return () => this.#shapeListeners.delete(listener);
  };

  /** The snapshot at the last change of shape; its counters are old by design. */
  readonly shape = (): BoardSnapshot | undefined => this.#shape;

  /** For what is written into the page: calls at once with the last frame, if any, then twice a second while it is seen. */
  onNumbers(listener: (frame: BoardFrame) => void): () => void {
    this.#numberListeners.add(listener);
    if (this.#frame !== undefined) listener(this.#frame);
    return () => this.#numberListeners.delete(listener);
  }

  /** Calls right after each reading, at most ten times a second, seen or not: for canvases and models. */
  onFrame(listener: (frame: BoardFrame) => void): () => void {
    this.#frameListeners.add(listener);
    return () => this.#frameListeners.delete(listener);
  }

  frame(): BoardFrame | undefined {
    return this.#frame;
  }

  /** The oldest picture that is at most `seconds` old, for windows that end now. */
  since(seconds: number): BoardSnapshot | undefined {
    const now = this.#frame?.now.timeNs ?? 0;
    return this.#history.find((snapshot) => now - snapshot.timeNs <= (seconds + 0.5) * 1e9);
  }

  /** Nothing happens and nobody is there: all that is shown is shown at one moment a second. */
  get asleep(): boolean {
    return this.#still >= SLEEP_AFTER;
  }

  /** The machine leaves the page so few cores that what shows it moves less often. */
  get crowded(): boolean {
    return this.#crowding.crowded;
  }

  /** One timer at most, and none without a machine: what is told at a look may wake the board or end it. */
  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#vm === undefined) return;
    pageFrames.rest(this.asleep);
    const now = performance.timeOrigin + performance.now();
    this.#timer = setTimeout(
      () => this.#timed(),
      this.asleep
        ? msToFullSecond(now, PAGE_AFTER_MS)
        : this.flooded
          ? FLOODED_INTERVAL_MS
          : this.crowded
            ? CROWDED_INTERVAL_MS
            : BOARD_INTERVAL_MS,
    );
  }

  /** Looks at the board, less often while nothing happens there. */
  #timed(): void {
    const then = this.#frame?.now.timeNs ?? 0;
    this.#tick();
    if (this.asleep) pageFrames.together();
    const { now } = this.#frame ?? {};
    const activity =
      (now?.contexts.reduce((sum, context) => sum + context.iterations, 0) ?? 0) +
      (now?.harts.reduce((sum, hart) => sum + hart.interrupts, 0) ?? 0);
    const housekeeping = (HOUSEKEEPING_PER_SECOND * ((now?.timeNs ?? 0) - then)) / 1e9;
    this.#still = activity - this.#activity <= Math.max(1, housekeeping) ? this.#still + 1 : 0;
    this.#activity = activity;
    this.#schedule();
  }

  #tick(): void {
    const vm = this.#vm;
    if (vm === undefined) return;
    const now = vm.board();
    this.#crowding.look(now);
    const recent = this.#recent;
    recent.push(now);
    while (recent.length > 2 && now.timeNs - (recent[1]?.timeNs ?? 0) >= RATE_WINDOW_NS) recent.shift();
    const newest = this.#history.at(-1);
    if (newest === undefined || now.timeNs - newest.timeNs >= 1e9) this.#history.push(now);
    if (this.#history.length > HISTORY_SECONDS) this.#history.shift();
    const before = recent.length > 1 ? recent[0] : undefined;
    this.#frame = { now, before, seconds: before === undefined ? 0 : (now.timeNs - before.timeNs) / 1e9 };
    const key = shapeKey(now);
    if (key !== this.#shapeKey) this.#setShape(now, key);
    for (const listener of this.#frameListeners) listener(this.#frame);
    this.#tellNumbers(this.#frame);
  }

  /**
   * Each look at a machine that is awake tells a part of the listeners, so that no frame of the page has to write, lay
   * out and paint all numbers. Those that stand together subscribed one after another and are told together.
   */
  #tellNumbers(frame: BoardFrame): void {
    const listeners = [...this.#numberListeners];
    if (this.asleep) {
      for (const listener of listeners) listener(frame);
      return;
    }
    const parts = this.flooded ? 1 : this.crowded ? CROWDED_PARTS : PARTS;
    const part = this.#part % parts;
    const from = Math.floor((listeners.length * part) / parts);
    const to = Math.floor((listeners.length * (part + 1)) / parts);
    this.#part = (part + 1) % parts;
    pageFrames.add(`board ${part}`, () => {
      for (const listener of listeners.slice(from, to))
        if (this.#numberListeners.has(listener)) listener(frame);
    });
  }

  #setShape(snapshot: BoardSnapshot | undefined, key: string): void {
    this.#shape = snapshot;
    this.#shapeKey = key;
    for (const listener of this.#shapeListeners) listener();
  }
}

/** What React draws from a snapshot, as one string: when it changes, the board is rendered anew. */
export function shapeKey(board: BoardSnapshot): string {
  return JSON.stringify([
    board.runState,
    board.contexts.map((c) => [
      c.id,
      c.threaded,
      c.worker,
      c.state === 'gone',
      c.heldNs !== undefined,
      c.sources.map((s) => [s.id, s.name, s.kind, s.priority]),
    ]),
    board.devices.map((d) => [
      d.qomPath,
      d.id,
      d.type,
      d.movable,
      d.moving,
      d.queues.map((q) => [q.name, q.size, q.ready, q.packed, q.context, q.configuredContext]),
    ]),
    board.harts.map((h) => h.index),
  ]);
}

export const contextIn = (board: BoardSnapshot | undefined, index: number): ContextSnapshot | undefined =>
  board?.contexts.find((context) => context.index === index);

export const deviceIn = (board: BoardSnapshot | undefined, qomPath: string): DeviceSnapshot | undefined =>
  board?.devices.find((device) => device.qomPath === qomPath);

/** What a counter grew by per second, over the queues of a device that are named. */
export function queueRate(
  frame: BoardFrame,
  qomPath: string,
  queues: readonly number[],
  read: (queue: QueueSnapshot) => number,
): number {
  if (frame.seconds <= 0) return 0;
  const growth = queueSum(frame.now, qomPath, queues, read) - queueSum(frame.before, qomPath, queues, read);
  return Math.max(0, growth / frame.seconds);
}

/** Sum of a counter over the queues of a device that are named. */
export function queueSum(
  board: BoardSnapshot | undefined,
  qomPath: string,
  queues: readonly number[],
  read: (queue: QueueSnapshot) => number,
): number {
  let sum = 0;
  for (const queue of deviceIn(board, qomPath)?.queues ?? [])
    if (queues.includes(queue.index)) sum += read(queue);
  return sum;
}

/** Shares 0..1 of the last second a context spent dispatching, busy-polling and blocked. */
export function contextShares(
  frame: BoardFrame,
  index: number,
): { readonly busy: number; readonly polling: number; readonly blocked: number } | undefined {
  const now = contextIn(frame.now, index);
  const before = contextIn(frame.before, index);
  if (now === undefined || before === undefined) return undefined;
  const busy = Math.max(0, now.busyNs - before.busyNs);
  const polling = Math.max(0, now.pollingNs - before.pollingNs);
  const blocked = Math.max(0, now.blockedNs - before.blockedNs);
  const all = busy + polling + blocked;
  return all === 0 ? undefined : { busy: busy / all, polling: polling / all, blocked: blocked / all };
}

/** One side of a ping-pong between two workers of a page: by contexts, or by bare Atomics. */
import { EventNotifier } from '../../src/engine/base/event-notifier.ts';
import { SharedMemory } from '../../src/engine/base/shared-memory.ts';
import { CONTROL_QUIT, WakeWord } from '../../src/engine/base/wake-word.ts';
import { LoopClock } from '../../src/engine/qcontext/loop-clock.ts';
import { createBrowserClock } from '../../src/engine/workers/browser-clock.ts';
import { createThreadContext } from '../../src/engine/qcontext/thread-context.ts';
import { nullTracer } from '../../src/engine/trace/tracer.ts';

/** What a worker is told. Both sides share `memory`; the leader (thread 0) begins and keeps the time. */
export interface WakeJob {
  readonly memory: WebAssembly.Memory;
  readonly thread: 0 | 1;
  /** How often each way has its turn. */
  readonly turns: number;
  /** Round trips of one turn. */
  readonly rounds: number;
}

/** µs per round trip, the median of each turn: one way's beside the other's, measured in the same moment and threads. */
export interface WakeTimes {
  readonly contexts: readonly number[];
  readonly atomics: readonly number[];
}

/** Byte offsets in the memory; words that two threads write lie on cache lines of their own. */
const wakeAddr = (thread: number): number => 64 * (1 + thread);
const wordAddr = (thread: number): number => 1024 + 64 * thread;
const barrierAddr = (thread: number): number => 2048 + 64 * thread;
const NOTIFIERS = 4096;

/** The clock of the page's own workers. */
const clock = createBrowserClock(performance.timeOrigin);

/** Batches of round trips: the clock's steps of 5 µs are too coarse for one. */
const BATCH = 10;

/** Keeps the leader's time; µs per round trip, a batch at a time. */
class Stopwatch {
  readonly #batchesUs: number[] = [];
  #rounds = 0;
  #startNs = clock.nowNs();
  lap(): void {
    if (++this.#rounds % BATCH !== 0) return;
    const now = clock.nowNs();
    this.#batchesUs.push((now - this.#startNs) / 1000 / BATCH);
    this.#startNs = now;
  }
  medianUs(): number {
    return this.#batchesUs.toSorted((a, b) => a - b)[this.#batchesUs.length >> 1] ?? 0;
  }
}

/** The context of a worker, made as a machine makes its own; `turn` lets it echo signals for a number of rounds. */
function createEcho({ memory, thread }: WakeJob): { turn(rounds: number): Promise<number> } {
  const mem = new SharedMemory(memory);
  const wake = new WakeWord(mem, wakeAddr(thread));
  const notifier = (fd: number): EventNotifier => new EventNotifier(mem, clock, NOTIFIERS, fd);
  const [input, output] = [notifier(1 + thread), notifier(2 - thread)];
  const { aio, loop } = createThreadContext({
    id: `thread${thread}`,
    index: thread,
    wake,
    clock: new LoopClock(clock),
    tracer: nullTracer,
    isReadable: (fd) => (fd === input.fd ? input : output).isSet(),
    macrotask: () =>
      new Promise((resolve) => {
        setTimeout(resolve, 0);
      }),
    maySpin: () => false,
    log: { warning: (message) => console.warn(message) },
  });
  let watch = new Stopwatch();
  let left = 0;
  const answer = (): void => {
    if (thread === 0) watch.lap();
    left--;
    if (left === 0) wake.request(CONTROL_QUIT);
    if (left === 0 && thread === 0) return;
    output.set();
  };
  aio.setEventNotifier(
    input,
    {
      ioRead: () => {
        if (input.testAndClear()) answer();
      },
    },
    'echo',
  );
  return {
    turn: async (rounds) => {
      wake.revoke(CONTROL_QUIT);
      left = rounds;
      watch = new Stopwatch();
      if (thread === 0) output.set();
      await loop.runUntilQuit();
      return watch.medianUs();
    },
  };
}

function byAtomics({ memory, thread }: WakeJob, first: number, rounds: number): number {
  const mem = new SharedMemory(memory);
  const [input, output] = [wordAddr(thread), wordAddr(1 - thread)];
  const watch = new Stopwatch();
  for (let round = first; round < first + rounds; round++) {
    if (thread === 0) {
      mem.store32(output, round);
      mem.notify32(output);
    }
    while (mem.load32(input) !== round) mem.wait32(input, round - 1, Infinity);
    if (thread === 0) watch.lap();
    else {
      mem.store32(output, round);
      mem.notify32(output);
    }
  }
  return watch.medianUs();
}

/** Both workers are through with turn `n`. */
function meet(mem: SharedMemory, thread: number, n: number): void {
  mem.store32(barrierAddr(thread), n);
  mem.notify32(barrierAddr(thread));
  for (;;) {
    const other = mem.load32(barrierAddr(1 - thread));
    if (other >= n) return;
    mem.wait32(barrierAddr(1 - thread), other, Infinity);
  }
}

self.onmessage = async ({ data }: MessageEvent<WakeJob>) => {
  const { memory, thread, turns, rounds } = data;
  const mem = new SharedMemory(memory);
  const echo = createEcho(data);
  const [contexts, atomics]: [number[], number[]] = [[], []];
  self.postMessage('ready');
  for (let turn = 0; turn < turns; turn++) {
    meet(mem, thread, 2 * turn + 1);
    contexts.push(await echo.turn(rounds));
    meet(mem, thread, 2 * turn + 2);
    atomics.push(byAtomics(data, 1 + turn * rounds, rounds));
  }
  self.postMessage({ contexts, atomics } satisfies WakeTimes);
};

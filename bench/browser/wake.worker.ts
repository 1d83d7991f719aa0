/** One side of a ping-pong between two workers of a page: by contexts, or by bare Atomics. */
import { EventNotifier } from '../../src/engine/base/event-notifier.ts';
import { SharedMemory } from '../../src/engine/base/shared-memory.ts';
import { CONTROL_QUIT, WakeWord } from '../../src/engine/base/wake-word.ts';
import { createThreadContext } from '../../src/engine/qcontext/thread-context.ts';
import { nullTracer } from '../../src/engine/trace/tracer.ts';

/** What a worker is told. Both sides share `memory`; the leader (thread 0) begins and keeps the time. */
export interface WakeJob {
  readonly memory: WebAssembly.Memory;
  readonly by: 'contexts' | 'atomics';
  readonly thread: 0 | 1;
  readonly rounds: number;
}

/** Byte offsets in the memory; words that two threads write lie on cache lines of their own. */
const wakeAddr = (thread: number): number => 64 * (1 + thread);
const wordAddr = (thread: number): number => 1024 + 64 * thread;
const NOTIFIERS = 4096;

const clock = { nowNs: (): number => performance.now() * 1e6 };

/** Batches of round trips: the clock's steps of 5 µs are too coarse for one. */
const BATCH = 10;

/** Keeps the leader's time; µs per round trip, a batch at a time. */
class Stopwatch {
  readonly roundTripsUs: number[] = [];
  #rounds = 0;
  #startNs = clock.nowNs();
  lap(): void {
    if (++this.#rounds % BATCH !== 0) return;
    const now = clock.nowNs();
    this.roundTripsUs.push((now - this.#startNs) / 1000 / BATCH);
    this.#startNs = now;
  }
}

async function byContexts({ memory, thread, rounds }: WakeJob): Promise<readonly number[]> {
  const mem = new SharedMemory(memory);
  const wake = new WakeWord(mem, wakeAddr(thread));
  const notifier = (fd: number): EventNotifier => new EventNotifier(mem, clock, NOTIFIERS, fd);
  const [input, output] = [notifier(1 + thread), notifier(2 - thread)];
  const { aio, loop } = createThreadContext({
    id: `thread${thread}`,
    index: thread,
    wake,
    clock,
    tracer: nullTracer,
    isReadable: (fd) => (fd === input.fd ? input : output).isSet(),
    macrotask: () =>
      new Promise((resolve) => {
        setTimeout(resolve, 0);
      }),
    maySpin: () => false,
    log: { warning: (message) => console.warn(message) },
  });
  const watch = new Stopwatch();
  let done = 0;
  const answer = (): void => {
    if (thread === 0) watch.lap();
    done++;
    if (done === rounds) wake.request(CONTROL_QUIT);
    if (done === rounds && thread === 0) return;
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
  self.postMessage('ready');
  if (thread === 0) output.set();
  await loop.runUntilQuit();
  return watch.roundTripsUs;
}

function byAtomics({ memory, thread, rounds }: WakeJob): readonly number[] {
  const mem = new SharedMemory(memory);
  const [input, output] = [wordAddr(thread), wordAddr(1 - thread)];
  const watch = new Stopwatch();
  self.postMessage('ready');
  for (let round = 1; round <= rounds; round++) {
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
  return watch.roundTripsUs;
}

self.onmessage = async ({ data }: MessageEvent<WakeJob>) => {
  self.postMessage(data.by === 'contexts' ? await byContexts(data) : byAtomics(data));
};

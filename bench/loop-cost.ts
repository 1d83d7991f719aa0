/**
 * What one wake of a context costs besides the futex, on one thread: a notifier is set, the context iterates and its
 * handler runs. Prints ns and clock readings per wake. See docs/benchmarks.md for the command.
 */
import { EventNotifier } from '../src/engine/base/event-notifier.ts';
import { SharedMemory } from '../src/engine/base/shared-memory.ts';
import { WakeWord } from '../src/engine/base/wake-word.ts';
import { LoopClock } from '../src/engine/qcontext/loop-clock.ts';
import { createThreadContext } from '../src/engine/qcontext/thread-context.ts';
import { nullTracer } from '../src/engine/trace/tracer.ts';
import { median } from './lib/result.ts';

const WAKES = 200_000;
const ROUNDS = 15;

let readings = 0;
const clock = {
  nowNs: (): number => {
    readings++;
    return performance.now() * 1e6;
  },
};
const mem = new SharedMemory(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }));
const wake = new WakeWord(mem, 64);
const input = new EventNotifier(mem, clock, 4096, 1);
const loopClock = new LoopClock(clock);
const { aio, context } = createThreadContext({
  id: 'ctx0',
  index: 0,
  wake,
  clock: loopClock,
  tracer: nullTracer,
  isReadable: () => input.isSet(),
  macrotask: () => Promise.resolve(),
  maySpin: () => false,
  log: { warning: (message) => console.warn(message) },
});
let served = 0;
aio.setEventNotifier(
  input,
  {
    ioRead: () => {
      if (input.testAndClear()) served++;
    },
  },
  'echo',
);
context.iterate(false);
loopClock.inLoop = true;

const round = (): number => {
  const start = performance.now();
  for (let i = 0; i < WAKES; i++) {
    input.set();
    context.iterate(true);
  }
  return ((performance.now() - start) * 1e6) / WAKES;
};
round();
served = 0;
readings = 0;
const all = Array.from({ length: ROUNDS }, round);
if (served !== WAKES * ROUNDS) throw new Error(`served ${served} of ${WAKES * ROUNDS}`);
const alone = ((): number => {
  const start = performance.now();
  for (let i = 0; i < WAKES; i++) clock.nowNs();
  return ((performance.now() - start) * 1e6) / WAKES;
})();
console.log(
  `${median(all).toFixed(0)} ns per wake (lowest ${Math.min(...all).toFixed(0)}), ` +
    `${(readings / WAKES / ROUNDS).toFixed(2)} clock readings, ${alone.toFixed(0)} ns each`,
);

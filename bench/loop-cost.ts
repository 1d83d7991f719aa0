/**
 * What the event loop costs on one thread, without any peer. A wake besides the futex (a notifier is set, the context
 * iterates, its handler runs): ns and clock readings. Attaching and destroying sources: ns each of 12,500 and of 50,000.
 * See docs/benchmarks.md for the command.
 */
import { EventNotifier } from '../src/engine/base/event-notifier.ts';
import { SharedMemory } from '../src/engine/base/shared-memory.ts';
import { WakeWord } from '../src/engine/base/wake-word.ts';
import { LoopClock } from '../src/engine/qcontext/loop-clock.ts';
import { QSource } from '../src/engine/qcontext/qsource.ts';
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

const funcs = { prepare: () => false, check: () => false, dispatch: () => true };
/** ns for each of `n` sources, attached and then destroyed, on average over `rounds`. */
const attachAndDestroy = (n: number, rounds: number): number => {
  const sources: QSource[] = [];
  const start = performance.now();
  for (let i = 0; i < rounds; i++) {
    for (let k = 0; k < n; k++) {
      const source = new QSource(funcs);
      context.attach(source);
      sources[k] = source;
    }
    for (const source of sources) {
      source.destroy();
      source.unref();
    }
  }
  return ((performance.now() - start) * 1e6) / n / rounds;
};
attachAndDestroy(50_000, 4);
const pairs = Array.from(
  { length: 9 },
  () => [attachAndDestroy(12_500, 32), attachAndDestroy(50_000, 8)] as const,
);
const [few, many] = [median(pairs.map(([ns]) => ns)), median(pairs.map(([, ns]) => ns))];
const growth = 4 * median(pairs.map(([a, b]) => b / a));
console.log(
  `${few.toFixed(0)} ns per source of 12,500, ${many.toFixed(0)} of 50,000: ${growth.toFixed(2)} times the time (linear: 4)`,
);

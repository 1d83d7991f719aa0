/** The event loop against native GLib and bare Atomics, each pair measured alternately in the same run. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { buildWithGlib } from '../cli/conformance/oracle.ts';
import { PLACES } from '../cli/conformance/threads/jobs.ts';
import { bundleWorker, createMemory, startJob } from '../cli/conformance/threads/run-jobs.ts';
import { GlibQContext } from '../src/engine/qcontext/glib-qcontext.ts';
import { QSource, type SourceFuncs } from '../src/engine/qcontext/qsource.ts';
import { atMost, type BenchResult, compared, quantile } from './lib/result.ts';

interface LoopTimes {
  readonly iterateUs: number;
  readonly attachUs: number;
  readonly destroyUs: number;
  /** Attaching and destroying all, on average over some rounds after the first in the same context. */
  readonly steadyUs: number;
  readonly dispatched: number;
}

/** The same as glib-iterate.c: sources with prepare and check, one in a hundred ready by time. */
function iterateOurs(sources: number, iterations: number, rounds = 0): LoopTimes {
  let dispatched = 0;
  const dispatch = (): boolean => {
    dispatched++;
    return true;
  };
  const silent: SourceFuncs = { prepare: () => false, check: () => false, dispatch };
  const byTime: SourceFuncs = { dispatch };
  const context = new GlibQContext({
    name: 'bench',
    nowUs: () => Math.floor(performance.now() * 1000),
    poll: () => 0,
    wakeup: () => {},
  });
  context.acquire();
  const all: QSource[] = [];
  const attachAll = (): void => {
    for (let i = 0; i < sources; i++) {
      const source = new QSource(i % 100 === 0 ? byTime : silent);
      if (i % 100 === 0) source.readyTimeUs = 0;
      context.attach(source);
      all[i] = source;
    }
  };
  const destroyAll = (): void => {
    for (const source of all) {
      source.destroy();
      source.unref();
    }
  };
  const start = performance.now();
  attachAll();
  const attached = performance.now();
  for (let i = 0; i < iterations; i++) context.iterate(false);
  const iterated = performance.now();
  destroyAll();
  const destroyed = performance.now();
  for (let round = 0; round < rounds; round++) {
    attachAll();
    destroyAll();
  }
  const steady = rounds === 0 ? 0 : (performance.now() - destroyed) / rounds;
  return {
    iterateUs: ((iterated - attached) * 1000) / iterations,
    attachUs: (attached - start) * 1000,
    destroyUs: (destroyed - iterated) * 1000,
    steadyUs: steady * 1000,
    dispatched,
  };
}

/** Of attaching and destroying, after the first. */
const ROUNDS = 8;

/** Iterating 10,000 sources, and attaching and destroying 50,000, against native GLib. */
export function benchSources(root: string, runs = 7): BenchResult[] {
  const native = buildWithGlib(root, 'glib-iterate', '-O2');
  const glib = (sources: number, iterations: number, rounds = 0): LoopTimes =>
    JSON.parse(execFileSync(native, [sources, iterations, rounds].map(String), { encoding: 'utf8' }));
  iterateOurs(10_000, 200);
  const pairs = Array.from({ length: runs }, () => ({
    ours: iterateOurs(10_000, 200),
    glib: glib(10_000, 200),
    few: iterateOurs(12_500, 1, 4 * ROUNDS),
    many: iterateOurs(50_000, 1, ROUNDS),
    glibFew: glib(12_500, 1, 4 * ROUNDS),
    glibMany: glib(50_000, 1, ROUNDS),
  }));
  if (pairs.some(({ ours, glib: theirs }) => ours.dispatched !== theirs.dispatched)) {
    throw new Error('the two loops did not dispatch the same number of sources');
  }
  const cost = ({ attachUs, destroyUs }: LoopTimes): number => attachUs + destroyUs;
  const grown = (few: LoopTimes, many: LoopTimes): number => many.steadyUs / few.steadyUs;
  const growths = pairs.map(({ few, many }) => grown(few, many));
  return [
    compared(
      'loop/iterate-10000-vs-glib',
      'µs',
      {
        ours: pairs.map(({ ours }) => ours.iterateUs),
        theirs: pairs.map((pair) => pair.glib.iterateUs),
      },
      'native GLib',
      { target: atMost(2) },
    ),
    compared(
      'loop/attach-destroy-50000',
      'µs',
      { ours: pairs.map(({ many }) => cost(many)), theirs: pairs.map(({ glibMany }) => cost(glibMany)) },
      'native GLib',
      { note: 'the first time in a new context' },
    ),
    compared(
      'loop/attach-destroy-growth',
      '×',
      { ours: growths, theirs: pairs.map(({ glibFew, glibMany }) => grown(glibFew, glibMany)) },
      'native GLib',
      {
        note: `50,000 against 12,500, a round of ${ROUNDS} and ${4 * ROUNDS} in a context that has had as many before; linear is 4`,
      },
    ),
  ];
}

/** A signal from one context to another and back, halved, against bare Atomics; between threads of Node. */
export async function benchWake(root: string, runs = 7, rounds = 20_000): Promise<BenchResult[]> {
  const file = await bundleWorker(root);
  const skip = Math.floor(rounds / 5);
  const settled = (ns: Float64Array): number[] => [...ns.subarray(skip)];
  const echo = async (): Promise<number[]> => {
    const { memory } = createMemory();
    const job = { job: 'echo', memory, rounds } as const;
    const b = startJob(file, { ...job, thread: 1, inFd: 2, outFd: 1, leads: false });
    await b.ready;
    const a = startJob(file, { ...job, thread: 0, inFd: 1, outFd: 2, leads: true });
    const [report] = await Promise.all([a.report, b.report]);
    return settled(report.roundTripsNs);
  };
  const bare = async (): Promise<number[]> => {
    const { memory } = createMemory();
    const [one, two] = [PLACES.word(0), PLACES.word(1)];
    const job = { job: 'atomics', memory, rounds } as const;
    const b = startJob(file, { ...job, thread: 1, inWord: one, outWord: two, leads: false });
    await b.ready;
    const a = startJob(file, { ...job, thread: 0, inWord: two, outWord: one, leads: true });
    const [report] = await Promise.all([a.report, b.report]);
    return settled(report.roundTripsNs);
  };
  const pairs: { ours: number[]; bare: number[] }[] = [];
  for (let i = 0; i < runs; i++) pairs.push({ ours: await echo(), bare: await bare() });
  rmSync(file, { force: true });
  const oneWay = (all: readonly number[], q: number): number => quantile(all, q) / 2000;
  const result = (name: string, q: number): BenchResult =>
    compared(
      name,
      'µs',
      {
        ours: pairs.map(({ ours }) => oneWay(ours, q)),
        theirs: pairs.map((pair) => oneWay(pair.bare, q)),
      },
      'bare Atomics ping-pong',
      q === 0.5 ? { target: atMost(2) } : {},
    );
  return [result('loop/wake-node-vs-pingpong', 0.5), result('loop/wake-node-vs-pingpong-p99', 0.99)];
}

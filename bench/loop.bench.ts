/**
 * The event loop against native GLib and bare Atomics, each pair measured alternately in the same run.
 * `node scripts/bench.mjs loop`, or the bundled file by itself.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { buildWithGlib } from '../cli/conformance/oracle.ts';
import { PLACES } from '../cli/conformance/threads/jobs.ts';
import { bundleWorker, createMemory, startJob } from '../cli/conformance/threads/run-jobs.ts';
import { GlibQContext } from '../src/engine/qcontext/glib-qcontext.ts';
import { QSource, type SourceFuncs } from '../src/engine/qcontext/qsource.ts';

/** One figure; `ratio` is value / against of the same run. */
export interface BenchResult {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly ratio: number | undefined;
  /** What the ratio compares with, and its value in the same unit. */
  readonly against: string | undefined;
  readonly runs: number;
}

interface LoopTimes {
  readonly iterateUs: number;
  readonly attachUs: number;
  readonly destroyUs: number;
  readonly dispatched: number;
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
};

/** The same as glib-iterate.c: sources with prepare and check, one in a hundred ready by time. */
function iterateOurs(sources: number, iterations: number): LoopTimes {
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
  const start = performance.now();
  for (let i = 0; i < sources; i++) {
    const source = new QSource(i % 100 === 0 ? byTime : silent);
    if (i % 100 === 0) source.readyTimeUs = 0;
    context.attach(source);
    all.push(source);
  }
  const attached = performance.now();
  for (let i = 0; i < iterations; i++) context.iterate(false);
  const iterated = performance.now();
  for (const source of all) {
    source.destroy();
    source.unref();
  }
  const destroyed = performance.now();
  return {
    iterateUs: ((iterated - attached) * 1000) / iterations,
    attachUs: (attached - start) * 1000,
    destroyUs: (destroyed - iterated) * 1000,
    dispatched,
  };
}

/** Iterating 10,000 sources, and attaching and destroying 50,000, against native GLib. */
export function benchSources(root: string, runs = 7): BenchResult[] {
  const native = buildWithGlib(root, 'glib-iterate', '-O2');
  const glib = (sources: number, iterations: number): LoopTimes =>
    JSON.parse(execFileSync(native, [String(sources), String(iterations)], { encoding: 'utf8' }));
  iterateOurs(10_000, 200);
  const pairs = Array.from({ length: runs }, () => ({
    ours: iterateOurs(10_000, 200),
    glib: glib(10_000, 200),
    few: iterateOurs(12_500, 1),
    many: iterateOurs(50_000, 1),
    glibMany: glib(50_000, 1),
  }));
  if (pairs.some(({ ours, glib: theirs }) => ours.dispatched !== theirs.dispatched)) {
    throw new Error('the two loops did not dispatch the same number of sources');
  }
  const cost = ({ attachUs, destroyUs }: LoopTimes): number => attachUs + destroyUs;
  const iterate = median(pairs.map(({ ours }) => ours.iterateUs));
  const iterateGlib = median(pairs.map((pair) => pair.glib.iterateUs));
  const many = median(pairs.map((pair) => cost(pair.many)));
  const least = (all: readonly LoopTimes[]): number => Math.min(...all.map(cost));
  const growth = least(pairs.map((pair) => pair.many)) / least(pairs.map((pair) => pair.few));
  const manyGlib = median(pairs.map((pair) => cost(pair.glibMany)));
  return [
    {
      name: 'iterate 10,000 sources',
      value: iterate,
      unit: 'µs',
      ratio: median(pairs.map((pair) => pair.ours.iterateUs / pair.glib.iterateUs)),
      against: `native GLib, ${iterateGlib.toFixed(1)} µs`,
      runs,
    },
    {
      name: 'attach and destroy 50,000 sources',
      value: many,
      unit: 'µs',
      ratio: many / manyGlib,
      against: `native GLib, ${manyGlib.toFixed(0)} µs`,
      runs,
    },
    {
      name: 'attach and destroy, 50,000 against 12,500 (linear: 4)',
      value: growth,
      unit: '×',
      ratio: undefined,
      against: undefined,
      runs,
    },
  ];
}

/** A signal from one context to another and back, halved, against bare Atomics. */
export async function benchWake(root: string, runs = 7, rounds = 20_000): Promise<BenchResult[]> {
  const file = await bundleWorker(root);
  const skip = Math.floor(rounds / 5);
  const settled = (ns: Float64Array): number[] => [...ns.subarray(skip)];
  const quantile = (values: number[], q: number): number =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length * q)] ?? Number.NaN;
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
  const result = (q: number): BenchResult => {
    const ours = pairs.map((pair) => quantile(pair.ours, q) / 2000);
    const theirs = pairs.map((pair) => quantile(pair.bare, q) / 2000);
    return {
      name: `wake to dispatch across contexts, p${q * 100}`,
      value: median(ours),
      unit: 'µs',
      ratio: median(ours.map((us, i) => us / (theirs[i] ?? Number.NaN))),
      against: `bare Atomics ping-pong, ${median(theirs).toFixed(2)} µs`,
      runs,
    };
  };
  return [result(0.5), result(0.99)];
}

/** All figures of the event loop. */
export async function benchLoop(root: string): Promise<BenchResult[]> {
  return [...benchSources(root), ...(await benchWake(root))];
}

/** Prints the figures, if the bundle of this file is the program that runs. */
if (process.argv[1]?.endsWith('loop.bench.mjs') === true) {
  for (const { name, value, unit, ratio, against, runs } of await benchLoop(process.cwd())) {
    const compared = ratio === undefined ? '' : `, ${ratio.toFixed(2)}× of ${against ?? ''}`;
    console.log(`${name}: ${value.toFixed(2)} ${unit}${compared} (median of ${runs} runs)`);
  }
}

import type { PageMachine } from '../lib/browser.ts';
import { delay, type Lab } from '../lib/lab.ts';
import { type FrameCost, frameCosts } from '../lib/main-thread.ts';
import { atMost, type BenchResult, measured, median, type Pairs } from '../lib/result.ts';
import { eventsThatAreOn, switchEvents } from '../lib/trace-events.ts';
import { fio, type Load } from './disk.ts';
import type { Part } from './part.ts';

const LOAD: Load = { name: 'randread-4k-qd16', rw: 'randread', blockBytes: 4096, depth: 16 };

/** A percentage or a number of the strip at the foot of the page. */
async function fact(machine: PageMachine, name: string): Promise<number> {
  const text = await machine.browser.page
    .getByLabel('What the numbers rest on')
    .getByText(name, { exact: true })
    .locator('xpath=following-sibling::dd')
    .innerText();
  return Number(text.replaceAll(/[^\d.]/g, ''));
}

/** Tabs of the inspector whose frames are measured. */
const TABS = ['Ring', 'Flow', 'Heat map'];

/**
 * What a frame costs the page's main thread while the trace is dense: all events on, each view of the inspector in
 * turn beside the contexts, the timeline and the terminal. The value is the worst view's.
 */
async function mainThread(lab: Lab, machine: PageMachine, seconds: number): Promise<readonly BenchResult[]> {
  const { page } = machine.browser;
  const written = async (): Promise<number> =>
    (await page.evaluate(() => window.playground?.trace()))?.written ?? 0;
  await machine.qmp('trace-event-set-state', { name: '*', enable: true });
  const views: { readonly tab: string; readonly rate: number; readonly cost: FrameCost }[] = [];
  const drawing: number[] = [];
  for (let run = 0; run < Math.max(1, Math.round(lab.options.runs / 2)); run++)
    for (const tab of TABS) {
      await page.getByRole('tab', { name: tab, exact: true }).click();
      const load = fio(machine, LOAD, seconds + 3);
      // Not the typing of the command, nor fio's own start.
      await delay(1500);
      const [before, began] = [await written(), performance.now()];
      const cost = await frameCosts(page, () => delay(seconds * 1000));
      const rate = ((await written()) - before) / ((performance.now() - began) / 1000);
      drawing.push(await fact(machine, 'drawing'));
      await load;
      views.push({ tab, rate, cost });
    }
  await delay(1000);
  const [seen, counted, lost] = [
    await fact(machine, 'events seen'),
    await fact(machine, 'counted'),
    await fact(machine, 'lost'),
  ];
  const worst = Math.max(
    ...TABS.map((tab) => median(views.filter((one) => one.tab === tab).map((one) => one.cost.cpu.p95))),
  );
  const words = TABS.map((tab) => {
    const of = views.filter((one) => one.tab === tab).map((one) => one.cost);
    const middle = (read: (cost: FrameCost) => number): string => median(of.map(read)).toFixed(1);
    return `${tab}: p50 ${middle((cost) => cost.cpu.median)}, p95 ${middle((cost) => cost.cpu.p95)} of CPU time (${middle((cost) => cost.wallP95)} by the clock), ${middle((cost) => cost.load * 100)} % of the thread`;
  }).join('; ');
  return [
    measured('trace/main-thread-ms-p95', 'ms', [worst], {
      target: atMost(4, 'value'),
      note: `${median(views.map(({ rate }) => rate)).toFixed(0)} records per second; ${words}`,
    }),
    measured('trace/drawing-percent', '%', drawing, {
      note: 'of the aggregator’s thread: timeline, and the heat map where it is shown',
    }),
    measured('trace/uncounted-events', 'events', [seen - counted - lost], {
      target: atMost(0, 'value'),
      note: `seen ${seen}, counted ${counted}, lost ${lost}`,
    }),
  ];
}

/** How long the events are on or off at a time, ms; and how long after a switch nothing is counted. */
const SLOT_MS = 100;
const SETTLE_MS = 15;

/**
 * Requests per second with the events on and off while one fio runs, switched every SLOT_MS: on, off, off, on, each such
 * four a pair. Two runs of fio, or two seconds of one, differ by more than tracing costs, as threads that spin meet each
 * other or miss; of slots so short many are had.
 */
async function whileOneRuns(
  machine: PageMachine,
  events: readonly string[],
  seconds: number,
): Promise<Pairs & { readonly perSecond: number }> {
  const load = fio(machine, LOAD, seconds + 4);
  await delay(2500);
  const pairs = await machine.browser.page.evaluate(
    async ({ names, forMs, slotMs, settleMs }) => {
      const { playground } = window;
      if (playground === undefined) throw new Error('no machine');
      const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
      const reads = async (): Promise<{ reads: number; at: number; records: number }> => {
        const disks = (await playground.qmp('query-blockstats')) as readonly {
          readonly stats: { readonly rd_operations: number };
        }[];
        const sum = disks.reduce((total, { stats }) => total + stats.rd_operations, 0);
        return { reads: sum, at: performance.now(), records: playground.trace()?.written ?? 0 };
      };
      const slot = async (enable: boolean): Promise<{ reads: number; records: number }> => {
        await Promise.all(names.map((name) => playground.qmp('trace-event-set-state', { name, enable })));
        await pause(settleMs);
        const before = await reads();
        await pause(slotMs);
        const after = await reads();
        const span = (after.at - before.at) / 1000;
        return {
          reads: (after.reads - before.reads) / span,
          records: (after.records - before.records) / span,
        };
      };
      const ours: number[] = [];
      const theirs: number[] = [];
      const records: number[] = [];
      const until = performance.now() + forMs;
      while (performance.now() < until) {
        const [on, off, offAgain, onAgain] = [
          await slot(true),
          await slot(false),
          await slot(false),
          await slot(true),
        ];
        ours.push((on.reads + onAgain.reads) / 2);
        theirs.push((off.reads + offAgain.reads) / 2);
        records.push((on.records + onAgain.records) / 2);
      }
      return { ours, theirs, perSecond: records.reduce((sum, one) => sum + one, 0) / records.length };
    },
    { names: events, forMs: seconds * 1000, slotMs: SLOT_MS, settleMs: SETTLE_MS },
  );
  await load;
  return pairs;
}

/** What tracing costs: fio with the events of a fresh machine on, and with all off, in turn. */
export const trace: Part = {
  name: 'trace',
  limitSeconds: 300,
  owes: ['trace/cost-percent', 'trace/main-thread-ms-p95', 'trace/drawing-percent', 'trace/uncounted-events'],
  async run(lab, report) {
    await lab.stopPeers();
    const machine = await lab.linux();
    const events = await eventsThatAreOn(machine);
    const set = (enable: boolean): Promise<void> => switchEvents(machine, events, enable);
    const seconds = Math.max(2, Math.round((lab.options.kernelMs * 4) / 1000));
    // Both ways once before anything counts: the first runs translate fio and the kernel's paths.
    for (const enable of [true, false]) {
      await set(enable);
      await fio(machine, LOAD, 3);
    }
    try {
      const pairs = await whileOneRuns(machine, events, lab.options.runs * 15);
      const logs = pairs.ours.map((on, i) => Math.log(on / (pairs.theirs[i] ?? Number.NaN)));
      const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
      const spread = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / logs.length);
      const ratio = Math.exp(mean);
      report({
        name: 'trace/cost-percent',
        value: (1 - ratio) * 100,
        unit: '%',
        ratio,
        against: `tracing off, ${median(pairs.theirs).toFixed(0)} IOPS`,
        runs: logs.length,
        samples: { ours: pairs.ours, theirs: pairs.theirs },
        target: atMost(5, 'value'),
        note: `of fio's 4k random reads, depth 16, standard error ${((spread / Math.sqrt(logs.length)) * 100).toFixed(1)} %; on and off for ${SLOT_MS} ms each while one fio runs; ${events.length} events on, ${pairs.perSecond.toFixed(0)} records per second`,
      });
      await set(true);
      report(...(await mainThread(lab, machine, seconds)));
    } finally {
      await machine.qmp('trace-event-set-state', { name: '*', enable: false });
      await set(true);
    }
  },
};

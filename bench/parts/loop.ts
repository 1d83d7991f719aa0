import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import type { WakeJob } from '../browser/wake.worker.ts';
import { alternate, atMost, compared, median, type Pairs, quantile } from '../lib/result.ts';
import { benchSources, benchWake } from '../loop.bench.ts';
import type { Part } from './part.ts';

/** Two workers of the page; µs per round trip, in batches. The first batches are left out. */
async function pingPong(page: Page, by: WakeJob['by'], rounds: number): Promise<readonly number[]> {
  const source = readFileSync(join(import.meta.dirname, 'bench-wake.worker.js'), 'utf8');
  const all = await page.evaluate(
    async ([code, how, count]) => {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
      const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
      const side = (
        thread: 0 | 1,
      ): { ready: Promise<void>; done: Promise<readonly number[]>; end(): void } => {
        const worker = new Worker(url, { type: 'module' });
        let isReady = (): void => {};
        const ready = new Promise<void>((resolve) => {
          isReady = resolve;
        });
        const done = new Promise<readonly number[]>((resolve, reject) => {
          worker.onmessage = ({ data }: MessageEvent<'ready' | readonly number[]>) => {
            if (data === 'ready') isReady();
            else resolve(data);
          };
          worker.onerror = ({ message }) => reject(new Error(message));
        });
        worker.postMessage({ memory, by: how, thread, rounds: count } satisfies WakeJob);
        return { ready, done, end: () => worker.terminate() };
      };
      const follower = side(1);
      await follower.ready;
      const leader = side(0);
      const [times] = await Promise.all([leader.done, follower.done]);
      leader.end();
      follower.end();
      URL.revokeObjectURL(url);
      return times;
    },
    [source, by, rounds] as const,
  );
  return all.slice(Math.floor(all.length / 5));
}

const oneWay = (roundTrips: readonly number[], q: number): number => quantile(roundTrips, q) / 2;

/** The event loop against native GLib and against bare Atomics. */
export const loop: Part = {
  name: 'loop',
  limitSeconds: 120,
  owes: ['loop/wake-vs-pingpong', 'loop/iterate-10000-vs-glib', 'loop/attach-destroy-50000'],
  async run(lab, report) {
    await lab.stopPeers();
    const { root } = lab.options;
    const { page } = await lab.browser();
    await (await lab.machine()).stop();
    lab.forgetMachine();
    const rounds: (readonly number[])[] = [];
    const theirs: (readonly number[])[] = [];
    await alternate(
      7,
      async () => rounds.push(await pingPong(page, 'contexts', 10_000)),
      async () => theirs.push(await pingPong(page, 'atomics', 10_000)),
    );
    const at = (q: number): Pairs => ({
      ours: rounds.map((run) => oneWay(run, q)),
      theirs: theirs.map((run) => oneWay(run, q)),
    });
    const peer = 'bare Atomics ping-pong between two workers';
    report(
      compared('loop/wake-vs-pingpong', 'µs', at(0.5), peer, {
        target: atMost(2),
        note: `p99 ${median(at(0.99).ours).toFixed(1)} µs against ${median(at(0.99).theirs).toFixed(1)} µs; one way`,
      }),
    );
    for (const result of await benchWake(root)) report(result);
    for (const result of benchSources(root)) report(result);
  },
};

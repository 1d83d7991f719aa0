import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import type { WakeJob, WakeTimes } from '../browser/wake.worker.ts';
import { atMost, compared, median } from '../lib/result.ts';
import { benchSources, benchWake } from '../loop.bench.ts';
import type { Part } from './part.ts';

/** Two workers of the page wake each other, in turn by contexts and by bare Atomics. */
async function pingPong(page: Page, turns: number, rounds: number): Promise<WakeTimes> {
  const source = readFileSync(join(import.meta.dirname, 'bench-wake.worker.js'), 'utf8');
  return page.evaluate(
    async ([code, turnCount, roundCount]) => {
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
      const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
      const side = (thread: 0 | 1): { ready: Promise<void>; done: Promise<WakeTimes>; end(): void } => {
        const worker = new Worker(url, { type: 'module' });
        let isReady = (): void => {};
        const ready = new Promise<void>((resolve) => {
          isReady = resolve;
        });
        const done = new Promise<WakeTimes>((resolve, reject) => {
          worker.onmessage = ({ data }: MessageEvent<'ready' | WakeTimes>) => {
            if (data === 'ready') isReady();
            else resolve(data);
          };
          worker.onerror = ({ message }) => reject(new Error(message));
        });
        worker.postMessage({ memory, thread, turns: turnCount, rounds: roundCount } satisfies WakeJob);
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
    [source, turns, rounds] as const,
  );
}

/** Turns until the compiler is through with both ways. */
const WARM_TURNS = 4;
/** Slower than this one way, a ping-pong waits for a core to wake up; faster, both threads' core is awake. */
const AWAKE_US = 8;

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
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let i = 0; i < 3; i++) {
      const { contexts, atomics } = await pingPong(page, WARM_TURNS + 16, 1000);
      ours.push(...contexts.slice(WARM_TURNS).map((us) => us / 2));
      theirs.push(...atomics.slice(WARM_TURNS).map((us) => us / 2));
    }
    const peer = 'bare Atomics ping-pong between the same two workers';
    const awake = theirs.flatMap((us, i) => (us < AWAKE_US ? [(ours[i] as number) / us] : []));
    const inMode =
      awake.length === 0
        ? 'the cores slept in all of them'
        : `${median(awake).toFixed(2)} in the ${awake.length} whose ping-pong took less than ${AWAKE_US} µs`;
    report(
      compared('loop/wake-vs-pingpong', 'µs', { ours, theirs }, peer, {
        target: atMost(2),
        note: `${ours.length} turns of 1,000 round trips by turns; ${inMode}; one way`,
      }),
    );
    for (const result of await benchWake(root)) report(result);
    for (const result of benchSources(root)) report(result);
  },
};

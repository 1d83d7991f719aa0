import type { PageMachine } from '../lib/browser.ts';
import { alternate, atMost, median, pairedRatio } from '../lib/result.ts';
import { fio, type Load } from './disk.ts';
import type { Part } from './part.ts';

const LOAD: Load = { name: 'randread-4k-qd16', rw: 'randread', blockBytes: 4096, depth: 16 };

/** The events that are on when a machine starts. */
async function eventsThatAreOn(machine: PageMachine): Promise<readonly string[]> {
  const states = (await machine.qmp('trace-event-get-state', { name: '*' })) as readonly {
    readonly name: string;
    readonly state: string;
  }[];
  return states.filter(({ state }) => state === 'enabled').map(({ name }) => name);
}

/** What tracing costs: fio with the events of a fresh machine on, and with all off, in turn. */
export const trace: Part = {
  name: 'trace',
  limitSeconds: 150,
  owes: ['trace/cost-percent'],
  async run(lab, report) {
    await lab.stopPeers();
    const machine = await lab.linux();
    const events = await eventsThatAreOn(machine);
    const set = async (enable: boolean): Promise<void> => {
      for (const name of events) await machine.qmp('trace-event-set-state', { name, enable });
    };
    const counts = (): Promise<{ written: number; lost: number }> =>
      machine.browser.page.evaluate(() => window.playground?.trace() ?? { written: 0, lost: 0 });
    const seconds = Math.max(2, Math.round((lab.options.kernelMs * 4) / 1000));
    const perSecond: number[] = [];
    await fio(machine, LOAD, 1);
    const run = async (enable: boolean): Promise<number> => {
      await set(enable);
      const before = await counts();
      const iops = await fio(machine, LOAD, seconds);
      const rate = ((await counts()).written - before.written) / seconds;
      if (enable) perSecond.push(rate);
      return iops;
    };
    try {
      const pairs = await alternate(
        lab.options.runs,
        () => run(true),
        () => run(false),
      );
      const cost = (1 - pairedRatio(pairs)) * 100;
      report({
        name: 'trace/cost-percent',
        value: cost,
        unit: '%',
        ratio: pairedRatio(pairs),
        against: `tracing off, ${median(pairs.theirs).toFixed(0)} IOPS`,
        runs: pairs.ours.length,
        samples: pairs,
        target: atMost(5, 'value'),
        note: `of fio's 4k random reads, depth 16; ${events.length} events on, ${median(perSecond).toFixed(0)} records per second`,
      });
    } finally {
      await set(true);
    }
  },
};

import type { MoveReport } from '../../src/engine/vm.ts';
import type { PageMachine } from '../lib/browser.ts';
import { shell } from '../lib/conversation.ts';
import type { Lab } from '../lib/lab.ts';
import { atMost, type BenchResult, measured, median, quantile, skipped } from '../lib/result.ts';
import type { Part } from './part.ts';
import { Unavailable } from '../lib/unavailable.ts';

const MOVES = 1000;

interface Moves {
  readonly downtimesMs: readonly number[];
  /** Requests completed in the meantime. */
  readonly completed: number;
}

/** Moves a device round three contexts, with pauses in which the guest works. */
async function moveAround({ browser }: PageMachine, device: string): Promise<Moves> {
  const { reports, completed } = await browser.page.evaluate(
    async ([id, count]) => {
      const completions = (): number => {
        const moved = window.playground?.board()?.devices.find((one) => one.id === id);
        return (moved?.queues ?? []).reduce((sum, queue) => sum + queue.completions, 0);
      };
      const before = completions();
      const done: MoveReport[] = [];
      const contexts = ['ctx1', 'main', 'ctx0'];
      for (let move = 0; move < count; move++) {
        const report = await window.playground?.qmp('qom-set', {
          path: `/machine/peripheral/${id}`,
          property: 'context',
          value: contexts[move % contexts.length],
        });
        done.push(report as MoveReport);
        await new Promise((resolve) => {
          setTimeout(resolve, 5);
        });
      }
      return { reports: done, completed: completions() - before };
    },
    [device, MOVES] as const,
  );
  return { downtimesMs: reports.map(({ downtimeNs }) => downtimeNs / 1e6), completed };
}

/** Requests the device took and did not complete, now that the guest is quiet; negative: completed twice. */
const missing = ({ browser }: PageMachine, device: string): Promise<number> =>
  browser.page.evaluate((id) => {
    const found = window.playground?.board()?.devices.find((one) => one.id === id);
    return (found?.queues ?? []).reduce((sum, { requests, completions }) => sum + requests - completions, 0);
  }, device);

/** The system disk of Linux, while fio verifies every block it reads. */
async function underLinux(lab: Lab): Promise<{ moves: Moves; wrong: number; checked: string }> {
  const machine = await lab.linux();
  await shell(machine, 'rm -f /tmp/stop /tmp/wrong /tmp/verify; dmesg -C');
  await shell(
    machine,
    '{ while [ ! -e /tmp/stop ]; do RUNTIME=4 fio /root/verify.fio >> /tmp/verify 2>&1 || echo failed >> /tmp/wrong; ' +
      'done; } < /dev/null > /dev/null 2>&1 & true',
  );
  const moves = await moveAround(machine, 'disk0');
  await shell(machine, 'touch /tmp/stop; wait', 60_000);
  // The driver says "id 7 is not a head!" of a completion it did not wait for.
  const counts = await shell(
    machine,
    'echo rounds=$(grep -c "err= 0" /tmp/verify) bad=$(grep -c "err=[ ]*[1-9]" /tmp/verify) ' +
      'failed=$(cat /tmp/wrong 2>/dev/null | wc -l) kernel=$(dmesg | grep -ciE "not a head|I/O error|blocked for")',
  );
  const count = (key: string): number =>
    Number(new RegExp(`\\b${key}=(\\d+)`).exec(counts)?.[1] ?? Number.NaN);
  const wrong = count('bad') + count('failed') + count('kernel') + Math.abs(await missing(machine, 'disk0'));
  return { moves, wrong, checked: `${count('rounds')} runs of fio --verify` };
}

/** A disk of the built-in guest, while `mix` checks that every read returns the last write. */
async function underBare(lab: Lab): Promise<{ moves: Moves; wrong: number; checked: string }> {
  const machine = await lab.bare();
  await machine.send('disk 1\n');
  await machine.expect(/> $/);
  const over = new AbortController();
  const mixing = (async () => {
    let [wrong, count] = [0, 0];
    for (let seed = 1; !over.signal.aborted; seed++) {
      await machine.send(`mix qd 16 secs 4 span 64M seed ${seed}\n`);
      const line = await machine.expect(/result op=mix[^\n]*\n/, 90_000);
      const field = (key: string): number => Number(new RegExp(`\\b${key}=(\\d+)`).exec(line)?.[1]);
      wrong += field('errors') + field('lost');
      count += field('count');
      await machine.expect(/> $/);
    }
    return { wrong, count };
  })();
  try {
    const moves = await moveAround(machine, 'disk1');
    over.abort();
    const { wrong, count } = await mixing;
    const lost = Math.abs(await missing(machine, 'disk1'));
    return { moves, wrong: wrong + lost, checked: `${count} requests of mix` };
  } finally {
    over.abort();
    await machine.send('disk 0\n');
    await machine.expect(/> $/);
  }
}

function results(
  prefix: string,
  { moves: made, wrong, checked }: Awaited<ReturnType<typeof underLinux>>,
): readonly BenchResult[] {
  const { downtimesMs, completed } = made;
  const note =
    `${MOVES} moves between three contexts, ${completed} requests completed meanwhile; ` +
    `p99 ${quantile(downtimesMs, 0.99).toFixed(1)} ms, longest ${Math.max(...downtimesMs).toFixed(1)} ms`;
  return [
    {
      ...measured(`${prefix}median-downtime-ms`, 'ms', [median(downtimesMs)], {
        target: atMost(5, 'value'),
        note,
      }),
      runs: MOVES,
    },
    {
      ...measured(`${prefix}lost-doubled-or-wrong`, 'requests', [wrong], {
        target: atMost(0, 'value'),
        note: checked,
      }),
      runs: MOVES,
    },
  ];
}

/** Moving a disk from context to context under load: how long it stands still, and that nothing is lost. */
export const moves: Part = {
  name: 'moves',
  limitSeconds: 240,
  owes: ['moves/median-downtime-ms', 'moves/bare-median-downtime-ms'],
  async run(lab, report) {
    await lab.stopPeers();
    try {
      report(...results('moves/', await underLinux(lab)));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      report(skipped('moves/median-downtime-ms', error.message));
    }
    report(...results('moves/bare-', await underBare(lab)));
  },
};

import { cpus } from 'node:os';
import { shell } from '../lib/conversation.ts';
import { withCoreShare } from '../lib/processes.ts';
import { parseKernelRun } from '../lib/qbench.ts';
import { alternate, atLeast, compared, skipped } from '../lib/result.ts';
import type { Part } from './part.ts';

const NAME = 'cpu/two-harts-vs-one';

/** Two processes that compute, on two harts and tied to one of them. */
export const smp: Part = {
  name: 'smp',
  limitSeconds: 120,
  owes: [NAME],
  async run(lab, report) {
    if (cpus().length < 2) {
      report(skipped(NAME, 'this machine has one core'));
      return;
    }
    await lab.stopPeers();
    await lab.tools();
    const machine = await lab.linux(2);
    await shell(machine, 'test "$(nproc)" = 2');
    const shares: string[] = [];
    /** Rounds per second of both processes, per core they had. */
    const both = async (prefix: string, harts: number): Promise<number> => {
      const one = (file: string): string =>
        `${prefix} /tmp/qbench sieve ${lab.options.kernelMs * 2} > ${file}`;
      const { value, share } = await withCoreShare(
        machine.pids(),
        async () => {
          await shell(machine, `${one('/tmp/a')} & ${one('/tmp/b')}; wait`);
          const [a, b] = [await shell(machine, 'cat /tmp/a'), await shell(machine, 'cat /tmp/b')];
          return parseKernelRun(a).rate + parseKernelRun(b).rate;
        },
        harts,
      );
      shares.push(share.toFixed(2));
      return value / share;
    };
    // Each hart translates for itself.
    await both('', 2);
    shares.length = 0;
    const pairs = await alternate(
      lab.options.runs,
      () => both('', 2),
      () => both('taskset 1', 1),
    );
    report(
      compared(NAME, 'rounds/s', pairs, 'both processes on one hart', {
        target: atLeast(1.7),
        note: `sieve, two processes; rates per second of the cores the harts had, which were ${shares.join(', ')} of what they wanted`,
      }),
    );
  },
};

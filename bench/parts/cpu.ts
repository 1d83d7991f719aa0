import type { Guest } from '../lib/conversation.ts';
import { type Lab, Unavailable } from '../lib/lab.ts';
import { withCoreShare } from '../lib/processes.ts';
import { buildQbench, type KernelRun, runInGuest, runOnHost } from '../lib/qbench.ts';
import {
  atLeast,
  type BenchResult,
  compared,
  geomean,
  median,
  measured,
  type Pairs,
  pairedRatio,
  skipped,
  type Target,
} from '../lib/result.ts';
import type { Part } from './part.ts';

/** Kernels by what they say something about; the first three groups have a figure of their own. */
const GROUPS = {
  hot: ['coremark-like', 'sieve', 'sha256', 'bytecode'],
  system: ['page-fault', 'pipe', 'fork-exec', 'syscall'],
  cold: ['cold'],
  other: ['xorshift', 'nbody', 'chase', 'memcpy'],
} as const;
type Group = keyof typeof GROUPS;

const ALL = Object.values(GROUPS).flat();

/** What each kernel does on ours and on a peer. */
interface Race extends Pairs {
  readonly unit: string;
  /** Share of a core each had in each run. */
  readonly shares: { readonly ours: readonly number[]; readonly theirs: readonly number[] };
}
type Rates = ReadonlyMap<string, Race>;

/**
 * One run of a kernel, as if its thread had had a core to itself: the rate divided by the share it had. On a quiet
 * machine the share is 1; on a busy one this keeps the figures of two runs comparable.
 */
async function runAlone(
  guest: Guest,
  kernel: string,
  ms: number,
): Promise<{ readonly run: KernelRun; readonly rate: number; readonly share: number }> {
  const { value: run, share } = await withCoreShare(guest.pids(), () => runInGuest(guest, kernel, ms));
  return { run, rate: run.rate / share, share };
}

/** Checksums must agree everywhere: a wrong answer is no speed. */
function verify(run: KernelRun, expected: ReadonlyMap<string, string>, who: string): void {
  const right = expected.get(run.kernel);
  if (run.check !== right)
    throw new Error(`${who} computes ${run.kernel} wrong: ${run.check}, not ${String(right)}`);
}

/** Runs all kernels in turn on ours and on the peer. */
async function race(
  lab: Lab,
  ours: Guest,
  peer: Guest,
  expected: ReadonlyMap<string, string>,
): Promise<Rates> {
  const { runs, kernelMs } = lab.options;
  const rates = new Map<string, Race>();
  for (let round = 0; round < runs; round++) {
    for (const kernel of ALL) {
      const mine = await runAlone(ours, kernel, kernelMs);
      verify(mine.run, expected, ours.who);
      const other = await runAlone(peer, kernel, kernelMs);
      verify(other.run, expected, peer.who);
      const so = rates.get(kernel);
      rates.set(kernel, {
        unit: mine.run.unit,
        ours: [...(so?.ours ?? []), mine.rate],
        theirs: [...(so?.theirs ?? []), other.rate],
        shares: {
          ours: [...(so?.shares.ours ?? []), mine.share],
          theirs: [...(so?.shares.theirs ?? []), other.share],
        },
      });
    }
  }
  return rates;
}

/** The geometric mean of the ratios of a group's kernels. */
function summary(name: string, group: Group, rates: Rates, peer: string, target: Target): BenchResult {
  const ratios = GROUPS[group].map((kernel) => {
    const pairs = rates.get(kernel);
    return { kernel, ratio: pairs === undefined ? Number.NaN : pairedRatio(pairs) };
  });
  const value = geomean(ratios.map(({ ratio }) => ratio));
  return {
    name,
    value,
    unit: '×',
    ratio: value,
    against: peer,
    runs: median([...rates.values()].map(({ ours }) => ours.length)),
    target,
    note: `geometric mean of ${ratios.map(({ kernel, ratio }) => `${kernel} ${ratio.toFixed(2)}`).join(', ')}`,
  };
}

const percent = (shares: readonly number[]): string => `${(median(shares) * 100).toFixed(0)} %`;

const each = (rates: Rates, suffix: string, peer: string): readonly BenchResult[] =>
  [...rates].map(([kernel, { ours, theirs, unit, shares }]) =>
    compared(`cpu/${kernel}-vs-${suffix}`, unit, { ours, theirs }, peer, {
      note: `rates per second of a core; shares had: ours ${percent(shares.ours)}, theirs ${percent(shares.theirs)}`,
    }),
  );

/** Compute, system and cold code in Linux: the same C on our machine, on QEMU and natively. */
export const cpu: Part = {
  name: 'cpu',
  limitSeconds: 400,
  owes: ['cpu/hot-vs-qemu-tcg', 'cpu/cold-vs-qemu-tcg', 'cpu/system-vs-qemu-tcg'],
  async run(lab, report) {
    const native = await buildQbench(lab.options.root, 'gcc', 'native');
    const expected = new Map<string, string>();
    const host = new Map<string, KernelRun>();
    for (const kernel of ALL) {
      const run = await runOnHost(native, kernel, lab.options.kernelMs / 4);
      host.set(kernel, run);
      expected.set(kernel, run.check);
    }
    const ours = await lab.linux();
    try {
      const qemu = await lab.qemu();
      const rates = await race(lab, ours, qemu, expected);
      const peer = `${qemu.who} TCG`;
      report(
        summary('cpu/hot-vs-qemu-tcg', 'hot', rates, peer, atLeast(0.7)),
        summary('cpu/system-vs-qemu-tcg', 'system', rates, peer, atLeast(1)),
        summary('cpu/cold-vs-qemu-tcg', 'cold', rates, peer, atLeast(0.8)),
        ...each(rates, 'qemu-tcg', peer),
      );
      for (const [kernel, pairs] of rates) {
        const { rate = Number.NaN } = host.get(kernel) ?? {};
        const theirs = pairs.ours.map(() => rate);
        report(
          compared(`cpu/${kernel}-vs-native`, pairs.unit, { ours: pairs.ours, theirs }, 'the host itself'),
        );
      }
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      for (const name of this.owes) report(skipped(name, error.message));
      for (const kernel of ALL) {
        const { run, rate } = await runAlone(ours, kernel, lab.options.kernelMs);
        verify(run, expected, ours.who);
        report(measured(`cpu/${kernel}`, run.unit, [rate]));
      }
    }
  },
};

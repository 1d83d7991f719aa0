import type { Guest } from '../lib/conversation.ts';
import type { Lab } from '../lib/lab.ts';
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

/** One contestant's rates of one kernel, in the order of the rounds, and the share of a core it had in each. */
interface Runs {
  readonly unit: string;
  readonly rates: readonly number[];
  readonly shares: readonly number[];
}
type Sheet = ReadonlyMap<string, Runs>;

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

/** Rounds that are not counted, so that every translator has met every kernel: longer than a counted one. */
const WARM_UP = 4;

/** Runs all kernels in rounds, on one contestant after the other. */
async function race(
  { options: { runs, kernelMs } }: Lab,
  contestants: readonly Guest[],
  expected: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<Guest, Sheet>> {
  const sheets = new Map(contestants.map((guest) => [guest, new Map<string, Runs>()]));
  for (const kernel of ALL)
    for (const guest of contestants)
      verify(await runInGuest(guest, kernel, kernelMs * WARM_UP), expected, guest.who);
  for (let round = 0; round < runs; round++) {
    for (const kernel of ALL) {
      for (const [guest, sheet] of sheets) {
        const { run, rate, share } = await runAlone(guest, kernel, kernelMs);
        verify(run, expected, guest.who);
        const { rates, shares } = sheet.get(kernel) ?? { rates: [], shares: [] };
        sheet.set(kernel, { unit: run.unit, rates: [...rates, rate], shares: [...shares, share] });
      }
    }
  }
  return sheets;
}

/** Ours against one peer, kernel by kernel. */
interface Match {
  readonly peer: string;
  /** In names of figures. */
  readonly suffix: string;
  readonly ours: Sheet;
  readonly theirs: Sheet;
}

const pairsOf = ({ ours, theirs }: Match, kernel: string): Pairs => ({
  ours: ours.get(kernel)?.rates ?? [],
  theirs: theirs.get(kernel)?.rates ?? [],
});

/** The geometric mean of the ratios of a group's kernels. */
function summary(match: Match, group: Group, target: Target): BenchResult {
  const ratios = GROUPS[group].map((kernel) => ({ kernel, ratio: pairedRatio(pairsOf(match, kernel)) }));
  const value = geomean(ratios.map(({ ratio }) => ratio));
  return {
    name: `cpu/${group}-vs-${match.suffix}`,
    value,
    unit: '×',
    ratio: value,
    against: match.peer,
    runs: match.ours.get(GROUPS[group][0])?.rates.length ?? 0,
    target,
    note:
      `geometric mean of ${ratios.map(({ kernel, ratio }) => `${kernel} ${ratio.toFixed(2)}`).join(', ')}; ` +
      `shares of a core had: ours ${shareOf(match.ours)}, theirs ${shareOf(match.theirs)}`,
  };
}

/** The share a contestant had in the middle of all its runs. */
const shareOf = (sheet: Sheet): string =>
  `${(median([...sheet.values()].flatMap(({ shares }) => shares)) * 100).toFixed(0)} %`;

/** The figures of single kernels. `floor` has what each kernel of a group must reach. */
const each = (match: Match, floor: Partial<Record<Group, Target>>): readonly BenchResult[] =>
  (Object.keys(GROUPS) as Group[]).flatMap((group) =>
    GROUPS[group].map((kernel) => {
      const [ours, theirs] = [match.ours.get(kernel), match.theirs.get(kernel)];
      const pairs = pairsOf(match, kernel);
      const shares = { ours: ours?.shares ?? [], theirs: theirs?.shares ?? [] };
      const target = floor[group];
      return compared(`cpu/${kernel}-vs-${match.suffix}`, ours?.unit ?? '', pairs, match.peer, {
        samples: { ...pairs, shares },
        ...(target === undefined ? {} : { target }),
      });
    }),
  );

/** A contestant, or why there is none. */
async function contestant<T extends Guest>(enter: Promise<T>): Promise<T | string> {
  try {
    return await enter;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
}

/** Compute, system and cold code in Linux: the same C on our machine, on QEMU, on v86 and natively. */
export const cpu: Part = {
  name: 'cpu',
  limitSeconds: 600,
  owes: [
    'cpu/hot-vs-qemu-tcg',
    'cpu/hot-vs-v86',
    'cpu/cold-vs-qemu-tcg',
    'cpu/cold-vs-v86',
    'cpu/system-vs-qemu-tcg',
    'cpu/system-vs-v86',
  ],
  async run(lab, report) {
    const native = await buildQbench(lab.options.root, 'gcc', 'native');
    const onHost = new Map<string, KernelRun>();
    for (const kernel of ALL) onHost.set(kernel, await runOnHost(native, kernel, lab.options.kernelMs / 2));
    const expected = new Map([...onHost].map(([kernel, { check }]) => [kernel, check]));

    await lab.tools();
    const ours = await lab.linux();
    const qemu = await contestant(lab.qemu());
    const v86 = await contestant(lab.v86());
    const peers = [qemu, v86].filter((peer) => typeof peer !== 'string');
    const sheets = await race(lab, [ours, ...peers], expected);
    const against = (peer: Guest | string, suffix: string): Match | undefined => {
      const [mine, theirs] = [sheets.get(ours), typeof peer === 'string' ? undefined : sheets.get(peer)];
      if (mine !== undefined && theirs !== undefined && typeof peer !== 'string')
        return { peer: peer.who, suffix, ours: mine, theirs };
      for (const group of ['hot', 'system', 'cold'])
        report(skipped(`cpu/${group}-vs-${suffix}`, typeof peer === 'string' ? peer : 'it did not run'));
      return undefined;
    };

    const tcg = against(qemu, 'qemu-tcg');
    if (tcg !== undefined) {
      report(summary(tcg, 'hot', atLeast(0.7)), summary(tcg, 'system', atLeast(1)));
      report(summary(tcg, 'cold', atLeast(0.8)), ...each(tcg, { hot: atLeast(0.5) }));
    }
    const browsers = against(v86, 'v86');
    if (browsers !== undefined) {
      report(summary(browsers, 'hot', atLeast(1.5)), summary(browsers, 'system', atLeast(1)));
      report(summary(browsers, 'cold', atLeast(1)), ...each(browsers, { system: atLeast(1) }));
      report(
        measured('boot/v86-s', 's', [lab.v86BootSeconds], { note: "Debian's i386 kernel, busybox alone" }),
      );
    }
    for (const [kernel, { unit, rates }] of sheets.get(ours) ?? []) {
      const { rate = Number.NaN, share = 1 } = onHost.get(kernel) ?? {};
      const theirs = rates.map(() => rate / share);
      report(compared(`cpu/${kernel}-vs-native`, unit, { ours: rates, theirs }, 'the host itself'));
    }
  },
};

/** What a benchmark reports, how it is summed up, and how it is printed. */

/** One figure. `ratio` is ours / theirs, both measured alternately in the same run. */
export interface BenchResult {
  readonly name: string;
  /** Median over the runs; null if it could not be measured. */
  readonly value: number | null;
  readonly unit: string;
  /** Median of the ratios of each pair of runs; null where there is no peer. */
  readonly ratio: number | null;
  /** The peer, with its own median in the same unit. */
  readonly against: string | null;
  readonly runs: number;
  readonly target?: Target;
  /** Every run, in order. */
  readonly samples?: Samples;
  /** Why it could not be measured. */
  readonly skipped?: string;
  /** What a reader has to know to read the figure right. */
  readonly note?: string;
}

/** Single runs. */
export interface Samples {
  readonly ours: readonly number[];
  readonly theirs?: readonly number[];
  /** Share of a core each had while it wanted one. */
  readonly shares?: { readonly ours: readonly number[]; readonly theirs: readonly number[] };
}

/** What the figure is meant to reach. */
export interface Target {
  readonly of: 'value' | 'ratio';
  readonly is: '>=' | '<=';
  readonly bound: number;
}

export const atLeast = (bound: number, of: Target['of'] = 'ratio'): Target => ({ of, is: '>=', bound });
export const atMost = (bound: number, of: Target['of'] = 'ratio'): Target => ({ of, is: '<=', bound });

/** Whether a figure reaches its target; undefined without target or figure. */
export function reached({ target, value, ratio }: BenchResult): boolean | undefined {
  const figure = target?.of === 'value' ? value : ratio;
  if (target === undefined || figure === null) return undefined;
  return target.is === '>=' ? figure >= target.bound : figure <= target.bound;
}

/** The middle of the sorted values (of an even number, the mean of the two in the middle); NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Value below which a share `q` of the values lies. */
export const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN;

export const geomean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Runs of ours and of a peer, taken in turn. */
export interface Pairs {
  readonly ours: readonly number[];
  readonly theirs: readonly number[];
}

/** Median of the ratios of each pair: what disturbs both halves of a pair cancels out. */
export const pairedRatio = ({ ours, theirs }: Pairs): number =>
  median(ours.map((value, i) => value / (theirs[i] ?? Number.NaN)));

/** Takes `runs` pairs, ours and theirs in turn: A B, A B, … */
export async function alternate(
  runs: number,
  ours: () => Promise<number>,
  theirs: () => Promise<number>,
): Promise<Pairs> {
  const pairs = { ours: [] as number[], theirs: [] as number[] };
  for (let run = 0; run < runs; run++) {
    pairs.ours.push(await ours());
    pairs.theirs.push(await theirs());
  }
  return pairs;
}

type More = Pick<BenchResult, 'target' | 'note' | 'samples'>;

/** The result of runs taken in turn with those of a peer. */
export function compared(
  name: string,
  unit: string,
  pairs: Pairs,
  peer: string,
  more: More = {},
): BenchResult {
  return {
    name,
    value: median(pairs.ours),
    unit,
    ratio: pairedRatio(pairs),
    against: `${peer}, ${format(median(pairs.theirs))} ${unit}`,
    runs: pairs.ours.length,
    samples: pairs,
    ...more,
  };
}

/** The result of runs without a peer. */
export function measured(name: string, unit: string, ours: readonly number[], more: More = {}): BenchResult {
  const value = median(ours);
  return { name, value, unit, ratio: null, against: null, runs: ours.length, samples: { ours }, ...more };
}

export const skipped = (name: string, reason: string): BenchResult => ({
  name,
  value: null,
  unit: '',
  ratio: null,
  against: null,
  runs: 0,
  skipped: reason,
});

/** Three significant digits, without an exponent. */
export function format(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 6));
}

/** The results as a table for people. */
export function formatTable(results: readonly BenchResult[]): string {
  const rows = results.map((result) => [
    result.name,
    result.value === null ? 'skipped' : `${format(result.value)} ${result.unit}`,
    result.ratio === null ? '' : `${format(result.ratio)}×`,
    result.against ?? result.skipped?.slice(0, 60) ?? '',
    result.target === undefined ? '' : formatTarget(result.target),
    { true: 'reached', false: 'short', undefined: '' }[String(reached(result))] ?? '',
  ]);
  const head = ['name', 'value', 'ratio', 'against', 'target', ''];
  const wide = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(wide[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

const formatTarget = ({ of, is, bound }: Target): string =>
  `${is === '>=' ? '≥' : '≤'} ${bound}${of === 'ratio' ? '×' : ''}`;

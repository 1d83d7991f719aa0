import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AssertionError } from '../../src/engine/base/assert.ts';
import { generateScenario } from './generator.ts';
import { askOracle, buildWithGlib } from './oracle.ts';
import { Scenario } from './scenario.ts';

const BATCH = 500;

/** A scenario on which the two differ, at the first differing line. */
export interface Difference {
  /** The seed's number, or the name of the kept file. */
  origin: string;
  scenario: string[];
  line: number;
  glib: string | undefined;
  ours: string | undefined;
}

/** What a run of the differential test found. */
export interface DifferentialReport {
  compared: number;
  /** Scenarios that crash libglib itself, so that there is nothing to compare with. */
  crashed: number;
  differences: Difference[];
}

/** SIGABRT: an assertion of GLib's failed, a misuse that ours refuses at the same place. */
const ABORTED = 'CRASH 6';

/** Compares one scenario with its answer: null = equal, undefined = libglib crashed. */
function compare(origin: string, scenario: string[], glib: readonly string[]): Difference | null | undefined {
  if (glib.some((line) => line.startsWith('CRASH ') && line !== ABORTED)) return undefined;
  const run = new Scenario();
  const own = run.run(scenario);
  if (run.crash instanceof AssertionError) own.push(ABORTED);
  else if (run.crash !== undefined) own.push('BUG');
  const length = Math.max(own.length, glib.length);
  for (let line = 0; line < length; line++) {
    if (own[line] !== glib[line]) return { origin, scenario, line, glib: glib[line], ours: own[line] };
  }
  return null;
}

/** Takes lines out of a failing scenario as long as it still fails. */
function shrink(oracle: string, difference: Difference): Difference {
  let best = difference;
  for (let size = Math.ceil(best.scenario.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let again = true; again; ) {
      again = false;
      const candidates: string[][] = [];
      for (let at = 0; at < best.scenario.length; at += size) {
        candidates.push(best.scenario.filter((_line, i) => i < at || i >= at + size));
      }
      const answers = askOracle(oracle, candidates);
      for (const [i, candidate] of candidates.entries()) {
        const found = compare(best.origin, candidate, answers[i] ?? []);
        if (found) {
          best = found;
          again = candidate.length > 0;
          break;
        }
      }
    }
  }
  return best;
}

/** The kept scenarios: each once failed, or stands for a case by name. */
export function keptScenarios(root: string): { name: string; scenario: string[] }[] {
  const folder = join(root, 'cli/conformance/seeds');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.scenario'))
    .toSorted()
    .map((name) => ({ name, scenario: readFileSync(join(folder, name), 'utf8').trimEnd().split('\n') }));
}

/**
 * Runs the kept scenarios and `count` random ones, of the seeds from `seed` on, on libglib and on
 * GlibQContext. Failing ones are shrunk and, with `keep`, written to cli/conformance/seeds.
 */
export function runDifferential(
  root: string,
  count: number,
  seed: number,
  keep: boolean,
): DifferentialReport {
  const oracle = buildWithGlib(root, 'glib-oracle');
  const report: DifferentialReport = { compared: 0, crashed: 0, differences: [] };
  const run = (batch: { name: string; scenario: string[] }[]): void => {
    const answers = askOracle(
      oracle,
      batch.map((item) => item.scenario),
    );
    for (const [i, { name, scenario }] of batch.entries()) {
      const found = compare(name, scenario, answers[i] ?? []);
      if (found === undefined) report.crashed++;
      else report.compared++;
      if (found && report.differences.length < 10) report.differences.push(shrink(oracle, found));
    }
  };
  run(keptScenarios(root));
  for (let at = seed; at < seed + count && report.differences.length < 10; at += BATCH) {
    const size = Math.min(BATCH, seed + count - at);
    run(
      Array.from({ length: size }, (_, i) => ({
        name: `seed-${at + i}`,
        scenario: generateScenario(at + i),
      })),
    );
  }
  if (keep) {
    mkdirSync(join(root, 'cli/conformance/seeds'), { recursive: true });
    for (const { origin, scenario } of report.differences) {
      if (!origin.startsWith('seed-')) continue;
      writeFileSync(join(root, 'cli/conformance/seeds', `${origin}.scenario`), `${scenario.join('\n')}\n`);
    }
  }
  return report;
}

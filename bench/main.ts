/**
 * The benchmark: runs its parts one after another and writes bench/results/latest.json. Asserts nothing. A figure that
 * can't be had is reported as skipped, with the reason.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromiumVersion } from './lib/browser.ts';
import { delay, Lab } from './lib/lab.ts';
import { qemuVersion } from './lib/qemu.ts';
import { type BenchResult, format, formatTable, skipped } from './lib/result.ts';
import { boot } from './parts/boot.ts';
import { cpu } from './parts/cpu.ts';
import { disk } from './parts/disk.ts';
import { idle } from './parts/idle.ts';
import { loop } from './parts/loop.ts';
import { moves } from './parts/moves.ts';
import type { Part } from './parts/part.ts';
import { smp } from './parts/smp.ts';
import { trace } from './parts/trace.ts';
import { weight } from './parts/weight.ts';
import { Unavailable } from './lib/unavailable.ts';

/** In this order: what looks at an untouched page comes first. */
const PARTS: readonly Part[] = [weight, idle, boot, cpu, disk, trace, moves, smp, loop];

const USAGE = `npm run bench -- [--only PART,…] [--runs N] [--ms N] [--machine "WORDS"] [--dist DIR]
  --only      of ${PARTS.map(({ name }) => name).join(', ')}
  --runs      pairs of runs per figure (5)
  --ms        milliseconds per run of a kernel; a disk run takes four times as long (400)
  --machine   more words for our machine's command line, e.g. "-accel tcg,jit=off"
  --dist      the built page (dist)`;

async function main(root: string): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      runs: { type: 'string', default: '5' },
      ms: { type: 'string', default: '400' },
      machine: { type: 'string', default: '' },
      dist: { type: 'string', default: 'dist' },
      help: { type: 'boolean' },
    },
    allowPositionals: true,
  });
  const only = [...(values.only ?? []), ...positionals].flatMap((names) => names.split(','));
  const unknown = only.filter((name) => !PARTS.some((part) => part.name === name));
  if (values.help === true || unknown.length > 0) {
    console.log(unknown.length > 0 ? `no such part: ${unknown.join(' ')}\n${USAGE}` : USAGE);
    process.exit(unknown.length > 0 ? 2 : 0);
  }
  const wanted = PARTS.filter(({ name }) => only.length === 0 || only.includes(name));
  const lab = new Lab({
    root,
    dist: values.dist,
    runs: Number(values.runs),
    kernelMs: Number(values.ms),
    machineArgs: values.machine.split(/\s+/).filter(Boolean),
  });
  process.on('SIGINT', () => process.exit(130));
  process.on('SIGTERM', () => process.exit(143));

  const start = performance.now();
  const loadBefore = loadavg()[0] ?? 0;
  const results: BenchResult[] = [];
  try {
    for (const part of wanted) results.push(...(await runPart(part, lab)));
  } finally {
    await lab.close();
  }
  write(root, results, loadBefore, (performance.now() - start) / 1000);
  console.log(`\n${formatTable(results)}`);
  const notes = new Map<string, string[]>();
  for (const { name, note } of results)
    if (note !== undefined) notes.set(note, [...(notes.get(note) ?? []), name]);
  if (notes.size > 0)
    console.log(`\n${[...notes].map(([note, names]) => `${names.join(', ')}: ${note}`).join('\n')}`);
}

/** Runs a part to its end, its limit or its failure; what it owes and has not is skipped. */
async function runPart(part: Part, lab: Lab): Promise<readonly BenchResult[]> {
  const start = performance.now();
  const results: BenchResult[] = [];
  const report = (...given: readonly BenchResult[]): void => {
    for (const result of given) {
      results.push(result);
      console.error(`  ${progress(result)}`);
    }
  };
  console.error(`${part.name} …`);
  let reason = 'the part did not measure it';
  let over = false;
  try {
    const work = part.run(lab, (...given) => {
      if (!over) report(...given);
    });
    // When it comes too late, nobody waits for it any more.
    work.catch(() => {});
    const limit = delay(part.limitSeconds * 1000).then(() => {
      throw new Error(`not done after ${part.limitSeconds} s`);
    });
    limit.catch(() => {});
    await Promise.race([work, limit]);
  } catch (error) {
    reason = firstLine(error);
    if (!(error instanceof Unavailable)) {
      console.error(`  ${part.name} ended: ${reason}`);
      over = true;
      await lab.reset();
    }
  }
  over = true;
  for (const name of part.owes)
    if (!results.some((result) => result.name === name)) report(skipped(name, reason));
  console.error(`${part.name}: ${((performance.now() - start) / 1000).toFixed(0)} s`);
  return results;
}

/** What went wrong, without Playwright's and the stack's words. */
const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .replace(/^page\.\w+: (Error: )?/, '')
    .replaceAll(/\n\s+at .*/g, '')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 400);

const progress = ({ name, value, unit, ratio, skipped: why }: BenchResult): string =>
  value === null
    ? `${name}: skipped: ${why}`
    : `${name}: ${format(value)} ${unit}${ratio === null ? '' : `, ${format(ratio)}×`}`;

function write(root: string, results: readonly BenchResult[], loadBefore: number, seconds: number): void {
  const folder = join(root, 'bench/results');
  mkdirSync(folder, { recursive: true });
  const machine = {
    cpu: cpus()[0]?.model ?? arch(),
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `Linux ${release()}`,
    node: process.version,
    chromium: chromiumVersion(),
    qemu: qemuVersion() ?? 'not installed',
    loadBefore,
  };
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const report = { machine, date: new Date().toISOString(), version, seconds: Math.round(seconds), results };
  writeFileSync(join(folder, 'latest.json'), `${JSON.stringify(report, null, 2)}\n`);
}

await main(process.cwd());
process.exit(0);

/**
 * `conformance:glib`: answers scenarios of the conformance language with this project's GlibQContext.
 * Any number on stdin, each ended by a line `---`; the answer to each goes to stdout, followed by `---`.
 *
 * `--differential N [--seed S] [--keep]` instead compares N random scenarios, and all kept ones, with
 * the installed libglib-2.0.
 */
import { parseArgs } from 'node:util';
import { ScenarioStream } from './answer.ts';
import { runDifferential } from './differential.ts';

function differential(count: number, seed: number, keep: boolean): number {
  const started = Date.now();
  const report = runDifferential(process.cwd(), count, seed, keep);
  for (const { origin, scenario, line, glib, ours } of report.differences) {
    process.stdout.write(
      `\n# ${origin}, answer line ${line + 1}\n# libglib: ${glib ?? '(end)'}\n# ours:    ${ours ?? '(end)'}\n`,
    );
    process.stdout.write(`${scenario.join('\n')}\n`);
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  process.stdout.write(
    `differential: ${report.compared} compared (seeds ${seed}…${seed + count - 1} and the kept ones), ` +
      `${report.differences.length} differ, ${report.crashed} crash libglib itself, ${seconds} s\n`,
  );
  return report.differences.length === 0 ? 0 : 1;
}

const { values } = parseArgs({
  options: {
    differential: { type: 'string' },
    seed: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
  },
});
if (values.differential === undefined) {
  const stream = new ScenarioStream();
  process.stdin.setEncoding('utf8');
  for await (const text of process.stdin) process.stdout.write(stream.feed(String(text)));
  process.stdout.write(stream.end());
} else {
  const [count, seed] = [Number(values.differential), Number(values.seed)];
  if (!Number.isSafeInteger(count) || !Number.isSafeInteger(seed) || count < 0) {
    process.stderr.write('--differential and --seed take whole numbers\n');
    process.exitCode = 2;
  } else {
    process.exitCode = differential(count, seed, values.keep);
  }
}

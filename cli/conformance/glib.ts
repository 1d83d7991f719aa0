/**
 * `conformance:glib`: answers scenarios of the conformance language with this project's GlibQContext.
 * Any number on stdin, each ended by a line `---`; the answer to each goes to stdout, followed by `---`.
 *
 * `--differential N [--seed S] [--keep]` instead compares N random scenarios, and all kept ones, with
 * the installed libglib-2.0.
 */
import { readFileSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { answerAll } from './answer.ts';
import { runDifferential } from './differential.ts';

/** Writes all of `text` to stdout, also when it is a pipe that takes a part at a time. */
function writeAll(text: string): void {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}

function differential(count: number, seed: number, keep: boolean): number {
  const started = Date.now();
  const report = runDifferential(process.cwd(), count, seed, keep);
  for (const { origin, scenario, line, glib, ours } of report.differences) {
    writeAll(
      `\n# ${origin}, answer line ${line + 1}\n# libglib: ${glib ?? '(end)'}\n# ours:    ${ours ?? '(end)'}\n`,
    );
    writeAll(`${scenario.join('\n')}\n`);
  }
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  writeAll(
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
if (values.differential === undefined) writeAll(answerAll(readFileSync(0, 'utf8')));
else process.exitCode = differential(Number(values.differential), Number(values.seed), values.keep);

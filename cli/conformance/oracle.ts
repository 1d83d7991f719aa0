import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/**
 * Compiles a C program of cli/conformance against the installed libglib-2.0 into build/conformance,
 * unless that is up to date, and returns the path of the executable. Needs cc, pkg-config and
 * libglib2.0-dev; throws an Error that says so if they are not there.
 */
export function buildWithGlib(root: string, program: string, optimize = '-O1'): string {
  const source = join(root, 'cli/conformance', `${program}.c`);
  const target = join(root, 'build/conformance', program);
  if (modified(target) > modified(source)) return target;
  mkdirSync(dirname(target), { recursive: true });
  try {
    const flags = execFileSync('pkg-config', ['--cflags', '--libs', 'glib-2.0'], { encoding: 'utf8' });
    execFileSync('cc', [optimize, source, '-o', target, ...flags.trim().split(/\s+/), '-ldl']);
  } catch (error) {
    throw new Error('the GLib oracle needs cc, pkg-config and libglib2.0-dev', { cause: error });
  }
  return target;
}

/**
 * Runs scenarios on the real libglib and returns the trace of each, one line an entry. What GLib's test
 * framework says of a failed assertion is left out; the line `CRASH 6` stands for it.
 */
export function askOracle(oracle: string, scenarios: readonly (readonly string[])[]): string[][] {
  const input = scenarios.map((lines) => `${lines.join('\n')}\n---\n`).join('');
  const result = spawnSync(oracle, { input, encoding: 'utf8', maxBuffer: 2 ** 30 });
  if (result.status !== 0) throw new Error(`the oracle ended with status ${String(result.status)}`);
  const answers = result.stdout.split(/^---\n/m);
  answers.pop();
  return answers.map((answer) =>
    answer
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('Bail out! ')),
  );
}

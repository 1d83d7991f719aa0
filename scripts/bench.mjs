// npm run bench -- [--only PART,…]: figures beside those of peers, in bench/results/latest.json and as a table.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { rawText } from '../guest/baremetal/load-typescript.mjs';
import { root, run } from './lib/run.mjs';
import * as setup from './lib/setup.mjs';

const args = process.argv.slice(2);
const bundled = ['build/node/bench.mjs', 'build/node/bench-wake.worker.js'];

await setup.dependencies();
await setup.debianPackages('The benchmark', ['chromium', 'gcc', 'libc6-dev', 'e2fsprogs']);
await setup.wasm();
await setup.guest();
// A page built elsewhere is measured as it is.
if (!args.some((arg) => arg.startsWith('--dist'))) await setup.page();
const sources = ['bench/main.ts', 'bench/loop.bench.ts', 'bench/lib', 'bench/parts', 'bench/browser'];
await setup.once(
  'bench-bundle',
  [...sources, 'cli', 'src/engine', 'guest/lib', 'guest/baremetal', 'scripts/bench.mjs'],
  bundled,
  bundle,
);

if (!existsSync(join(root, 'build/guest/Image')))
  console.error('No Linux guest here: its figures are skipped.');
process.exitCode = await run('node', ['--no-warnings', bundled[0], ...args]);

/** Node 20 runs no TypeScript; one worker is for the browser. */
async function bundle() {
  const { build } = await import('rolldown');
  const common = { cwd: root, logLevel: 'warn' };
  await build({
    ...common,
    input: 'bench/main.ts',
    platform: 'node',
    plugins: [rawText],
    external: [/^node:/, '@playwright/test', 'vite', 'rolldown'],
    output: { file: join(root, bundled[0]), format: 'esm' },
  });
  await build({
    ...common,
    input: 'bench/browser/wake.worker.ts',
    platform: 'browser',
    output: { file: join(root, bundled[1]), format: 'esm' },
  });
}

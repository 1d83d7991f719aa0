// npm test: all set-up, then every test; `npm test -- unit e2e` runs parts. Ends with "N passed, N failed".
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './lib/run.mjs';
import * as setup from './lib/setup.mjs';

const reports = join(root, 'build/reports');
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
const pass = process.argv.slice(2).filter((arg) => arg.startsWith('-'));

/** A check that is one command: one test. */
async function check(name, command, args) {
  const code = await run(command, args);
  console.log(`${code === 0 ? 'ok' : 'FAILED'}: ${name}`);
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 };
}

const total = (results) =>
  results.reduce(
    (sum, result) => ({ passed: sum.passed + result.passed, failed: sum.failed + result.failed }),
    { passed: 0, failed: 0 },
  );

/** A Vitest run; its own report says how many tests there were. A run that ends badly without a report is a failure. */
async function vitest(name, config) {
  const file = join(reports, `${name}.json`);
  rmSync(file, { force: true });
  const code = await run('npx', [
    'vitest',
    'run',
    '--config',
    config,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
    ...pass,
  ]);
  if (!existsSync(file)) return { passed: 0, failed: 1 };
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const failed = report.numFailedTests + (code !== 0 && report.numFailedTests === 0 ? 1 : 0);
  return { passed: report.numPassedTests, failed };
}

async function playwright() {
  const file = join(reports, 'e2e.json');
  rmSync(file, { force: true });
  const code = await run('npx', ['playwright', 'test', '--reporter=list,json', ...pass], {
    env: { ...process.env, PLAYWRIGHT_JSON_OUTPUT_NAME: file },
  });
  if (!existsSync(file)) return { passed: 0, failed: 1 };
  const { stats } = JSON.parse(readFileSync(file, 'utf8'));
  return {
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected + (code !== 0 && stats.unexpected === 0 ? 1 : 0),
  };
}

const parts = {
  types: async () => {
    const results = [];
    for (const project of ['engine', 'ui', 'node'])
      results.push(await check(`types of ${project}`, 'npx', ['tsc', '-p', `tsconfig.${project}.json`]));
    return total(results);
  },
  lint: async () =>
    total([
      await check('oxlint', 'npx', [
        'oxlint',
        '--type-aware',
        '--quiet',
        '--format=unix',
        'src',
        'cli',
        'guest',
        'bench',
        'e2e',
      ]),
      await check('format', 'npx', ['biome', 'format', '.']),
    ]),
  unit: async () => {
    await setup.wasm();
    return vitest('unit', 'vitest.config.ts');
  },
  conformance: async () => {
    await setup.debianPackages('The differential test against the real GLib', [
      'gcc',
      'libc6-dev',
      'pkg-config',
      'libglib2.0-dev',
    ]);
    return check('5,000 random scenarios and the kept seeds, line for line with libglib', 'node', [
      'scripts/conformance.mjs',
      '--differential',
      '5000',
    ]);
  },
  vm: async () => {
    await setup.wasm();
    await setup.guest();
    await setup.nodeBundle();
    return vitest('vm', 'vitest.vm.config.ts');
  },
  e2e: async () => {
    await setup.debianPackages('The browser tests', ['chromium']);
    await setup.wasm();
    await setup.guest();
    await setup.page();
    return playwright();
  },
};

await setup.dependencies();
mkdirSync(reports, { recursive: true });
const unknown = wanted.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(' ')}; there are ${Object.keys(parts).join(' ')}`);
  process.exit(2);
}
const summary = [];
for (const [name, part] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const start = Date.now();
  const result = await part();
  summary.push({ name, ...result, seconds: Math.round((Date.now() - start) / 1000) });
}
console.log('');
for (const { name, passed, failed, seconds } of summary)
  console.log(`${name}: ${passed} passed, ${failed} failed, ${seconds} s`);
const sum = total(summary);
console.log(`${sum.passed} passed, ${sum.failed} failed`);
process.exitCode = sum.failed === 0 && sum.passed > 0 ? 0 : 1;

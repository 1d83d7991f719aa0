// Runs cli/conformance/glib.ts under Node: bundles it into build/node when a source is newer than the
// bundle. On a fresh clone it installs the dependencies first; only the answers go to stdout.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const entry = join(root, 'cli/conformance/glib.ts');
const bundle = join(root, 'build/node/conformance.mjs');

/** The latest modification of a TypeScript file below the folders. */
function newest(folders) {
  let latest = 0;
  for (const folder of folders) {
    for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!file.isFile() || !file.name.endsWith('.ts')) continue;
      latest = Math.max(latest, statSync(join(file.parentPath ?? file.path, file.name)).mtimeMs);
    }
  }
  return latest;
}

const sources = newest([
  join(root, 'cli/conformance'),
  join(root, 'src/engine/qcontext'),
  join(root, 'src/engine/base'),
]);
if (!existsSync(bundle) || statSync(bundle).mtimeMs <= sources) {
  if (!existsSync(join(root, 'node_modules/rolldown'))) {
    execFileSync('npm', ['ci', '--silent'], { cwd: root, stdio: ['ignore', 2, 2] });
  }
  const { build } = await import('rolldown');
  await build({
    input: entry,
    platform: 'node',
    logLevel: 'warn',
    output: { file: bundle, format: 'esm' },
  });
}
process.chdir(root);
await import(pathToFileURL(bundle).href);

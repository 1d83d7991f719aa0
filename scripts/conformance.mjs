// Runs cli/conformance/glib.ts under Node, bundled into build/node while its sources are unchanged. On a
// fresh clone it installs the dependencies first; only the answers go to stdout.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './lib/run.mjs';
import { dependencies, once } from './lib/setup.mjs';

const bundle = 'build/node/conformance.mjs';
const sources = ['cli/conformance', 'src/engine/qcontext', 'src/engine/base', 'src/engine/trace'];

if (!existsSync(join(root, 'node_modules/rolldown'))) await dependencies();
await once('conformance-bundle', [...sources, 'scripts/conformance.mjs'], [bundle], async () => {
  const { build } = await import('rolldown');
  await build({
    cwd: root,
    input: 'cli/conformance/glib.ts',
    platform: 'node',
    logLevel: 'warn',
    output: { file: bundle, format: 'esm' },
  });
});
process.chdir(root);
await import(pathToFileURL(join(root, bundle)).href);

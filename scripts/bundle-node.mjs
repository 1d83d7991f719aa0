// Bundles the command line and its workers for Node with rolldown (what Vite builds with).
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { rawText } from '../guest/baremetal/load-typescript.mjs';
import { root } from './lib/run.mjs';

const entries = {
  vm: 'cli/vm.ts',
  'machine.worker': 'cli/host/machine.worker.ts',
};
const bundle = await rolldown({
  input: Object.fromEntries(
    Object.entries(entries)
      .filter(([, path]) => existsSync(join(root, path)))
      .map(([name, path]) => [name, join(root, path)]),
  ),
  platform: 'node',
  external: [/^node:/],
  plugins: [rawText],
  treeshake: true,
});
await bundle.write({
  dir: join(root, 'build/node'),
  format: 'esm',
  sourcemap: true,
  entryFileNames: '[name].js',
  chunkFileNames: 'chunks/[name].js',
});
await bundle.close();

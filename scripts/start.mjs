// npm start: all set-up, then the playground on http://localhost:4173/ (PORT to change it).
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { must, root } from './lib/run.mjs';
import * as setup from './lib/setup.mjs';

const dev = process.argv.includes('--dev');
await setup.dependencies();
await Promise.all([setup.wasm(), setup.guest()]);
const port = process.env.PORT ?? (dev ? '5173' : '4173');
if (!existsSync(join(root, 'build/guest/Image'))) {
  console.error(
    'No Linux guest here (see above): the page offers the built-in guest and your own kernel and disk.',
  );
}
if (!dev) await setup.page();
console.error(`QContext Playground: http://localhost:${port}/`);
await must(
  'The server',
  'npx',
  dev ? ['vite', '--port', port, '--strictPort'] : ['vite', 'preview', '--port', port, '--strictPort'],
);

// npm start: all set-up, then the playground on http://localhost:4173/ (PORT to change it).
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { must, root } from './lib/run.mjs';
import * as setup from './lib/setup.mjs';

const dev = process.argv.includes('--dev');
const port = process.env.PORT ?? (dev ? '5173' : '4173');
// Before the set-up, which takes minutes the first time.
const inTheWay = await new Promise((resolve) => {
  const probe = createServer();
  probe.once('error', resolve);
  probe.listen({ port: Number(port), host: 'localhost' }, () => probe.close(() => resolve(undefined)));
}).catch((error) => error);
if (inTheWay !== undefined) {
  console.error(
    inTheWay.code === 'EADDRINUSE'
      ? `Port ${port} is in use, perhaps by a playground that runs already: http://localhost:${port}/`
      : `Port ${port} can't be served: ${inTheWay.message}.`,
  );
  console.error('End what uses it, or take another: PORT=8080 npm start');
  process.exit(1);
}
await setup.dependencies();
await Promise.all([setup.wasm(), setup.guest()]);
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

// npm run build: the page as static files in dist/ (guest images beside it in dist/guest/ when they are built).
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/run.mjs';
import * as setup from './lib/setup.mjs';

await setup.dependencies();
await setup.wasm();
await setup.page();
const images = join(root, 'build/guest');
if (process.argv.includes('--with-guest') && existsSync(images))
  cpSync(images, join(root, 'dist/guest'), { recursive: true });

// npm run vm -- <QEMU-style arguments>: the machine headless in Node.
import { run } from './lib/run.mjs';
import * as setup from './lib/setup.mjs';

await setup.dependencies();
await setup.wasm();
await setup.guest();
await setup.nodeBundle();
process.exitCode = await run('node', ['--no-warnings', 'build/node/vm.js', ...process.argv.slice(2)]);

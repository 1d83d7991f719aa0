/**
 * Assembles the built-in guest to build/guest/baremetal.bin. Needs nothing but node_modules.
 *
 *     node guest/baremetal/build.mjs [OUTPUT]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadTypeScript } from './load-typescript.mjs';

/** Writes the image to `output` and returns how many bytes it has. */
export async function buildBareMetal(output) {
  const { assembleBareMetal } = await loadTypeScript(resolve(import.meta.dirname, 'index.ts'));
  const image = assembleBareMetal();
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, image);
  return image.length;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const output = resolve(process.argv[2] ?? resolve(import.meta.dirname, '../../build/guest/baremetal.bin'));
  try {
    const bytes = await buildBareMetal(output);
    process.stdout.write(`${output}: ${bytes} bytes\n`);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

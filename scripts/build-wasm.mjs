/**
 * Compiles the interpreter (AssemblyScript) to build/wasm/interp.wasm with the pinned compiler.
 * Skips the work when the sources, this script and the compiler's version are those of last time.
 * Usage: node scripts/build-wasm.mjs [--force] [--text]
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const sourceDir = 'src/engine/cpu/interp/assembly';
const entry = `${sourceDir}/index.ts`;
const outDir = path.join(root, 'build/wasm');
const outFile = path.join(outDir, 'interp.wasm');
const stampFile = path.join(outDir, 'interp.stamp');

/** Every hart's instance imports the one shared memory, so the module may bring no data of its own. */
const options = [
  '-O3',
  '--noAssert',
  '--runtime',
  'stub',
  '--importMemory',
  '--sharedMemory',
  '--initialMemory',
  '1',
  '--maximumMemory',
  '65536',
  '--enable',
  'threads',
  '--enable',
  'simd',
  '--exportTable',
];

async function inputHash() {
  const names = (await readdir(path.join(root, sourceDir))).filter((name) => name.endsWith('.ts')).toSorted();
  const files = [
    ...names.map((name) => `${sourceDir}/${name}`),
    'src/engine/cpu/layout.ts',
    'scripts/build-wasm.mjs',
    'node_modules/assemblyscript/package.json',
  ];
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(await readFile(path.join(root, file)));
  return hash.digest('hex');
}

async function compile() {
  const { default: asc } = await import('assemblyscript/asc');
  const outputs = new Map();
  const text = process.argv.includes('--text') ? ['--textFile', 'interp.wat'] : [];
  const { error, stderr } = await asc.main([entry, '--outFile', 'interp.wasm', ...text, ...options], {
    // Paths come relative to the repository's root.
    readFile: (name) => readFile(path.join(root, name), 'utf8').catch(() => null),
    writeFile: (name, contents) => {
      outputs.set(name, contents);
    },
    listFiles: () => [],
  });
  if (error) throw new Error(`interpreter does not compile\n${stderr.toString()}`);
  const warnings = stderr.toString();
  if (warnings) process.stderr.write(warnings);
  return outputs;
}

/** Section 11 is the data section: instances of several harts would overwrite each other's memory. */
function hasDataSection(wasm) {
  let at = 8;
  while (at < wasm.length) {
    const id = wasm[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++];
      size |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if (id === 11 && size > 1) return true;
    at += size;
  }
  return false;
}

/** Builds if needed; returns the path of the module. */
export async function buildWasm({ force = false } = {}) {
  const hash = await inputHash();
  const stamp = await readFile(stampFile, 'utf8').catch(() => '');
  if (!force && stamp === hash && (await readFile(outFile).catch(() => null)) !== null) return outFile;
  const outputs = await compile();
  const wasm = outputs.get('interp.wasm');
  if (hasDataSection(wasm))
    throw new Error('the interpreter has static data; it shares its memory with other instances');
  await mkdir(outDir, { recursive: true });
  for (const [name, contents] of outputs) {
    // Several builds may run at once: never show half a file.
    const temporary = path.join(outDir, `${name}.${process.pid}`);
    await writeFile(temporary, contents);
    await rename(temporary, path.join(outDir, name));
  }
  await writeFile(stampFile, hash);
  return outFile;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = await buildWasm({
    force: process.argv.includes('--force') || process.argv.includes('--text'),
  });
  process.stdout.write(`${path.relative(root, file)}\n`);
}

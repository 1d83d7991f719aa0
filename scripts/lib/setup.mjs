// Set-up shared by the commands: each step is done once and skipped while its inputs are unchanged.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { has, must, output, root, run } from './run.mjs';

const stampDir = join(root, 'build/stamps');

/** SHA-256 over the contents of files and folders, by name order. */
export function hashOf(paths) {
  const hash = createHash('sha256');
  const visit = (path) => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) visit(join(path, name));
      return;
    }
    hash.update(path.slice(root.length)).update('\0').update(readFileSync(path)).update('\0');
  };
  for (const path of paths) visit(join(root, path));
  return hash.digest('hex');
}

/** Runs `step` unless it ran before with the same inputs and its outputs are still there. */
export async function once(name, inputs, outputs, step) {
  const stamp = join(stampDir, name);
  const hash = hashOf(inputs);
  const fresh =
    outputs.every((path) => existsSync(join(root, path))) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === hash;
  if (fresh) return false;
  await step();
  mkdirSync(stampDir, { recursive: true });
  writeFileSync(stamp, hash);
  return true;
}

/** The packages of package-lock.json, exactly. stdout stays free for commands that answer on it. */
export async function dependencies() {
  const lock = hashOf(['package.json', 'package-lock.json']);
  const stamp = join(root, 'node_modules/.lock-hash');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error('Installing the packages of package-lock.json …');
  const flags = ['--no-audit', '--no-fund', '--loglevel=error'];
  // `npm ci` refuses a lock file without the optional packages of other platforms; `install` takes the same
  // exact versions from it.
  if ((await run('npm', ['ci', ...flags], { stdio: 'ignore' })) !== 0)
    await must('Installing packages', 'npm', ['install', '--no-save', ...flags], { stdio: ['ignore', 2, 2] });
  writeFileSync(stamp, lock);
}

/** The interpreter, AssemblyScript to WebAssembly. The script looks for itself whether its inputs changed. */
export const wasm = () =>
  must('Building the interpreter', 'node', ['scripts/build-wasm.mjs'], { stdio: ['ignore', 2, 2] });

/** Guest images: the stock Linux guest where packages can be had, the built-in guest always. */
export async function guest() {
  if (existsSync(join(root, 'guest/build.mjs'))) {
    await must('Assembling the guest', 'node', ['guest/build.mjs'], { stdio: ['ignore', 2, 2] });
  }
}

/** The engine and the command line as plain JavaScript for Node, which runs no TypeScript at version 20. */
export const nodeBundle = () =>
  once(
    'node-bundle',
    ['src/engine', 'cli', 'guest/baremetal', 'package-lock.json', 'scripts/bundle-node.mjs'],
    ['build/node/vm.js'],
    () => must('Bundling for Node', 'node', ['scripts/bundle-node.mjs'], { stdio: ['ignore', 2, 2] }),
  );

/** The page, built by Vite. */
export const page = () =>
  once(
    'page',
    [
      'src',
      'public',
      'index.html',
      'vite.config.ts',
      'vite.page-chunk.ts',
      'package-lock.json',
      'build/wasm',
    ],
    ['dist/index.html'],
    () =>
      must('Building the page', 'npx', ['vite', 'build', '--logLevel', 'warn'], { stdio: ['ignore', 2, 2] }),
  );

/** Debian packages the tests need; installs what is missing where it may, else says what to install. */
export async function debianPackages(why, packages) {
  const installed = (name) =>
    output('dpkg-query', ['-W', '-f', '${Status}', name])?.endsWith('ok installed') === true;
  const missing = packages.filter((name) => !installed(name));
  if (missing.length === 0) return;
  const sudo = process.getuid?.() === 0 ? [] : has('sudo') ? ['sudo', '-n'] : undefined;
  const advice = `${why}: needs the Debian packages ${missing.join(' ')} (apt-get install ${missing.join(' ')})`;
  if (!has('apt-get') || sudo === undefined) {
    console.error(advice);
    process.exit(1);
  }
  console.error(`${why}: installing ${missing.join(' ')} …`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (args) =>
    run([...sudo, 'apt-get'][0], [...sudo, 'apt-get', ...args].slice(1), {
      env,
      stdio: ['ignore', 'ignore', 2],
    });
  const install = ['install', '-y', '--no-install-recommends', ...missing];
  if ((await apt(['update'])) !== 0 || (await apt(install)) !== 0) {
    console.error(advice);
    process.exit(1);
  }
}

#!/usr/bin/env node
// @ts-check
/**
 * `npm run guest`: assembles the guest (kernel, initramfs, root disk) in build/guest from Debian packages.
 * See README.md in this directory. Ends with status 0 when the images are there and also when this machine cannot
 * make them (the manifest says why), with 1 on a failure that deserves a look, with 2 on a wrong option.
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Unavailable } from './lib/apt.mjs';
import { buildDefaultGuest } from './lib/default-guest.mjs';
import { hashSources, isInput } from './lib/hash.mjs';
import { withLock } from './lib/lock.mjs';
import { carryOver, filesPresent, readManifest, SCHEMA, writeManifest } from './lib/manifest.mjs';
import { parseOptions, USAGE, UsageError } from './lib/options.mjs';
import { have } from './lib/run.mjs';
import { Session } from './lib/session.mjs';
import { addMinbase, minbaseRecipe } from './minbase/build.mjs';
import { addTunedKernel, tunedRecipe } from './tuned/build.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const OUT = path.join(HERE, '../build/guest');

// Directories we make end up on the disk.
process.umask(0o022);

// A signal ends the commands we started, too (lib/run.mjs).
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

const started = Date.now();
/** @param {string} line */
const say = (line) =>
  console.log(`guest: ${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${line}`);

/**
 * What there is and what is to be made.
 *
 * @param {import('./lib/options.mjs').Options} options
 */
async function plan(options) {
  const sources = await hashSources(HERE, isInput);
  const recipes = { tuned: await tunedRecipe(), minbase: await minbaseRecipe() };
  const read = await readManifest(OUT);
  const before = read?.available && (await filesPresent(OUT, read)) ? read : undefined;
  const stale = options.update || before?.sources !== sources;
  const tuned = options.tuned && (stale || before?.kernels.tuned?.recipe !== recipes.tuned);
  const minbase = options.minbase && (stale || before?.disks.minbase?.recipe !== recipes.minbase);
  return { sources, recipes, before, stale, tuned, minbase, done: !stale && !tuned && !minbase };
}

/**
 * Makes what is asked for and not there, writing the manifest after each part.
 *
 * @param {import('./lib/options.mjs').Options} options
 * @param {Session} session
 */
async function build(options, session) {
  const { sources, recipes, before, stale, tuned, minbase } = await plan(options);
  if (!have('apt-get')) throw new Unavailable('there is no apt-get on this machine');
  let manifest = before;
  const keep = async (/** @type {import('./lib/manifest.mjs').Manifest} */ next) => {
    await writeManifest(OUT, next);
    manifest = next;
  };
  if (stale || manifest === undefined) {
    const next = await buildDefaultGuest(session, sources, before);
    await keep(before === undefined ? next : carryOver(next, before, recipes));
  }
  if (tuned && manifest !== undefined) await keep(await addTunedKernel(session, manifest));
  if (minbase && manifest !== undefined) await keep(await addMinbase(session, manifest));
  say('ready');
}

async function main() {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    console.log(USAGE);
    return;
  }
  // Asked before the lock, too: whoever has all it wants does not wait for another's kernel to compile.
  if ((await plan(options)).done) {
    say('up to date');
    return;
  }
  const session = new Session(HERE, OUT, say);
  await mkdir(session.cache, { recursive: true });
  await withLock(OUT, say, async () => {
    try {
      await build(options, session);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      say(`cannot be assembled here: ${error.message}`);
      const present = await readManifest(OUT);
      if (present?.available && (await filesPresent(OUT, present))) {
        say('the images that are there stay as they are');
        return;
      }
      await writeManifest(OUT, { schema: SCHEMA, available: false, reason: error.message });
      say('the page still offers your own kernel and disk, and the built-in guest');
    } finally {
      await session.end();
    }
  });
}

try {
  await main();
} catch (error) {
  console.error(`guest: ${error instanceof Error ? error.message : error}`);
  if (error instanceof UsageError) console.error(USAGE);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}

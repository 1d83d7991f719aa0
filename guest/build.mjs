#!/usr/bin/env node
/**
 * `npm run guest`: assembles the guest (kernel, initramfs, root disk) in build/guest from Debian packages.
 * See README.md in this directory. Ends with status 0 when the images are there and also when this machine cannot
 * make them (the manifest says why); with 1 on a failure that deserves a look, with 2 on a wrong option.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Apt, Unavailable } from './lib/apt.mjs';
import { assembleDisk } from './lib/disk.mjs';
import { makeExt4 } from './lib/ext4.mjs';
import { buildFio } from './lib/fio.mjs';
import { hashSources } from './lib/hash.mjs';
import { BASIC, COMPILE, provide } from './lib/host.mjs';
import { withLock } from './lib/lock.mjs';
import { filesPresent, readManifest, SCHEMA, writeManifest } from './lib/manifest.mjs';
import { pack, sha256 } from './lib/pack.mjs';
import { have } from './lib/run.mjs';
import { makeInitrd, openKernel } from './lib/stock.mjs';
import { ARCH, FIO_SUITE, KERNEL_META, LIBAIO, ROOT_PACKAGES, STOCK_APPEND, SUITE } from './packages.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const OUT = path.join(HERE, '../build/guest');
const CACHE = path.join(OUT, '.cache');
const WORK = path.join(OUT, '.work');
const DISK_BYTES = 128 << 20;

const started = Date.now();
/** @param {string} line */
const say = (line) =>
  console.log(`guest: ${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s  ${line}`);

/** @param {unknown} error */
const message = (error) => (error instanceof Error ? error.message : String(error));

/**
 * fio from the cache, or compiled. A guest without fio is still a guest, so a failure here is a note, not an end.
 *
 * @param {Apt} apt
 * @returns {Promise<{ program?: Buffer, packages: import('./lib/manifest.mjs').PackageInfo[], note?: string }>}
 */
async function provideFio(apt) {
  const lacking = await provide(COMPILE, say);
  if (lacking !== undefined) return { packages: [], note: `no fio: ${lacking}` };
  try {
    const [libaio] = await apt.select([LIBAIO]);
    if (libaio === undefined) throw new Error(`no ${LIBAIO}`);
    const source = await apt.sourceVersion('fio');
    const recipe = sha256(await readFile(path.join(HERE, 'lib/fio.mjs')));
    const key = sha256(Buffer.from(`${recipe} ${source.sha256} ${libaio.sha256}`)).slice(0, 16);
    const cached = path.join(CACHE, `fio-${key}`);
    const packages = [
      { name: 'fio', version: source.version, sha256: source.sha256, kind: /** @type {const} */ ('source') },
      {
        name: libaio.name,
        version: libaio.version,
        sha256: libaio.sha256,
        kind: /** @type {const} */ ('binary'),
      },
    ];
    const ready = await readFile(cached).catch(() => undefined);
    if (ready !== undefined) return { program: ready, packages };
    const [deb = ''] = await apt.download([libaio]);
    say(`compiling fio ${source.version}`);
    const program = await buildFio(apt, source, deb, path.join(WORK, 'fio'));
    await writeFile(cached, program);
    say(`fio is ready (${(program.length / 1e6).toFixed(1)} MB)`);
    return { program, packages };
  } catch (error) {
    return { packages: [], note: `no fio: ${message(error)}` };
  }
}

/**
 * The stock kernel, its initramfs and the small root disk.
 *
 * @param {string} sources hash of our own files
 * @returns {Promise<import('./lib/manifest.mjs').Manifest>}
 */
async function buildStock(sources) {
  const lacking = await provide(BASIC, say);
  if (lacking !== undefined) throw new Unavailable(lacking);
  await rm(WORK, { recursive: true, force: true });
  await mkdir(WORK, { recursive: true });
  const apt = new Apt(path.join(CACHE, 'apt'), ARCH);
  await apt.configure([
    { kind: 'deb', suite: SUITE },
    { kind: 'deb-src', suite: FIO_SUITE },
  ]);
  say('fetching the package index');
  await apt.update();
  const meta = await apt.select([KERNEL_META]);
  const kernelName = /linux-image-[^\s,|(]+/.exec(meta[0]?.depends ?? '')?.[0];
  if (kernelName === undefined) throw new Error(`${KERNEL_META} depends on no kernel`);
  const packages = await apt.select([kernelName, ...Object.keys(ROOT_PACKAGES)]);
  const megabytes = packages.reduce((sum, p) => sum + p.bytes, 0) / 1e6;
  // Compiling needs the processor, downloading the network: both at once.
  const fioReady = provideFio(apt);
  say(`fetching ${packages.length} packages (${megabytes.toFixed(0)} MB)`);
  const files = await apt.download(packages);
  const debs = new Map(packages.map((p, i) => [p.name, files[i] ?? '']));
  say('unpacking');
  const kernel = await openKernel(debs.get(kernelName) ?? '', path.join(WORK, 'kernel'));
  const fio = await fioReady;
  if (fio.note !== undefined) say(fio.note);
  const root = path.join(WORK, 'root');
  const overlay = path.join(HERE, 'overlay');
  const { dropped, busybox } = await assembleDisk({ root, debs, overlay, kernel, fio: fio.program });
  const initrd = await makeInitrd(kernel, busybox, await readFile(path.join(HERE, 'initrd/init')));
  say(`making the root disk (without ${dropped.join(', ')}: their libraries are not on it)`);
  const disk = path.join(WORK, 'rootfs.ext4');
  await makeExt4(root, disk, { bytes: DISK_BYTES, epoch: kernel.epoch, label: 'guest' });

  const all = [
    ...packages.map((p) => ({
      name: p.name,
      version: p.version,
      sha256: p.sha256,
      kind: /** @type {const} */ ('binary'),
    })),
    ...fio.packages,
  ];
  const input = sha256(Buffer.from(JSON.stringify([sources, all])));
  say('compressing for download');
  const infos = await emit({ Image: kernel.image, 'initrd.cpio': initrd, 'rootfs.ext4': disk });
  return {
    schema: SCHEMA,
    available: true,
    sources,
    default: { kernel: 'stock', disk: 'small' },
    kernels: {
      stock: {
        title: `Debian ${SUITE}, Linux ${kernel.release}`,
        image: 'Image',
        initrd: 'initrd.cpio',
        append: STOCK_APPEND,
        release: kernel.release,
        input,
      },
    },
    disks: {
      small: { title: `Debian ${SUITE}, small`, file: 'rootfs.ext4', fio: fio.program !== undefined, input },
    },
    files: infos,
    packages: all,
    notes: fio.note === undefined ? [] : [fio.note],
  };
}

/**
 * Puts images into the output directory, each with its compressed form.
 *
 * @param {Readonly<Record<string, Buffer | string>>} images content, or the path of a file that is moved there
 * @returns {Promise<Record<string, import('./lib/pack.mjs').FileInfo>>}
 */
async function emit(images) {
  /** @type {Record<string, import('./lib/pack.mjs').FileInfo>} */
  const infos = {};
  for (const [name, content] of Object.entries(images)) {
    const data = typeof content === 'string' ? await readFile(content) : content;
    const { info, gzip } = await pack(name, data);
    const source = typeof content === 'string' ? content : path.join(WORK, name);
    if (typeof content !== 'string') await writeFile(source, data);
    await writeFile(path.join(WORK, info.gzip.file), gzip);
    await rename(source, path.join(OUT, name));
    await rename(path.join(WORK, info.gzip.file), path.join(OUT, info.gzip.file));
    infos[name] = info;
  }
  return infos;
}

async function main() {
  const sources = await hashSources(HERE);
  await mkdir(CACHE, { recursive: true });
  await withLock(path.join(OUT, '.lock'), say, async () => {
    const before = await readManifest(OUT);
    if (before?.available && before.sources === sources && (await filesPresent(OUT, before))) {
      say('up to date');
      return;
    }
    try {
      if (!have('apt-get')) throw new Unavailable('there is no apt-get on this machine');
      const manifest = await buildStock(sources);
      await writeManifest(OUT, manifest);
      await rm(WORK, { recursive: true, force: true });
      for (const f of Object.values(manifest.files)) {
        say(
          `${f.file.padEnd(12)} ${(f.bytes / 1e6).toFixed(1).padStart(6)} MB, ${(f.gzip.bytes / 1e6).toFixed(1)} MB to download`,
        );
      }
      say('ready');
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      await writeManifest(OUT, { schema: SCHEMA, available: false, reason: error.message });
      say(`the default guest cannot be assembled here: ${error.message}`);
      say('the page still offers your own kernel and disk, and the built-in guest');
    }
  });
}

try {
  await main();
} catch (error) {
  console.error(`guest: ${message(error)}`);
  process.exitCode = 1;
}

// @ts-check
/** The default guest: stock kernel, its initramfs and the small root disk. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KERNEL_META, LIBAIO, ROOT_PACKAGES, STOCK_APPEND, SUITE } from '../packages.mjs';
import { assembleDisk } from './disk.mjs';
import { makeExt4 } from './ext4.mjs';
import { buildFio } from './fio.mjs';
import { COMPILE, provide } from './host.mjs';
import { SCHEMA } from './manifest.mjs';
import { sha256 } from './pack.mjs';
import { makeInitrd, openKernel } from './stock.mjs';

const DISK_BYTES = 128 << 20;

/**
 * @typedef {import('./session.mjs').Session} Session
 * @typedef {import('./manifest.mjs').Manifest} Manifest
 * @typedef {import('./manifest.mjs').PackageInfo} PackageInfo
 */

/**
 * @param {import('./apt.mjs').Package} p
 * @returns {PackageInfo}
 */
export const binaryInfo = (p) => ({ name: p.name, version: p.version, sha256: p.sha256, kind: 'binary' });

/**
 * fio from the cache, or compiled. A guest without fio is still a guest, so a failure here is a note, not an end.
 *
 * @param {Session} session
 * @returns {Promise<{ program?: Buffer, packages: PackageInfo[], note?: string }>}
 */
export async function provideFio(session) {
  const lacking = await provide(COMPILE, session.say);
  if (lacking !== undefined) return { packages: [], note: `no fio on the disk: ${lacking}` };
  try {
    const apt = await session.apt();
    const [libaio] = await apt.select([LIBAIO]);
    if (libaio === undefined) throw new Error(`no package ${LIBAIO}`);
    const source = await apt.sourceVersion('fio');
    /** @type {PackageInfo[]} */
    const packages = [
      { name: source.name, version: source.version, sha256: source.sha256, kind: 'source' },
      binaryInfo(libaio),
    ];
    const recipe = await readFile(path.join(session.source, 'lib/fio.mjs'));
    const key = sha256(Buffer.concat([recipe, Buffer.from(JSON.stringify(packages))])).slice(0, 16);
    const cached = path.join(session.cache, `fio-${key}`);
    const ready = await readFile(cached).catch(() => undefined);
    if (ready !== undefined) return { program: ready, packages };
    const [deb = ''] = await apt.download([libaio]);
    session.say(`compiling fio ${source.version}`);
    const program = await buildFio(apt, source, deb, await session.scratch('fio'));
    await writeFile(cached, program);
    session.say(`fio is compiled (${(program.length / 1e6).toFixed(1)} MB)`);
    return { program, packages };
  } catch (error) {
    return { packages: [], note: `no fio on the disk: ${error instanceof Error ? error.message : error}` };
  }
}

/**
 * @param {Session} session
 * @param {string} sources hash of our own files
 * @param {Manifest | undefined} before the manifest of the images that are there
 * @returns {Promise<Manifest>} the same as before when neither our files nor the packages have changed
 * @throws {import('./apt.mjs').Unavailable}
 */
export async function buildDefaultGuest(session, sources, before) {
  const apt = await session.apt();
  const [meta] = await apt.select([KERNEL_META]);
  const kernelName = /linux-image-[^\s,|(]+/.exec(meta?.depends ?? '')?.[0];
  if (kernelName === undefined) throw new Error(`${KERNEL_META} depends on no kernel`);
  const packages = await apt.select([kernelName, ...Object.keys(ROOT_PACKAGES)]);
  const input = sha256(Buffer.from(JSON.stringify([sources, packages.map(binaryInfo)])));
  if (before?.kernels.stock?.input === input && before.disks.small?.fio) return { ...before, sources };

  // Compiling needs the processor, downloading the network: both at once.
  const fioReady = provideFio(session);
  const megabytes = packages.reduce((sum, p) => sum + p.bytes, 0) / 1e6;
  session.say(`fetching ${packages.length} packages (${megabytes.toFixed(0)} MB)`);
  const files = await apt.download(packages);
  const debs = new Map(packages.map((p, i) => [p.name, files[i] ?? '']));
  session.say('unpacking');
  const kernel = await openKernel(debs.get(kernelName) ?? '', await session.scratch('kernel'));
  const fio = await fioReady;
  if (fio.note !== undefined) session.say(fio.note);
  const root = await session.scratch('root');
  const overlays = ['overlay', 'overlay-small'].map((d) => path.join(session.source, d));
  const busybox = await assembleDisk({ root, debs, overlays, kernel, fio: fio.program });
  const init = await readFile(path.join(session.source, 'initrd/init'));
  const initrd = await makeInitrd(kernel, busybox, init);
  session.say('making the root disk');
  const disk = path.join(session.work, 'rootfs.ext4');
  await makeExt4(root, disk, { bytes: DISK_BYTES, epoch: kernel.epoch, label: 'guest' });
  session.say('compressing for download');
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
    files: {
      Image: await session.emit('Image', kernel.image),
      'initrd.cpio': await session.emit('initrd.cpio', initrd),
      'rootfs.ext4': await session.emit('rootfs.ext4', disk),
    },
    packages: [...packages.map(binaryInfo), ...fio.packages],
    notes: fio.note === undefined ? [] : [fio.note],
  };
}

// @ts-check
/**
 * A minimal Debian with apt as a root disk: the packages' own set-up programs are not run for the most part
 * (mmdebstrap's chrootless mode), so neither emulation nor mounting is needed. Our init, console session and fio are
 * laid on top.
 */
import { readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseStanzas, Unavailable } from '../lib/apt.mjs';
import { binaryInfo, provideFio } from '../lib/default-guest.mjs';
import { addGuestFiles } from '../lib/disk.mjs';
import { makeExt4 } from '../lib/ext4.mjs';
import { hashSources } from '../lib/hash.mjs';
import { MINBASE, provide } from '../lib/host.mjs';
import { sha256 } from '../lib/pack.mjs';
import { run } from '../lib/run.mjs';
import { openKernel } from '../lib/stock.mjs';
import { ARCH, KERNEL_META, SUITE } from '../packages.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const IMAGE = 'minbase.ext4';
const DISK_BYTES = 256 << 20;

/** Beside Debian's required packages. kmod and python3 cannot be set up without running on the guest. */
const INCLUDE = [
  'busybox-static',
  'e2fsprogs',
  'fdisk',
  'iproute2',
  'iputils-ping',
  'less',
  'procps',
  'strace',
];

/** Programs of busybox that Debian would bring with an init system or an editor. */
const APPLETS = ['poweroff', 'reboot', 'halt', 'vi', 'wget', 'nc'];

/** @returns {Promise<string>} hash of what the disk is made by */
export const minbaseRecipe = () => hashSources(HERE);

/**
 * @param {string} listing output of `tar -tv --numeric-owner`
 * @returns {Map<string, { uid: number, gid: number }>} owners of paths that do not belong to root
 */
export function parseOwners(listing) {
  /** @type {Map<string, { uid: number, gid: number }>} */
  const owners = new Map();
  for (const line of listing.split('\n')) {
    const match = /^\S+ (\d+)\/(\d+) +\S+ \S+ \S+ \.(\/.+?)\/?(?: -> .*| link to .*)?$/.exec(line);
    if (match?.[3] === undefined) continue;
    const owner = { uid: Number(match[1]), gid: Number(match[2]) };
    if (owner.uid !== 0 || owner.gid !== 0) owners.set(match[3], owner);
  }
  return owners;
}

/**
 * Removes what nobody reads here: a third of the disk. The licences stay.
 *
 * @param {string} share /usr/share
 */
async function dropDocumentation(share) {
  for (const dir of ['man', 'info', 'locale'])
    await rm(path.join(share, dir), { recursive: true, force: true });
  const doc = path.join(share, 'doc');
  for (const entry of await readdir(doc, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory() || entry.name === 'copyright') continue;
    // A link to another package's directory leads to that package's licence.
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    if (!(entry.isSymbolicLink() && path.dirname(file) === doc)) await rm(file);
  }
}

/**
 * Adds the disk to the manifest.
 *
 * @param {import('../lib/session.mjs').Session} session
 * @param {import('../lib/manifest.mjs').Manifest} manifest
 * @returns {Promise<import('../lib/manifest.mjs').Manifest>}
 * @throws {Unavailable}
 */
export async function addMinbase(session, manifest) {
  const lacking = await provide(MINBASE, session.say);
  if (lacking !== undefined) throw new Unavailable(lacking);
  const apt = await session.apt();
  const recipe = await minbaseRecipe();
  const work = await session.scratch('minbase');
  const archive = path.join(work, 'root.tar');
  session.say('assembling a minimal Debian');
  await run('fakeroot', [
    'mmdebstrap',
    '--mode=chrootless',
    '--variant=minbase',
    `--architectures=${ARCH}`,
    `--include=${INCLUDE.join(',')}`,
    '--quiet',
    SUITE,
    archive,
    path.join(apt.dir, 'sources.list'),
  ]);
  const root = await session.scratch('minbase/root');
  const owners = parseOwners(await run('tar', ['-tvf', archive, '--numeric-owner']));
  await run('tar', ['-xpf', archive, '-C', root, '--no-same-owner', '--exclude=./dev/*']);
  await dropDocumentation(path.join(root, 'usr/share'));
  // Which archive this machine uses is nobody's business; whoever has a network names one.
  const sources = `# deb http://ARCHIVE/debian ${SUITE} main\n`;
  await writeFile(path.join(root, 'etc/apt/sources.list'), sources);
  const fio = await provideFio(session);
  if (fio.note !== undefined) session.say(fio.note);
  const [meta] = await apt.select([KERNEL_META]);
  const [kernelPackage] = await apt.select([/linux-image-[^\s,|(]+/.exec(meta?.depends ?? '')?.[0] ?? '']);
  if (kernelPackage === undefined) throw new Error(`${KERNEL_META} depends on no kernel`);
  const [deb = ''] = await apt.download([kernelPackage]);
  const kernel = await openKernel(deb, await session.scratch('kernel'));
  await addGuestFiles({ root, overlays: [path.join(session.source, 'overlay')], kernel, fio: fio.program });
  for (const name of APPLETS) await symlink('busybox', path.join(root, 'usr/bin', name));
  const status = await readFile(path.join(root, 'var/lib/dpkg/status'), 'utf8');
  const packages = await apt.select(parseStanzas(status).map((fields) => fields.get('Package') ?? ''));
  const disk = path.join(session.work, IMAGE);
  await makeExt4(root, disk, {
    bytes: DISK_BYTES,
    epoch: kernel.epoch,
    label: 'minbase',
    inodes: 16384,
    owners,
  });
  const minbase = {
    title: `Debian ${SUITE}, minimal with apt`,
    file: IMAGE,
    fio: fio.program !== undefined,
    recipe,
    input: sha256(Buffer.from(status)),
    packages: packages.map(binaryInfo),
  };
  return {
    ...manifest,
    disks: { ...manifest.disks, minbase },
    files: { ...manifest.files, [IMAGE]: await session.emit(IMAGE, disk) },
  };
}

// @ts-check
/**
 * The tuned kernel: Debian's kernel source with a configuration for this one machine, everything built in. Boots
 * without an initramfs in a fifth of the stock kernel's instructions.
 */
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Unavailable } from '../lib/apt.mjs';
import { binaryInfo } from '../lib/default-guest.mjs';
import { isKernelImage } from '../lib/elf.mjs';
import { hashSources } from '../lib/hash.mjs';
import { KERNEL, provide } from '../lib/host.mjs';
import { unmet } from '../lib/kconfig.mjs';
import { sha256 } from '../lib/pack.mjs';
import { run } from '../lib/run.mjs';
import { KERNEL_SOURCE, TUNED_APPEND } from '../packages.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const CONFIG = path.join(HERE, 'kernel.config');
const IMAGE = 'Image.tuned';

/** Parts of the source tree that neither the configuration nor the build looks into. */
const LEAVE = ['Documentation/*/*', 'drivers/gpu/drm/*.[ch]', 'sound/*.[ch]', 'tools/testing/*'];

/**
 * @param {string} deb the linux-source package
 * @param {string} work an empty directory; removed afterwards
 * @param {(line: string) => void} say
 * @returns {Promise<{ image: Buffer, release: string }>}
 */
async function compile(deb, work, say) {
  await mkdir(work, { recursive: true });
  say('unpacking the kernel source');
  await run('dpkg-deb', ['-x', deb, work]);
  const archives = path.join(work, 'usr/src');
  const archive = (await readdir(archives)).find((n) => /^linux-source-.*\.tar\.xz$/.test(n));
  if (archive === undefined) throw new Error('the kernel source package has no archive');
  // The version string carries the time of the build; that of the package makes equal builds equal.
  const { mtime } = await stat(path.join(archives, archive));
  const excludes = LEAVE.map((p) => `--exclude=linux-source-*/${p}`);
  const env = {
    ARCH: 'riscv',
    CROSS_COMPILE: 'riscv64-linux-gnu-',
    KCONFIG_ALLCONFIG: CONFIG,
    KBUILD_BUILD_USER: 'guest',
    KBUILD_BUILD_HOST: 'qcontext',
    KBUILD_BUILD_TIMESTAMP: mtime.toUTCString(),
    XZ_DEFAULTS: '-T0',
  };
  await run('tar', ['-xJf', path.join(archives, archive), '-C', work, '--wildcards', ...excludes], { env });
  const source = path.join(work, archive.replace(/\.tar\.xz$/, ''));
  await run('make', ['allnoconfig'], { cwd: source, env });
  const missing = unmet(await readFile(CONFIG, 'utf8'), await readFile(path.join(source, '.config'), 'utf8'));
  if (missing.length > 0)
    throw new Error(`kernel.config asks for what this kernel does not offer:\n${missing.join('\n')}`);
  say('compiling the kernel (about 6 minutes on two cores)');
  await run('make', [`-j${os.availableParallelism()}`, 'Image'], { cwd: source, env, nice: true });
  const image = await readFile(path.join(source, 'arch/riscv/boot/Image'));
  if (!isKernelImage(image)) throw new Error('the build made no raw Image');
  const release = (await run('make', ['-s', 'kernelrelease'], { cwd: source, env })).trim();
  await rm(work, { recursive: true });
  return { image, release };
}

/** @returns {Promise<string>} hash of what the tuned kernel is made by */
export const tunedRecipe = () => hashSources(HERE);

/**
 * Adds the tuned kernel to the manifest and makes it the default.
 *
 * @param {import('../lib/session.mjs').Session} session
 * @param {import('../lib/manifest.mjs').Manifest} manifest
 * @returns {Promise<import('../lib/manifest.mjs').Manifest>}
 * @throws {Unavailable}
 */
export async function addTunedKernel(session, manifest) {
  const lacking = await provide(KERNEL, session.say);
  if (lacking !== undefined) throw new Unavailable(lacking);
  const apt = await session.apt();
  const [source] = await apt.select([KERNEL_SOURCE]);
  if (source === undefined) throw new Error(`no package ${KERNEL_SOURCE}`);
  const recipe = await tunedRecipe();
  const input = sha256(Buffer.from(JSON.stringify([recipe, binaryInfo(source)])));
  if (manifest.kernels.tuned?.input === input) return manifest;
  session.say(`fetching ${source.name} ${source.version} (${(source.bytes / 1e6).toFixed(0)} MB)`);
  const [deb = ''] = await apt.download([source]);
  const { image, release } = await compile(deb, await session.scratch('tuned'), session.say);
  const tuned = {
    title: `Linux ${release}, compiled for this machine`,
    image: IMAGE,
    append: TUNED_APPEND,
    release,
    recipe,
    input,
    packages: [binaryInfo(source)],
  };
  return {
    ...manifest,
    default: { ...manifest.default, kernel: 'tuned' },
    kernels: { ...manifest.kernels, tuned },
    files: { ...manifest.files, [IMAGE]: await session.emit(IMAGE, image) },
  };
}

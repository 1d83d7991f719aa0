/**
 * A guest for v86, put together from Debian packages: the i386 kernel, a static busybox and our C kernels compiled for
 * i386 in an initramfs, and SeaBIOS, which v86's npm package does not contain. Nothing is installed; v86 itself is
 * fetched by npm into build/bench and is no dependency of the project.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Apt, type Package, Unavailable as NoPackages } from '../../guest/lib/apt.mjs';
import { cpio } from '../../guest/lib/cpio.mjs';
import { buildQbench } from './qbench.ts';
import { Unavailable } from './unavailable.ts';

const exec = promisify(execFile);

export const V86 = 'v86@0.5.462';
/** What npm's registry says of that version, so that what is measured is what was meant. */
const V86_SHA512 = 'aKPX7DdzqAKFRv2omDkqSju0uEzlOxzo+II82J5UT7+tZNsboA6kyaNq9NKAnxvo9hzpJ8dQj7vcvcz0J7I2QA==';

/** The last release with a kernel for i386. */
const SUITE = 'bookworm';
const META_KERNEL = 'linux-image-686';
const BUSYBOX = 'busybox-static';
const BIOS = 'seabios';
/** What `gcc -m32 -static` needs beside the host's compiler. */
const SYSROOT = ['libc6-dev', 'libgcc-12-dev', 'linux-libc-dev'];

/** The files a page with v86 loads. */
export const V86_FILES = ['libv86.js', 'v86.wasm', 'bios.bin', 'vgabios.bin', 'bzimage', 'initrd'] as const;

/** Busybox's shell, started by the kernel as process 1. The prompt is the one of our guest. */
const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
cp /qbench /tmp/qbench
export PS1='root@qcontext:# ' TERM=dumb
stty -echo < /dev/ttyS0
exec setsid cttyhack sh < /dev/ttyS0 > /dev/ttyS0 2>&1
`;

/**
 * Makes the files in build/bench/v86 unless they are there.
 *
 * @throws {Unavailable} with the reason why it can't be done here
 */
export async function buildV86Guest(root: string): Promise<string> {
  const dir = join(root, 'build/bench/v86');
  const inputs = createHash('sha256').update(`${V86} ${SUITE} ${INIT}`);
  for (const name of readdirSync(join(root, 'bench/guest')).toSorted())
    inputs.update(readFileSync(join(root, 'bench/guest', name)));
  const stamp = inputs.digest('hex');
  const stampFile = join(dir, 'stamp');
  const whole = V86_FILES.every((name) => existsSync(join(dir, name)));
  if (whole && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return dir;
  mkdirSync(dir, { recursive: true });
  try {
    await fetchV86(dir);
    await assemble(root, dir);
  } catch (error) {
    if (error instanceof NoPackages) throw new Unavailable(`no guest for v86: ${error.message}`);
    throw new Unavailable(`v86 or a guest for it can't be had here: ${String(error).split('\n')[0]}`);
  }
  writeFileSync(stampFile, stamp);
  return dir;
}

async function fetchV86(dir: string): Promise<void> {
  const { stdout } = await exec('npm', ['pack', V86, '--json', '--pack-destination', dir], {
    timeout: 120_000,
  });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const archive = join(dir, filename);
  const hash = createHash('sha512').update(readFileSync(archive)).digest('base64');
  if (hash !== V86_SHA512) throw new Error(`${filename} is not the archive it should be`);
  const members = ['package/build/libv86.js', 'package/build/v86.wasm'];
  await exec('tar', ['-xzf', archive, '-C', dir, '--strip-components=2', ...members]);
  rmSync(archive);
}

async function assemble(root: string, dir: string): Promise<void> {
  const apt = new Apt(join(root, 'build/bench/apt-i386'), 'i386');
  await apt.configure([{ kind: 'deb', suite: SUITE }]);
  await apt.update((line) => console.error(`v86: ${line}`));
  const [meta] = await apt.select([META_KERNEL]);
  const kernel = /linux-image-[\w.+-]+/.exec(meta?.depends ?? '')?.[0];
  if (kernel === undefined) throw new Error(`${META_KERNEL} names no kernel`);
  const packages: readonly Package[] = await apt.select([kernel, BUSYBOX, BIOS, ...SYSROOT]);
  const debs = await apt.download(packages);
  const tree = join(dir, 'tree');
  rmSync(tree, { recursive: true, force: true });
  for (const deb of debs) await exec('dpkg-deb', ['-x', deb, tree], { maxBuffer: 1 << 26 });

  const image = readdirSync(join(tree, 'boot')).find((name) => name.startsWith('vmlinuz-'));
  if (image === undefined) throw new Error(`${kernel} holds no vmlinuz`);
  copyFileSync(join(tree, 'boot', image), join(dir, 'bzimage'));
  copyFileSync(join(tree, 'usr/share/seabios/bios.bin'), join(dir, 'bios.bin'));
  copyFileSync(join(tree, 'usr/share/seabios/vgabios-stdvga.bin'), join(dir, 'vgabios.bin'));

  const libraries = join(tree, 'usr/lib/gcc/i686-linux-gnu/12');
  const flags = ['-m32', '-march=pentium4', '-msse2', '-mfpmath=sse', `--sysroot=${tree}`, `-B${libraries}`];
  const paths = [`-B${tree}/usr/lib/i386-linux-gnu`, `-L${libraries}`, `-L${tree}/usr/lib/i386-linux-gnu`];
  const headers = ['-isystem', `${tree}/usr/include/i386-linux-gnu`];
  const program = await buildQbench(root, 'gcc', 'i386', [...flags, ...paths, ...headers]);
  const initrd = cpio([
    ...['bin', 'dev', 'proc', 'tmp'].map((path) => ({ path, kind: 'dir' as const })),
    { path: 'dev/console', kind: 'char', major: 5, minor: 1 },
    { path: 'bin/busybox', kind: 'file', mode: 0o755, data: readFileSync(join(tree, 'bin/busybox')) },
    { path: 'qbench', kind: 'file', mode: 0o755, data: readFileSync(program) },
    { path: 'init', kind: 'file', mode: 0o755, data: Buffer.from(INIT) },
  ]);
  writeFileSync(join(dir, 'initrd'), initrd);
  rmSync(tree, { recursive: true });
}

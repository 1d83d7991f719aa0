// @ts-check
/** What the building machine must offer, and fetching what it lacks when we may. */
import { run, have } from './run.mjs';

/** Commands every build needs, and the Debian package of each. */
export const BASIC = {
  'apt-get': 'apt',
  'dpkg-deb': 'dpkg',
  tar: 'tar',
  xz: 'xz-utils',
  'mkfs.ext4': 'e2fsprogs',
  debugfs: 'e2fsprogs',
};

/** For the cross-compiled fio. */
export const COMPILE = {
  'riscv64-linux-gnu-gcc': 'gcc-riscv64-linux-gnu libc6-dev-riscv64-cross',
  'riscv64-linux-gnu-strip': 'binutils-riscv64-linux-gnu',
  make: 'make',
  'dpkg-source': 'dpkg-dev',
};

/** For the tuned kernel, beside {@link COMPILE}. */
export const KERNEL = {
  ...COMPILE,
  flex: 'flex',
  bison: 'bison',
  bc: 'bc',
  gcc: 'gcc libc6-dev',
  perl: 'perl',
};

/** For the minbase image. */
export const MINBASE = { mmdebstrap: 'mmdebstrap', fakeroot: 'fakeroot' };

/**
 * @param {Readonly<Record<string, string>>} commands
 * @returns {string[]} packages of the commands that are not there
 */
export const missing = (commands) => [
  ...new Set(
    Object.entries(commands)
      .filter(([command]) => !have(command))
      .flatMap(([, packages]) => packages.split(' ')),
  ),
];

/**
 * Installs packages that are not there, if this process is root.
 *
 * @param {Readonly<Record<string, string>>} commands
 * @param {(line: string) => void} say
 * @returns {Promise<string | undefined>} what is still missing and how to get it; undefined when nothing is
 */
export async function provide(commands, say) {
  const wanted = missing(commands);
  if (wanted.length === 0) return undefined;
  const advice = `install ${wanted.join(' ')} (apt-get install ${wanted.join(' ')})`;
  if (process.getuid?.() !== 0 || !have('apt-get')) return advice;
  say(`installing ${wanted.join(' ')}`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run('apt-get', ['-q', 'update'], { env });
    await run(
      'apt-get',
      ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120', '--no-install-recommends', 'install', ...wanted],
      { env },
    );
  } catch (error) {
    return `${advice}; apt-get could not: ${error instanceof Error ? error.message : error}`;
  }
  return missing(commands).length === 0 ? undefined : advice;
}

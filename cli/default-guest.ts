import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Result, type UserError, parseCommandLine } from '../src/engine/index.ts';
import type { MachineConfig } from '../src/engine/qom/options/config.ts';

/** The part of build/guest/manifest.json that says how to boot. */
interface Manifest {
  readonly available: boolean;
  readonly reason?: string;
  readonly default: { readonly kernel: string; readonly disk: string };
  readonly kernels: Readonly<Record<string, { image: string; initrd?: string; append: string }>>;
  readonly disks: Readonly<Record<string, { file: string }>>;
}

const refuse = (desc: string, hint: string): Result<never> => ({
  ok: false,
  error: { class: 'GenericError', desc, hint } satisfies UserError,
});

/** Commas in a file name are doubled in an option's value. */
const escape = (path: string): string => path.replaceAll(',', ',,');

/**
 * Completes a command line that names neither kernel nor firmware with the default guest: the kernel, and its
 * disk with the command line of the QContext proposal, on a context of its own.
 *
 * @param diskOf gives the file to use for the default disk's image: a copy, thrown away or kept
 */
export function defaultArguments(
  given: readonly string[],
  config: MachineConfig,
  guestDir: string,
  diskOf: (image: string) => string,
): Result<readonly string[]> {
  if (config.boot.kernel !== undefined || config.boot.bios !== undefined) return { ok: true, value: given };
  const manifestPath = join(guestDir, 'manifest.json');
  if (!existsSync(manifestPath))
    return refuse(
      'the default guest has not been assembled',
      'Run npm run guest, or give a kernel with -kernel FILE.',
    );
  const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as Manifest;
  const kernel = manifest.kernels[manifest.default.kernel];
  const disk = manifest.disks[manifest.default.disk];
  if (!manifest.available || kernel === undefined || disk === undefined) {
    return refuse(
      `there is no Linux guest here: ${manifest.reason ?? 'it is not built'}`,
      'Give a kernel with -kernel FILE.',
    );
  }
  const ids = new Set([
    ...config.objects.map(({ id }) => id),
    ...config.drives.map(({ id }) => id),
    ...config.blockdevs.map(({ nodeName }) => nodeName),
    ...config.devices.map(({ id }) => id),
  ]);
  const free = (stem: string): string => {
    for (let n = 0; ; n++) if (!ids.has(`${stem}${n}`)) return `${stem}${n}`;
  };
  const [context, drive, device] = [free('ctx'), free('drive'), free('disk')];
  const all = [
    '-kernel',
    join(guestDir, kernel.image),
    ...(kernel.initrd === undefined ? [] : ['-initrd', join(guestDir, kernel.initrd)]),
    '-append',
    [kernel.append, config.boot.append].filter(Boolean).join(' '),
    // First, so that Linux calls it /dev/vda, whatever comes beside it.
    '-object',
    `glib-qcontext,id=${context},threaded=yes`,
    '-drive',
    `file=${escape(diskOf(join(guestDir, disk.file)))},if=none,id=${drive},format=raw,cache=none,aio=native`,
    '-device',
    `virtio-blk,drive=${drive},scsi=off,x-data-plane=on,context=${context},id=${device}`,
    ...withoutAppend(given),
  ];
  const parsed = parseCommandLine(all);
  return parsed.ok ? { ok: true, value: all } : parsed;
}

/** The default guest's `-append` has taken the user's words in already. */
function withoutAppend(given: readonly string[]): readonly string[] {
  const isAppend = (word: string | undefined): boolean => word === '-append' || word === '--append';
  return given.filter((word, i) => !isAppend(word) && !isAppend(given[i - 1]));
}

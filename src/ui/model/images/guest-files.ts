import { splitOpts } from '../argv.ts';
import type { PreparationStep, Prepare } from '../preparation.ts';
import { ProblemError } from '../problem.ts';
import { BUILT_IN_DISK, BUILT_IN_DISK_BYTES, BUILT_IN_KERNEL, builtInCommandLine } from './built-in-guest.ts';
import type { ImageStore } from './image-store.ts';
import type { GuestManifest, ManifestResult } from './manifest.ts';
import { neededFiles } from './needed-files.ts';

const FETCHED_KEY = 'qcontext-playground.fetched';

/** Hash of what was downloaded under each name, to know when the server has a newer kernel. */
const fetched = {
  read(): Record<string, string> {
    try {
      return JSON.parse(localStorage.getItem(FETCHED_KEY) ?? '{}') as Record<string, string>;
    } catch {
      return {};
    }
  },
  note(name: string, sha256: string): void {
    try {
      localStorage.setItem(FETCHED_KEY, JSON.stringify({ ...this.read(), [name]: sha256 }));
    } catch {
      // Storage blocked: the next start downloads again.
    }
  },
};

/**
 * Makes `prepare` for the page: every file the command line names must be in the private file system. Those the
 * server offers are downloaded when missing; kernels also when the server has newer ones. A disk is never
 * replaced: what the guest wrote stays.
 */
export function guestFilesPreparer(
  store: ImageStore,
  manifest: () => Promise<ManifestResult>,
  base: URL,
): Prepare {
  return async (argv, report, signal) => {
    const offered = await manifest();
    const work: {
      step: PreparationStep;
      run: (progress: (done: number, total: number) => void) => Promise<void>;
    }[] = [];
    for (const { name, use } of neededFiles(argv)) {
      if (name === BUILT_IN_KERNEL) continue;
      const have = await store.size(name);
      if (name === BUILT_IN_DISK && have === undefined) {
        await store.create(name, BUILT_IN_DISK_BYTES);
        continue;
      }
      const file = offered.ok ? offered.manifest.files[name] : undefined;
      const stale = use !== 'disk' && file !== undefined && fetched.read()[name] !== file.sha256;
      if (have !== undefined && !stale) continue;
      if (file === undefined) throw new ProblemError(missing(name, use, offered));
      work.push({
        step: {
          id: name,
          label: use === 'disk' ? `Creating ${name}` : `Downloading ${name} (${use})`,
          state: 'waiting',
          doneBytes: 0,
          totalBytes: file.bytes,
        },
        run: async (progress) => {
          await store.fetch(name, file, base, progress, signal);
          fetched.note(name, file.sha256);
        },
      });
    }
    if (work.length === 0) return;
    let steps = work.map(({ step }) => step);
    const change = (id: string, now: Partial<PreparationStep>): void => {
      steps = steps.map((step) => (step.id === id ? { ...step, ...now } : step));
      report(steps);
    };
    report(steps);
    for (const { step, run } of work) {
      change(step.id, { state: 'running' });
      await run((doneBytes, totalBytes) => change(step.id, { doneBytes, totalBytes }));
      change(step.id, { state: 'done', doneBytes: step.totalBytes });
    }
    // Best effort: without it the browser may clear the disks when the computer runs short of room. Not waited for:
    // Firefox asks the person, and the machine needs no answer.
    store.persist().catch(() => false);
  };
}

function missing(name: string, use: string, offered: ManifestResult): ProblemError['problem'] {
  return {
    title: `There is no ${use} called ${name}`,
    detail: `The command line names ${name}, but this browser has no such image${
      offered.ok
        ? `, and the server offers only ${Object.keys(offered.manifest.files).join(', ')}`
        : `: ${offered.reason}`
    }.`,
    hint: 'Add the file under Images (import or create it), or name another one.',
    ways: ['open-images', 'edit-command-line', 'default-command-line'],
  };
}

/**
 * Completes a command line that names neither kernel nor firmware with the default guest, as the command line
 * of `npm run vm` does. What is added comes last, so that places in the user's own arguments stay right.
 */
export function withDefaultGuest(
  argv: readonly string[],
  manifest: GuestManifest | undefined,
): readonly string[] {
  const named = (option: string): number => argv.findIndex((arg) => arg === option || arg === `-${option}`);
  const kernel = manifest?.kernels[manifest.default.kernel];
  const disk = manifest?.disks[manifest.default.disk];
  if (kernel === undefined || disk === undefined || named('-kernel') >= 0 || named('-bios') >= 0) return argv;
  const mentioned = (word: string): boolean =>
    argv.some((arg) => splitOpts(arg).some((part) => part === word || part.endsWith(`=${word}`)));
  const free = (stem: string): string => {
    for (let n = 0; ; n++) if (!mentioned(`${stem}${n}`)) return `${stem}${n}`;
  };
  const appendAt = named('-append');
  const drive = free('drive');
  return [
    ...argv.map((arg, i) => (appendAt >= 0 && i === appendAt + 1 ? `${kernel.append} ${arg}` : arg)),
    ...(appendAt < 0 ? ['-append', kernel.append] : []),
    '-kernel',
    kernel.image,
    ...(kernel.initrd === undefined ? [] : ['-initrd', kernel.initrd]),
    ...(mentioned(disk.file)
      ? []
      : [
          '-drive',
          `if=none,id=${drive},file=${disk.file},format=raw`,
          '-device',
          `virtio-blk,id=${free('disk')},drive=${drive}${mentioned('ctx0') ? ',context=ctx0' : ''}`,
        ]),
  ];
}

/** The command line of the machine the page starts with. */
export function defaultCommandLine(manifest: GuestManifest | undefined): string {
  const kernel = manifest?.kernels[manifest.default.kernel];
  const disk = manifest?.disks[manifest.default.disk];
  if (kernel === undefined) return builtInCommandLine();
  return [
    '-machine virt',
    '-m 256',
    `-kernel ${kernel.image}`,
    ...(kernel.initrd === undefined ? [] : [`-initrd ${kernel.initrd}`]),
    `-append "${kernel.append}"`,
    '-object glib-qcontext,id=ctx0,threaded=yes',
    '-object glib-qcontext,id=ctx1,threaded=yes',
    ...(disk === undefined
      ? []
      : [
          `-drive if=none,id=drive0,file=${disk.file},format=raw`,
          '-device virtio-blk,id=disk0,drive=drive0,scsi=off,x-data-plane=on,context=ctx0',
        ]),
  ].join('\n');
}

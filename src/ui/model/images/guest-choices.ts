import { removeOption, setOption } from '../command-line-edits.ts';
import { bytes } from '../format.ts';
import { builtInCommandLine } from './built-in-guest.ts';
import type { GuestManifest } from './manifest.ts';

/** A guest to boot, as an edit of the command line. */
export interface GuestChoice {
  readonly id: string;
  readonly label: string;
  readonly note: string;
  readonly edit: (text: string) => string;
}

/** What can be booted here: the server's kernels and disks, and the built-in guest, which needs no download. */
export function guestChoices(manifest: GuestManifest | undefined): readonly GuestChoice[] {
  const download = (...files: (string | undefined)[]): string =>
    bytes(files.reduce((sum, file) => sum + (manifest?.files[file ?? '']?.gzip.bytes ?? 0), 0));
  const kernels = Object.entries(manifest?.kernels ?? {}).map(
    ([id, kernel]): GuestChoice => ({
      id: `kernel ${id}`,
      label: kernel.title,
      note: `kernel, ${download(kernel.image, kernel.initrd)} to download`,
      edit: (text) => {
        const booted = setOption(setOption(text, '-append', kernel.append), '-kernel', kernel.image);
        return kernel.initrd === undefined
          ? removeOption(booted, '-initrd')
          : setOption(booted, '-initrd', kernel.initrd);
      },
    }),
  );
  const disks = Object.entries(manifest?.disks ?? {});
  const others =
    disks.length < 2
      ? []
      : disks.map(
          ([id, disk]): GuestChoice => ({
            id: `disk ${id}`,
            label: disk.title,
            note: `disk, ${download(disk.file)} to download`,
            edit: (text) =>
              disks.reduce(
                (line, [, other]) => line.replaceAll(`file=${other.file}`, `file=${disk.file}`),
                text,
              ),
          }),
        );
  const builtIn: GuestChoice = {
    id: 'built-in',
    label: 'Built-in guest',
    note: 'a small program with a menu that drives the disk; no download',
    edit: builtInCommandLine,
  };
  return [...kernels, ...others, builtIn];
}

import { splitOpts } from '../argv.ts';

/** Files a command line names and the page must have before the machine is built. */
export interface NeededFile {
  readonly name: string;
  readonly use: 'kernel' | 'initrd' | 'firmware' | 'device tree' | 'disk';
}

const FILE_OPTIONS = {
  '-kernel': 'kernel',
  '-initrd': 'initrd',
  '-bios': 'firmware',
  '-dtb': 'device tree',
} as const;

/** Reads the file names out of the arguments; whether the arguments are right is the engine's business. */
export function neededFiles(argv: readonly string[]): readonly NeededFile[] {
  const files = new Map<string, NeededFile>();
  for (let i = 1; i < argv.length; i++) {
    const option = `-${(argv[i - 1] ?? '').replace(/^--?/, '')}`;
    const value = argv[i] ?? '';
    const use = FILE_OPTIONS[option as keyof typeof FILE_OPTIONS];
    if (use !== undefined && !(use === 'firmware' && ['default', 'none'].includes(value)))
      files.set(value, { name: value, use });
    if (option === '-drive' || option === '-blockdev') {
      for (const part of splitOpts(value)) {
        const match = /^(?:file|filename|file\.filename)=(.+)$/.exec(part);
        if (match?.[1] !== undefined) {
          const name = match[1].replaceAll(',,', ',');
          files.set(name, { name, use: 'disk' });
        }
      }
    }
  }
  return [...files.values()];
}

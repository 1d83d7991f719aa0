import { ok, type Result } from '../../base/result.ts';
import { Arg, catchOptionError, type Note } from './arg.ts';
import { checkDraft } from './check-draft.ts';
import type { MachineConfig } from './config.ts';
import { Draft } from './draft.ts';
import { helpFor, usage } from './help.ts';
import { OPTIONS, type OptionInfo, optionByName, REFUSED } from './option-table.ts';
import { possible } from './suggest.ts';

/** What a command line asks for. */
export type CommandLine =
  | {
      readonly kind: 'run';
      readonly config: MachineConfig;
      /** What will differ from what was written, in the order of the arguments. */
      readonly notes: readonly Note[];
      /** Index in argv of each `-device`'s value, in the order of `config.devices`. */
      readonly deviceArgs: readonly number[];
    }
  /** `-help`, `-device help` …: print and exit 0. */
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' };

/**
 * Reads a QEMU-style command line (without the program's name). Either all of it is right, references
 * included, or there is one error with the argument's index and the span inside it. Any thread; no effects.
 */
export function parseCommandLine(argv: readonly string[]): Result<CommandLine> {
  const parsed = catchOptionError(() => parse(argv));
  return parsed.ok ? ok(parsed.value) : parsed;
}

function parse(argv: readonly string[]): CommandLine {
  const draft = new Draft();
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? '';
    const name = optionName(word, index, draft.notes);
    if (name === 'h' || name === 'help') return { kind: 'help', text: usage() };
    if (name === 'version') return { kind: 'version' };
    const info = optionByName(name) ?? unknownOption(name, word, argv[index + 1], index, draft.notes);
    if (info.value === undefined) {
      info.read(draft, new Arg(word, index, word, draft.notes));
      continue;
    }
    const value = argv[index + 1];
    if (value === undefined)
      return new Arg(word, index, word, draft.notes).fail('requires an argument', `${word} ${info.value}`);
    index++;
    const help = helpFor(name, value);
    if (help !== undefined) return { kind: 'help', text: help };
    info.read(draft, new Arg(word, index, value, draft.notes));
  }
  checkDraft(draft);
  return {
    kind: 'run',
    config: draft.config,
    notes: draft.notes.toSorted((a, b) => a.argIndex - b.argIndex),
    deviceArgs: draft.origins.devices.map((origin) => origin.argIndex),
  };
}

/** The option's name. Anything that is not an option is taken for a disk image in QEMU; here it is refused. */
function optionName(word: string, index: number, notes: Note[]): string {
  if (/^--?[A-Za-z]/.test(word)) return word.replace(/^--?/, '');
  return new Arg('', index, word, notes).failAt(
    word === '' ? 'an empty argument' : `'${word}' is not an option`,
    word === '' || word.startsWith('-')
      ? 'Options begin with -.'
      : `For a disk: -drive file=${word},if=virtio,format=raw`,
  );
}

function unknownOption(
  name: string,
  word: string,
  value: string | undefined,
  index: number,
  notes: Note[],
): OptionInfo {
  const arg = new Arg(word, index, word, notes);
  const refused = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined;
  if (refused !== undefined)
    return arg.fail(refused.why, refused.instead(refused.args ? (value ?? 'disk.img') : ''));
  return arg.fail(
    'invalid option',
    possible(
      name,
      OPTIONS.map((info) => info.name),
    ).replace(/'(.+)'\?$/, "'-$1'?"),
  );
}

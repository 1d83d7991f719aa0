import type { Candidate, CommandLineChange, MachineConfig, QmpCommand } from '../../engine/command-line.ts';

/** The engine's reader of command lines: loaded when an editor is first shown. */
const engine = (): Promise<typeof import('../../engine/command-line.ts')> =>
  import('../../engine/command-line.ts');

/** A hint longer than this is a list, which has no room beside the message. */
const SHORT_HINT = 60;

/** A mistake for the line above the editor and, where that is too narrow for the hint, the hint by itself. */
export interface Mistake {
  readonly said: string;
  readonly list: string | undefined;
}

/** What a mark says of its mistake, without the argument it is about: that one is marked in its place. */
export function mistakeOf(message: string): Mistake {
  const [desc = '', hint = ''] = message.split('\n');
  const said = desc.replace(/^-\S+ \S+: /, '');
  if (hint === '') return { said, list: undefined };
  return hint.length > SHORT_HINT ? { said, list: hint } : { said: `${said}. ${hint}`, list: undefined };
}

/** A mark in the text of a command line. */
export interface TextMark {
  readonly from: number;
  readonly to: number;
  readonly severity: 'error' | 'info';
  readonly message: string;
}

export interface Reading {
  readonly marks: readonly TextMark[];
  readonly config: MachineConfig | undefined;
}

/** Reads a command line as the machine would: one error in its place, or remarks and the configuration. */
export async function readCommandLine(text: string): Promise<Reading> {
  const { parseCommandLine, spanInText, splitCommandLine } = await engine();
  const { words, unclosed } = splitCommandLine(text);
  if (unclosed !== undefined) {
    const message = `This ${unclosed.quote} is never closed`;
    return {
      marks: [{ from: unclosed.offset, to: text.length, severity: 'error', message }],
      config: undefined,
    };
  }
  const mark = (
    severity: TextMark['severity'],
    argIndex: number,
    span: readonly [number, number] | undefined,
    message: string,
  ): TextMark => {
    const [from, to] = spanInText(words, argIndex, span) ?? [text.length, text.length];
    return { from, to, severity, message };
  };
  const parsed = parseCommandLine(words.map((word) => word.value));
  if (!parsed.ok) {
    const { desc, hint, argIndex = words.length, span } = parsed.error;
    return {
      marks: [mark('error', argIndex, span, hint === undefined ? desc : `${desc}\n${hint}`)],
      config: undefined,
    };
  }
  if (parsed.value.kind !== 'run') {
    const message = 'This asks for help, not for a machine. The Monitor tab can answer.';
    return { marks: [{ from: 0, to: text.length, severity: 'error', message }], config: undefined };
  }
  return {
    marks: parsed.value.notes.map((note) => mark('info', note.argIndex, note.span, note.text)),
    config: parsed.value.config,
  };
}

/** What could stand at an offset. */
export async function completeAt(
  text: string,
  offset: number,
): Promise<{ readonly from: number; readonly to: number; readonly candidates: readonly Candidate[] }> {
  const { completeCommandLine } = await engine();
  const { span, candidates } = completeCommandLine(text, offset);
  return { from: span[0], to: span[1], candidates };
}

/** What it takes to get from the machine that runs to what the text says. */
export type ApplyPlan =
  | { readonly kind: 'same' }
  | { readonly kind: 'wrong'; readonly mark: TextMark }
  | {
      readonly kind: 'live';
      readonly changes: readonly CommandLineChange[];
      readonly commands: readonly QmpCommand[];
    }
  | {
      readonly kind: 'restart';
      readonly changes: readonly CommandLineChange[];
      readonly because: CommandLineChange;
    };

/** Plans the least change; undefined `applied`: no machine to start from. */
export async function planApply(applied: string | undefined, text: string): Promise<ApplyPlan> {
  const next = await readCommandLine(text);
  const wrong = next.marks.find((mark) => mark.severity === 'error');
  if (wrong !== undefined || next.config === undefined)
    return { kind: 'wrong', mark: wrong ?? { from: 0, to: 0, severity: 'error', message: 'unreadable' } };
  const now = applied === undefined ? undefined : (await readCommandLine(applied)).config;
  const whole: CommandLineChange = { before: undefined, after: undefined, live: undefined };
  if (now === undefined) return { kind: 'restart', changes: [], because: whole };
  const { diffCommandLine } = await engine();
  const changes = diffCommandLine(now, next.config);
  if (changes.length === 0) return { kind: 'same' };
  const because = changes.find((change) => change.live === undefined);
  if (because !== undefined) return { kind: 'restart', changes, because };
  return { kind: 'live', changes, commands: changes.flatMap((change) => change.live ?? []) };
}

/** One change as a short phrase: "-m 256 → -m 512". */
export function changeInWords({ before, after }: CommandLineChange): string {
  if (before === undefined) return `${after ?? ''} is new`;
  if (after === undefined) return `${before} is gone`;
  return `${before} → ${after}`;
}

import { fail, type SourceLocation, StatementError } from './error.ts';
import { unescape } from './expression.ts';

/** A program's files by name; names are what `.include` says. */
export type SourceFiles = Readonly<Record<string, string>>;

/** One line without its comment, after includes and macros have been followed. */
export interface SourceLine {
  readonly text: string;
  readonly at: SourceLocation;
}

interface Macro {
  readonly parameters: readonly string[];
  readonly body: readonly string[];
}

const MAX_DEPTH = 16;
const LABELS = /^(?:(?:[A-Za-z_.$][\w.$]*|\d+):\s*)+/;

/** A string or a character constant; the closing quote of the latter may be left out, as in GNU as. */
const QUOTED = /"(?:\\.|[^"\\])*"|'(?:\\.|[^\\])'?/y;

/** Where the string or character constant that begins at `start` ends; `start` itself where none begins. */
function skipQuoted(text: string, start: number): number {
  QUOTED.lastIndex = start;
  return start + (QUOTED.exec(text)?.[0].length ?? 0);
}

/** Cuts `#` and `//` comments, leaving those characters alone inside strings and character constants. */
export function stripComment(line: string): string {
  for (let i = 0; i < line.length; i++) {
    const end = skipQuoted(line, i);
    if (end > i) i = end - 1;
    else if (line[i] === '#' || line.startsWith('//', i)) return line.slice(0, i).trim();
  }
  return line.trim();
}

/** Splits operands at the commas outside parentheses, strings and character constants. */
export function splitOperands(text: string): string[] {
  const operands: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const end = skipQuoted(text, i);
    if (end > i) i = end - 1;
    else if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (text[i] === ',' && depth === 0) {
      operands.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = text.slice(start).trim();
  if (last !== '' || operands.length > 0) operands.push(last);
  return operands;
}

/** The characters of a string literal, escapes resolved. Only 8-bit characters are allowed. */
export function parseString(literal: string): number[] {
  const match = /^"((?:\\.|[^"\\])*)"$/.exec(literal);
  if (!match) fail(`expected a string in double quotes, found '${literal}'`);
  const text = (match[1] ?? '').replace(/\\(.)/g, (_, letter: string) => unescape(letter));
  return Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 256 ? code : fail(`'${character}' is not an 8-bit character`);
  });
}

/**
 * Follows `.include` and expands `.macro`, starting at file `entry`.
 * `report` is told about each mistake; the line is then left out.
 */
export function* readSource(
  entry: string,
  files: SourceFiles,
  report: (at: SourceLocation, message: string) => void,
): Generator<SourceLine> {
  const macros = new Map<string, Macro>();
  let expansions = 0;

  function* file(name: string, depth: number): Generator<SourceLine> {
    const content = files[name];
    if (content === undefined) fail(`there is no file '${name}'`);
    if (depth > MAX_DEPTH) fail(`'${name}' includes itself`);
    const lines = content
      .split('\n')
      .map((text, index) => ({ text: stripComment(text), at: { file: name, line: index + 1 } }));
    yield* block(lines, depth);
  }

  function* block(lines: readonly SourceLine[], depth: number): Generator<SourceLine> {
    for (let i = 0; i < lines.length; i++) {
      const { text: whole, at } = lines[i] as SourceLine;
      // Labels stand before whatever the line is: an instruction, a directive, or a macro.
      const labels = LABELS.exec(whole)?.[0] ?? '';
      const text = whole.slice(labels.length);
      if (labels !== '') yield { text: labels.trimEnd(), at };
      try {
        const [word = '', rest = ''] = splitFirst(text);
        const macro = macros.get(word);
        if (word === '.include') {
          yield* file(String.fromCharCode(...parseString(rest)), depth + 1);
        } else if (word === '.macro') {
          const end = lines.findIndex((line, index) => index > i && line.text === '.endm');
          if (end < 0) fail("'.macro' without '.endm'");
          const [name = '', parameters = ''] = splitFirst(rest);
          if (name === '') fail("'.macro' needs a name");
          macros.set(name, {
            parameters: splitOperands(parameters),
            body: lines.slice(i + 1, end).map((l) => l.text),
          });
          i = end;
        } else if (macro) {
          if (depth > MAX_DEPTH) fail(`macro '${word}' expands into itself`);
          yield* block(expand(word, macro, splitOperands(rest), at), depth + 1);
        } else if (text !== '') {
          yield { text, at };
        }
      } catch (error) {
        if (!(error instanceof StatementError)) throw error;
        report(at, error.message);
      }
    }
  }

  function expand(name: string, macro: Macro, values: readonly string[], at: SourceLocation): SourceLine[] {
    if (values.length > macro.parameters.length) {
      fail(`macro '${name}' takes ${macro.parameters.length} arguments, ${values.length} given`);
    }
    const serial = String(expansions++);
    // A quoted argument arrives without its quotes, as in GNU as: the body decides where they stand.
    const bare = values.map((value) => (/^".*"$/.test(value) ? value.slice(1, -1) : value));
    return macro.body.map((line) => ({
      text: line.replace(/\\(@|\w+)/g, (whole, key: string) => {
        if (key === '@') return serial;
        const index = macro.parameters.indexOf(key);
        return index < 0 ? whole : (bare[index] ?? '');
      }),
      at,
    }));
  }

  try {
    yield* file(entry, 0);
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    report({ file: entry, line: 0 }, error.message);
  }
}

/** The first word of a line and the rest. */
export function splitFirst(text: string): [string, string] {
  const match = /^(\S+)\s*(.*)$/.exec(text);
  return match ? [match[1] ?? '', match[2] ?? ''] : ['', ''];
}

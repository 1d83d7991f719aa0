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

// A string, and a character constant, whose closing quote may be left out as in GNU as: in both,
// commas, parentheses and comment marks are nothing special.
const QUOTED = String.raw`"(?:\\.|[^"\\])*"|'(?:\\.|[^\\])'?`;
const STATEMENT = new RegExp(String.raw`^(?:[^"'#/]+|${QUOTED}|/(?!/)|["'])*`);
const OPERAND_TOKEN = new RegExp(String.raw`[^"'(),]+|${QUOTED}|.`, 'g');

/** Cuts `#` and `//` comments. */
export function stripComment(line: string): string {
  return (STATEMENT.exec(line)?.[0] ?? '').trim();
}

/** Splits operands at the commas outside parentheses. */
export function splitOperands(text: string): string[] {
  if (text === '') return [];
  if (!/["'(]/.test(text)) return text.split(',').map((operand) => operand.trim());
  const operands: string[] = [];
  let depth = 0;
  let operand = '';
  for (const [token] of text.matchAll(OPERAND_TOKEN)) {
    if (token === '(') depth++;
    else if (token === ')') depth--;
    if (token === ',' && depth === 0) {
      operands.push(operand.trim());
      operand = '';
    } else {
      operand += token;
    }
  }
  operands.push(operand.trim());
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

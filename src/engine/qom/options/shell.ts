import type { Span } from './json.ts';

/** One word of a command line written as text. */
export interface Word {
  /** The word with quotes and escapes taken away: what the program is given. */
  readonly value: string;
  /** Where it stands in the text, quotes included. */
  readonly start: number;
  readonly end: number;
  /** For each UTF-16 unit of `value`, and its end, its offset in the text. */
  readonly offsets: readonly number[];
}

export interface SplitCommandLine {
  readonly words: readonly Word[];
  /** A quote that is never closed; the words are those up to it, the last one unfinished. */
  readonly unclosed: { readonly quote: "'" | '"'; readonly offset: number } | undefined;
}

/**
 * Splits text into words as a POSIX shell does: single and double quotes, backslash, backslash-newline, and
 * `#` comments. No expansion of any kind: `$`, `*` and `~` are ordinary. Newlines separate words, so that a
 * command line may be laid out in lines without backslashes.
 */
export function splitCommandLine(text: string): SplitCommandLine {
  const words: Word[] = [];
  let at = 0;
  let unclosed: SplitCommandLine['unclosed'];
  while (at < text.length && unclosed === undefined) {
    const char = text.charAt(at);
    if (/\s/.test(char)) at++;
    else if (char === '#') at = lineEnd(text, at);
    else if (char === '\\' && isNewline(text, at + 1)) at = afterNewline(text, at + 1);
    else {
      const word = readWord(text, at);
      words.push(word);
      unclosed = word.unclosed;
      at = word.end;
    }
  }
  return { words, unclosed };
}

/** Where a span of word `argIndex` stands in the text; the whole word without a span. */
export function spanInText(words: readonly Word[], argIndex: number, span?: Span): Span | undefined {
  const word = words[argIndex];
  if (word === undefined) return undefined;
  if (span === undefined) return [word.start, word.end];
  const [from, to] = span;
  const start = word.offsets[from] ?? word.start;
  // Up to the last character itself, so that a closing quote after it is left out.
  return [start, from >= to ? start : (word.offsets[to - 1] ?? word.end - 1) + 1];
}

/** Quotes a word where a shell needs it. */
export function quoteWord(value: string): string {
  if (value !== '' && /^[A-Za-z0-9_@%+=:,./-]+$/.test(value)) return value;
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

const lineEnd = (text: string, from: number): number => {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
};
const isNewline = (text: string, at: number): boolean => /^\r?\n/.test(text.slice(at, at + 2));
const afterNewline = (text: string, at: number): number => at + (text.charAt(at) === '\r' ? 2 : 1);

function readWord(text: string, start: number): Word & { unclosed: SplitCommandLine['unclosed'] } {
  let value = '';
  const offsets: number[] = [];
  let at = start;
  let quote: "'" | '"' | undefined;
  let quoteAt = start;
  const take = (offset: number) => {
    value += text.charAt(offset);
    offsets.push(offset);
  };
  for (; at < text.length; at++) {
    const char = text.charAt(at);
    if (quote === undefined && /\s/.test(char)) break;
    if (quote === undefined && (char === "'" || char === '"')) {
      quote = char;
      quoteAt = at;
    } else if (char === quote) quote = undefined;
    else if (char === '\\' && quote !== "'" && isNewline(text, at + 1)) at = afterNewline(text, at + 1) - 1;
    else if (char === '\\' && quote === undefined && at + 1 < text.length) take(++at);
    else if (char === '\\' && quote === '"' && /["\\$`]/.test(text.charAt(at + 1))) take(++at);
    else take(at);
  }
  offsets.push(at);
  return {
    value,
    start,
    end: at,
    offsets,
    unclosed: quote === undefined ? undefined : { quote, offset: quoteAt },
  };
}

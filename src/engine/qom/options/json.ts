import { err, ok, type Result } from '../../base/result.ts';
import type { JsonValue } from '../property.ts';

/** Where a text is not JSON. */
export interface JsonError {
  readonly message: string;
  /** UTF-16 offset in the text; its length when the text ends too early. */
  readonly offset: number;
}

export type Span = readonly [start: number, end: number];

/** A parsed text and where its parts are: a path is the keys and indexes joined by dots. */
export interface ParsedJson {
  readonly value: JsonValue;
  readonly keySpans: ReadonlyMap<string, Span>;
  readonly valueSpans: ReadonlyMap<string, Span>;
}

/** Deeper nesting than this is refused, as QEMU's parser does. */
export const MAX_NESTING = 1024;

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  "'": "'",
  '\\': '\\',
  '/': '/',
};
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LEADING_ZERO = /-?0\d+/y;
const WORD = /[a-z]+/y;
const SPACE = /[ \t\r\n]*/y;

/** Thrown inside the parser only; `parseJson` turns it into a value. */
class Stop extends Error {
  readonly offset: number;
  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/**
 * Parses one JSON text, keeping the place of every key and value. As QEMU's parser, it also takes strings in
 * single quotes, and refuses a key given twice and surrogates that are no pair. Errors are in QEMU's words.
 */
export function parseJson(text: string): Result<ParsedJson, JsonError> {
  const parser = new Parser(text);
  try {
    const value = parser.document();
    return ok({ value, keySpans: parser.keySpans, valueSpans: parser.valueSpans });
  } catch (error) {
    if (error instanceof Stop) return err({ message: error.message, offset: error.offset });
    throw error;
  }
}

class Parser {
  readonly keySpans = new Map<string, Span>();
  readonly valueSpans = new Map<string, Span>();
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): JsonValue {
    const value = this.#value('', 0);
    this.#space();
    if (this.#at < this.#text.length) throw new Stop('unexpected text after the value', this.#at);
    return value;
  }

  #space(): void {
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #peek(): string {
    this.#space();
    return this.#text.charAt(this.#at);
  }

  #value(path: string, depth: number): JsonValue {
    if (depth > MAX_NESTING) throw new Stop('nesting too deep', this.#at);
    const char = this.#peek();
    const start = this.#at;
    let value: JsonValue;
    if (char === '{') value = this.#object(path, depth);
    else if (char === '[') value = this.#array(path, depth);
    else if (char === '"' || char === "'") value = this.#string();
    else value = this.#scalar();
    this.valueSpans.set(path, [start, this.#at]);
    return value;
  }

  #scalar(): JsonValue {
    LEADING_ZERO.lastIndex = this.#at;
    const zeros = LEADING_ZERO.exec(this.#text)?.[0];
    if (zeros !== undefined) throw new Stop(`stray '${zeros}'`, this.#at);
    NUMBER.lastIndex = this.#at;
    const number = NUMBER.exec(this.#text)?.[0];
    if (number !== undefined) {
      this.#at += number.length;
      return Number(number);
    }
    WORD.lastIndex = this.#at;
    const word = WORD.exec(this.#text)?.[0];
    const value = word === 'true' ? true : word === 'false' ? false : word === 'null' ? null : undefined;
    if (value === undefined) {
      if (this.#at >= this.#text.length) throw new Stop('premature end of text', this.#at);
      if (word !== undefined) throw new Stop(`invalid keyword '${word}'`, this.#at);
      const char = this.#text.charAt(this.#at);
      throw new Stop('}],:'.includes(char) ? 'expecting value' : `stray '${char}'`, this.#at);
    }
    this.#at += word?.length ?? 0;
    return value;
  }

  #object(path: string, depth: number): JsonValue {
    const entries = new Map<string, JsonValue>();
    this.#at++;
    if (this.#peek() === '}') {
      this.#at++;
      return {};
    }
    for (;;) {
      const quote = this.#peek();
      const start = this.#at;
      if (quote !== '"' && quote !== "'") {
        // What is no value either is an error of its own.
        this.#value(path, depth + 1);
        throw new Stop('key is not a string in object', start);
      }
      const key = this.#string();
      if (entries.has(key)) throw new Stop('duplicate key', start);
      const childPath = path === '' ? key : `${path}.${key}`;
      this.keySpans.set(childPath, [start, this.#at]);
      if (this.#peek() !== ':') throw new Stop('missing : in object pair', this.#at);
      this.#at++;
      entries.set(key, this.#value(childPath, depth + 1));
      const next = this.#peek();
      if (next !== ',' && next !== '}') throw new Stop('expected separator in dict', this.#at);
      this.#at++;
      // fromEntries defines own properties: a key named __proto__ stays data.
      if (next === '}') return Object.fromEntries(entries);
    }
  }

  #array(path: string, depth: number): JsonValue {
    const items: JsonValue[] = [];
    this.#at++;
    if (this.#peek() === ']') {
      this.#at++;
      return items;
    }
    for (;;) {
      items.push(this.#value(path === '' ? `${items.length}` : `${path}.${items.length}`, depth + 1));
      const next = this.#peek();
      if (next !== ',' && next !== ']') throw new Stop('expected separator in list', this.#at);
      this.#at++;
      if (next === ']') return items;
    }
  }

  #string(): string {
    const quote = this.#text.charAt(this.#at);
    const start = this.#at++;
    let value = '';
    for (;;) {
      const char = this.#text.charAt(this.#at);
      if (char === '') throw new Stop('premature end of a string', start);
      if (char < ' ') throw new Stop('control character in a string', this.#at);
      this.#at++;
      if (char === quote) return value;
      value += char === '\\' ? this.#escape() : char;
    }
  }

  #escape(): string {
    const char = this.#text.charAt(this.#at++);
    if (char === 'u') {
      const start = this.#at - 2;
      const unit = this.#hex(start);
      if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
      const isPair = unit < 0xdc00 && this.#text.startsWith('\\u', this.#at);
      if (isPair) this.#at += 2;
      const low = isPair ? this.#hex(start) : 0;
      if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(unit, low);
      throw new Stop(`${this.#text.slice(start, this.#at)} is not a valid Unicode character`, start);
    }
    const value = ESCAPES[char];
    if (value === undefined) throw new Stop('invalid escape sequence in string', this.#at - 2);
    return value;
  }

  /** The four digits of an escape that began at `start`. */
  #hex(start: number): number {
    const digits = this.#text.slice(this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw new Stop('invalid escape sequence in string', start);
    this.#at += 4;
    return Number.parseInt(digits, 16);
  }
}

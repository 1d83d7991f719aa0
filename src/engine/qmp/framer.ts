import { MAX_NESTING } from '../qom/options/json.ts';

/** What a stream of QMP input breaks into. */
export type Frame =
  | { readonly kind: 'text'; readonly text: string }
  /** Input that no text can be made of; reading goes on behind it. */
  | { readonly kind: 'error'; readonly desc: string };

const MISMATCH = 'a bracket that closes another';

/** A longer input than this without a complete value is refused. */
export const MAX_INPUT = 1024 * 1024;

/**
 * Cuts a stream of characters into JSON texts, however it is split or run together. It knows brackets and
 * strings and leaves the rest to the JSON parser. After an error it picks up at the next line, or at a line
 * that begins a new object where none can begin, so that one bad command never swallows the next.
 */
export class QmpFramer {
  readonly #limit: number;
  #pending = '';
  /** Open brackets, outermost first. */
  #open = '';
  #quote = '';
  #escaped = false;
  /** The last character that was neither space nor inside a string. */
  #last = '';
  #lineStart = true;
  /** Outside of brackets: collecting a line that can't be a command. */
  #junk = false;
  /** After an error: everything up to the end of the line is dropped. */
  #skip = false;

  constructor(limit = MAX_INPUT) {
    this.#limit = limit;
  }

  /** Takes the next piece of the stream; gives the frames it completes. */
  push(chunk: string): readonly Frame[] {
    const frames: Frame[] = [];
    // Start of what is not yet in #pending.
    let from = 0;
    const cut = (end: number): string => {
      const text = this.#pending + chunk.slice(from, end);
      this.#pending = '';
      from = end;
      return text;
    };
    const fail = (desc: string, end: number): void => {
      cut(end);
      this.#reset();
      this.#skip = true;
      frames.push({ kind: 'error', desc: `JSON parse error, ${desc}` });
    };
    for (let at = 0; at < chunk.length; at++) {
      const char = chunk.charAt(at);
      if (char === '\n' && this.#skip) {
        cut(at + 1);
        this.#reset();
      } else if (this.#skip) {
        from = at + 1;
      } else if (this.#quote !== '') {
        if (char === '\n') {
          fail('premature end of a string', at + 1);
          this.#skip = false;
        } else this.#inString(char);
      } else if (this.#junk) {
        if (char === '\n') {
          frames.push({ kind: 'text', text: cut(at + 1).trim() });
          this.#reset();
        }
      } else if (char === '\n') {
        this.#lineStart = true;
        if (this.#open === '') from = at + 1;
      } else if (!/\s/.test(char)) {
        const restart = char === '{' && this.#lineStart && this.#open !== '' && !':[,'.includes(this.#last);
        if (restart) {
          cut(at);
          const where = this.#open.endsWith('{') ? 'dict' : 'list';
          frames.push({ kind: 'error', desc: `JSON parse error, expected separator in ${where}` });
          this.#reset();
        }
        const problem = this.#structural(char);
        if (problem === MISMATCH) {
          frames.push({ kind: 'text', text: cut(at + 1) });
          this.#reset();
          this.#skip = true;
        } else if (problem !== undefined) fail(problem, at + 1);
        else if (this.#open === '' && !this.#junk && this.#quote === '') {
          frames.push({ kind: 'text', text: cut(at + 1) });
          this.#reset(false);
        }
      } else if (this.#open === '') from = at + 1;
      if (!this.#skip && this.#pending.length + (at + 1 - from) > this.#limit)
        fail(`token size limit exceeded (${this.#limit} characters without a complete command)`, at + 1);
    }
    this.#pending += chunk.slice(from);
    if (this.#skip) this.#pending = '';
    return frames;
  }

  #inString(char: string): void {
    if (this.#escaped) this.#escaped = false;
    else if (char === '\\') this.#escaped = true;
    else if (char === this.#quote) {
      this.#quote = '';
      this.#last = char;
    }
  }

  /** One character outside of strings and spaces. */
  #structural(char: string): string | undefined {
    this.#lineStart = false;
    if (char === '{' || char === '[') {
      this.#open += char;
      if (this.#open.length > MAX_NESTING) return 'nesting depth limit exceeded';
    } else if (this.#open === '') {
      this.#junk = true;
    } else if (char === '}' || char === ']') {
      const matching = char === '}' ? '{' : '[';
      // Whoever parses it finds out what is wrong; the rest of the line is dropped.
      if (!this.#open.endsWith(matching)) return MISMATCH;
      this.#open = this.#open.slice(0, -1);
    } else if (char === '"' || char === "'") {
      this.#quote = char;
      return undefined;
    }
    this.#last = char;
    return undefined;
  }

  #reset(lineStart = true): void {
    this.#pending = '';
    this.#open = '';
    this.#quote = '';
    this.#escaped = false;
    this.#last = '';
    this.#junk = false;
    this.#skip = false;
    this.#lineStart = lineStart;
  }
}

import { VERSION } from '../version.ts';

const PROMPT = '(vm) ';
const HISTORY = 100;

/** What runs a console's lines: the `Monitor` itself, or a machine's façade on another thread. */
export interface HmpTarget {
  hmp(line: string): Promise<string>;
  completeHmp(line: string): readonly string[] | Promise<readonly string[]>;
}

/**
 * A monitor on a terminal: a prompt, line editing (backspace, Ctrl-U, Ctrl-W, Ctrl-C, arrows for history) and
 * completion with Tab. Characters in, characters out; the terminal does no echo and no line editing of its own.
 */
export class HmpConsole {
  readonly #target: HmpTarget;
  readonly #print: (text: string) => void;
  readonly #history: string[] = [];
  #at = 0;
  #line = '';
  /** The beginning of an escape sequence. */
  #escape = '';
  #last: Promise<void> = Promise.resolve();

  /** Prints the banner and the prompt at once. */
  constructor(target: HmpTarget, print: (text: string) => void) {
    this.#target = target;
    this.#print = print;
    print(`${VERSION.package} monitor - type 'help' for more information\r\n${PROMPT}`);
  }

  /** Takes typed characters. Resolves when every line complete by then has been run. */
  receive(text: string): Promise<void> {
    // One after another: what is typed while a command runs is for the line after it.
    const typed = this.#last.then(async () => {
      for (const char of text) await this.#key(char);
    });
    this.#last = typed.catch(() => undefined);
    return typed;
  }

  async #key(char: string): Promise<void> {
    if (this.#escape !== '' || char === '\x1b') {
      this.#escapeKey(char);
      return;
    }
    switch (char) {
      case '\r':
      case '\n':
        await this.#enter();
        return;
      case '\t':
        await this.#complete();
        return;
      case '\x7f':
      case '\b':
        if (this.#line !== '') {
          this.#line = this.#line.slice(0, -1);
          this.#print('\b \b');
        }
        return;
      case '\x03':
        this.#print(`^C\r\n${PROMPT}`);
        this.#line = '';
        return;
      case '\x15':
        this.#replace('');
        return;
      case '\x17':
        this.#replace(this.#line.replace(/\S*\s*$/, ''));
        return;
      default:
        if (char >= ' ') {
          this.#line += char;
          this.#print(char);
        }
    }
  }

  #escapeKey(char: string): void {
    this.#escape += char;
    if (this.#escape === '\x1b' || this.#escape === '\x1b[') return;
    if (this.#escape === '\x1b[A') this.#recall(-1);
    if (this.#escape === '\x1b[B') this.#recall(1);
    // Parameters go on; anything else ends the sequence.
    if (!/^.\[[0-9;]+$/.test(this.#escape)) this.#escape = '';
  }

  #recall(step: number): void {
    const at = this.#at + step;
    if (at < 0 || at > this.#history.length) return;
    this.#at = at;
    this.#replace(this.#history[at] ?? '');
  }

  #replace(line: string): void {
    this.#line = line;
    this.#print(`\r\x1b[K${PROMPT}${line}`);
  }

  async #enter(): Promise<void> {
    const line = this.#line;
    this.#line = '';
    this.#print('\r\n');
    if (line.trim() !== '' && this.#history.at(-1) !== line) this.#history.push(line);
    if (this.#history.length > HISTORY) this.#history.shift();
    this.#at = this.#history.length;
    this.#print((await this.#target.hmp(line)) + PROMPT);
  }

  async #complete(): Promise<void> {
    const candidates = await this.#target.completeHmp(this.#line);
    const first = candidates[0];
    if (first === undefined) return;
    const head = this.#line.replace(/\S*$/, '');
    if (candidates.length === 1) {
      this.#replace(`${head}${first} `);
      return;
    }
    const shared = commonPrefix(candidates);
    if (head + shared === this.#line) this.#print(`\r\n${candidates.join('  ')}\r\n${PROMPT}${this.#line}`);
    else this.#replace(head + shared);
  }
}

function commonPrefix(words: readonly string[]): string {
  let prefix = words[0] ?? '';
  while (!words.every((word) => word.startsWith(prefix))) prefix = prefix.slice(0, -1);
  return prefix;
}

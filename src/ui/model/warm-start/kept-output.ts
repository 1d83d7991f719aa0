/** As much of a terminal's past as is kept with a snapshot, in characters. */
const KEEP = 48 * 1024;

/**
 * Questions to the terminal (its type, the cursor's place). They were answered at the time: an answer to a guest
 * that asks nothing would be typed into its shell.
 */
const QUESTIONS = new RegExp(
  [
    // Device attributes, status and cursor, version, mode, window.
    '\\x1b\\[(?:[?>=]?\\d*c|\\??[56]n|>\\d*q|\\??\\d+\\$p|1[48]t|2[01]t)',
    // DECRQSS and XTGETTCAP, colours.
    '\\x1bP[$+]q[^\\x1b]*\\x1b\\\\',
    '\\x1b\\][0-9;]+;\\?(?:\\x07|\\x1b\\\\)',
  ].join('|'),
  'g',
);

/** What a terminal has been sent, to be shown again as it was. */
export class KeptOutput {
  #text = '';

  constructor(text = '') {
    this.#text = text;
  }

  add(text: string): void {
    this.#text += text;
    if (this.#text.length > 2 * KEEP) this.#text = this.#tail();
  }

  /** The end of it, from the beginning of a line, without questions. */
  get text(): string {
    return this.#tail().replace(QUESTIONS, '');
  }

  #tail(): string {
    if (this.#text.length <= KEEP) return this.#text;
    const tail = this.#text.slice(-KEEP);
    return tail.slice(tail.indexOf('\n') + 1);
  }
}

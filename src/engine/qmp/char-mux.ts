const ESCAPE = '\x01';

const HELP = [
  '',
  'C-a h    print this help',
  'C-a x    exit',
  'C-a c    switch between console and monitor',
  'C-a C-a  sends C-a',
  '',
].join('\r\n');

/** A front end of a multiplexed terminal: the serial port, or a monitor. */
export interface MuxFrontEnd {
  /** What was typed while it had the focus. */
  receive(text: string): void;
}

/**
 * Several front ends on one terminal (`-serial mon:stdio`, `-nographic`): input goes to the one with the
 * focus, Ctrl-A is the escape. Output needs no help: everybody prints.
 */
export class CharMux {
  readonly #print: (text: string) => void;
  readonly #exit: () => void;
  readonly #frontEnds: MuxFrontEnd[] = [];
  #focus = 0;
  #escaped = false;

  /** @param exit what Ctrl-A x does */
  constructor(print: (text: string) => void, exit: () => void) {
    this.#print = print;
    this.#exit = exit;
  }

  /** Adds a front end; the first one added has the focus. */
  add(frontEnd: MuxFrontEnd): void {
    this.#frontEnds.push(frontEnd);
  }

  /** Takes what was typed. */
  receive(text: string): void {
    let plain = '';
    for (const char of text) {
      if (this.#escaped) {
        this.#escaped = false;
        if (char === ESCAPE) plain += char;
        else {
          this.#send(plain);
          plain = '';
          this.#command(char);
        }
      } else if (char === ESCAPE) this.#escaped = true;
      else plain += char;
    }
    this.#send(plain);
  }

  #send(text: string): void {
    if (text !== '') this.#frontEnds[this.#focus]?.receive(text);
  }

  #command(char: string): void {
    if (char === 'x') this.#exit();
    else if (char === 'c') this.#focus = (this.#focus + 1) % Math.max(1, this.#frontEnds.length);
    else if (char === 'h' || char === '?') this.#print(HELP);
  }
}

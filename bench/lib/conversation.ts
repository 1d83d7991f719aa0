/** A machine's serial port as a conversation, whoever runs the machine. */
export interface Guest {
  /** The emulator, e.g. `qemu-system-riscv64 7.2.0`. */
  readonly who: string;
  send(text: string): Promise<void>;
  /** Resolves with the output up to and with the match in what arrived since the last `expect`. */
  expect(pattern: RegExp, timeoutMs?: number): Promise<string>;
  /** The processes that run it. */
  pids(): readonly number[];
}

/** The root shell of our Linux guest. */
export const PROMPT = /root@qcontext:[^#\n]*# $/;

let commands = 0;

/** Runs a shell command; resolves with what it printed. Throws if it fails. */
export async function shell(guest: Guest, command: string, timeoutMs = 60_000): Promise<string> {
  const mark = `end${++commands}`;
  // In two parts, so that the echo of the line is not taken for its answer.
  await guest.send(`${command}; echo "${mark}""=$?"\n`);
  const output = await guest.expect(new RegExp(`${mark}=\\d+\\r?\\n`), timeoutMs);
  const status = new RegExp(`${mark}=(\\d+)`).exec(output)?.[1];
  if (status !== '0') throw new Error(`${guest.who}: ${command} ended with ${status}: ${output.slice(-600)}`);
  return output;
}

/** Collects output and finds patterns in it, for guests whose output comes as a stream. */
export class OutputScanner {
  #text = '';
  readonly #waiting = new Set<() => void>();

  push(text: string): void {
    this.#text += text;
    for (const look of this.#waiting) look();
  }

  expect(pattern: RegExp, timeoutMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        const match = pattern.exec(this.#text);
        if (match === null) return;
        done();
        const end = match.index + match[0].length;
        resolve(this.#text.slice(0, end));
        this.#text = this.#text.slice(end);
      };
      const timer = setTimeout(() => {
        done();
        reject(new Error(`no ${String(pattern)} within ${timeoutMs} ms; it ends: ${this.#text.slice(-300)}`));
      }, timeoutMs);
      this.#waiting.add(look);
      look();
    });
  }
}

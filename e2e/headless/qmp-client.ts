import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';
import { within } from './machine.ts';

export type Json = Readonly<Record<string, unknown>>;

/** A program with a monitor: QEMU, or the machine of this project. */
export interface Program {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** What it wrote to stderr so far. */
  stderr(): string;
  stop(): Promise<void>;
}

export function start(command: string, args: readonly string[]): Program {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += String(text);
  });
  const ended = once(child, 'exit');
  return {
    child,
    stderr: () => stderr,
    stop: async () => {
      if (child.exitCode === null) child.kill();
      await within(ended, 20_000, `${command}: the end`);
    },
  };
}

/** One end of a QMP connection: lines in, lines out. */
export class QmpClient {
  readonly #output: Writable;
  readonly #lines: Json[] = [];
  #partial = '';
  #news = (): void => {};
  #fences = 0;

  constructor(input: Readable, output: Writable) {
    this.#output = output;
    input.setEncoding('utf8').on('data', (text) => {
      const parts = (this.#partial + String(text)).split('\r\n');
      this.#partial = parts.pop() ?? '';
      for (const part of parts) this.#lines.push(JSON.parse(part) as Json);
      this.#news();
    });
  }

  send(text: string | Buffer): void {
    this.#output.write(text);
  }

  /** The next line that came. */
  async line(): Promise<Json> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      await within(
        new Promise<void>((resolve) => {
          this.#news = resolve;
        }),
        20_000,
        'QMP',
      );
    }
  }

  /** What is answered to `message`: all lines that come before the answer to a command sent behind it. */
  async ask(message: string | Buffer): Promise<readonly Json[]> {
    const fence = `fence ${++this.#fences}`;
    this.send(message);
    this.send(`\n{"execute":"query-name","id":"${fence}"}\n`);
    const answers: Json[] = [];
    for (let line = await this.line(); line['id'] !== fence; line = await this.line()) {
      if (!('event' in line)) answers.push(line);
    }
    return answers;
  }
}

/** Connects as soon as somebody listens there. */
export async function dial(to: string | number): Promise<{ socket: Duplex; client: QmpClient }> {
  for (let tries = 0; ; tries++) {
    const socket = typeof to === 'string' ? connect(to) : connect(to, '127.0.0.1');
    const failed = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(false));
      socket.once('error', () => resolve(true));
    });
    if (!failed) {
      socket.on('error', () => {});
      return { socket, client: new QmpClient(socket, socket) };
    }
    if (tries === 200) throw new Error(`nobody listens on ${to}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

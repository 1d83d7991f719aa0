import type { BoardSnapshot } from '../../../engine/vm.ts';

/** A shell that waits for a command: its prompt is the last thing on the line. */
const PROMPT = new RegExp(String.raw`[#$] (?:\u001b\[[0-9;?]*[a-zA-Z])*$`);
/** Instructions a second of a guest that sleeps: its clock's housekeeping. */
const IDLE_INSTRUCTIONS = 2e6;
/** Nothing was asked of the machine for so long, by its own counters. */
const QUIET_NS = 1e9;
/** After the first snapshot: a guest at work gets on undisturbed for so long. */
const LATER_QUIET_NS = 3e9;

/** What of a machine's life a snapshot could have missed. */
interface Marks {
  readonly written: number;
  readonly output: number;
  readonly input: number;
}

/**
 * Tells from what a machine does whether it has come to rest at its prompt, and whether anything worth keeping
 * has happened since the last snapshot. Pure: fed with pictures of the board and with the traffic of the terminal.
 */
export class Quiet {
  #tail = '';
  #output = 0;
  #input = 0;
  #seen: Marks & { readonly requests: number } = { written: 0, output: 0, input: 0, requests: 0 };
  #instructions = 0;
  #timeNs = 0;
  /** Board's time since when nothing has happened. */
  #since = Number.NaN;
  #prompted = false;
  #saved: Marks | undefined;
  #resuming = false;
  #latest: Marks = { written: 0, output: 0, input: 0 };

  /** The guest wrote this to its terminal. */
  wrote(text: string): void {
    this.#output += text.length;
    this.#tail = (this.#tail + text).slice(-200);
  }

  /** Somebody typed. */
  typed(): void {
    this.#input += 1;
  }

  /** One picture of the board; several a second. */
  look(board: BoardSnapshot): void {
    const queues = board.devices.flatMap((device) => device.queues);
    const sum = (read: (queue: (typeof queues)[number]) => number): number =>
      queues.reduce((total, queue) => total + read(queue), 0);
    const now = {
      written: sum((queue) => queue.bytesWritten),
      requests: sum((queue) => queue.requests),
      output: this.#output,
      input: this.#input,
    };
    const instructions = board.harts.reduce((total, hart) => total + hart.instructions, 0);
    const seconds = (board.timeNs - this.#timeNs) / 1e9;
    const still =
      board.runState === 'running' &&
      now.requests === this.#seen.requests &&
      now.output === this.#seen.output &&
      now.input === this.#seen.input &&
      board.devices.every(({ moving }) => !moving) &&
      board.contexts.every(({ state }) => state !== 'held') &&
      (instructions - this.#instructions) / seconds < IDLE_INSTRUCTIONS;
    if (!still || Number.isNaN(this.#since)) this.#since = board.timeNs;
    this.#prompted ||= PROMPT.test(this.#tail);
    this.#seen = now;
    this.#latest = now;
    if (this.#resuming) this.#saved = now;
    this.#resuming = false;
    this.#instructions = instructions;
    this.#timeNs = board.timeNs;
  }

  /** The machine rests, its prompt was seen, and it is no longer what the last snapshot says. */
  get wantsSaving(): boolean {
    if (!this.#prompted || !this.#changed) return false;
    return this.#timeNs - this.#since >= (this.#saved === undefined ? QUIET_NS : LATER_QUIET_NS);
  }

  get #changed(): boolean {
    const { written, output, input } = this.#latest;
    const saved = this.#saved;
    return (
      saved === undefined || saved.written !== written || saved.output !== output || saved.input !== input
    );
  }

  /** A snapshot begins: it is of the machine as it is at the last look. */
  mark(): Marks {
    return this.#latest;
  }

  /** Nothing was typed or written to the terminal since: what the snapshot is of is known. */
  holds(mark: Marks): boolean {
    return mark.output === this.#output && mark.input === this.#input;
  }

  /** There is a snapshot of the machine as it was then. */
  saved(mark: Marks): void {
    this.#saved = mark;
  }

  /** The guest begins anew: its prompt is yet to come. */
  restart(): void {
    this.#tail = '';
    this.#prompted = false;
    this.#saved = undefined;
  }

  /** The machine goes on from a snapshot, at this output. */
  resumed(output: string): void {
    this.#tail = output.slice(-200);
    this.#prompted = true;
    // Its counters go on as well: the first look tells from where.
    this.#resuming = true;
  }
}

import { TRACE_EVENTS } from '../../../engine/trace/schema.ts';
import type { TraceName } from '../../../engine/vm.ts';
import type { Kind } from '../../tokens.ts';

/** What the board knows and the records do not say. Plain data. */
export interface TraceBoard {
  readonly lanes: readonly { readonly thread: number; readonly label: string }[];
  readonly sources: readonly { readonly context: number; readonly name: string; readonly kind: Kind }[];
  readonly devices: readonly {
    readonly slot: number;
    readonly id: string;
    readonly queues: readonly { readonly index: number; readonly name: string; readonly packed: boolean }[];
  }[];
}

/** Names for the numbers in records. */
export class Labels {
  #board: TraceBoard = { lanes: [], sources: [], devices: [] };
  /** Names that lanes have or had: what was recorded of a context outlives it. */
  readonly #lanes = new Map<number, string>();
  readonly #names = new Map<number, string>();
  readonly #kinds = new Map<string, Kind>();
  readonly #firstHart: number;

  constructor(firstHart: number) {
    this.#firstHart = firstHart;
  }

  name({ thread, id, name }: TraceName): void {
    this.#names.set(thread * 65536 + id, name);
  }

  board(board: TraceBoard): void {
    this.#board = board;
    for (const { thread, label } of board.lanes) this.#lanes.set(thread, label);
    for (const { context, name, kind } of board.sources) this.#kinds.set(`${context} ${name}`, kind);
  }

  /** Contexts and harts the board shows, in its order. */
  get lanes(): TraceBoard['lanes'] {
    return this.#board.lanes;
  }

  lane(thread: number): string {
    const known = this.#lanes.get(thread);
    return known ?? (thread >= this.#firstHart ? `hart ${thread - this.#firstHart}` : `context ${thread}`);
  }

  source(thread: number, id: number): string {
    return this.#names.get(thread * 65536 + id) ?? `source ${id}`;
  }

  /** A handler of an AioContext has no entry among the context's sources: it is what its name says. */
  kind(thread: number, id: number): Kind {
    const name = this.source(thread, id);
    return (
      this.#kinds.get(`${thread} ${name}`) ??
      (/timer/.test(name) ? 'timer' : /\bbh\b/.test(name) ? 'bh' : 'fd')
    );
  }

  device(slot: number): string {
    return this.#board.devices.find((device) => device.slot === slot)?.id ?? `slot ${slot}`;
  }

  queue(slot: number, index: number): string {
    const device = this.#board.devices.find((one) => one.slot === slot);
    if (device === undefined) return `slot ${slot} queue ${index}`;
    return device.queues.length === 1
      ? device.id
      : `${device.id} ${device.queues[index]?.name ?? `queue ${index}`}`;
  }

  /** An argument as text, by its kind in the schema. */
  arg(event: number, index: number, value: number, thread: number): string {
    const [name, kind] = TRACE_EVENTS[event]?.args[index] ?? ['?', 'u32'];
    switch (kind) {
      case 'hex':
        return `${name} 0x${value.toString(16)}`;
      case 'dev':
        return this.device(value);
      case 'source':
        return this.source(thread, value);
      case 'bool':
        return value === 0 ? `not ${name}` : name;
      case 'ns':
        return value === 0 ? '' : `${name.replace(/_ns$/, '')} ${Math.round(value / 1000)} µs`;
      case 'req':
        return `#${value}`;
      case 'ctx':
        return '';
      case 'u32':
        return name === 'timeout_us' && value === 0xffff_ffff ? 'no timeout' : `${name} ${value}`;
      default:
        return `${name} ${value}`;
    }
  }

  /** A record in words: name and arguments. */
  record(event: number, args: readonly number[], thread: number): string {
    const def = TRACE_EVENTS[event];
    if (def === undefined) return `event ${event}`;
    const words = def.args
      .map((_, i) => this.arg(event, i, args[i] ?? 0, thread))
      .filter((word) => word !== '');
    return [def.name, ...words].join(' ');
  }
}

import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Vm } from '../../engine/vm.ts';
import { errorInWords, messageOf } from './problem.ts';
import type { VmController } from './vm-controller.ts';

export type MonitorMode = 'hmp' | 'qmp';

export interface MonitorEntry {
  readonly id: number;
  readonly kind: 'command' | 'reply' | 'error' | 'event';
  readonly text: string;
}

export interface MonitorState {
  readonly mode: MonitorMode;
  readonly entries: readonly MonitorEntry[];
}

/** Entries kept; the oldest go first. */
const KEEP = 500;

/** A QMP line in short: `query-status` or `qom-get {"path": …}`, or a whole QMP object. */
export function parseQmpLine(line: string):
  | {
      readonly ok: true;
      readonly execute: string;
      readonly args: Readonly<Record<string, unknown>> | undefined;
    }
  | { readonly ok: false; readonly message: string } {
  const text = line.trim();
  try {
    if (text.startsWith('{')) {
      const command = JSON.parse(text) as { execute?: unknown; arguments?: unknown };
      if (typeof command.execute !== 'string')
        return { ok: false, message: 'QMP input lacks member ‘execute’' };
      return { ok: true, execute: command.execute, args: asObject(command.arguments) };
    }
    const [, execute = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(text) ?? [];
    return { ok: true, execute, args: rest === '' ? undefined : asObject(JSON.parse(rest)) };
  } catch (error) {
    return { ok: false, message: `this is not JSON: ${messageOf(error)}` };
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('arguments must be an object');
  return value as Record<string, unknown>;
}

/** The console's memory: what was asked and answered, and events, over all machines of the page. */
export class Monitor {
  readonly store: StoreApi<MonitorState>;
  readonly history: string[] = [];
  #next = 1;
  #vm: Vm | undefined;
  #qmpNames: readonly string[] | undefined;

  constructor(controller: VmController) {
    this.store = createStore<MonitorState>(() => ({ mode: 'hmp', entries: [] }));
    controller.onVm((vm) => {
      this.#vm = vm;
      this.#qmpNames = undefined;
      const off = vm.onEvent((event) =>
        this.#add(
          'event',
          `${event.event}${event.data === undefined ? '' : ` ${JSON.stringify(event.data)}`}`,
        ),
      );
      return () => {
        off();
        this.#vm = undefined;
      };
    });
  }

  setMode(mode: MonitorMode): void {
    this.store.setState({ mode });
  }

  clear(): void {
    this.store.setState({ entries: [] });
  }

  /** Runs one line in the present mode; its answer is added when it comes. */
  async run(line: string): Promise<void> {
    const text = line.trim();
    if (text === '') return;
    if (this.history.at(-1) !== text) this.history.push(text);
    const { mode } = this.store.getState();
    this.#add('command', text);
    const vm = this.#vm;
    if (vm === undefined) return this.#add('error', 'No machine is on.');
    try {
      if (mode === 'hmp') {
        const answer = await vm.hmp(text);
        if (answer.trim() !== '') this.#add('reply', answer.trimEnd());
        return;
      }
      const command = parseQmpLine(text);
      if (!command.ok) return this.#add('error', command.message);
      const reply = await vm.qmp(command.execute, command.args);
      if (reply.ok) this.#add('reply', JSON.stringify(reply.value, undefined, 2));
      else this.#add('error', `${reply.error.class}: ${errorInWords(reply.error)}`);
    } catch (error) {
      this.#add('error', messageOf(error));
    }
  }

  /** What could stand in place of the line so far. */
  async complete(line: string): Promise<readonly string[]> {
    const vm = this.#vm;
    if (vm === undefined || line.trim() === '') return [];
    if (this.store.getState().mode === 'hmp') return vm.completeHmp(line);
    if (/\s/.test(line) || line.startsWith('{')) return [];
    this.#qmpNames ??= await queryCommands(vm);
    return this.#qmpNames.filter((name) => name.startsWith(line));
  }

  #add(kind: MonitorEntry['kind'], text: string): void {
    const entry = { id: this.#next++, kind, text };
    this.store.setState(({ entries }) => ({ entries: [...entries.slice(1 - KEEP), entry] }));
  }
}

async function queryCommands(vm: Vm): Promise<readonly string[]> {
  const reply = await vm.qmp('query-commands');
  if (!reply.ok || !Array.isArray(reply.value)) return [];
  return reply.value
    .flatMap((command: unknown) =>
      typeof command === 'object' && command !== null && 'name' in command ? [String(command.name)] : [],
    )
    .toSorted();
}

/** The longest text all candidates begin with. */
export function commonPrefix(candidates: readonly string[]): string {
  const [first = '', ...rest] = candidates;
  let length = first.length;
  for (const other of rest) while (!other.startsWith(first.slice(0, length))) length--;
  return first.slice(0, length);
}

import { assert } from '../base/assert.ts';
import { ok, type Result, userError } from '../base/result.ts';
import type { ObjectModel } from '../qom/object-model.ts';
import { possible } from '../qom/options/suggest.ts';
import type { QmpEvent } from '../vm.ts';
import type { Command, CommandContext, Reply } from './command.ts';
import { BACKEND_COMMANDS } from './commands/backend-commands.ts';
import { BLOCK_COMMANDS } from './commands/block-commands.ts';
import { CONTEXT_COMMANDS } from './commands/context-commands.ts';
import { HOLD_COMMANDS } from './commands/hold-commands.ts';
import { MACHINE_COMMANDS } from './commands/machine-commands.ts';
import { OBJECT_COMMANDS } from './commands/object-commands.ts';
import { VIRTIO_COMMANDS } from './commands/virtio-commands.ts';
import { completeHmp } from './hmp/complete.ts';
import { HMP_COMMANDS } from './hmp/hmp-commands.ts';
import { runHmp } from './hmp/run.ts';

const COMMANDS: ReadonlyMap<string, Command> = new Map(
  [
    ...MACHINE_COMMANDS,
    ...OBJECT_COMMANDS,
    ...CONTEXT_COMMANDS,
    ...HOLD_COMMANDS,
    ...BLOCK_COMMANDS,
    ...BACKEND_COMMANDS,
    ...VIRTIO_COMMANDS,
  ].map((command) => [command.name, command]),
);

const HMP_NAMES: ReadonlySet<string> = new Set(HMP_COMMANDS.flatMap(({ names }) => names));

/**
 * What all monitors of a machine share: its commands and its events. Transports are elsewhere: `QmpSession`
 * speaks the wire format, `HmpConsole` a terminal's. Thread of context `main`.
 */
export class Monitor {
  readonly model: ObjectModel;
  readonly #wallClockNs: () => bigint;
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  readonly #context: CommandContext;

  /** @param wallClockNs ns since 1970, for the timestamps of the object model's own events */
  constructor(model: ObjectModel, wallClockNs: () => bigint) {
    this.model = model;
    this.#wallClockNs = wallClockNs;
    this.#context = {
      model,
      hmp: (line) => this.hmp(line),
      commandNames: () => ['qmp_capabilities', ...COMMANDS.keys()].toSorted(),
    };
    model.ops.onEvent((event) => this.#emit(event));
    model.onEvent((event, data) => this.#emit({ event, data, timestamp: this.#timestamp() }));
  }

  /** Runs one QMP command. The reply's `after`, if any, is for the caller to run once the reply is sent. */
  async execute(name: string, args: Readonly<Record<string, unknown>> = {}): Promise<Reply> {
    const command = COMMANDS.get(name);
    if (command === undefined)
      return userError(`The command ${name} has not been found`, {
        class: 'CommandNotFound',
        hint: HMP_NAMES.has(name)
          ? `It is a command of HMP: human-monitor-command with command-line ${name}.`
          : possible(name, [...COMMANDS.keys()]),
      });
    return command.run(this.#context, args);
  }

  /** Runs one QMP command for the page, which has no wire: replies and then does what is left to do. */
  async qmp(name: string, args: Readonly<Record<string, unknown>> = {}): Promise<Result<unknown>> {
    const reply = await this.execute(name, args);
    if (reply.ok && reply.after !== undefined) {
      const finished = reply.after();
      finished.catch((error: unknown) => assert(false, `${name}: ${String(error)}`));
    }
    // What is left to do is a function, which could not travel to another thread.
    return reply.ok ? ok(reply.value) : reply;
  }

  /** Runs one HMP line; resolves with what a monitor prints, lines ended by CR LF. */
  hmp(line: string): Promise<string> {
    return runHmp({ model: this.model, execute: (name, args) => this.execute(name, args) }, line);
  }

  /** What the last word of an HMP line could become. */
  completeHmp(line: string): readonly string[] {
    return completeHmp(this.model, line);
  }

  /** Every event, oldest first. Returns the function that unsubscribes. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #emit(event: QmpEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #timestamp(): QmpEvent['timestamp'] {
    const microseconds = this.#wallClockNs() / 1000n;
    return { seconds: Number(microseconds / 1_000_000n), microseconds: Number(microseconds % 1_000_000n) };
  }
}

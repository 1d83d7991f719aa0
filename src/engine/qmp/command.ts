import { ok, type Result, type UserError } from '../base/result.ts';
import type { ObjectModel } from '../qom/object-model.ts';
import { type Arguments, checkArguments, type ValuesOf } from './arguments.ts';

/** What commands work on. */
export interface CommandContext {
  readonly model: ObjectModel;
  /** One HMP line, for `human-monitor-command`. */
  readonly hmp: (line: string) => Promise<string>;
  readonly commandNames: () => readonly string[];
}

/** What a command returns: data that JSON can carry, and what is to be done once the reply is on its way. */
export type Reply =
  | { readonly ok: true; readonly value: unknown; readonly after?: () => Promise<unknown> }
  | { readonly ok: false; readonly error: UserError };

export interface Command {
  readonly name: string;
  /** Runs it with unchecked arguments. */
  readonly run: (context: CommandContext, given: Readonly<Record<string, unknown>>) => Promise<Reply>;
}

/** A command whose arguments are described. */
export const command = <const A extends Arguments>(
  name: string,
  schema: A,
  run: (context: CommandContext, args: ValuesOf<A>) => Reply | Promise<Reply>,
): Command => ({
  name,
  run: async (context, given) => {
    const args = checkArguments(schema, given);
    return args.ok ? run(context, args.value) : args;
  },
});

/** A command whose arguments depend on one of them (`device_add`, `object-add`, `blockdev-add`). */
export const openCommand = (name: string, run: Command['run']): Command => ({ name, run });

/** The reply of a command that returns nothing. */
export const nothing = (result: Result<unknown>): Reply => (result.ok ? ok({}) : result);

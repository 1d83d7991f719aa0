import { ok, userError } from '../../base/result.ts';
import { integer, optional, string } from '../arguments.ts';
import { type Command, command, nothing } from '../command.ts';
import { VERSION } from '../version.ts';

/** Run states in which the guest can't simply go on. */
const NEEDS_RESET = new Set(['shutdown', 'guest-panicked', 'internal-error']);

export const MACHINE_COMMANDS: readonly Command[] = [
  command('query-version', {}, () => ok(VERSION)),
  command('query-commands', {}, ({ commandNames }) => ok(commandNames().map((name) => ({ name })))),
  command('query-name', {}, ({ model }) =>
    ok(model.config.name === undefined ? {} : { name: model.config.name }),
  ),
  command('query-kvm', {}, () => ok({ enabled: false, present: false })),
  command('query-status', {}, ({ model }) => {
    const state = model.ops.status();
    return ok({ status: state === 'starting' ? 'prelaunch' : state, running: state === 'running' });
  }),
  command('stop', {}, async ({ model }) => nothing(await model.ops.stop())),
  command('cont', {}, async ({ model }) => {
    const state = model.ops.status();
    if (NEEDS_RESET.has(state))
      return userError('Resetting the Virtual Machine is required', {
        hint: `It is ${state}: use system_reset first.`,
      });
    return nothing(await model.ops.cont());
  }),
  command('system_reset', {}, async ({ model }) => nothing(await model.ops.reset())),
  command('system_powerdown', {}, async ({ model }) => nothing(await model.ops.powerdown())),
  // The reply goes out first: with the machine goes the thread that would send it.
  command('quit', {}, ({ model }) => ({ ok: true, value: {}, after: () => model.ops.quit() })),
  command('query-cpus-fast', {}, ({ model }) =>
    ok(
      model.ops.harts().map((hart) => ({
        'cpu-index': hart.index,
        'qom-path': `/machine/cpu[${hart.index}]`,
        'thread-id': hart.threadId,
        props: { 'core-id': hart.index },
        target: 'riscv64',
      })),
    ),
  ),
  command('query-memory-size-summary', {}, ({ model }) => ok({ 'base-memory': model.config.memoryBytes })),
  command(
    'human-monitor-command',
    { 'command-line': string, 'cpu-index': optional(integer) },
    async ({ hmp }, args) => ok(await hmp(args['command-line'])),
  ),
];

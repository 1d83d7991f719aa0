/** What the page and the command line import: making a machine, and the types of what it shows. */
import type { Result } from './base/result.ts';
import type { SupervisorHost } from './host.ts';
import { startMachine } from './machine/supervisor.ts';
import { parseCommandLine } from './qom/options/parse.ts';
import { ok, userError } from './base/result.ts';
import type { Vm } from './vm.ts';

/**
 * Makes a machine from QEMU-style arguments. Resolves when it is up (running, unless `-S`), or with what is
 * wrong and what to do about it; then nothing is left behind. Supervising thread.
 */
export async function createVm(argv: readonly string[], host: SupervisorHost): Promise<Result<Vm>> {
  const parsed = parseCommandLine(argv);
  if (!parsed.ok) return parsed;
  if (parsed.value.kind !== 'run') return userError('these arguments ask for help, not for a machine');
  const vm = await startMachine(parsed.value.config, argv, host);
  return vm.ok ? ok(vm.value) : vm;
}

export { formatUserError, ok, type Result, type UserError, userError } from './base/result.ts';
export { DiskOpenError, type DiskLocator, type SupervisorHost, type WorkerHandle } from './host.ts';
export { parseCommandLine } from './qom/options/parse.ts';
export type * from './vm.ts';

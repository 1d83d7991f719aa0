import type { Vm } from '../../engine/vm.ts';

/** A user's mistake as the engine reports it: what is wrong, the way out, and the argument at fault. */
export type UserError = Extract<Awaited<ReturnType<Vm['qmp']>>, { readonly ok: false }>['error'];

/** What making a machine gives: a machine, or the mistake that prevents it. */
export type VmResult =
  | { readonly ok: true; readonly value: Vm }
  | { readonly ok: false; readonly error: UserError };

/** Makes a machine from QEMU-style arguments. */
export type MakeVm = (argv: readonly string[]) => Promise<VmResult>;

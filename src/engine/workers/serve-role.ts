import { SharedMemory } from '../base/shared-memory.ts';
import type { Host } from '../host.ts';
import type { ThreadRole } from '../machine/roles.ts';
import { createBrowserHost } from './browser-host.ts';

/**
 * What every worker of a machine in a page does: waits for its role, serves it, closes. Each sort of thread has an entry
 * of its own, so that a worker compiles only what its role runs.
 */
export function serveRoleOf<R extends ThreadRole>(
  kind: R['role'],
  serve: (role: R, mem: SharedMemory, host: Host) => void | Promise<void>,
): void {
  globalThis.onmessage = ({ data: role }: MessageEvent<R>) => {
    globalThis.onmessage = null;
    if (role.role !== kind) throw new Error(`the entry of ${kind} was told to be ${role.role}`);
    const served = async (): Promise<void> =>
      serve(role, new SharedMemory(role.memory), createBrowserHost(role.epoch));
    served().then(
      () => globalThis.close(),
      // Reported outside the promise, so that the supervisor's `error` listener hears of it.
      (error: unknown) => reportError(error),
    );
  };
}

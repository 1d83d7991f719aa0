import { SharedMemory } from '../base/shared-memory.ts';
import type { Host } from '../host.ts';
import { type CompilerRole, serveCompiler } from './compiler-thread.ts';
import { type ContextRole, serveContext } from './context-thread.ts';
import { type HartRole, serveHart } from './hart-thread.ts';
import { type MainRole, serveMain } from './main-thread.ts';
import type { MachineLayout } from './shared-layout.ts';

/** What every worker is told, whatever its role. */
export interface RoleCommon {
  readonly epoch: number;
  readonly memory: WebAssembly.Memory;
  readonly layout: MachineLayout;
}

/** The first and only message a worker gets from the supervisor. */
export type ThreadRole = MainRole | ContextRole | HartRole | CompilerRole;

/** Serves a role to its end; the worker may close after it. */
export async function serveRole(role: ThreadRole, host: Host): Promise<void> {
  const mem = new SharedMemory(role.memory);
  switch (role.role) {
    case 'main':
      return serveMain(role, mem, host);
    case 'context':
      return serveContext(role, mem, host);
    case 'hart':
      return serveHart(role, mem, host);
    case 'compiler':
      return serveCompiler(role, mem);
  }
}

import { type Port, Rpc, wakeInbox } from '../base/rpc.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import { CONTROL_QUIT } from '../base/wake-word.ts';
import type { Host } from '../host.ts';
import { ContextCore } from './context-core.ts';
import { QueueHost } from './queue-host.ts';
import type { ContextReports, ContextService } from './queue-plan.ts';
import type { RoleCommon } from './roles.ts';

/** Told to the worker that becomes the thread of a context. */
export interface ContextRole extends RoleCommon {
  readonly role: 'context';
  readonly index: number;
  readonly name: string;
  /** To the main context: it calls ContextService, we call ContextReports. */
  readonly port: Port;
}

/** Runs one context other than `main` until told to quit. */
export async function serveContext(role: ContextRole, mem: SharedMemory, host: Host): Promise<void> {
  const { layout, index, name, port } = role;
  const core = new ContextCore({ mem, layout, host, index, name });
  const reports: ContextReports = {
    blockError: (report) => main.send('blockError', report),
    traceName: (thread, id, kind, text) => main.send('traceName', thread, id, kind, text),
    breakHit: (context, hit) => main.send('breakHit', context, hit),
  };
  const queues = new QueueHost(core, core.aio, reports);
  const service: ContextService = {
    openBlock: (access) => queues.openBlock(access),
    prepareBlock: (plan) => queues.prepareBlock(plan),
    closeBlock: (id, durable) => queues.closeBlock(id, durable),
    resizeBlock: (id, bytes) => queues.resizeBlock(id, bytes),
    flushBlock: (id) => queues.flushBlock(id),
    startQueues: (starts) => queues.startQueues(starts),
    drainQueue: (slot, queue) => queues.drainQueue(slot, queue),
    resumeQueue: (slot, queue) => queues.resumeQueue(slot, queue),
    detachQueues: (slot, list) => queues.detachQueues(slot, list),
    release: (slot, list, block) => queues.release(slot, list, block),
    takeOver: (access, starts) => queues.takeOver(access, starts),
    resumeParked: () => queues.resumeParked(),
    configure: (loop) => queues.configure(loop),
    hold: () => queues.hold(),
    step: (limit) => queues.step(limit),
    quit: async () => {
      await queues.quit();
      core.wake.request(CONTROL_QUIT);
    },
  };
  const main = new Rpc<ContextReports>(port, service, {
    posted: () => wakeInbox(mem, layout.contexts[0] as number),
    received: () => core.inbox.receive(),
  });
  core.onBreakHit((hit) => reports.breakHit(index, hit));
  core.onTraceName((id, kind, text) => reports.traceName(index, id, kind, text));
  await core.run();
}

import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../base/clock.ts';
import { type Port, Rpc } from '../base/rpc.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import type { Host } from '../host.ts';
import type { ContextSpec } from '../qom/machine-ops.ts';
import { ContextCore } from './context-core.ts';
import { ContextDirectory } from './context-directory.ts';
import type { SupervisorService } from './protocol.ts';
import { layoutMachine } from './shared-layout.ts';

const spec = (id: string): ContextSpec => ({
  id,
  qomPath: `/objects/${id}`,
  type: 'iothread',
  threaded: true,
  'poll-max-ns': 0,
  'poll-grow': 0,
  'poll-shrink': 0,
  'aio-max-batch': 0,
});

/** A directory whose supervisor does with a worker that is asked for what `start` says. */
function directory(start: (contexts: ContextDirectory, index: number) => void) {
  const layout = layoutMachine({ ramBytes: 65536, harts: 1 });
  const pages = layout.totalBytes / 65536;
  const mem = new SharedMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));
  const host = { clock: new VirtualClock(), cores: 4, macrotask: () => Promise.resolve() } as unknown as Host;
  const core = new ContextCore({ mem, layout, host, index: 0, name: 'main' });
  const supervisor = {
    send: (method: string, index: number) => {
      if (method === 'startContext') setTimeout(() => start(contexts, index), 0);
    },
  } as unknown as Rpc<SupervisorService>;
  const reports = { blockError: () => {}, traceName: () => {}, breakHit: () => {} };
  const contexts: ContextDirectory = new ContextDirectory(core, supervisor, reports);
  return contexts;
}

/** A worker that does what it is asked. */
const comesUp = (contexts: ContextDirectory, index: number): void => {
  const { port1, port2 } = new MessageChannel();
  void new Rpc(port2 as unknown as Port, { configure: () => {} });
  contexts.started(index, port1 as unknown as Port);
};

describe('a context whose worker does not come up', () => {
  it.each([
    [
      'before its port has come',
      (contexts: ContextDirectory, index: number) => contexts.failed(index, 'no memory'),
    ],
    [
      'after that',
      (contexts: ContextDirectory, index: number) => {
        contexts.started(index, new MessageChannel().port1 as unknown as Port);
        setTimeout(() => contexts.failed(index, 'no memory'), 0);
      },
    ],
  ])('%s, is an error for whoever asked, and leaves its name and place free', async (_when, fails) => {
    let start = fails;
    const contexts = directory((all, index) => start(all, index));
    expect(await contexts.create(spec('ctx0'))).toMatchObject({
      ok: false,
      error: { desc: "cannot start the thread of 'ctx0': no memory" },
    });
    expect(contexts.all().map(({ id }) => id)).toEqual(['main']);
    start = comesUp;
    expect(await contexts.create(spec('ctx0'))).toMatchObject({ ok: true, value: { index: 1 } });
  });
});

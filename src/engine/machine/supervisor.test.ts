import { describe, expect, it, vi } from 'vitest';
import { assembleBareMetal } from '../../../guest/baremetal/index.ts';
import { VirtualClock } from '../base/clock.ts';
import { ok, userError } from '../base/result.ts';
import { type Port, Rpc } from '../base/rpc.ts';
import type { SupervisorHost, WorkerHandle } from '../host.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { CompilerLayout } from '../cpu/jit/compile-queue.ts';
import { CONTEXT_STATE, ContextBlockLayout } from './context-block.ts';
import { parseCommandLine } from '../qom/options/parse.ts';
import type { MainService, SupervisorService } from './protocol.ts';
import type { ThreadRole } from './roles.ts';
import { startMachine } from './supervisor.ts';

const KERNEL = assembleBareMetal();

/** A worker that only remembers what became of it. */
class FakeWorker implements WorkerHandle {
  readonly name: string;
  onError: ((message: string) => void) | undefined;
  role: ThreadRole | undefined;
  alive = true;
  constructor(name: string) {
    this.name = name;
  }
  postMessage(message: unknown): void {
    this.role = message as ThreadRole;
  }
  terminate(): void {
    this.alive = false;
  }
}

/** Surroundings without threads: the test plays the main context. */
class FakeHost {
  readonly workers: FakeWorker[] = [];
  readonly delays: number[] = [];
  cores = 1;
  broken = false;
  readonly #main: (port: Port) => void;
  constructor(main: (port: Port) => void) {
    this.#main = main;
  }
  get host(): SupervisorHost {
    return {
      kind: 'node',
      epoch: 0,
      clock: new VirtualClock(),
      cores: this.cores,
      createWorker: (name) => {
        const worker = new FakeWorker(name);
        this.workers.push(worker);
        return worker;
      },
      createChannel: () => {
        const { port1, port2 } = new MessageChannel();
        if (this.workers.length === 0) this.#main(port2 as unknown as Port);
        return [port1 as unknown as Port, port2 as unknown as Port];
      },
      interpreter: () =>
        this.broken
          ? Promise.reject(new Error('ENOENT interp.wasm'))
          : Promise.resolve(new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))),
      readFile: () => Promise.resolve(KERNEL),
      delay: (ms) => {
        this.delays.push(ms);
        return Promise.resolve();
      },
      randomBytes: (into) => void into.fill(1),
      encodeUtf8: (text) => new TextEncoder().encode(text),
    };
  }
  get alive(): readonly string[] {
    return this.workers.filter(({ alive }) => alive).map(({ name }) => name);
  }
  worker(name: string): FakeWorker {
    const worker = this.workers.find((each) => each.name === name);
    if (worker === undefined) throw new Error(`no worker ${name}`);
    return worker;
  }
}

type Supervising = Rpc<SupervisorService>;

function start(
  play: (supervisor: Supervising, fake: FakeHost) => void,
  methods: Partial<MainService> = {},
  change: (fake: FakeHost) => void = () => {},
) {
  const service = {
    qmp: () => new Promise(() => {}),
    serialShown: () => {},
    contextStarted: () => {},
    ...methods,
  };
  const fake: FakeHost = new FakeHost((port) => {
    const supervisor: Supervising = new Rpc<SupervisorService>(port, service);
    setTimeout(() => play(supervisor, fake), 0);
  });
  change(fake);
  const argv = '-m 16 -smp 2 -kernel baremetal.bin'.split(' ');
  const parsed = parseCommandLine(argv);
  if (!parsed.ok || parsed.value.kind !== 'run') throw new Error('not a machine');
  return { fake, made: startMachine(parsed.value.config, argv, fake.host) };
}

async function running(methods: Partial<MainService> = {}, change?: (fake: FakeHost) => void) {
  let supervisor: Supervising | undefined;
  const { fake, made } = start(
    (rpc) => {
      supervisor = rpc;
      rpc.send('ready', ok(undefined));
    },
    methods,
    change,
  );
  const vm = await made;
  if (!vm.ok || supervisor === undefined) throw new Error('not made');
  return { fake, vm: vm.value, supervisor };
}

describe('a machine that can not be made', () => {
  it('leaves no thread', async () => {
    const { fake, made } = start((rpc) => {
      rpc.send('startContext', 1, 'ctx0');
      rpc.send('ready', userError('-device virtio-blk: there is no drive'));
    });
    expect(await made).toMatchObject({
      ok: false,
      error: { desc: expect.stringContaining('no drive') as string },
    });
    expect(fake.workers.map(({ name }) => name)).toEqual(['main', 'hart-0', 'hart-1', 'context-1']);
    expect(fake.alive).toEqual([]);
  });

  it.each(['main', 'hart-1', 'context-1'])('because %s died leaves none either', async (name) => {
    const { fake, made } = start((rpc, host) => {
      rpc.send('startContext', 1, 'ctx0');
      setTimeout(() => host.worker(name).onError?.('out of memory'), 5);
    });
    expect(await made).toMatchObject({
      ok: false,
      error: { desc: `thread ${name} died: out of memory` },
    });
    expect(fake.alive).toEqual([]);
  });

  it('for want of an interpreter starts none', async () => {
    const { fake, made } = start(
      () => {},
      {},
      (host) => {
        host.broken = true;
      },
    );
    expect(await made).toMatchObject({
      ok: false,
      error: { desc: expect.stringContaining('interp.wasm') as string },
    });
    expect(fake.workers).toEqual([]);
  });
});

describe('a machine that runs', () => {
  it('ends when a thread dies; what was asked is answered', async () => {
    const { fake, vm } = await running();
    const asked = vm.qmp('query-status');
    fake.worker('hart-0').onError?.('unreachable');
    expect(await vm.ended).toEqual({ reason: 'failed', detail: 'thread hart-0 died: unreachable' });
    expect(await asked).toMatchObject({ ok: false, error: { desc: 'the machine is gone' } });
    expect(await vm.qmp('quit')).toMatchObject({ ok: false });
    expect(await vm.hmp('info status')).toContain('the machine is gone');
    await vm.dispose();
    expect(fake.alive).toEqual([]);
  });

  it('is asked to close its disks when it is disposed of, and ended by force if it does not', async () => {
    const asked: string[] = [];
    const { fake, vm } = await running({
      qmp: (execute) => {
        asked.push(execute);
        return new Promise(() => {});
      },
    });
    const [first, second] = [vm.dispose(), vm.dispose()];
    expect(second).toBe(first);
    await first;
    expect(fake.delays).toEqual([3000]);
    expect(fake.alive).toEqual([]);
    expect(await vm.ended).toEqual({ reason: 'host-quit' });
  });

  it('gets a thread that translates a little later, where there is a core for it', async () => {
    const { fake, vm } = await running({}, (host) => {
      host.cores = 2;
    });
    await vi.waitFor(() => expect(fake.alive).toContain('compiler'), 20_000);
    expect(fake.worker('compiler').role).toMatchObject({ role: 'compiler' });
    expect(fake.delays).toEqual([300]);
    await vm.dispose();
    expect(fake.alive).toEqual([]);
  });

  it('goes on without a thread that translates where none came up; one that did must not die', async () => {
    const withTwoCores = (host: FakeHost): void => {
      host.cores = 2;
    };
    const first = await running({}, withTwoCores);
    await vi.waitFor(() => expect(first.fake.alive).toContain('compiler'), 20_000);
    first.fake.worker('compiler').onError?.('the worker could not be loaded');
    expect(first.fake.alive).toEqual(['main', 'hart-0', 'hart-1']);
    await first.vm.dispose();

    const second = await running({}, withTwoCores);
    await vi.waitFor(() => expect(second.fake.alive).toContain('compiler'), 20_000);
    const compiler = second.fake.worker('compiler');
    const { role } = compiler;
    if (role === undefined) throw new Error('no role');
    new SharedMemory(role.memory).store32(role.layout.compiler + CompilerLayout.at.serving, 1);
    compiler.onError?.('unreachable');
    expect(await second.vm.ended).toEqual({
      reason: 'failed',
      detail: 'thread compiler died: unreachable',
    });
  });

  it('ends the worker of a context that is gone', async () => {
    const { fake, vm, supervisor } = await running();
    supervisor.send('startContext', 3, 'ctx0');
    await supervisor.call('contextGone', 3);
    expect(fake.alive).toEqual(['main', 'hart-0', 'hart-1']);
    await vm.dispose();
  });

  it('goes on without a context whose worker never came up; who asked for it is told', async () => {
    const failed: unknown[] = [];
    const { fake, vm, supervisor } = await running({ contextFailed: (...why) => void failed.push(why) });
    const role = fake.worker('main').role;
    if (role === undefined) throw new Error('no role');
    const { at } = ContextBlockLayout;
    new SharedMemory(role.memory).store32(
      (role.layout.contexts[3] as number) + at.state,
      CONTEXT_STATE.starting,
    );
    await supervisor.call('startContext', 3, 'ctx0');
    fake.worker('context-3').onError?.('out of memory');
    await supervisor.call('directory', { runState: 'running', serialPorts: [], contexts: [], devices: [] });
    expect(failed).toEqual([[3, 'out of memory']]);
    expect(fake.alive).toEqual(['main', 'hart-0', 'hart-1']);
    await vm.dispose();
  });

  it('keeps what the guest writes before anybody listens, for the first who does', async () => {
    const shown: number[] = [];
    const { vm, supervisor } = await running({ serialShown: (_id, count) => void shown.push(count) });
    const bytes = (text: string) => new TextEncoder().encode(text);
    await supervisor.call('serialOutput', 'serial0', bytes('OpenSBI'));
    await supervisor.call('serialOutput', 'other', bytes('x'));
    const [first, second] = ['', ''].map((text) => ({ text }));
    const listen = (to: { text: string } | undefined) =>
      vm.serialPort('serial0').onData((piece) => {
        if (to !== undefined) to.text += new TextDecoder().decode(piece);
      });
    listen(first);
    listen(second);
    await supervisor.call('serialOutput', 'serial0', bytes(' v1'));
    expect([first?.text, second?.text]).toEqual(['OpenSBI v1', ' v1']);
    // Nobody looks at this one: it does not hold up the guest, nor grow without end.
    for (let i = 0; i < 40; i++) await supervisor.call('serialOutput', 'other', new Uint8Array(4096));
    let kept = 0;
    vm.serialPort('other').onData((piece) => void (kept += piece.length));
    expect(kept).toBe(0);
    await Promise.resolve();
    expect(kept).toBeGreaterThan(60_000);
    expect(kept).toBeLessThanOrEqual(65536);
    expect(shown.reduce((sum, count) => sum + count)).toBe(7 + 1 + 3 + 40 * 4096);
    await vm.dispose();
  });
});

import type {
  BoardSnapshot,
  ContextSnapshot,
  LatencyHistogram,
  QmpEvent,
  QueueSnapshot,
  RunState,
  Vm,
  VmEnd,
} from '../../engine/vm.ts';
import type { VmResult } from '../model/engine-types.ts';

const EDGES = Array.from({ length: 96 }, (_, i) => 1000 * 2 ** (i / 6));

interface FakeQueue {
  requests: number;
  bytes: number;
  kicks: number;
  interrupts: number;
  suppressed: number;
  counts: number[];
}

/**
 * A machine that does not exist, for developing the page and for screenshots of its parts: invented numbers that
 * move plausibly. Only `fake.html` uses it, and no build contains it.
 */
export class FakeVm implements Vm {
  readonly machine = 'virt';
  readonly argv: readonly string[];
  readonly ended: Promise<VmEnd>;
  #end: (end: VmEnd) => void = () => {};
  #state: RunState = 'running';
  #start = performance.now();
  #last = 0;
  #context = 1;
  #moving = false;
  #busy = [0, 0, 0];
  #polling = [0, 0, 0];
  #blocked = [0, 0, 0];
  #load = 1;
  readonly #queue: FakeQueue = {
    requests: 0,
    bytes: 0,
    kicks: 0,
    interrupts: 0,
    suppressed: 0,
    counts: EDGES.map(() => 0),
  };
  readonly #events = new Set<(event: QmpEvent) => void>();

  constructor(argv: readonly string[]) {
    this.argv = argv;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  async qmp(execute: string, args: Readonly<Record<string, unknown>> = {}): ReturnType<Vm['qmp']> {
    switch (execute) {
      case 'stop':
        this.#state = 'paused';
        return { ok: true, value: {} };
      case 'cont':
        this.#state = 'running';
        return { ok: true, value: {} };
      case 'system_reset':
        return { ok: true, value: {} };
      case 'system_powerdown':
        setTimeout(() => this.#end({ reason: 'guest-shutdown', exitCode: 0 }), 300);
        return { ok: true, value: {} };
      case 'qom-set': {
        const to = ['main', 'ctx0', 'ctx1'].indexOf(String(args['value']));
        if (to < 0)
          return {
            ok: false,
            error: { class: 'DeviceNotFound', desc: `there is no context '${String(args['value'])}'` },
          };
        const from = this.#context;
        this.#moving = true;
        await new Promise((resolve) => setTimeout(resolve, 400));
        this.#moving = false;
        this.#context = to;
        return {
          ok: true,
          value: {
            device: 'disk0',
            queue: undefined,
            from: ['main', 'ctx0', 'ctx1'][from],
            to: args['value'],
            inFlight: 7,
            downtimeNs: 1.42e6,
          },
        };
      }
      case 'qom-list':
        return {
          ok: true,
          value:
            args['path'] === '/'
              ? [
                  { name: 'machine', type: 'child<virt-machine>' },
                  { name: 'objects', type: 'child<container>' },
                ]
              : [
                  { name: 'type', type: 'string' },
                  { name: 'context', type: 'string' },
                  { name: 'peripheral', type: 'child<container>' },
                ],
        };
      case 'qom-get':
        return { ok: true, value: `fake ${String(args['property'])}` };
      case 'query-commands':
        return { ok: true, value: [{ name: 'query-status' }, { name: 'query-block' }] };
      default:
        return {
          ok: false,
          error: { class: 'CommandNotFound', desc: `The command ${execute} has not been found` },
        };
    }
  }

  hmp(line: string): Promise<string> {
    return Promise.resolve(`fake: ${line}\n`);
  }
  completeHmp(): Promise<readonly string[]> {
    return Promise.resolve([]);
  }
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#events.add(listener);
    return () => this.#events.delete(listener);
  }

  readonly #serialListeners = new Set<(bytes: Uint8Array) => void>();
  readonly serial = {
    write: (data: string | Uint8Array): void => {
      const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
      if (text.includes('panic'))
        this.#end({ reason: 'guest-panic', detail: 'Kernel panic - not syncing: as asked' });
      this.#print(text.replaceAll('\r', '\r\n# '));
    },
    onData: (listener: (bytes: Uint8Array) => void): (() => void) => {
      this.#serialListeners.add(listener);
      setTimeout(() => this.#print('This is the FAKE machine for developing the page.\r\n# '), 10);
      return () => this.#serialListeners.delete(listener);
    },
  };
  serialPort() {
    return this.serial;
  }
  serialPortIds(): readonly string[] {
    return ['serial0'];
  }
  readonly trace = {
    counts: () => ({ written: Math.round(this.#queue.requests * 9), lost: 0 }),
    attach: () => undefined,
    onName: () => () => {},
  };

  board(): BoardSnapshot {
    const now = performance.now() - this.#start;
    const dt = Math.max(0, now - this.#last);
    this.#last = now;
    if (this.#state === 'running' && !this.#moving) this.#run(dt, now);
    const contexts = ['main', 'ctx0', 'ctx1'].map((id, index) => this.#contextAt(id, index, now));
    return {
      timeNs: now * 1e6,
      runState: this.#state,
      contexts,
      devices: [
        {
          id: 'disk0',
          qomPath: '/machine/peripheral/disk0',
          type: 'virtio-blk',
          slot: 0,
          status: 15,
          movable: true,
          moving: this.#moving,
          queues: [this.#queueAt(now)],
          detail: { drive: 'root.img' },
        },
        {
          id: 'console0',
          qomPath: '/machine/peripheral/console0',
          type: 'virtio-serial',
          slot: 1,
          status: 15,
          movable: false,
          moving: false,
          queues: [],
          detail: {},
        },
      ],
      harts: [
        {
          index: 0,
          state: 'running',
          instructions: now * 1e5,
          interrupts: this.#queue.interrupts,
          idleNs: 0,
        },
      ],
    };
  }

  /** One page with a split ring in it: descriptors at 0, avail at 0x1000, used at 0x2000. */
  readGuest(addr: number, bytes: number): Uint8Array | undefined {
    const memory = new DataView(new ArrayBuffer(0x3000));
    const { requests } = this.#queue;
    const flight = Math.round(this.#load * 12);
    for (let i = 0; i < 256; i++) {
      memory.setBigUint64(16 * i, BigInt(0x8500_0000 + i * 4096), true);
      memory.setUint32(16 * i + 8, [16, 4096, 1][i % 3] ?? 1, true);
      memory.setUint16(16 * i + 12, [1, 3, 2][i % 3] ?? 0, true);
      memory.setUint16(16 * i + 14, i + 1, true);
      memory.setUint16(0x1004 + 2 * i, (i * 3) % 255, true);
      memory.setUint32(0x2004 + 8 * i, (i * 3) % 255, true);
      memory.setUint32(0x2008 + 8 * i, 4097, true);
    }
    memory.setUint16(0x1002, (requests + flight) & 0xffff, true);
    memory.setUint16(0x2002, requests & 0xffff, true);
    memory.setUint16(0x1004 + 512, (requests + 3) & 0xffff, true);
    memory.setUint16(0x2004 + 2048, (requests + flight) & 0xffff, true);
    const at = addr - 0x8400_0000;
    return at >= 0 && at + bytes <= 0x3000 ? new Uint8Array(memory.buffer, at, bytes) : undefined;
  }
  async dispose(): Promise<void> {
    this.#end({ reason: 'host-quit' });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  #print(text: string): void {
    const bytes = new TextEncoder().encode(text);
    for (const listener of this.#serialListeners) listener(bytes);
  }

  #run(dt: number, now: number): void {
    this.#load = 0.5 + 0.5 * Math.sin(now / 3000);
    const n = Math.round((dt / 1000) * 6000 * this.#load);
    const q = this.#queue;
    q.requests += n;
    q.bytes += n * 4096;
    q.kicks += n * 0.4;
    q.interrupts += n * 0.3;
    q.suppressed += n * 0.7;
    const middle = this.#context === 0 ? 46 : 34;
    for (let i = 0; i < n; i++) {
      const bucket = Math.round(middle + (Math.random() + Math.random() + Math.random() - 1.5) * 12);
      q.counts[bucket] = (q.counts[bucket] ?? 0) + 1;
    }
    for (let c = 0; c < 3; c++) {
      const busy = dt * 1e6 * (c === this.#context ? 0.45 * this.#load : c === 0 ? 0.04 : 0.001);
      const polling = c === this.#context ? dt * 1e6 * 0.12 : 0;
      this.#busy[c] = (this.#busy[c] ?? 0) + busy;
      this.#polling[c] = (this.#polling[c] ?? 0) + polling;
      this.#blocked[c] = (this.#blocked[c] ?? 0) + dt * 1e6 - busy - polling;
    }
  }

  #contextAt(id: string, index: number, now: number): ContextSnapshot {
    const serves = index === this.#context;
    const source = (
      sid: number,
      name: string,
      kind: ContextSnapshot['sources'][number]['kind'],
      dispatches: number,
    ) => ({
      id: sid,
      name,
      kind,
      priority: 0,
      dispatches: Math.round(dispatches),
      lastDispatchNs: undefined,
      wakeToDispatch: { n: 0, p50: undefined, p99: undefined },
    });
    return {
      index,
      id,
      qomPath: `/objects/${id}`,
      threaded: index > 0,
      worker: index === 0 ? 'main-loop' : `context-${index}`,
      state: serves && this.#load > 0.7 ? 'dispatching' : 'blocked',
      nextTimerNs: index === 0 ? (now + 4.2 + Math.random()) * 1e6 : undefined,
      heldNs: undefined,
      busyNs: this.#busy[index] ?? 0,
      pollingNs: this.#polling[index] ?? 0,
      blockedNs: this.#blocked[index] ?? 0,
      iterations: Math.round(now * (serves ? 3 : 0.1)),
      wakes: Math.round(now * (serves ? 2 : 0.08)),
      sources: [
        ...(index === 0
          ? [source(1, 'iohandler', 'fd', now * 0.02), source(2, 'timers', 'timer', now * 0.1)]
          : []),
        ...(serves
          ? [source(3, 'disk0', 'aio', now * 2.4), source(4, 'disk0 completions', 'bh', now * 1.1)]
          : []),
      ],
    };
  }

  #queueAt(now: number): QueueSnapshot {
    const q = this.#queue;
    const latencyHistogram: LatencyHistogram = { edgesNs: EDGES, counts: [...q.counts] };
    return {
      index: 0,
      name: 'vq0',
      size: 256,
      ready: now > 500,
      packed: false,
      desc: 0x8400_0000,
      driver: 0x8400_1000,
      device: 0x8400_2000,
      lastAvail: q.requests & 0xffff,
      usedIdx: q.requests & 0xffff,
      waiting: 0,
      inFlight: Math.round(this.#load * 12),
      context: this.#context,
      configuredContext: this.#context,
      kicks: Math.round(q.kicks),
      requests: q.requests,
      bytesRead: q.bytes,
      bytesWritten: 0,
      completions: q.requests,
      interrupts: Math.round(q.interrupts),
      interruptsSuppressed: Math.round(q.suppressed),
      errors: 0,
      latency: { n: q.requests, p50: 52e3, p99: q.requests > 1000 ? 210e3 : undefined },
      latencyHistogram,
    };
  }
}

/** Refuses what contains "wrong", else makes a fake. */
export async function makeFakeVm(argv: readonly string[]): Promise<VmResult> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  const argIndex = argv.findIndex((arg) => arg.includes('wrong'));
  if (argIndex >= 0) {
    const at = argv[argIndex]?.indexOf('wrong') ?? 0;
    return {
      ok: false,
      error: {
        class: 'GenericError',
        desc: `-device virtio-blk: there is no property 'wrong'`,
        hint: 'It knows drive, serial, num-queues, queue-size, context.',
        argIndex,
        span: [at, at + 5],
      },
    };
  }
  return { ok: true, value: new FakeVm(argv) };
}

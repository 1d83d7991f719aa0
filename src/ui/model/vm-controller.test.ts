import { describe, expect, it, vi } from 'vitest';
import type { BoardSnapshot, QmpEvent, Vm, VmEnd } from '../../engine/vm.ts';
import type { VmResult } from './engine-types.ts';
import { followBoard } from './follow-board.ts';
import { Moves } from './moves.ts';
import { ProblemError } from './problem.ts';
import { VmController } from './vm-controller.ts';

/** A machine of one disk and two contexts that does what it is told at once, and notes it. */
class ScriptedVm implements Vm {
  readonly machine = 'virt';
  readonly argv: readonly string[];
  readonly log: string[] = [];
  readonly ended: Promise<VmEnd>;
  end: (end: VmEnd) => void = () => {};
  refuse: string | undefined;
  context = 0;
  timeNs = 0;
  completions = 0;
  readonly #events = new Set<(event: QmpEvent) => void>();

  constructor(argv: readonly string[]) {
    this.argv = argv;
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }
  emit(event: string, data?: Record<string, unknown>): void {
    for (const listener of this.#events)
      listener({
        event,
        timestamp: { seconds: 0, microseconds: 0 },
        ...(data === undefined ? {} : { data }),
      });
  }
  async qmp(execute: string, args: Readonly<Record<string, unknown>> = {}): ReturnType<Vm['qmp']> {
    this.log.push(`${execute} ${JSON.stringify(args)}`);
    if (this.refuse !== undefined) return { ok: false, error: { class: 'GenericError', desc: this.refuse } };
    if (execute === 'qom-set') this.context = args['value'] === 'main' ? 0 : 1;
    return { ok: true, value: { device: 'disk0', from: 'main', to: 'ctx0', inFlight: 3, downtimeNs: 2e6 } };
  }
  hmp = (): Promise<string> => Promise.resolve('');
  completeHmp = (): Promise<readonly string[]> => Promise.resolve([]);
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#events.add(listener);
    return () => this.#events.delete(listener);
  }
  readonly serial = { write: () => {}, onData: () => () => {} };
  serialPort = (): Vm['serial'] => this.serial;
  serialPortIds = (): readonly string[] => ['serial0'];
  readonly trace = {
    counts: () => ({ written: 0, lost: 0 }),
    attach: () => undefined,
    onName: () => () => {},
  };
  readGuest = (): Uint8Array | undefined => undefined;
  async dispose(): Promise<void> {
    this.log.push('dispose');
  }
  board(): BoardSnapshot {
    const percentiles = { n: 0, p50: undefined, p99: undefined };
    return {
      timeNs: this.timeNs,
      runState: 'running',
      harts: [],
      contexts: ['main', 'ctx0'].map((id, index) => ({
        index,
        id,
        qomPath: `/objects/${id}`,
        threaded: index > 0,
        worker: id,
        state: 'blocked',
        nextTimerNs: undefined,
        heldNs: undefined,
        busyNs: 0,
        pollingNs: 0,
        blockedNs: 0,
        iterations: this.completions,
        wakes: 0,
        sources: [],
      })),
      devices: [
        {
          id: 'disk0',
          qomPath: '/machine/peripheral/disk0',
          type: 'virtio-blk-device',
          slot: 0,
          status: 15,
          movable: true,
          moving: false,
          detail: {},
          queues: [
            {
              index: 0,
              name: 'vq0',
              size: 256,
              ready: true,
              packed: false,
              desc: 0,
              driver: 0,
              device: 0,
              lastAvail: 0,
              usedIdx: 0,
              waiting: 0,
              inFlight: 3,
              context: this.context,
              configuredContext: this.context,
              kicks: 0,
              requests: 0,
              bytesRead: 0,
              bytesWritten: 0,
              completions: this.completions,
              interrupts: 0,
              interruptsSuppressed: 0,
              errors: 0,
              latency: percentiles,
            },
          ],
        },
      ],
    };
  }
}

const DISK = '/machine/peripheral/disk0';
const LINE = '-device virtio-blk,id=disk0,drive=d,context=main # mine';

function setUp(make?: (argv: readonly string[]) => VmResult) {
  const vms: ScriptedVm[] = [];
  const controller = new VmController({
    commandLine: LINE,
    prepare: async () => {},
    makeVm: async (argv) => {
      const made = make?.(argv);
      if (made !== undefined) return made;
      const vm = new ScriptedVm(argv);
      vms.push(vm);
      return { ok: true, value: vm };
    },
  });
  const last = (): ScriptedVm => {
    const vm = vms.at(-1);
    if (vm === undefined) throw new Error('no machine was made');
    return vm;
  };
  return { controller, vms, last };
}

describe('VmController', () => {
  it('ends the machine that runs before it makes the next', async () => {
    const { controller, vms } = setUp();
    await controller.powerOn();
    await Promise.all([controller.powerOn(), controller.powerOn()]);
    expect(vms.map((vm) => vm.log.includes('dispose'))).toEqual([true, true, false]);
    await controller.powerOff();
    expect(vms.at(-1)?.log).toContain('dispose');
    expect(controller.store.getState().phase.kind).toBe('off');
  });

  it('shows the engine’s refusal with its place, and is off', async () => {
    const { controller } = setUp(() => ({
      ok: false,
      error: { class: 'GenericError', desc: 'no such thing', argIndex: 1, span: [0, 4] },
    }));
    await controller.powerOn();
    expect(controller.store.getState()).toMatchObject({
      phase: { kind: 'off' },
      problem: { detail: 'no such thing', argIndex: 1, span: [0, 4] },
    });
  });

  it('reads nothing and makes nothing while a quote is open', async () => {
    const { controller, vms } = setUp();
    controller.setCommandLine('-append "never closed');
    await controller.powerOn();
    expect(vms).toHaveLength(0);
    expect(controller.store.getState().problem?.detail).toMatch(/never closed/);
  });

  it('shows what preparation says, and nothing when it was cancelled', async () => {
    const problem = { title: 'no kernel', detail: 'none', ways: [] };
    let cancel = false;
    const controller = new VmController({
      commandLine: '',
      prepare: (_argv, _report, signal) =>
        cancel
          ? new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
          : Promise.reject(new ProblemError(problem)),
      makeVm: () => Promise.reject(new Error('must not be reached')),
    });
    await controller.powerOn();
    expect(controller.store.getState().problem).toEqual(problem);
    controller.dismissProblem();
    cancel = true;
    const starting = controller.powerOn();
    await vi.waitFor(() => expect(controller.store.getState().phase.kind).toBe('preparing'), 20_000);
    await controller.powerOff();
    await starting;
    expect(controller.store.getState()).toMatchObject({ phase: { kind: 'off' }, problem: undefined });
  });

  it('names a guest panic and stays on; goes off when the guest shuts down', async () => {
    const { controller, last } = setUp();
    await controller.powerOn();
    last().emit('GUEST_PANICKED', { info: { detail: 'Kernel panic - not syncing: oops' } });
    expect(controller.store.getState()).toMatchObject({
      phase: { kind: 'on' },
      problem: { title: 'The guest panicked', detail: 'Kernel panic - not syncing: oops' },
    });
    last().end({ reason: 'guest-shutdown', exitCode: 0 });
    await vi.waitFor(() => expect(controller.store.getState().phase.kind).toBe('off'), 20_000);
    expect(controller.store.getState().problem).toBeUndefined();
  });

  it('stops at the first command that is refused and says how far it came', async () => {
    const { controller, last } = setUp();
    await controller.powerOn();
    last().refuse = 'in use';
    await controller.applyCommands([{ execute: 'object-del', arguments: { id: 'x' } }], 'new');
    expect(controller.store.getState()).toMatchObject({
      applied: LINE,
      problem: { detail: 'object-del: in use' },
    });
  });
});

describe('Moves', () => {
  it('moves by qom-set, keeps the report, and the command line follows the board', async () => {
    const { controller, last } = setUp();
    const moves = new Moves(controller);
    followBoard(controller);
    await controller.powerOn();
    await moves.move(DISK, 'ctx0');
    expect(last().log).toContain(`qom-set {"path":"${DISK}","property":"context","value":"ctx0"}`);
    expect(moves.store.getState().last).toMatchObject({
      state: 'done',
      from: 'main',
      report: { downtimeNs: 2e6 },
    });
    expect(controller.store.getState().commandLine).toBe(LINE.replace('context=main', 'context=ctx0'));
    await moves.undo();
    expect(controller.store.getState().commandLine).toBe(LINE);
    await controller.powerOff();
  });

  it('moves one queue by its own path', async () => {
    const { controller, last } = setUp();
    const moves = new Moves(controller);
    await controller.powerOn();
    await moves.move(DISK, 'ctx0', 0);
    expect(last().log.at(-1)).toContain(`"${DISK}/virtqueue[0]"`);
    await controller.powerOff();
  });

  it('does nothing when it is there already; keeps a refusal', async () => {
    const { controller, last } = setUp();
    const moves = new Moves(controller);
    await controller.powerOn();
    await moves.move(DISK, 'main');
    expect(last().log).toEqual([]);
    last().refuse = 'the disk is busy';
    await moves.move(DISK, 'ctx0');
    expect(moves.store.getState().last).toMatchObject({ state: 'refused', refusal: 'the disk is busy' });
    expect(controller.store.getState().commandLine).toBe(LINE);
    await controller.powerOff();
  });

  it('takes "before" and "after" from the board’s own clock', async () => {
    vi.useFakeTimers();
    try {
      const { controller, last } = setUp();
      const moves = new Moves(controller);
      const on = controller.powerOn();
      await vi.runOnlyPendingTimersAsync();
      await on;
      const vm = last();
      const pass = async (seconds: number, perSecond: number): Promise<void> => {
        for (let i = 0; i < seconds * 10; i++) {
          vm.timeNs += 1e8;
          vm.completions += perSecond / 10;
          await vi.advanceTimersByTimeAsync(100);
        }
      };
      await pass(12, 100);
      await moves.move(DISK, 'ctx0');
      await pass(11, 400);
      const { last: move } = moves.store.getState();
      expect(move?.before?.requestsPerSecond).toBeCloseTo(100, 0);
      expect(move?.after?.requestsPerSecond).toBeCloseTo(400, 0);
      expect(move?.after?.seconds).toBeCloseTo(10, 0);
      void controller.powerOff();
    } finally {
      vi.useRealTimers();
    }
  });
});

import { MiB } from '../base/brands.ts';
import { PeerGoneError, type Port, Rpc, wakeInbox } from '../base/rpc.ts';
import { type Result, err, ok, userError } from '../base/result.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { CompilerLayout } from '../cpu/jit/compile-queue.ts';
import type { SupervisorHost, WorkerHandle } from '../host.ts';
import type { ChardevBackend, MachineConfig } from '../qom/options/config.ts';
import { plannedSerials } from '../qom/options/resolve.ts';
import { TraceRingReader } from '../trace/ring.ts';
import { GuestRam } from '../base/guest-ram.ts';
import { guestAddr, memAddr } from '../base/brands.ts';
import type { QmpEvent, SerialPort, TraceName, Vm, VmEnd, VmTrace } from '../vm.ts';
import { allocateMemory } from './allocate-memory.ts';
import { type BoardDirectory, readBoard } from './board.ts';
import type { CompilerRole } from './compiler-thread.ts';
import type { ContextRole } from './context-thread.ts';
import type { HartRole } from './hart-thread.ts';
import { makeBootPlan } from './boot-plan.ts';
import type { MainRole } from './main-thread.ts';
import type { ThreadRole } from './roles.ts';
import type { BootPlan } from './platform/loader.ts';
import { CONTEXT_STATE, ContextBlockLayout, MAX_CONTEXTS } from './context-block.ts';
import { VIRT_DRAM, VIRT_VIRTIO } from './platform/memory-map.ts';
import type { MainService, SupervisorService } from './protocol.ts';
import { type MachineLayout, layoutMachine } from './shared-layout.ts';
import { TerminalOutput } from './terminal-output.ts';

/**
 * Makes a machine: reads what it boots from, allocates its memory, starts its threads and waits until the
 * main context has built it. On any mistake nothing is left behind.
 *
 * @param argv the arguments `config` was parsed from, for `Vm.argv`
 */
export async function startMachine(
  config: MachineConfig,
  argv: readonly string[],
  host: SupervisorHost,
): Promise<Result<Vm>> {
  const boot = await makeBootPlan(config, host);
  if (!boot.ok) return boot;
  let interpreter: WebAssembly.Module;
  try {
    interpreter = await host.interpreter();
  } catch (error) {
    return userError(`the interpreter cannot be loaded: ${String(error)}`, {
      hint: host.kind === 'browser' ? 'Reload the page.' : 'Run npm run build.',
    });
  }
  const layout = layoutMachine({ ramBytes: config.memoryBytes, harts: config.smp });
  const memory = allocateMemory(layout, config.memoryBytes);
  if (!memory.ok) return memory;
  const supervisor = new Supervisor({
    config,
    argv,
    host,
    boot: boot.value,
    interpreter,
    layout,
    memory: memory.value,
  });
  const ready = await supervisor.ready;
  if (ready.ok) return ok(supervisor);
  await supervisor.dispose();
  return err(ready.error);
}

interface SupervisorOptions {
  readonly config: MachineConfig;
  readonly argv: readonly string[];
  readonly host: SupervisorHost;
  readonly boot: BootPlan;
  readonly interpreter: WebAssembly.Module;
  readonly layout: MachineLayout;
  readonly memory: WebAssembly.Memory;
}

/** The chardev whose terminal a user looks at first: that of `-serial`, else the first that has one. */
function firstTerminal(config: MachineConfig): string {
  const serial = plannedSerials(config)[0];
  const hasTerminal = ({ backend }: ChardevBackend) => backend === 'stdio' || backend === 'vc';
  if (serial?.kind === 'new' && hasTerminal(serial.backend)) return 'serial0';
  const named = config.chardevs.find(({ id }) => serial?.kind === 'chardev' && serial.id === id);
  if (named !== undefined && hasTerminal(named)) return named.id;
  return config.chardevs.find(hasTerminal)?.id ?? 'serial0';
}

const GONE = 'the machine is gone';

/** The machine may end at any moment, also while a question to it is under way. */
async function orIfGone<T>(asked: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof PeerGoneError) return otherwise;
    throw error;
  }
}

/** Smaller ones may share their buffer with others, and are as soon copied. */
const LARGE_IMAGE = 1 * MiB;

/** The buffers of a kernel or an initrd: the main context keeps them, for a reset, and nobody else. */
function largeImages({ regions, rom }: BootPlan): readonly ArrayBufferLike[] {
  const buffers = regions.map(({ bytes }) => bytes.buffer);
  return [...new Set(buffers)].filter((buffer) => buffer.byteLength >= LARGE_IMAGE && buffer !== rom?.buffer);
}

/** When the compiler's thread is started, after the machine: a prompt that is there at once needs both cores itself. */
const COMPILER_DELAY_MS = 300;

/** Time the threads get to close their disks before they are ended by force. */
const CLOSE_MS = 3000;

/** The machine as the thread that made it sees it: the façade over ports and shared memory. Never blocks. */
class Supervisor implements Vm {
  readonly machine = 'virt';
  readonly argv: readonly string[];
  readonly ready: Promise<Result<void>>;
  readonly ended: Promise<VmEnd>;
  readonly #options: SupervisorOptions;
  readonly #mem: SharedMemory;
  readonly #ram: GuestRam;
  readonly #workers = new Map<string, WorkerHandle>();
  readonly #main: Rpc<MainService>;
  readonly #eventListeners = new Set<(event: QmpEvent) => void>();
  readonly #terminals = new TerminalOutput();
  readonly #traceNames = new Map<string, TraceName>();
  readonly #traceNameListeners = new Set<(name: TraceName) => void>();
  #directory: BoardDirectory = {
    runState: 'starting',
    serialPorts: [],
    contexts: [],
    devices: [],
  };
  #settleReady: (result: Result<void>) => void = () => {};
  #settleEnded: (end: VmEnd) => void = () => {};
  #over = false;
  #disposed: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.argv = options.argv;
    this.#mem = new SharedMemory(options.memory);
    const { layout } = options;
    this.#ram = new GuestRam({
      base: VIRT_DRAM.base,
      bytes: layout.ramBytes,
      offset: memAddr(layout.ramOffset),
    });
    this.ready = new Promise((resolve) => {
      this.#settleReady = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#settleEnded = resolve;
    });
    const [near, far] = options.host.createChannel();
    this.#main = new Rpc<MainService>(near, this.#service(), {
      posted: () => wakeInbox(this.#mem, layout.contexts[0] as number),
    });
    const role: MainRole = {
      ...this.#common(),
      role: 'main',
      config: options.config,
      boot: options.boot,
      port: far,
    };
    this.#start('main', role, [far, ...largeImages(options.boot)]);
    for (const hart of layout.harts.keys()) {
      const hartRole: HartRole = {
        ...this.#common(),
        role: 'hart',
        hart,
        interpreter: options.interpreter,
        builtInSbi: options.boot.mode === 'S',
        jit: options.config.accel.jit,
        rom: options.boot.rom,
      };
      this.#start(`hart-${hart}`, hartRole, []);
    }
    void this.#startCompiler();
  }

  #common() {
    const { host, memory, layout } = this.#options;
    return { epoch: host.epoch, memory, layout };
  }

  #start(
    name: string,
    role: ThreadRole,
    transfer: readonly unknown[],
    failed = (message: string) => this.#threadFailed(name, message),
  ): void {
    const worker = this.#options.host.createWorker(name);
    worker.onError = failed;
    worker.postMessage(role, transfer);
    this.#workers.set(name, worker);
  }

  /** On one core a second thread translates no sooner. */
  async #startCompiler(): Promise<void> {
    const { config, host, interpreter } = this.#options;
    if (!config.accel.jit || host.cores < 2) return;
    if (!(await this.ready).ok) return;
    await host.delay(COMPILER_DELAY_MS);
    if (this.#over || this.#disposed !== undefined) return;
    const role: CompilerRole = { ...this.#common(), role: 'compiler', interpreter };
    try {
      this.#start('compiler', role, [], (message) => this.#compilerDied(message));
    } catch {
      // There is no room for one more worker: the harts' threads translate, as they did until now.
    }
  }

  /** One that never came up (its script is not to be had, say) is not missed; what one that did dies of is a bug. */
  #compilerDied(message: string): void {
    const { compiler } = this.#options.layout;
    if (this.#mem.load32(compiler + CompilerLayout.at.serving) !== 0) {
      this.#threadFailed('compiler', message);
      return;
    }
    this.#workers.get('compiler')?.terminate();
    this.#workers.delete('compiler');
  }

  #threadFailed(name: string, message: string): void {
    if (this.#disposed !== undefined) return;
    const detail = `thread ${name} died: ${message}`;
    this.#settleReady(userError(detail));
    this.#end({ reason: 'failed', detail });
    void this.dispose();
  }

  /** The methods the main context may call; nothing else of this class. */
  #service(): SupervisorService {
    return {
      startContext: (index, id) => this.startContext(index, id),
      contextGone: (index) => this.contextGone(index),
      directory: (directory) => this.directory(directory),
      serialOutput: (id, bytes) => this.serialOutput(id, bytes),
      event: (event) => this.event(event),
      traceName: (thread, id, kind, name) => this.traceName({ thread, id, kind, name }),
      ready: (result) => this.#settleReady(result),
      ended: (end) => this.#end(end),
    };
  }

  #end(end: VmEnd): void {
    this.#over = true;
    this.#settleEnded(end);
    // Nobody is left to answer what was asked too late.
    this.#main.fail(GONE);
  }

  // SupervisorService -----------------------------------------------------------------------------------

  startContext(index: number, name: string): void {
    const [near, far] = this.#options.host.createChannel();
    const role: ContextRole = { ...this.#common(), role: 'context', index, name, port: far };
    const thread = `context-${index}`;
    try {
      this.#start(thread, role, [far], (message) => this.#contextDied(index, message));
    } catch (error) {
      this.#main.send('contextFailed', index, String(error));
      return;
    }
    this.#main.sendWith('contextStarted', [index, near as Port], [near]);
  }

  /** One that never came up serves nothing: whoever asked for it is told. Without one that did, a device is dead. */
  #contextDied(index: number, message: string): void {
    const { at } = ContextBlockLayout;
    const state = this.#mem.load32((this.#options.layout.contexts[index] as number) + at.state);
    if (state !== CONTEXT_STATE.starting) {
      this.#threadFailed(`context-${index}`, message);
      return;
    }
    this.contextGone(index);
    this.#main.send('contextFailed', index, message);
  }

  contextGone(index: number): void {
    const name = `context-${index}`;
    this.#workers.get(name)?.terminate();
    this.#workers.delete(name);
  }

  directory(directory: BoardDirectory): void {
    this.#directory = directory;
  }

  serialOutput(id: string, bytes: Uint8Array): void {
    this.#terminals.write(id, bytes);
    this.#main.send('serialShown', id, bytes.length);
  }

  event(event: QmpEvent): void {
    for (const listener of this.#eventListeners) listener(event);
  }

  traceName(name: TraceName): void {
    this.#traceNames.set(`${name.thread} ${name.id}`, name);
    for (const listener of this.#traceNameListeners) listener(name);
  }

  // Vm --------------------------------------------------------------------------------------------------

  async qmp(execute: string, args?: Readonly<Record<string, unknown>>): Promise<Result<unknown>> {
    return orIfGone(this.#main.call('qmp', execute, args), userError(GONE));
  }

  async hmp(line: string): Promise<string> {
    return orIfGone(this.#main.call('hmp', line), `Error: ${GONE}\n`);
  }

  async completeHmp(line: string): Promise<readonly string[]> {
    return orIfGone(this.#main.call('completeHmp', line), []);
  }

  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#eventListeners.add(listener);
    return () => void this.#eventListeners.delete(listener);
  }

  get serial(): SerialPort {
    return this.serialPort(firstTerminal(this.#options.config));
  }

  serialPort(id: string): SerialPort {
    return {
      write: (data) => {
        if (this.#disposed !== undefined) return;
        const bytes = typeof data === 'string' ? this.#options.host.encodeUtf8(data) : data;
        this.#main.send('serialInput', id, bytes);
      },
      onData: (listener) => this.#terminals.listen(id, listener),
    };
  }

  serialPortIds(): readonly string[] {
    return this.#directory.serialPorts;
  }

  board() {
    return readBoard(this.#mem, this.#options.layout, this.#options.host.clock, this.#directory);
  }

  readGuest(addr: number, bytes: number): Uint8Array | undefined {
    const offset = this.#ram.offsetOf(guestAddr(addr), bytes);
    return offset < 0 ? undefined : this.#mem.u8.slice(offset, offset + bytes);
  }

  readonly trace: VmTrace = {
    counts: () => {
      let written = 0;
      let lost = 0;
      for (const ring of this.#options.layout.traceRings) {
        const reader = new TraceRingReader(this.#mem, ring);
        written += reader.written;
        lost += reader.lost;
      }
      return { written, lost };
    },
    attach: () => ({
      memory: this.#options.memory,
      mask: this.#options.layout.traceMask,
      bell: this.#options.layout.traceBell,
      follow: this.#options.layout.traceFollow,
      rings: this.#options.layout.traceRings,
      firstHart: MAX_CONTEXTS,
      epoch: this.#options.host.epoch,
      firstVirtioGsi: VIRT_VIRTIO.irq,
    }),
    onName: (listener) => {
      for (const name of this.#traceNames.values()) listener(name);
      this.#traceNameListeners.add(listener);
      return () => void this.#traceNameListeners.delete(listener);
    },
  };

  dispose(): Promise<void> {
    this.#disposed ??= this.#close();
    return this.#disposed;
  }

  async #close(): Promise<void> {
    const { host } = this.#options;
    if (!this.#over) {
      this.#main.send('qmp', 'quit', undefined);
      await Promise.race([this.ended, host.delay(CLOSE_MS)]);
    }
    this.#end({ reason: 'host-quit' });
    this.#settleReady(userError('the machine was closed'));
    for (const worker of this.#workers.values()) worker.terminate();
    this.#workers.clear();
  }
}

import { type Result, ok, userError } from '../base/result.ts';
import { type DataFormat, decodeText, encodeBytes } from '../chardev/text-encoding.ts';
import { CONTROL_QUIT } from '../base/wake-word.ts';
import { HART_EXECUTED } from '../cpu/layout.ts';
import type {
  BlockSpec,
  BlockStatus,
  ContextSpec,
  ContextStatus,
  DeviceSpec,
  HartRegisters,
  HartStatus,
  LatencyBoundaries,
  LoopParameters,
  MachineOps,
  MemoryRegion,
  RealizedDevice,
  VirtioStatus,
  VirtqueueElement,
} from '../qom/machine-ops.ts';
import type {
  CharTarget,
  ChardevConfig,
  MachineConfig,
  NetdevConfig,
  ThrottleLimits,
} from '../qom/options/config.ts';
import { plannedSerials } from '../qom/options/resolve.ts';
import { isTraceEnabled, setTraceEnabled } from '../trace/ring.ts';
import { TRACE, traceEventByName } from '../trace/schema.ts';
import type { BlkErrorReport } from '../virtio/blk/data-plane.ts';
import type { MoveReport, QmpEvent, RunState, VmEnd } from '../vm.ts';
import { blockFilename, type BlockNode, type BlockNodes } from './block-nodes.ts';
import { blockStats } from './block-stats.ts';
import { type BoardDirectory, hartState } from './board.ts';
import type { CharDevices } from './char-devices.ts';
import type { ContextCore } from './context-core.ts';
import type { ContextDirectory } from './context-directory.ts';
import type { GuestClock } from './guest-clock.ts';
import { readRegisters } from './hart-registers.ts';
import type { HartPark } from './hart-park.ts';
import type { NetDevices } from './net-devices.ts';
import { NOTIFIER } from './notifier-table.ts';
import type { MainPlatform } from './main-platform.ts';
import { type BootPlan, loadRegions } from './platform/loader.ts';
import {
  VIRT_CLINT,
  VIRT_DRAM,
  VIRT_MROM,
  VIRT_PLIC,
  VIRT_RTC,
  VIRT_TEST,
  VIRT_UART0,
  VIRT_VIRTIO,
  virtioSlotAddr,
} from './platform/memory-map.ts';
import { readSources } from './context-block.ts';
import { POWER } from './run-control.ts';
import { Snapshots } from './snapshot/snapshots.ts';
import type { BoardDevice, VirtioBoard } from './virtio-board.ts';
import { virtioStatus, virtqueueElement } from './virtio-status.ts';

/** The parts a machine is made of; the composition root makes them (main-thread.ts). */
export interface MachineParts {
  readonly core: ContextCore;
  readonly config: MachineConfig;
  readonly boot: BootPlan;
  readonly contexts: ContextDirectory;
  readonly blocks: BlockNodes;
  readonly chars: CharDevices;
  readonly nets: NetDevices;
  readonly board: VirtioBoard;
  readonly harts: HartPark;
  readonly platform: MainPlatform;
  readonly guestClock: GuestClock;
  /** Runs a change when no object, device or disk is being made, moved or deleted, and keeps those off until it is over. */
  readonly exclusive: <T>(change: () => Promise<T>) => Promise<T>;
  /** Told of names and places for the page, whenever they change. */
  readonly onDirectory: (directory: BoardDirectory) => void;
  /** The machine is over: its threads have let go. */
  readonly onEnded: (end: VmEnd) => void;
}

const OVER = userError('the machine has shut down');

/**
 * The machine as QOM and the monitor operate it. Lives in the main context's thread.
 *
 *     prelaunch ─cont─▶ running ◀─cont/stop─▶ paused        io-error ─cont─▶ running
 *                          └─ power-off, quit ─▶ shutdown (over)
 */
export class Machine implements MachineOps {
  readonly snapshots: Snapshots;
  readonly #parts: MachineParts;
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  #state: RunState = 'prelaunch';
  #over = false;
  #turn: Promise<unknown> = Promise.resolve();
  /** Nothing was loaded into RAM yet. */
  #fresh = true;

  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.snapshots = new Snapshots(parts, {
      inTurn: (change) => this.#inTurn(change),
      hold: () => this.#hold(),
      isFresh: () => this.#fresh,
      broken: () => this.#enter('internal-error'),
    });
    const { core } = parts;
    const harts = core.notifiers.get(NOTIFIER.harts);
    core.aio.setEventNotifier(
      harts,
      {
        ioRead: () => {
          harts.testAndClear();
          this.#serveHarts();
        },
      },
      'harts',
    );
    const power = core.notifiers.get(NOTIFIER.power);
    core.aio.setEventNotifier(
      power,
      {
        ioRead: () => {
          power.testAndClear();
          core.spawn(() => parts.exclusive(() => this.#inTurn(() => this.#servePower())));
        },
      },
      'power',
    );
  }

  // run state -------------------------------------------------------------------------------------------

  status(): RunState {
    return this.#state;
  }

  /** Boots, or goes on from the snapshot the command line names; stays stopped if that says so. */
  async start(): Promise<Result<void>> {
    const { loadvm, paused } = this.#parts.config;
    if (loadvm === undefined) {
      this.load();
    } else {
      const loaded = await this.snapshots.load(loadvm);
      if (!loaded.ok) return loaded;
    }
    return paused ? ok(undefined) : this.cont();
  }

  /** Loads what the guest boots from and puts the harts at their reset vector. Paused. */
  load(): void {
    const { core, boot, harts } = this.#parts;
    this.#fresh = false;
    loadRegions(core.mem, core.layout.ramOffset, boot.regions);
    harts.reset(boot);
  }

  /**
   * Runs changes of the run state one after the other: each waits for harts, which must not be told two
   * things at once. Where `exclusive` is needed too, it comes first.
   */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#turn.then(change);
    this.#turn = changed.catch(() => {});
    return changed;
  }

  stop(): Promise<Result<void>> {
    return this.#inTurn(async () => {
      if (this.#state === 'running') await this.#pauseAs('paused');
      return ok(undefined);
    });
  }

  async #pauseAs(state: RunState): Promise<void> {
    const { harts, guestClock } = this.#parts;
    this.#enter(state);
    await harts.pause();
    guestClock.stop();
    this.#emit('STOP');
  }

  cont(): Promise<Result<void>> {
    return this.#inTurn(() => this.#cont());
  }

  async #cont(): Promise<Result<void>> {
    if (this.#over || this.#state === 'shutdown')
      return userError('the machine has shut down', { hint: 'system_reset starts it anew.' });
    if (this.#state === 'running') return ok(undefined);
    const { contexts, blocks, harts, guestClock } = this.#parts;
    for (const node of blocks.all()) node.ioStatus = 'ok';
    guestClock.start();
    this.#enter('running');
    harts.run();
    await Promise.all(contexts.all().map(({ service }) => service.resumeParked()));
    this.#emit('RESUME');
    return ok(undefined);
  }

  reset(): Promise<Result<void>> {
    return this.#inTurn(() => this.#reset(false));
  }

  async #reset(byGuest: boolean): Promise<Result<void>> {
    const { core, harts, board, chars, nets, platform, guestClock } = this.#parts;
    if (this.#over) return OVER;
    const goOn = this.#state === 'running' || this.#state === 'guest-panicked' || this.#state === 'shutdown';
    await harts.pause();
    guestClock.stop();
    await board.resetAll();
    chars.reset();
    nets.reset();
    platform.reset();
    core.tracer.emit(TRACE.system_reset);
    this.load();
    this.#emit('RESET', { guest: byGuest, reason: byGuest ? 'guest-reset' : 'host-qmp-system-reset' });
    if (goOn) {
      guestClock.start();
      harts.run();
      this.#enter('running');
    }
    return ok(undefined);
  }

  /** In turn: stops the guest for a snapshot; the function it resolves with lets it go on as it was. */
  async #hold(): Promise<(restored: boolean) => Promise<void>> {
    const { harts, guestClock } = this.#parts;
    const before = this.#state;
    const executing = before === 'running' || before === 'guest-panicked';
    if (executing) await this.#pauseAs('paused');
    else await harts.pause();
    return async (restored) => {
      this.#fresh &&= !restored;
      if (this.#state === 'internal-error') return;
      if (before === 'running' || (restored && executing)) {
        await this.#cont();
      } else if (executing) {
        guestClock.start();
        harts.run();
        this.#enter(before);
      } else if (restored && before !== 'prelaunch') {
        this.#enter('paused');
      }
    };
  }

  async powerdown(): Promise<Result<void>> {
    // The virt board has no power button a guest would listen to; the event is all there is.
    this.#emit('POWERDOWN');
    return ok(undefined);
  }

  async quit(): Promise<Result<void>> {
    const shutdown = { guest: false, reason: 'host-qmp-quit' };
    await this.#parts.exclusive(() => this.#inTurn(() => this.#end({ reason: 'host-quit' }, shutdown)));
    return ok(undefined);
  }

  async #end(end: VmEnd, shutdown: Readonly<Record<string, unknown>>): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const { core, contexts, blocks, harts, board, chars, platform, onEnded } = this.#parts;
    this.#emit('SHUTDOWN', shutdown);
    this.#enter('shutdown');
    await harts.quit();
    // Moves end and queues stop; then disks close, ways to them first: a context flushes along its way.
    await board.resetAll();
    for (const { plan } of blocks.all()) await blocks.delete(plan.spec.id);
    for (const { id } of contexts.all()) if (id !== 'main') await contexts.delete(id);
    await contexts.get('main')?.service.quit();
    platform.close();
    chars.close();
    onEnded(end);
    core.wake.request(CONTROL_QUIT);
  }

  #enter(state: RunState): void {
    this.#state = state;
    this.#parts.core.tracer.emit(TRACE.vm_state_notify, state === 'running' ? 1 : 0);
    this.publish();
  }

  #serveHarts(): void {
    const { harts, board } = this.#parts;
    for (const control of harts.controls) {
      const request = control.takeCall();
      if (request !== undefined) board.control(request, () => control.answerCall());
    }
    harts.stateChanged();
  }

  async #servePower(): Promise<void> {
    const { harts, config } = this.#parts;
    const asked = harts.controls.find((control) => control.get('power') !== POWER.none);
    if (asked === undefined) return;
    const power = asked.get('power');
    const exitCode = power === POWER.fail ? asked.get('powerCode') : 0;
    asked.set('power', POWER.none);
    if (power === POWER.reset && !config.noReboot) {
      await this.#reset(true);
      return;
    }
    const reason = power === POWER.reset ? 'guest-reset' : 'guest-shutdown';
    if (config.noShutdown) {
      this.#emit('SHUTDOWN', { guest: true, reason });
      await this.#pauseAs('shutdown');
      return;
    }
    await this.#end({ reason: 'guest-shutdown', exitCode }, { guest: true, reason });
  }

  /** A backend error in some context: QMP's BLOCK_IO_ERROR, and the machine stops if the policy says so. */
  blockError(report: BlkErrorReport): void {
    const { board, core } = this.#parts;
    const device = board.bySlot(report.dev);
    if (device?.block !== undefined && report.action === 'stop') {
      device.block.ioStatus = report.nospace ? 'nospace' : 'failed';
    }
    this.#emit('BLOCK_IO_ERROR', {
      device: device?.block?.plan.spec.id ?? '',
      'qom-path': device?.spec.qomPath ?? '',
      'node-name': device?.block?.plan.spec.id ?? '',
      operation: report.operation,
      action: report.action,
      nospace: report.nospace,
      reason: `errno ${report.errno}`,
    });
    if (report.action !== 'stop') return;
    core.spawn(() =>
      this.#inTurn(async () => {
        if (this.#state === 'running') await this.#pauseAs('io-error');
      }),
    );
  }

  /** The guest's kernel has given up; seen in what it wrote to the console. */
  guestPanicked(detail: string): void {
    if (this.#state !== 'running') return;
    this.#emit('GUEST_PANICKED', { action: 'run', info: { type: 'console', detail } });
    this.#state = 'guest-panicked';
    this.publish();
  }

  // contexts --------------------------------------------------------------------------------------------

  async createContext(spec: ContextSpec): Promise<Result<void>> {
    if (this.#over) return OVER;
    const made = await this.#parts.contexts.create(spec);
    this.publish();
    return made.ok ? ok(undefined) : made;
  }

  async configureContext(id: string, loop: LoopParameters): Promise<Result<void>> {
    await this.#parts.contexts.configure(id, loop);
    return ok(undefined);
  }

  async deleteContext(id: string): Promise<Result<void>> {
    const node = this.#parts.blocks.residentIn(id);
    if (node !== undefined) return userError(`block node '${node.plan.spec.id}' is still open in '${id}'`);
    await this.#parts.contexts.delete(id);
    this.publish();
    return ok(undefined);
  }

  contexts(): readonly ContextStatus[] {
    const { core, contexts } = this.#parts;
    return contexts.all().map(({ index, id, threaded, worker }) => ({
      id,
      index,
      threaded,
      threadId: threaded ? index + 1 : 1,
      worker,
      state: 'running',
      sources: (readSources(core.mem, core.layout.contexts[index] as number) ??
        []) as ContextStatus['sources'],
    }));
  }

  // block -----------------------------------------------------------------------------------------------

  async blockAdd(spec: BlockSpec): Promise<Result<BlockStatus>> {
    if (this.#over) return OVER;
    const node = await this.#parts.blocks.add(spec);
    return node.ok ? ok(this.#blockStatus(node.value)) : node;
  }

  async blockDel(id: string): Promise<Result<void>> {
    await this.#parts.blocks.delete(id);
    return ok(undefined);
  }

  async blockResize(id: string, bytes: number): Promise<Result<void>> {
    const { blocks, board } = this.#parts;
    const resized = await blocks.resize(id, bytes);
    if (resized.ok)
      for (const device of board.all())
        if (device.block === blocks.get(id)) board.capacityChanged(device, bytes);
    return resized;
  }

  async blockSetThrottle(
    id: string,
    limits: ThrottleLimits,
    group: string | undefined,
  ): Promise<Result<void>> {
    const { blocks, board } = this.#parts;
    const node = blocks.get(id);
    if (node === undefined) return userError(`there is no block node '${id}'`);
    const before = node.plan.spec;
    blocks.replan(node, { throttling: limits, throttlingGroup: group });
    const device = board.all().find(({ block }) => block === node);
    if (device === undefined) return ok(undefined);
    const reopened = await board.reopen(device);
    if (!reopened.ok) blocks.replan(node, before);
    return reopened;
  }

  async blockSetLatencyHistogram(id: string, _boundaries: LatencyBoundaries): Promise<Result<void>> {
    return userError(`latency histograms of '${id}' have fixed boundaries here`);
  }

  async blocks(): Promise<readonly BlockStatus[]> {
    return this.#parts.blocks.all().map((node) => this.#blockStatus(node));
  }

  #blockStatus(node: BlockNode): BlockStatus {
    const { core, board } = this.#parts;
    const device = board.all().find(({ block }) => block === node);
    const slotAddr = device === undefined ? undefined : core.layout.virtioSlots[device.slot];
    return {
      id: node.plan.spec.id,
      bytes: node.medium.bytes,
      readOnly: node.medium.readOnly,
      filename: blockFilename(node.plan.spec),
      ioStatus: node.ioStatus,
      stats: blockStats(core.mem, slotAddr, device),
    };
  }

  // character devices and networks ----------------------------------------------------------------------

  async chardevAdd(spec: ChardevConfig): Promise<Result<void>> {
    const added = this.#parts.chars.add(spec.id, spec);
    if (!added.ok) return added;
    this.publish();
    const serial = this.#serial;
    return serial.kind === 'chardev' && serial.id === spec.id ? this.#connectSerial(spec.id) : ok(undefined);
  }
  async chardevRemove(id: string): Promise<Result<void>> {
    const removed = this.#parts.chars.remove(id);
    this.publish();
    return removed;
  }

  /** What `-serial` names for the board's one UART. */
  get #serial(): CharTarget {
    return plannedSerials(this.#parts.config)[0] ?? { kind: 'none' };
  }

  /** Connects the UART to a chardev of its own, `serial0`, unless `-serial` names one by id. */
  addSerial(): Result<void> {
    const target = this.#serial;
    if (target.kind !== 'new') return ok(undefined);
    const added = this.#parts.chars.add('serial0', target.backend);
    return added.ok ? this.#connectSerial('serial0') : added;
  }

  #connectSerial(id: string): Result<void> {
    const backend = this.#parts.chars.claim(id, '-serial');
    if (!backend.ok) return backend;
    this.#parts.platform.connectSerial(backend.value);
    return ok(undefined);
  }
  async netdevAdd(spec: NetdevConfig): Promise<Result<void>> {
    return this.#parts.nets.add(spec);
  }
  async netdevDel(id: string): Promise<Result<void>> {
    this.#parts.nets.remove(id);
    return ok(undefined);
  }
  setLink(name: string, up: boolean): Promise<Result<void>> {
    return this.#parts.board.setLink(name, up);
  }
  async ringbufRead(id: string, bytes: number, format: DataFormat): Promise<Result<string>> {
    const ringbuf = this.#parts.chars.ringbuf(id);
    return ringbuf.ok ? ok(encodeBytes(ringbuf.value.read(bytes), format)) : ringbuf;
  }
  async ringbufWrite(id: string, data: string, format: DataFormat): Promise<Result<void>> {
    const ringbuf = this.#parts.chars.ringbuf(id);
    if (!ringbuf.ok) return ringbuf;
    const bytes = decodeText(data, format);
    if (bytes === undefined) return userError(`Parameter 'data' is not ${format}`);
    ringbuf.value.send(bytes);
    return ok(undefined);
  }

  // devices ---------------------------------------------------------------------------------------------

  async realizeDevice(spec: DeviceSpec): Promise<Result<RealizedDevice>> {
    if (this.#over) return OVER;
    return this.#parts.board.realize(spec);
  }

  async unrealizeDevice(path: string): Promise<Result<void>> {
    await this.#parts.board.unrealize(path);
    return ok(undefined);
  }

  async moveDevice(path: string, queue: number | undefined, contextId: string): Promise<Result<MoveReport>> {
    if (this.#over) return OVER;
    return this.#parts.board.move(path, queue, contextId);
  }

  async configureDevice(path: string, property: string): Promise<Result<void>> {
    return userError(`property '${property}' of ${path} cannot be changed while the device is on the board`);
  }

  virtio(path: string): VirtioStatus | undefined {
    const { core, board, contexts } = this.#parts;
    const device = board.get(path);
    if (device === undefined) return undefined;
    const slotAddr = core.layout.virtioSlots[device.slot] as number;
    return virtioStatus(core.mem, slotAddr, device, (index) => contexts.byIndex(index)?.id ?? '');
  }

  virtqueueElement(path: string, queue: number, index: number | undefined): Result<VirtqueueElement> {
    const { core, board } = this.#parts;
    const device = board.get(path);
    if (device === undefined) return userError(`there is no virtio device '${path}'`);
    return virtqueueElement(core.mem, core.ram, core.layout.virtioSlots[device.slot] as number, queue, index);
  }

  // harts, memory, trace --------------------------------------------------------------------------------

  harts(): readonly HartStatus[] {
    const { core, harts } = this.#parts;
    return harts.controls.map((control, index) => ({
      index,
      threadId: 100 + index,
      state: hartState(control.get('state')),
      instructions: Number(core.mem.load64((core.layout.harts[index] as number) + HART_EXECUTED)),
    }));
  }

  async registers(hart: number): Promise<Result<HartRegisters>> {
    const { core, harts } = this.#parts;
    const area = core.layout.harts[hart];
    if (area === undefined) return userError(`there is no CPU ${hart}`);
    return this.#inTurn(async () => {
      const executes = this.#state === 'running' || this.#state === 'guest-panicked';
      if (executes) await harts.pause();
      const registers = readRegisters(core.mem, area);
      if (executes) harts.run();
      return ok(registers);
    });
  }

  memoryMap(): readonly MemoryRegion[] {
    const io = (name: string, region: { base: number; size: number }): MemoryRegion => ({
      name,
      ...region,
      kind: 'i/o',
    });
    return [
      { name: 'virt.mrom', base: VIRT_MROM.base, size: VIRT_MROM.size, kind: 'rom' },
      io('virt.test', VIRT_TEST),
      io('goldfish_rtc', VIRT_RTC),
      io('riscv.aclint', VIRT_CLINT),
      io('riscv.sifive.plic', VIRT_PLIC),
      io('serial', VIRT_UART0),
      ...Array.from({ length: VIRT_VIRTIO.count }, (_, slot) =>
        io(`virtio-mmio-${slot}`, { base: virtioSlotAddr(slot), size: VIRT_VIRTIO.size }),
      ),
      {
        name: 'riscv_virt_board.ram',
        base: VIRT_DRAM.base,
        size: this.#parts.config.memoryBytes,
        kind: 'ram',
      },
    ];
  }

  setTraceEvent(name: string, enabled: boolean): void {
    const event = traceEventByName(name);
    const { core } = this.#parts;
    if (event !== undefined) setTraceEnabled(core.mem, core.layout.traceMask, event.id, enabled);
  }

  traceEventEnabled(name: string): boolean {
    const event = traceEventByName(name);
    const { core } = this.#parts;
    return event !== undefined && isTraceEnabled(core.mem, core.layout.traceMask, event.id);
  }

  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #emit(event: string, data?: Readonly<Record<string, unknown>>): void {
    const now = this.#parts.core.host.wallClockNs();
    const timestamp = {
      seconds: Number(now / 1_000_000_000n),
      microseconds: Number((now / 1000n) % 1_000_000n),
    };
    const full: QmpEvent = { event, timestamp, ...(data === undefined ? {} : { data }) };
    for (const listener of this.#listeners) listener(full);
  }

  /** Posts names and places to the page. */
  publish(): void {
    const { contexts, chars, board, onDirectory } = this.#parts;
    onDirectory({
      runState: this.#state,
      serialPorts: chars.terminals(),
      contexts: contexts
        .all()
        .map(({ index, id, qomPath, threaded, worker }) => ({ index, id, qomPath, threaded, worker })),
      devices: board.all().map((device) => ({
        id: device.spec.id ?? device.spec.qomPath.slice(device.spec.qomPath.lastIndexOf('/') + 1),
        qomPath: device.spec.qomPath,
        type: device.spec.driver,
        slot: device.slot,
        movable: true,
        moving: device.moving,
        queueNames: device.model.queues.map(({ name }) => name),
        detail: detailOf(device),
      })),
    });
  }
}

/** What the page says of a device beside its queues. */
function detailOf({ block, link, bus }: BoardDevice): Readonly<Record<string, string | number | boolean>> {
  if (block !== undefined) return { drive: block.plan.spec.id, bytes: block.medium.bytes };
  if (link !== undefined) return { netdev: link.netdev ?? '', linkUp: link.up };
  return bus === undefined ? {} : { ports: bus.describe() };
}

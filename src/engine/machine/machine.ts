import { type Result, ok, userError } from '../base/result.ts';
import type { DataFormat } from '../chardev/text-encoding.ts';
import { HART_EXECUTED } from '../cpu/layout.ts';
import type {
  BlockSpec,
  BlockStatus,
  BreakpointSpec,
  BreakpointStatus,
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
  StepReport,
  VirtioStatus,
  VirtqueueElement,
} from '../qom/machine-ops.ts';
import type { ChardevConfig, NetdevConfig, ThrottleLimits } from '../qom/options/config.ts';
import { isTraceEnabled, setTraceEnabled } from '../trace/ring.ts';
import { traceEventByName } from '../trace/schema.ts';
import type { BlkErrorReport } from '../virtio/blk/data-plane.ts';
import type { MoveReport, QmpEvent, RunState } from '../vm.ts';
import { hartState } from './board.ts';
import { readSources } from './context-block.ts';
import type { BreakHit } from './break-watch.ts';
import type { ContextEntry } from './context-directory.ts';
import { readRegisters } from './hart-registers.ts';
import type { HoldReason } from './holds.ts';
import { MachineBlocks } from './machine-blocks.ts';
import { MachineChars } from './machine-chars.ts';
import { boardDirectory } from './machine-directory.ts';
import { MachineEvents } from './machine-events.ts';
import type { MachineParts } from './machine-parts.ts';
import { MachineRun, OVER } from './machine-run.ts';
import { memoryRegions } from './memory-regions.ts';
import { Snapshots } from './snapshot/snapshots.ts';
import { virtioStatus, virtqueueElement } from './virtio-status.ts';

/** The machine as QOM and the monitor operate it. Lives in the main context's thread. */
export class Machine implements MachineOps {
  readonly snapshots: Snapshots;
  readonly #parts: MachineParts;
  readonly #events: MachineEvents;
  readonly #run: MachineRun;
  readonly #blocks: MachineBlocks;
  readonly #chars: MachineChars;

  constructor(parts: MachineParts) {
    this.#parts = parts;
    const { core, config, blocks, board, chars, platform } = parts;
    this.#events = new MachineEvents(() => core.host.wallClockNs());
    this.#run = new MachineRun(parts, this.#events, () => this.publish());
    this.#blocks = new MachineBlocks(core, blocks, board);
    this.#chars = new MachineChars(config, chars, platform);
    const run = this.#run;
    this.snapshots = new Snapshots(parts, {
      inTurn: (change) => run.inTurn(change),
      hold: () => run.hold(),
      mayRest: () => parts.holds.refusal('no snapshot', parts.contexts.all()),
      isFresh: () => run.fresh,
      broken: () => run.broken(),
    });
  }

  // run state -------------------------------------------------------------------------------------------

  status(): RunState {
    return this.#run.status();
  }

  /** Boots, or goes on from the snapshot the command line names; stays stopped if that says so. */
  async start(): Promise<Result<void>> {
    const { loadvm, paused } = this.#parts.config;
    if (loadvm === undefined) {
      this.#run.load();
    } else {
      const loaded = await this.snapshots.load(loadvm);
      if (!loaded.ok) return loaded;
    }
    return paused ? ok(undefined) : this.cont();
  }

  stop(): Promise<Result<void>> {
    return this.#run.stop();
  }
  cont(): Promise<Result<void>> {
    return this.#run.cont();
  }
  reset(): Promise<Result<void>> {
    return this.#run.reset();
  }
  powerdown(): Promise<Result<void>> {
    return this.#run.powerdown();
  }
  quit(): Promise<Result<void>> {
    return this.#run.quit();
  }
  blockError(report: BlkErrorReport): void {
    this.#run.blockError(report);
  }
  guestPanicked(detail: string): void {
    this.#run.guestPanicked(detail);
  }

  // contexts --------------------------------------------------------------------------------------------

  async createContext(spec: ContextSpec): Promise<Result<void>> {
    if (this.#run.over) return OVER;
    const made = await this.#parts.contexts.create(spec);
    this.publish();
    return made.ok ? ok(undefined) : made;
  }

  async configureContext(id: string, loop: LoopParameters): Promise<Result<void>> {
    await this.#parts.contexts.configure(id, loop);
    return ok(undefined);
  }

  async holdContext(id: string): Promise<Result<void>> {
    return this.#run.over ? OVER : this.#parts.holds.hold(id);
  }

  releaseContext(id: string): Result<void> {
    return this.#parts.holds.release(id);
  }

  async stepContext(id: string, limit: number): Promise<Result<StepReport>> {
    const { holds, board, breakpoints } = this.#parts;
    const stepped = await holds.step(id, limit);
    if (!stepped.ok) return stepped;
    const { hit } = stepped.value;
    const dispatched = stepped.value.dispatched.map((each) => {
      // A queue's handler is named after its slot; a person knows its device.
      const [, slot, queue] = /^virtio(\d+)\/vq(\d+)$/.exec(each.name) ?? [];
      const spec = slot === undefined ? undefined : board.bySlot(Number(slot))?.spec;
      if (spec === undefined) return each;
      const driver = spec.driver.replace(/-device$/, '');
      return { ...each, device: spec.id ?? spec.qomPath, driver, queue: Number(queue) };
    });
    return ok({ id, dispatched, stopped: hit && breakpoints.stepHit(id, hit) });
  }

  stepRequest(id: string, request: number | undefined): Result<void> {
    return this.#parts.breakpoints.stepRequest(id, request);
  }
  stepUntil(id: string, until: BreakpointSpec): Result<void> {
    return this.#parts.breakpoints.stepUntil(id, until);
  }
  breakpointAdd(spec: BreakpointSpec): Result<number> {
    return this.#parts.breakpoints.add(spec);
  }
  breakpointRemove(id: number): Result<void> {
    return this.#parts.breakpoints.remove(id);
  }
  breakpoints(): readonly BreakpointStatus[] {
    return this.#parts.breakpoints.list();
  }

  /** A context's thread says that a breakpoint holds it. */
  breakHit(context: number, hit: BreakHit): void {
    const stopped = this.#parts.breakpoints.hit(context, hit);
    if (stopped === undefined) return;
    const { breakpoint } = stopped.at;
    this.#emitHold(stopped.id, true, breakpoint === undefined ? 'step' : 'breakpoint', { ...stopped.at });
  }

  /** A context is held, or goes on: ours among the QMP events. */
  holdChanged(id: string, held: boolean, reason: HoldReason): void {
    const { breakpoints } = this.#parts;
    if (held) breakpoints.heldAnew(id);
    else breakpoints.released(id);
    this.#emitHold(id, held, reason, {});
  }

  #emitHold(id: string, held: boolean, reason: HoldReason, more: Readonly<Record<string, unknown>>): void {
    this.#events.emit(held ? 'CONTEXT_HELD' : 'CONTEXT_RELEASED', {
      id,
      'qom-path': `/objects/${id}`,
      reason,
      ...more,
    });
  }

  async deleteContext(id: string): Promise<Result<void>> {
    const node = this.#parts.blocks.residentIn(id);
    if (node !== undefined) return userError(`block node '${node.plan.spec.id}' is still open in '${id}'`);
    await this.#parts.contexts.delete(id);
    this.publish();
    return ok(undefined);
  }

  contexts(): readonly ContextStatus[] {
    const { contexts } = this.#parts;
    return contexts.all().map((entry) => this.#contextStatus(entry));
  }

  #contextStatus(entry: ContextEntry): ContextStatus {
    const { core, contexts } = this.#parts;
    const { index, id, threaded, worker } = entry;
    return {
      id,
      index,
      threaded,
      threadId: threaded ? index + 1 : 1,
      worker,
      state: contexts.isHeld(entry) ? 'held' : 'running',
      sources: (readSources(core.mem, core.layout.contexts[index] as number) ??
        []) as ContextStatus['sources'],
    };
  }
  // block -----------------------------------------------------------------------------------------------

  async blockAdd(spec: BlockSpec): Promise<Result<BlockStatus>> {
    return this.#run.over ? OVER : this.#blocks.add(spec);
  }
  blockDel(id: string): Promise<Result<void>> {
    return this.#blocks.delete(id);
  }
  blockResize(id: string, bytes: number): Promise<Result<void>> {
    return this.#blocks.resize(id, bytes);
  }
  blockSetThrottle(id: string, limits: ThrottleLimits, group: string | undefined): Promise<Result<void>> {
    return this.#blocks.setThrottle(id, limits, group);
  }
  async blockSetLatencyHistogram(id: string, _boundaries: LatencyBoundaries): Promise<Result<void>> {
    return userError(`latency histograms of '${id}' have fixed boundaries here`);
  }
  async blocks(): Promise<readonly BlockStatus[]> {
    return this.#blocks.all();
  }

  // character devices and networks ----------------------------------------------------------------------

  async chardevAdd(spec: ChardevConfig): Promise<Result<void>> {
    const added = this.#chars.add(spec);
    this.publish();
    return added;
  }
  async chardevRemove(id: string): Promise<Result<void>> {
    const removed = this.#chars.remove(id);
    this.publish();
    return removed;
  }
  /** Connects the UART to a chardev of its own, `serial0`, unless `-serial` names one by id. */
  addSerial(): Result<void> {
    return this.#chars.addSerial();
  }
  async ringbufRead(id: string, bytes: number, format: DataFormat): Promise<Result<string>> {
    return this.#chars.readRing(id, bytes, format);
  }
  async ringbufWrite(id: string, data: string, format: DataFormat): Promise<Result<void>> {
    return this.#chars.writeRing(id, data, format);
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

  // devices ---------------------------------------------------------------------------------------------

  async realizeDevice(spec: DeviceSpec): Promise<Result<RealizedDevice>> {
    if (this.#run.over) return OVER;
    return this.#parts.board.realize(spec);
  }

  async unrealizeDevice(path: string): Promise<Result<void>> {
    const { board } = this.#parts;
    const device = board.get(path);
    const may = device === undefined ? ok(undefined) : board.mayDrain(device);
    if (may.ok) await board.unrealize(path);
    return may;
  }

  async moveDevice(path: string, queue: number | undefined, contextId: string): Promise<Result<MoveReport>> {
    if (this.#run.over) return OVER;
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
    const { core } = this.#parts;
    const area = core.layout.harts[hart];
    if (area === undefined) return userError(`there is no CPU ${hart}`);
    return this.#run.whileStill(() => ok(readRegisters(core.mem, area)));
  }
  memoryMap(): readonly MemoryRegion[] {
    return memoryRegions(this.#parts.config.memoryBytes);
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
    return this.#events.listen(listener);
  }

  /** Posts names and places to the page. */
  publish(): void {
    this.#parts.onDirectory(boardDirectory(this.#parts, this.#run.status()));
  }
}

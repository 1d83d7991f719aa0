import { ok, type Result, userError } from '../../base/result.ts';
import { TRACE_EVENTS } from '../../trace/schema.ts';
import type { QmpEvent, RunState } from '../../vm.ts';
import type {
  BlockSpec,
  BlockStats,
  BlockStatus,
  ContextSpec,
  DeviceSpec,
  MachineOps,
  VirtioStatus,
} from '../machine-ops.ts';

export const ZERO_STATS: BlockStats = {
  rd_bytes: 0,
  wr_bytes: 0,
  unmap_bytes: 0,
  rd_operations: 0,
  wr_operations: 0,
  flush_operations: 0,
  unmap_operations: 0,
  rd_total_time_ns: 0,
  wr_total_time_ns: 0,
  flush_total_time_ns: 0,
  unmap_total_time_ns: 0,
  rd_merged: 0,
  wr_merged: 0,
  failed_rd_operations: 0,
  failed_wr_operations: 0,
  failed_flush_operations: 0,
  invalid_rd_operations: 0,
  invalid_wr_operations: 0,
  wr_highest_offset: 0,
};

/** A machine without a guest: keeps what it is told, writes down the calls, and refuses where told to. */
export class FakeMachine implements MachineOps {
  /** Every change asked for, in order: `createContext ctx0`. */
  readonly calls: string[] = [];
  /** A call that begins with one of these fails. */
  readonly refuse = new Set<string>();
  readonly snapshots = undefined;
  state: RunState = 'running';
  readonly #contexts = new Map<string, ContextSpec>();
  readonly #blocks = new Map<string, BlockSpec & { bytes: number }>();
  readonly #devices = new Map<string, DeviceSpec>();
  readonly #placement = new Map<string, string[]>();
  readonly #trace = new Set(TRACE_EVENTS.filter((event) => event.enabled).map((event) => event.name));
  readonly #listeners = new Set<(event: QmpEvent) => void>();

  async #call(what: string): Promise<Result<void>> {
    // A real machine answers later; so must this one, or tests would miss what interleaves.
    await Promise.resolve();
    this.calls.push(what);
    for (const refused of this.refuse)
      if (what.startsWith(refused)) return userError(`the machine refuses ${what}`);
    return ok(undefined);
  }

  async createContext(spec: ContextSpec) {
    const done = await this.#call(`createContext ${spec.id}`);
    if (done.ok) this.#contexts.set(spec.id, spec);
    return done;
  }
  configureContext(id: string, loop: { readonly 'poll-max-ns': number }) {
    return this.#call(`configureContext ${id} poll-max-ns=${loop['poll-max-ns']}`);
  }
  async deleteContext(id: string) {
    const done = await this.#call(`deleteContext ${id}`);
    if (done.ok) this.#contexts.delete(id);
    return done;
  }
  holdContext(id: string) {
    return this.#call(`holdContext ${id}`);
  }
  releaseContext(id: string) {
    this.calls.push(`releaseContext ${id}`);
    return ok(undefined);
  }
  stepRequest(id: string) {
    this.calls.push(`stepRequest ${id}`);
    return ok(undefined);
  }
  stepUntil(id: string, { event }: { readonly event: string }) {
    this.calls.push(`stepUntil ${id} ${event}`);
    return ok(undefined);
  }
  breakpointAdd({ event }: { readonly event: string }) {
    this.calls.push(`breakpointAdd ${event}`);
    return ok(1);
  }
  breakpointRemove(id: number) {
    this.calls.push(`breakpointRemove ${id}`);
    return ok(undefined);
  }
  breakpoints() {
    return [];
  }
  async stepContext(id: string, limit: number) {
    const done = await this.#call(`stepContext ${id} ${limit}`);
    return done.ok
      ? ok({ id, dispatched: [{ name: 'virtio7/vq0', kind: 'fd' as const, ns: 38_000 }] })
      : done;
  }
  contexts() {
    return ['main', ...this.#contexts.keys()].map((id, index) => ({
      id,
      index,
      threaded: this.#contexts.get(id)?.threaded ?? true,
      threadId: 100 + index,
      worker: `context-${index}`,
      state: 'blocked',
      sources: [{ name: 'aio', priority: 0, dispatches: index }],
    }));
  }

  async blockAdd(spec: BlockSpec): Promise<Result<BlockStatus>> {
    const done = await this.#call(`blockAdd ${spec.id}`);
    if (!done.ok) return done;
    const bytes = spec.protocol.driver === 'file' ? 2 ** 20 : spec.protocol.size;
    this.#blocks.set(spec.id, { ...spec, bytes });
    return ok(this.#status(spec.id));
  }
  #status(id: string): BlockStatus {
    const block = this.#blocks.get(id);
    const protocol = block?.protocol;
    return {
      id,
      bytes: block?.bytes ?? 0,
      readOnly: block?.readOnly ?? false,
      filename: protocol?.driver === 'file' ? protocol.filename : `${protocol?.driver}://`,
      ioStatus: 'ok',
      stats: ZERO_STATS,
    };
  }
  async blockDel(id: string) {
    const done = await this.#call(`blockDel ${id}`);
    if (done.ok) this.#blocks.delete(id);
    return done;
  }
  async blockResize(id: string, bytes: number) {
    const done = await this.#call(`blockResize ${id} ${bytes}`);
    const block = this.#blocks.get(id);
    if (done.ok && block !== undefined) block.bytes = bytes;
    return done;
  }
  blockSetThrottle(id: string, limits: object, group: string | undefined) {
    return this.#call(`blockSetThrottle ${id} ${JSON.stringify(limits)} ${group ?? '-'}`);
  }
  blockSetLatencyHistogram(id: string, boundaries: object) {
    return this.#call(`blockSetLatencyHistogram ${id} ${JSON.stringify(boundaries)}`);
  }
  async blocks() {
    return [...this.#blocks.keys()].map((id) => this.#status(id));
  }

  chardevAdd(spec: { readonly id: string }) {
    return this.#call(`chardevAdd ${spec.id}`);
  }
  chardevRemove(id: string) {
    return this.#call(`chardevRemove ${id}`);
  }
  netdevAdd(spec: { readonly id: string }) {
    return this.#call(`netdevAdd ${spec.id}`);
  }
  netdevDel(id: string) {
    return this.#call(`netdevDel ${id}`);
  }
  setLink(name: string, up: boolean) {
    return this.#call(`setLink ${name} ${up}`);
  }
  async ringbufRead(id: string, bytes: number, format: string) {
    const done = await this.#call(`ringbufRead ${id} ${bytes} ${format}`);
    return done.ok ? ok('what was kept') : done;
  }
  ringbufWrite(id: string, data: string, format: string) {
    return this.#call(`ringbufWrite ${id} ${data} ${format}`);
  }

  async realizeDevice(spec: DeviceSpec) {
    const done = await this.#call(`realizeDevice ${spec.qomPath} ${spec.placement.join(',')}`);
    if (!done.ok) return done;
    const slot = 7 - this.#devices.size;
    this.#devices.set(spec.qomPath, spec);
    this.#placement.set(spec.qomPath, [...spec.placement]);
    return ok({
      transport: { slot, base: 0x10001000 + slot * 0x1000, irq: slot + 1 },
      queues: spec.placement.length,
    });
  }
  async unrealizeDevice(path: string) {
    const done = await this.#call(`unrealizeDevice ${path}`);
    if (done.ok) this.#devices.delete(path);
    return done;
  }
  async moveDevice(path: string, queue: number | undefined, contextId: string) {
    const placement = this.#placement.get(path) ?? [];
    const from = placement[queue ?? 0] ?? 'main';
    const done = await this.#call(`moveDevice ${path} ${queue ?? '*'} ${from} -> ${contextId}`);
    if (!done.ok) return done;
    for (const index of placement.keys())
      if (queue === undefined || queue === index) placement[index] = contextId;
    return ok({ device: path, queue, from, to: contextId, inFlight: 3, downtimeNs: 250_000 });
  }
  configureDevice(path: string, property: string, value: unknown) {
    return this.#call(`configureDevice ${path} ${property}=${String(value)}`);
  }
  virtio(path: string): VirtioStatus | undefined {
    const spec = this.#devices.get(path);
    if (spec === undefined || !spec.driver.startsWith('virtio-')) return undefined;
    return {
      deviceName: spec.driver.replace(/-device$/, ''),
      deviceId: 2,
      vhostStarted: false,
      status: 0xf,
      isr: 0,
      hostFeatures: 0x1_3000_0e56n,
      guestFeatures: 0x1_3000_0e56n,
      started: true,
      broken: false,
      queues: (this.#placement.get(path) ?? []).map((contextId, index) => ({
        index,
        name: `request${index}`,
        contextId,
        inuse: 0,
        vringNum: 256,
        vringNumDefault: 256,
        vringAlign: 0,
        desc: 0x8100_0000,
        avail: 0x8100_1000,
        used: 0x8100_2000,
        lastAvailIdx: 5,
        shadowAvailIdx: 5,
        usedIdx: 5,
        signalledUsed: 5,
        signalledUsedValid: true,
      })),
    };
  }
  virtqueueElement(_path: string, queue: number, index: number | undefined) {
    if (index !== undefined && index > 255) return userError(`virtqueue ${queue} has no element ${index}`);
    return ok({
      index: index ?? 0,
      descs: [{ addr: 0x8200_0000, len: 16, flags: ['next'] }],
      avail: { flags: 0, idx: 6, ring: 0 },
      used: { flags: 0, idx: 5 },
    });
  }

  status() {
    return this.state;
  }
  async stop() {
    this.state = 'paused';
    this.emit('STOP');
    return this.#call('stop');
  }
  async cont() {
    this.state = 'running';
    this.emit('RESUME');
    return this.#call('cont');
  }
  reset() {
    this.emit('RESET', { guest: false, reason: 'host-qmp-system-reset' });
    return this.#call('reset');
  }
  powerdown() {
    this.emit('POWERDOWN');
    return this.#call('powerdown');
  }
  quit() {
    this.emit('SHUTDOWN', { guest: false, reason: 'host-qmp-quit' });
    return this.#call('quit');
  }
  harts() {
    return [{ index: 0, threadId: 200, state: 'running' as const, instructions: 1234 }];
  }
  async registers(hart: number) {
    if (hart !== 0) return userError(`no hart ${hart}`);
    return ok({
      pc: 0x8020_0000n,
      x: Array.from({ length: 32 }, (_, index) => BigInt(index)),
      f: Array.from({ length: 32 }, () => 0n),
      csrs: [['mstatus', 0xa_0000_0000n]] as const,
      mode: 'S' as const,
    });
  }
  memoryMap() {
    return [
      { name: 'plic', base: 0x0c00_0000, size: 0x0060_0000, kind: 'i/o' as const },
      { name: 'ram', base: 0x8000_0000, size: 0x1000_0000, kind: 'ram' as const },
    ];
  }
  setTraceEvent(name: string, enabled: boolean) {
    if (enabled) this.#trace.add(name);
    else this.#trace.delete(name);
  }
  traceEventEnabled(name: string) {
    return this.#trace.has(name);
  }

  onEvent(listener: (event: QmpEvent) => void) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  emit(event: string, data?: Readonly<Record<string, unknown>>) {
    const timestamp = { seconds: 1, microseconds: 2 };
    for (const listener of this.#listeners)
      listener(data === undefined ? { event, timestamp } : { event, data, timestamp });
  }
}

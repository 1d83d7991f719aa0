import type { Result } from '../base/result.ts';
import type { MoveReport, QmpEvent, RunState } from '../vm.ts';
import type {
  CacheMode,
  ChardevConfig,
  NetdevConfig,
  OnReadError,
  OnWriteError,
  ProtocolConfig,
  ThrottleLimits,
} from './options/config.ts';
import type { DeviceProps, DeviceType, ObjectProps } from './types/type-registry.ts';

/**
 * What QOM and the monitor ask of a machine. The machine implements it in the worker of context `main`; every
 * method is called there, takes and gives plain data, and either succeeds or leaves everything as it was.
 * A rejected promise is a bug of ours; a user's mistake is an error value.
 *
 * QOM has checked before it calls: ids are fresh or known, values are in range, references resolve, nothing
 * in use is deleted. The machine checks what only it can know (no free slot, the image does not open).
 */
export interface MachineOps {
  // event loops -----------------------------------------------------------------------------------------
  /** Makes the loop and, if threaded, starts its thread; resolves when it runs. `main` exists from the start. */
  createContext(spec: ContextSpec): Promise<Result<void>>;
  /** Changes polling and batching of a running loop. */
  configureContext(id: string, loop: LoopParameters): Promise<Result<void>>;
  /** Stops the thread and releases the loop. Nothing is attached any more. */
  deleteContext(id: string): Promise<Result<void>>;
  contexts(): readonly ContextStatus[];
  /**
   * Holds a loop that has a thread: it dispatches nothing until released, while the rest of the machine runs. Resolves
   * when that is so. `main` is refused.
   */
  holdContext(id: string): Promise<Result<void>>;
  /** Ends its hold. At once, also while something else is under way. */
  releaseContext(id: string): Result<void>;
  /** Lets a held loop run until a request's next stage, or until an event; it is held again then. */
  stepRequest(id: string, request: number | undefined): Result<void>;
  stepUntil(id: string, until: BreakpointSpec): Result<void>;
  breakpointAdd(spec: BreakpointSpec): Result<number>;
  breakpointRemove(id: number): Result<void>;
  breakpoints(): readonly BreakpointStatus[];
  /** Dispatches at most `limit` callbacks of one iteration of a held loop; what they were. */
  stepContext(id: string, limit: number): Promise<Result<StepReport>>;

  // block backends --------------------------------------------------------------------------------------
  blockAdd(spec: BlockSpec): Promise<Result<BlockStatus>>;
  blockDel(id: string): Promise<Result<void>>;
  /** Resizes the image and tells the guest (a configuration interrupt). */
  blockResize(id: string, bytes: number): Promise<Result<void>>;
  blockSetThrottle(id: string, limits: ThrottleLimits, group: string | undefined): Promise<Result<void>>;
  /** Undefined boundaries switch a histogram off. Boundaries are ns, ascending. */
  blockSetLatencyHistogram(id: string, boundaries: LatencyBoundaries): Promise<Result<void>>;
  blocks(): Promise<readonly BlockStatus[]>;

  // character devices and networks ----------------------------------------------------------------------
  chardevAdd(spec: ChardevConfig): Promise<Result<void>>;
  chardevRemove(id: string): Promise<Result<void>>;
  netdevAdd(spec: NetdevConfig): Promise<Result<void>>;
  netdevDel(id: string): Promise<Result<void>>;
  /** Plugs or pulls the cable of a card, named by its own id or its netdev's. */
  setLink(name: string, up: boolean): Promise<Result<void>>;
  /** Takes what a ring buffer has kept, at most `bytes` of it. */
  ringbufRead(id: string, bytes: number, format: 'utf8' | 'base64'): Promise<Result<string>>;
  /** Sends bytes to what the ring buffer is connected to. */
  ringbufWrite(id: string, data: string, format: 'utf8' | 'base64'): Promise<Result<void>>;

  // devices ---------------------------------------------------------------------------------------------
  /** Puts a device on the board. Before the guest starts, or by hot-plug. */
  realizeDevice(spec: DeviceSpec): Promise<Result<RealizedDevice>>;
  /** Drains the device, takes it off the board and forgets it. */
  unrealizeDevice(path: string): Promise<Result<void>>;
  /**
   * Moves a device, or one of its queues, to another event loop while the guest runs. Refused: everything is
   * as before.
   */
  moveDevice(path: string, queue: number | undefined, contextId: string): Promise<Result<MoveReport>>;
  /** Changes a property that may change on a realized device (`PropertyDef.live`), other than its placement. */
  configureDevice(path: string, property: string, value: unknown): Promise<Result<void>>;
  /** The virtio state of a device, read from shared memory; undefined for what is not a virtio device. */
  virtio(path: string): VirtioStatus | undefined;
  /** One element of a queue as the guest wrote it; `index` counts from the driver's next to be popped. */
  virtqueueElement(path: string, queue: number, index: number | undefined): Result<VirtqueueElement>;

  // the machine -----------------------------------------------------------------------------------------
  status(): RunState;
  stop(): Promise<Result<void>>;
  cont(): Promise<Result<void>>;
  reset(): Promise<Result<void>>;
  /** Asks the guest to power off. */
  powerdown(): Promise<Result<void>>;
  quit(): Promise<Result<void>>;
  harts(): readonly HartStatus[];
  /** Registers of one hart, stopped for the moment of reading; formatted by the monitor. */
  registers(hart: number): Promise<Result<HartRegisters>>;
  memoryMap(): readonly MemoryRegion[];
  setTraceEvent(name: string, enabled: boolean): void;
  traceEventEnabled(name: string): boolean;
  /** Undefined while the machine has no snapshots. */
  readonly snapshots: SnapshotOps | undefined;
  /** Events as QMP names them, timestamped. Returns the function that unsubscribes. */
  onEvent(listener: (event: QmpEvent) => void): () => void;
}

export type LoopParameters = Pick<
  ObjectProps<'iothread'>,
  'poll-max-ns' | 'poll-grow' | 'poll-shrink' | 'aio-max-batch'
>;

export interface ContextSpec extends LoopParameters {
  readonly id: string;
  readonly qomPath: string;
  readonly type: 'glib-qcontext' | 'iothread';
  /** In a worker of its own; else iterated by the main loop. */
  readonly threaded: boolean;
}

/** A trace event that is to hold the event loop it happens in; what is left out may be anything. */
export interface BreakpointSpec {
  /** Name of the trace event. */
  readonly event: string;
  /** Id of an event loop. */
  readonly context?: string | undefined;
  /** Id or path of a device. */
  readonly device?: string | undefined;
  readonly queue?: number | undefined;
  /** Number of a request, as in the trace. */
  readonly request?: number | undefined;
}

export interface BreakpointStatus extends BreakpointSpec {
  readonly id: number;
  /** Events that matched, those included that found the loop held already. */
  readonly hits: number;
}

/** What a breakpoint or a step stopped a loop for: it stands before the dispatch that would come next. */
export interface StoppedAt {
  /** Undefined: the end of a step. */
  readonly breakpoint: number | undefined;
  readonly event: string;
  readonly device: string | undefined;
  readonly queue: number | undefined;
  readonly request: number | undefined;
}

/** What a step of a held loop dispatched, in order; empty if nothing was ready. */
export interface StepReport {
  readonly id: string;
  readonly dispatched: readonly {
    /** Name of the source, handler, bottom half or timer. */
    readonly name: string;
    readonly kind: 'source' | 'fd' | 'bh' | 'timer';
    /** Host ns its callback took. */
    readonly ns: number;
    /** For the kick of a virtqueue: whose it is. */
    readonly device?: string | undefined;
    readonly driver?: string | undefined;
    readonly queue?: number | undefined;
  }[];
  /** The breakpoint it ran into. */
  readonly stopped?: StoppedAt | undefined;
}

export interface ContextStatus {
  readonly id: string;
  readonly index: number;
  readonly threaded: boolean;
  /** A number that names the thread, as QMP's `thread-id`. */
  readonly threadId: number;
  readonly worker: string;
  readonly state: string;
  readonly sources: readonly {
    readonly name: string;
    readonly priority: number;
    readonly dispatches: number;
  }[];
}

/** Everything a block backend needs, defaults filled in and the node graph flattened. */
export interface BlockSpec {
  /** Id of the `-drive`, or node name of the `-blockdev`. */
  readonly id: string;
  readonly origin: 'drive' | 'blockdev';
  readonly protocol: ProtocolConfig;
  /** Byte window inside the protocol's file (`-blockdev raw,offset=,size=`); undefined: to its end. */
  readonly offset: number;
  readonly size: number | undefined;
  readonly readOnly: boolean;
  /** Writes go to a temporary overlay. */
  readonly snapshot: boolean;
  readonly cache: CacheMode;
  readonly discard: 'unmap' | 'ignore';
  readonly detectZeroes: 'off' | 'on' | 'unmap';
  readonly throttling: ThrottleLimits;
  readonly throttlingGroup: string | undefined;
}

export interface BlockStatus {
  readonly id: string;
  readonly bytes: number;
  readonly readOnly: boolean;
  readonly filename: string;
  readonly ioStatus: 'ok' | 'failed' | 'nospace';
  readonly stats: BlockStats;
}

/** QMP's BlockDeviceStats, as counted by the device that uses the backend. Times in ns. */
export interface BlockStats {
  readonly rd_bytes: number;
  readonly wr_bytes: number;
  readonly unmap_bytes: number;
  readonly rd_operations: number;
  readonly wr_operations: number;
  readonly flush_operations: number;
  readonly unmap_operations: number;
  readonly rd_total_time_ns: number;
  readonly wr_total_time_ns: number;
  readonly flush_total_time_ns: number;
  readonly unmap_total_time_ns: number;
  readonly rd_merged: number;
  readonly wr_merged: number;
  readonly failed_rd_operations: number;
  readonly failed_wr_operations: number;
  readonly failed_flush_operations: number;
  readonly invalid_rd_operations: number;
  readonly invalid_wr_operations: number;
  readonly wr_highest_offset: number;
  readonly rd_latency_histogram?: LatencyHistogram;
  readonly wr_latency_histogram?: LatencyHistogram;
  readonly flush_latency_histogram?: LatencyHistogram;
}
/** `bins[i]` counts latencies from `boundaries[i - 1]` (or 0) up to `boundaries[i]` ns. */
export interface LatencyHistogram {
  readonly boundaries: readonly number[];
  readonly bins: readonly number[];
}
export interface LatencyBoundaries {
  readonly read: readonly number[] | undefined;
  readonly write: readonly number[] | undefined;
  readonly flush: readonly number[] | undefined;
}

/** A device with all its properties, `-global` applied and defaults filled in. */
export type DeviceSpec = {
  [T in DeviceType]: {
    readonly driver: T;
    /** The user's id; undefined for one of `peripheral-anon`. */
    readonly id: string | undefined;
    /** Its name from then on: `/machine/peripheral/disk0`. */
    readonly qomPath: string;
    readonly props: DeviceProps<T>;
    /** Context id of each data queue (one entry for a device without multiqueue). */
    readonly placement: readonly string[];
    /** For virtio-blk-device: `auto` resolved against the drive. */
    readonly onError: { readonly werror: OnWriteError; readonly rerror: OnReadError } | undefined;
  };
}[DeviceType];

export interface RealizedDevice {
  /** virtio-mmio slot, base address and PLIC source; undefined for a port on a bus. */
  readonly transport: { readonly slot: number; readonly base: number; readonly irq: number } | undefined;
  /** Number of virtqueues, control queues included. */
  readonly queues: number;
}

export interface VirtioStatus {
  readonly deviceName: string;
  readonly deviceId: number;
  readonly vhostStarted: false;
  readonly status: number;
  readonly isr: number;
  readonly hostFeatures: bigint;
  readonly guestFeatures: bigint;
  readonly started: boolean;
  readonly broken: boolean;
  readonly queues: readonly VirtqueueStatus[];
}

export interface VirtqueueStatus {
  readonly index: number;
  readonly name: string;
  readonly contextId: string;
  readonly inuse: number;
  readonly vringNum: number;
  readonly vringNumDefault: number;
  readonly vringAlign: number;
  readonly desc: number;
  readonly avail: number;
  readonly used: number;
  readonly lastAvailIdx: number;
  readonly shadowAvailIdx: number;
  readonly usedIdx: number;
  readonly signalledUsed: number;
  readonly signalledUsedValid: boolean;
}

export interface VirtqueueElement {
  readonly index: number;
  readonly descs: readonly {
    readonly addr: number;
    readonly len: number;
    readonly flags: readonly string[];
  }[];
  readonly avail: { readonly flags: number; readonly idx: number; readonly ring: number };
  readonly used: { readonly flags: number; readonly idx: number };
}

export interface HartStatus {
  readonly index: number;
  readonly threadId: number;
  readonly state: 'stopped' | 'running' | 'wfi' | 'paused';
  readonly instructions: number;
}

export interface HartRegisters {
  readonly pc: bigint;
  readonly x: readonly bigint[];
  readonly f: readonly bigint[];
  readonly csrs: readonly (readonly [name: string, value: bigint])[];
  readonly mode: 'M' | 'S' | 'U';
}

export interface MemoryRegion {
  readonly name: string;
  readonly base: number;
  readonly size: number;
  readonly kind: 'ram' | 'rom' | 'i/o';
}

export interface SnapshotOps {
  /** @param deflated else its file is larger, and is written and read sooner */
  save(tag: string, deflated: boolean): Promise<Result<void>>;
  load(tag: string): Promise<Result<void>>;
  delete(tag: string): Promise<Result<void>>;
  list(): Promise<
    readonly {
      readonly tag: string;
      readonly bytes: number;
      readonly date: string;
      readonly vmClockNs: number;
    }[]
  >;
}

import type { Result } from './base/result.ts';

/**
 * The façade: what the page and the command line see of a machine. Everything here is called on the thread
 * that made the machine (a page's main thread or Node's), which never blocks; the machine's own threads are
 * workers.
 */
export interface Vm {
  /** Name of the machine type, `virt`. */
  readonly machine: string;
  /** The QEMU-style arguments it was made from. */
  readonly argv: readonly string[];
  /** One QMP command; resolves with its `return`, or an error with class and desc. The one way to change anything. */
  qmp(execute: string, args?: Readonly<Record<string, unknown>>): Promise<Result<unknown>>;
  /** One HMP line (`info iothreads`); resolves with what a monitor would print. */
  hmp(line: string): Promise<string>;
  /** Names that complete the given monitor line, HMP. */
  completeHmp(line: string): Promise<readonly string[]>;
  /** QMP events, oldest first. Returns the function that unsubscribes. */
  onEvent(listener: (event: QmpEvent) => void): () => void;
  /** The first terminal: that of `-serial`, or where it has none, of the first `-chardev stdio` or `vc`. */
  readonly serial: SerialPort;
  /** The terminal behind a character device: `serial0`, or the id of a `-chardev`. */
  serialPort(id: string): SerialPort;
  /** Ids of the character devices that have a terminal (`stdio`, `vc`). */
  serialPortIds(): readonly string[];
  /** The live picture of contexts and devices, read from shared memory; cheap (call at ≤ 10 Hz). */
  board(): BoardSnapshot;
  /** Raw bytes of guest physical memory, for the ring view; undefined outside RAM. */
  readGuest(addr: number, bytes: number): Uint8Array | undefined;
  /** What the trace path offers; see trace/aggregate. */
  readonly trace: VmTrace;
  /** Resolves when the guest or the user ended the machine. */
  readonly ended: Promise<VmEnd>;
  /** Ends every thread in order, closing disks first. Idempotent. */
  dispose(): Promise<void>;
}

export interface QmpEvent {
  readonly event: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };
}

export interface SerialPort {
  /** Bytes towards the guest. */
  write(data: string | Uint8Array): void;
  /** Bytes from the guest; the first listener gets what came before it, up to 64 KiB. Returns the function that unsubscribes. */
  onData(listener: (bytes: Uint8Array) => void): () => void;
}

export type VmEnd =
  | { readonly reason: 'guest-shutdown'; readonly exitCode: number }
  | { readonly reason: 'guest-panic'; readonly detail: string }
  | { readonly reason: 'host-quit' }
  | { readonly reason: 'failed'; readonly detail: string };

export type RunState =
  | 'starting'
  | 'prelaunch'
  | 'running'
  | 'paused'
  | 'shutdown'
  | 'io-error'
  | 'guest-panicked'
  | 'internal-error';

/** Latency percentiles in ns; undefined where too few were seen to say (p99 under n = 1000). */
export interface Percentiles {
  readonly n: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
}

/**
 * Counts of latencies since the start: `counts[i]` were at least `edgesNs[i]` and below `edgesNs[i + 1]` (the last
 * bucket is open). The difference of two snapshots gives the percentiles of the time between them.
 */
export interface LatencyHistogram {
  readonly edgesNs: readonly number[];
  readonly counts: readonly number[];
}

export interface SourceSnapshot {
  readonly id: number;
  readonly name: string;
  readonly kind: 'fd' | 'timer' | 'bh' | 'idle' | 'aio' | 'custom';
  readonly priority: number;
  /** Dispatches since the start. */
  readonly dispatches: number;
  /** Of an event notifier's handler: signals that were read, since the machine was made; of the same moment as `dispatches`. */
  readonly signals?: number | undefined;
  readonly lastDispatchNs: number | undefined;
  readonly wakeToDispatch: Percentiles;
}

export interface ContextSnapshot {
  readonly index: number;
  readonly id: string;
  readonly qomPath: string;
  readonly threaded: boolean;
  /** Name of the worker that runs it, e.g. `context-2`. */
  readonly worker: string;
  readonly state: 'starting' | 'dispatching' | 'polling' | 'blocked' | 'yielded' | 'held' | 'gone';
  readonly nextTimerNs: number | undefined;
  /** How long it has been held, host ns; undefined while it is not. */
  readonly heldNs: number | undefined;
  /** Host ns spent since the context started, by kind. */
  readonly busyNs: number;
  readonly pollingNs: number;
  readonly blockedNs: number;
  readonly iterations: number;
  readonly wakes: number;
  readonly sources: readonly SourceSnapshot[];
}

export interface QueueSnapshot {
  readonly index: number;
  readonly name: string;
  readonly size: number;
  readonly ready: boolean;
  readonly packed: boolean;
  /** Guest addresses of descriptor table, driver (avail) and device (used) areas. */
  readonly desc: number;
  readonly driver: number;
  readonly device: number;
  readonly lastAvail: number;
  readonly usedIdx: number;
  readonly inFlight: number;
  /** Buffers the driver has made available and the device has not taken; undefined if its ring can't be read. */
  readonly waiting: number | undefined;
  /** Index of the context that serves it now. */
  readonly context: number;
  /** Where the configuration says it should be. */
  readonly configuredContext: number;
  readonly kicks: number;
  readonly requests: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly completions: number;
  readonly interrupts: number;
  readonly interruptsSuppressed: number;
  readonly errors: number;
  readonly latency: Percentiles;
  /** For percentiles of a window, e.g. before and after a move. */
  readonly latencyHistogram?: LatencyHistogram;
}

export interface DeviceSnapshot {
  readonly id: string;
  readonly qomPath: string;
  readonly type: string;
  readonly slot: number | undefined;
  readonly status: number;
  /** Queue → context placement can be changed. */
  readonly movable: boolean;
  readonly moving: boolean;
  readonly queues: readonly QueueSnapshot[];
  readonly detail: Readonly<Record<string, string | number | boolean>>;
}

export interface HartSnapshot {
  readonly index: number;
  readonly state: 'stopped' | 'running' | 'wfi' | 'paused';
  readonly instructions: number;
  readonly interrupts: number;
  /** Host ns in WFI since the start, spinning included. */
  readonly idleNs: number;
}

export interface BoardSnapshot {
  /** Host ns (the machine's clock) at which it was read. */
  readonly timeNs: number;
  readonly runState: RunState;
  readonly contexts: readonly ContextSnapshot[];
  readonly devices: readonly DeviceSnapshot[];
  readonly harts: readonly HartSnapshot[];
}

export interface VmTrace {
  /** Events written and lost so far, over all threads. */
  counts(): { readonly written: number; readonly lost: number };
  /** Where the rings are, for the one reader that empties them (trace/drain.ts); undefined if there are none. */
  attach(): TraceAttachment | undefined;
  /** Tells `listener` of each trace name, those given so far first. Returns the function that unsubscribes. */
  onName(listener: (name: TraceName) => void): () => void;
}

/** Places of a machine's trace rings in its memory. Plain data, to be posted to the worker that reads them. */
export interface TraceAttachment {
  readonly memory: WebAssembly.Memory;
  /** Byte offset of the mask of events that are on. */
  readonly mask: number;
  /** Byte offset of a word that changes, and is notified, when a ring is half full: its reader may sleep on it. */
  readonly bell: number;
  /** Byte offset of the word that says how many requests are followed (TraceDrain.followOneOf). */
  readonly follow: number;
  /** Byte offset of the ring of each thread: contexts first, then harts. */
  readonly rings: readonly number[];
  /** Number of hart 0's thread; those below are contexts, by index. */
  readonly firstHart: number;
  /** Times in records count ns from here: ms since 1970 (`performance.timeOrigin + performance.now()`). */
  readonly epoch: number;
  /** PLIC source of virtio-mmio slot 0; slot n has this + n. */
  readonly firstVirtioGsi: number;
}

/** What number `id` of kind `source` in records of one thread is called. A number may be given anew. */
export interface TraceName {
  readonly thread: number;
  readonly id: number;
  readonly kind: string;
  readonly name: string;
}

/** What one move of a device (or one of its queues) did. Also the reply of the QMP commands that move. */
export interface MoveReport {
  readonly device: string;
  readonly queue: number | undefined;
  readonly from: string;
  readonly to: string;
  readonly inFlight: number;
  readonly downtimeNs: number;
}

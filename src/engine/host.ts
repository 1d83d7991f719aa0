import type { Port } from './base/rpc.ts';
import type { Clock } from './base/clock.ts';

/** What the engine asks of its surroundings: a browser page and its workers, or Node. */
export interface Host {
  readonly kind: 'browser' | 'node';
  /** Monotonic, shared by all threads. */
  readonly clock: Clock;
  /** Wall-clock time in ns since 1970 (for the RTC). */
  wallClockNs(): bigint;
  /** Logical cores; nothing spins while more threads of the machine than these are awake. */
  readonly cores: number;
  /**
   * Looks a disk up for the calling thread, so that its next `openDisk` is quicker: finding a file in a browser
   * takes as long as opening it. Never rejects; what is wrong is told by `openDisk`.
   */
  prepareDisk(disk: DiskLocator): Promise<void>;
  /** Opens a disk image for the calling thread alone. Rejects with DiskOpenError. */
  openDisk(disk: DiskLocator): Promise<DiskFile>;
  /**
   * A text that is another one after any write to the disk, by whomever, and that is read from the surroundings
   * without opening it: the time of the last change. Writes within 50 ms may give the same one.
   */
  diskStamp(disk: DiskLocator): Promise<string>;
  /** Where snapshots are kept. */
  readonly snapshots: SnapshotStore;
  /** Raw deflate (RFC 1951), fast rather than small, and the way back. Neither gets views of shared memory. */
  deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  /** Lets the surroundings run: resolves after one macrotask, so that ports and promises make progress. */
  macrotask(): Promise<void>;
  /** Random bytes for rng-seed and virtio-rng. `into` is not shared memory. */
  randomBytes(into: Uint8Array<ArrayBuffer>): void;
  /** For what no user sees but a developer should: never for a guest's or a user's mistakes. */
  log(level: 'info' | 'warn' | 'error', message: string): void;
}

/** Where a disk's bytes are. */
export interface DiskLocator {
  /** `opfs`: a file name in the origin private file system; `file`: a path (Node); `memory`: volatile. */
  readonly kind: 'opfs' | 'file' | 'memory';
  readonly name: string;
  readonly readOnly: boolean;
  /** Size in bytes of a `memory` disk; for others the file decides. */
  readonly bytes?: number;
}

/** Why a disk can't be opened; `reason` is closed so that each gets its own advice. */
export class DiskOpenError extends Error {
  override readonly name = 'DiskOpenError';
  readonly reason: 'not-found' | 'in-use' | 'no-opfs' | 'permission' | 'io';
  constructor(reason: DiskOpenError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * An open disk image, synchronous as FileSystemSyncAccessHandle and fs.readSync are. Views may be over
 * shared memory (zero copy into guest RAM). Belongs to the thread that opened it.
 */
export interface DiskFile {
  /** Size in bytes now. */
  size(): number;
  /** Reads at `offset` into the view; returns bytes read (short at the end of the file). Throws on I/O errors. */
  read(into: Uint8Array, offset: number): number;
  /** Writes the view at `offset`; returns bytes written (0 or short when the disk is full). Throws on I/O errors. */
  write(from: Uint8Array, offset: number): number;
  /** Makes what was written durable. */
  flush(): void;
  /** Changes the size in bytes. */
  truncate(bytes: number): void;
  /** Gives the file back; the next owner may open it. */
  close(): void;
}

/** Files in a folder beside the disks. Names are plain: letters, digits, dots, dashes, underscores. */
export interface SnapshotStore {
  /** Names in the folder; none if there is no such folder. */
  names(folder: string): Promise<readonly string[]>;
  /** Opens a file for the calling thread; `create` makes it anew and empty. Rejects with DiskOpenError. */
  open(folder: string, name: string, mode: 'read' | 'create'): Promise<DiskFile>;
  /** False if there is none. */
  remove(folder: string, name: string): Promise<boolean>;
}

/** A worker as the thread that made it sees it. */
export interface WorkerHandle {
  readonly name: string;
  /** Sends the worker its role; nothing else is sent this way. */
  postMessage(message: unknown, transfer?: readonly unknown[]): void;
  /** An uncaught error in the worker: a bug of ours, or out of memory. */
  onError: ((message: string) => void) | undefined;
  /** Ends it at once. Disks it holds are closed by the surroundings, later than a proper close would. */
  terminate(): void;
}

/** What only the supervising thread (page, Node main) can do. It never blocks. */
export interface SupervisorHost {
  readonly kind: 'browser' | 'node';
  /** The epoch the machine's clock counts from, to be handed to each worker's `createHost`. */
  readonly epoch: number;
  readonly clock: Clock;
  readonly cores: number;
  /** Starts a worker that waits for its role. */
  createWorker(name: string): WorkerHandle;
  /** Two ends of a channel, transferable. */
  createChannel(): readonly [Port, Port];
  /** The compiled interpreter. */
  interpreter(): Promise<WebAssembly.Module>;
  /** Reads a file a command line names (`-kernel`, `-initrd`, `-bios`, `-dtb`); undefined if there is none. */
  readFile(name: string): Promise<Uint8Array | undefined>;
  /** Resolves after about `ms` milliseconds; for giving up on threads that do not answer. */
  delay(ms: number): Promise<void>;
  encodeUtf8(text: string): Uint8Array;
  /** Random bytes for rng-seed. */
  randomBytes(into: Uint8Array<ArrayBuffer>): void;
}

import type { BlockResult } from '../block/block-backend.ts';
import type { Dispatched } from '../qcontext/dispatch-gate.ts';
import type { UserNetConfig } from '../net/user/config.ts';
import type { UserNetState } from '../net/user/user-net.ts';
import type { VirtioBlkConfig } from '../virtio/blk/config.ts';
import type { BlkErrorReport } from '../virtio/blk/data-plane.ts';
import type { ParkedBlkRequest } from '../virtio/blk/parked.ts';
import type { BlockPlan } from './block-open.ts';
import type { BreakHit } from './break-watch.ts';

/** What a context must know to serve a virtqueue: plain data, posted between threads. */
export type QueuePlan = {
  readonly slot: number;
  readonly queue: number;
  /** Index of the context that serves it, for the shared state. */
  readonly context: number;
} & QueueWork;

/** What the queue's handler does. */
export type QueueWork =
  | { readonly kind: 'blk'; readonly config: VirtioBlkConfig; readonly block: string }
  | { readonly kind: 'rng' }
  /** A port's queue; `wire` leads to its chardev, without one its output is nobody's. */
  | { readonly kind: 'console'; readonly port: number; readonly wire: number | undefined }
  | { readonly kind: 'console-control'; readonly wire: number }
  /** `linkUp` false: the cable is out, frames of both directions are lost. */
  | { readonly kind: 'net'; readonly peer: NetPeer; readonly linkUp: boolean };

/** What is behind a network card. */
export type NetPeer =
  | { readonly type: 'none'; readonly id: string }
  | { readonly type: 'user'; readonly id: string; readonly config: UserNetConfig }
  /** `port` of the machine's hub ports, whichever hub it is joined to. */
  | { readonly type: 'hubport'; readonly id: string; readonly port: number };

/** What travels with a queue from the context that leaves it to the one that takes it; plain data. */
export interface QueueCargo {
  /** Requests stopped by `rerror=stop` or `werror=stop`. */
  readonly parked?: readonly ParkedBlkRequest[];
  /** What the user-mode network behind a card remembers. It leaves with the last of the card's queues. */
  readonly network?: UserNetState;
}

/** What the opener learns of a block node. */
export interface BlockOpened {
  readonly result: BlockResult;
  readonly bytes: number;
  readonly readOnly: boolean;
  readonly canDiscard: boolean;
  /** Why, where the surroundings said more than an errno. */
  readonly detail?: string;
}

/**
 * How a context gets at a block node: it owns the open file, or it sends its requests along a way (a number
 * in the machine's table of ways) to the context that does.
 */
export type BlockAccess =
  | { readonly kind: 'own'; readonly plan: BlockPlan; readonly serve: readonly number[] }
  | { readonly kind: 'way'; readonly id: string; readonly way: number }
  /** Nobody can open it any more: what it was, for its owner to answer every request with EIO. */
  | {
      readonly kind: 'lost';
      readonly id: string;
      readonly was: BlockOpened;
      readonly serve: readonly number[];
    };

/** A queue to be served, with what comes with it. */
export interface QueueStart {
  readonly plan: QueuePlan;
  readonly cargo: QueueCargo;
}

/** What a context lets go of. */
export interface Released {
  /** In the order of the queues. */
  readonly cargo: readonly QueueCargo[];
  /** Requests that were in flight in all of them when asked; of drained queues none. */
  readonly inFlight: number;
}

/** What the main context asks of the thread that runs a context. Called there directly for `main` itself. */
export interface ContextService {
  /** Takes a block node into this thread and serves the given ways to it. */
  openBlock(access: BlockAccess): Promise<BlockOpened>;
  /** Makes the next `openBlock` or `takeOver` of this node quicker, while it is still open elsewhere. */
  prepareBlock(plan: BlockPlan): Promise<void>;
  /** Lets go of it; `durable`: after a flush. Only when no queue here uses it. */
  closeBlock(id: string, durable: boolean): Promise<BlockResult>;
  resizeBlock(id: string, bytes: number): Promise<BlockResult>;
  /** Makes durable what was written to a node this context owns. */
  flushBlock(id: string): Promise<BlockResult>;
  /** Begins to serve queues. */
  startQueues(starts: readonly QueueStart[]): void;
  /** Takes no more buffers; resolves when none is in flight, with how many were when asked. */
  drainQueue(slot: number, queue: number): Promise<number>;
  /** Ends a drain that moved nothing. */
  resumeQueue(slot: number, queue: number): void;
  /** Leaves drained queues; what they take along, in the order of `queues`. */
  detachQueues(slot: number, queues: readonly number[]): readonly QueueCargo[];
  /**
   * Drains queues that are not drained yet, detaches them and closes the block node they used, without a flush:
   * it only changes hands.
   */
  release(slot: number, queues: readonly number[], block: string): Promise<Released>;
  /** The other end of `release`: opens the node and, if that went well, begins to serve. */
  takeOver(access: BlockAccess, starts: readonly QueueStart[]): Promise<BlockOpened>;
  /** `cont`: stopped requests are submitted again. */
  resumeParked(): void;
  configure(loop: LoopTuning): void;
  /** Dispatches nothing any more until its wake word says otherwise. Answers when that is so. */
  hold(): void;
  /** While held: one iteration with at most `limit` callbacks; what they were. */
  step(limit: number): LoopStep;
  /** Closes every file and leaves the loop for good. */
  quit(): Promise<void>;
}

/** What a step dispatched, and the breakpoint it ran into. */
export interface LoopStep {
  readonly dispatched: readonly Dispatched[];
  readonly hit: BreakHit | undefined;
}

/** Adaptive polling, under QEMU's names. */
export interface LoopTuning {
  readonly 'poll-max-ns': number;
  readonly 'poll-grow': number;
  readonly 'poll-shrink': number;
  readonly 'aio-max-batch': number;
}

/** What a context's thread tells the main context of its own accord. */
export interface ContextReports {
  blockError(report: BlkErrorReport): void;
  /** A breakpoint holds the context of that index. */
  breakHit(context: number, hit: BreakHit): void;
  /** A trace name was given a number. */
  traceName(thread: number, id: number, kind: string, name: string): void;
}

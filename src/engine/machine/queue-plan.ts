import type { BlockPlan } from './block-open.ts';
import type { VirtioBlkConfig } from '../virtio/blk/config.ts';
import type { BlkErrorReport, ParkedBlkRequest } from '../virtio/blk/data-plane.ts';
import type { BlockResult } from '../block/block-backend.ts';

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
  | { readonly kind: 'ignore' };

/** What the opener learns of a block node. */
export interface BlockOpened {
  readonly result: BlockResult;
  readonly bytes: number;
  readonly readOnly: boolean;
  readonly canDiscard: boolean;
  /** Why, where the surroundings said more than an errno. */
  readonly detail?: string;
}

/** What the main context asks of the thread that runs a context. Called there directly for `main` itself. */
export interface ContextService {
  /** Takes the node's bytes into this thread. */
  openBlock(plan: BlockPlan): Promise<BlockOpened>;
  /** Makes writes durable and lets go of the file. Only when no queue here uses it. */
  closeBlock(id: string): Promise<BlockResult>;
  resizeBlock(id: string, bytes: number): Promise<BlockResult>;
  /** Begins to serve a queue; `parked` are stopped requests that move with it. */
  startQueue(plan: QueuePlan, parked: readonly ParkedBlkRequest[]): void;
  /** Takes no more buffers; resolves when none is in flight, with how many were when asked. */
  drainQueue(slot: number, queue: number): Promise<number>;
  /** Ends a drain that moved nothing. */
  resumeQueue(slot: number, queue: number): void;
  /** Leaves the queue to another context; drained before. */
  detachQueue(slot: number, queue: number): readonly ParkedBlkRequest[];
  /** `cont`: stopped requests are submitted again. */
  resumeParked(): void;
  configure(loop: LoopTuning): void;
  /** Contexts that have a thread, for the decision whether to spin. */
  setActiveThreads(count: number): void;
  /** Closes every file and leaves the loop for good. */
  quit(): Promise<void>;
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
  /** A trace name was given a number. */
  traceName(thread: number, id: number, kind: string, name: string): void;
}

import type { PollSet } from './poll-fd.ts';
import type { QSource } from './qsource.ts';

/**
 * An event loop's context, with the operations of the QContext proposal. One thread iterates it (its
 * home); the phases are separate so that a foreign loop can drive them.
 */
export interface QContext {
  /** Its id: `main`, or that of its `-object`. */
  readonly name: string;

  /** Asks the sources; true if one is ready without polling. Fills in priority and timeout. */
  prepare(set: PollSet): boolean;
  /** Fills in the fds to poll and returns their number. */
  query(set: PollSet): number;
  /** Waits through the injected poll function, at most `timeoutMs` (−1 = for ever). */
  poll(set: PollSet, timeoutMs: number): void;
  /** Collects the sources that are to be dispatched; true if there are any. */
  check(set: PollSet): boolean;
  /** Dispatches what `check` collected. */
  dispatch(): void;
  /** All phases once; true if a source was ready. */
  iterate(mayBlock: boolean): boolean;

  /** Ends a wait in progress, or keeps the next one from sleeping (the proposal's `notify`). Any thread. */
  wakeup(): void;

  /** Takes a source in and returns its id. */
  attach(source: QSource): number;
  /** Destroys a source of this context; refuses one of another (RFC defect 2). */
  detach(source: QSource): boolean;
  findSourceByName(name: string): QSource | null;
  findSourceById(id: number): QSource | null;
}

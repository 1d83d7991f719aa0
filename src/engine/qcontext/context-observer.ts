import type { PollSet } from './poll-fd.ts';
import type { QContext } from './qcontext.ts';
import type { QSource } from './qsource.ts';

/** Sees what a context does, for traces and statistics. Every method is optional. */
export interface ContextObserver {
  prepared?(context: QContext, anyReady: boolean, set: PollSet): void;
  queried?(context: QContext, set: PollSet): void;
  polled?(context: QContext, ready: number): void;
  checked?(context: QContext, anyReady: boolean): void;
  /** A batch of `count` sources is dispatched, or has been. */
  batchBegin?(context: QContext, count: number): void;
  batchEnd?(context: QContext): void;
  dispatchBegin?(context: QContext, source: QSource): void;
  dispatchEnd?(context: QContext, source: QSource, keep: boolean): void;
  attached?(context: QContext, source: QSource): void;
  destroyed?(context: QContext, source: QSource): void;
  /** A function of the source threw; the source has been or is being destroyed (G19). */
  sourceThrew?(context: QContext, source: QSource, phase: string, error: unknown): void;
  /** Misuse that GLib would log, in GLib's words where it has them. */
  warning?(context: QContext, message: string): void;
}

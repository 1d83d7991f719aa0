import type { Clock } from '../base/clock.ts';
import { TRACE } from '../trace/schema.ts';
import type { Tracer } from '../trace/tracer.ts';
import type { ContextObserver } from './context-observer.ts';
import type { PollSet } from './poll-fd.ts';
import type { QContext } from './qcontext.ts';
import type { QSource } from './qsource.ts';
import { type SourceKind, type SourceReport, SourceStats } from './source-stats.ts';

interface Observed {
  readonly nameId: number;
  readonly stats: SourceStats;
}

/** Where errors and warnings go besides the trace. */
export interface ObserverLog {
  warning(message: string): void;
}

/**
 * Writes what a context does to the trace, and counts the dispatches of its sources. Home thread.
 */
export class TracingObserver implements ContextObserver {
  readonly #tracer: Tracer;
  readonly #index: number;
  readonly #clock: Clock;
  readonly #log: ObserverLog;
  readonly #sources = new Map<QSource, Observed>();
  iterations = 0;

  /** @param index - the context's index in trace events. */
  constructor(tracer: Tracer, clock: Clock, index: number, log: ObserverLog) {
    this.#tracer = tracer;
    this.#clock = clock;
    this.#index = index;
    this.#log = log;
  }

  prepared(_context: QContext, anyReady: boolean): void {
    this.iterations++;
    this.#tracer.emit(TRACE.context_prepare, this.#index, Number(anyReady));
  }

  queried(_context: QContext, set: PollSet): void {
    const us = set.timeoutMs < 0 ? 0xffff_ffff : Math.min(set.timeoutMs * 1000, 0xffff_ffff);
    this.#tracer.emit(TRACE.context_query, this.#index, set.n, us);
  }

  checked(_context: QContext, anyReady: boolean): void {
    this.#tracer.emit(TRACE.context_check, this.#index, Number(anyReady));
  }

  attached(_context: QContext, source: QSource): void {
    const nameId = this.#tracer.nameId('source', nameOf(source));
    this.#sources.set(source, { nameId, stats: new SourceStats() });
    this.#tracer.emit(TRACE.source_attach, this.#index, nameId);
  }

  destroyed(_context: QContext, source: QSource): void {
    this.#tracer.emit(TRACE.source_detach, this.#index, this.#idOf(source));
    this.#sources.delete(source);
  }

  batchBegin(): void {
    this.#tracer.emit(TRACE.context_dispatch_begin, this.#index);
  }

  batchEnd(): void {
    this.#tracer.emit(TRACE.context_dispatch_end, this.#index);
  }

  dispatchBegin(_context: QContext, source: QSource): void {
    const observed = this.#sources.get(source);
    observed?.stats.dispatched(this.#clock.nowNs());
    this.#tracer.emit(TRACE.source_dispatch_begin, this.#index, observed?.nameId ?? 0, 0);
  }

  dispatchEnd(_context: QContext, source: QSource, keep: boolean): void {
    this.#tracer.emit(TRACE.source_dispatch_end, this.#index, this.#idOf(source), Number(keep));
  }

  sourceThrew(_context: QContext, source: QSource, phase: string, error: unknown): void {
    this.#tracer.emit(TRACE.source_error, this.#index, this.#idOf(source));
    this.#log.warning(`source ${nameOf(source)} threw in ${phase} and is removed: ${String(error)}`);
  }

  warning(context: QContext, message: string): void {
    this.#log.warning(`${context.name}: ${message}`);
  }

  /** The living sources with their counts, by order of attachment. */
  reports(): SourceReport[] {
    return [...this.#sources].map(([source, { stats }]) =>
      stats.report(source.id, nameOf(source), kindOf(source), source.priority),
    );
  }

  /** The number of the source's name; also of one that was destroyed during its dispatch. */
  #idOf(source: QSource): number {
    return this.#sources.get(source)?.nameId ?? this.#tracer.nameId('source', nameOf(source));
  }
}

function nameOf(source: QSource): string {
  return source.name ?? `source ${source.id}`;
}

function kindOf({ name, readyTimeUs, pollFds }: QSource): SourceKind {
  if (name?.endsWith('/aio') === true || name === 'aio') return 'aio';
  if (name === 'idle') return 'idle';
  if (readyTimeUs !== -1) return 'timer';
  return pollFds !== null && pollFds.size > 0 ? 'fd' : 'custom';
}

import type { Tracer } from '../trace/tracer.ts';
import type { AioHandler } from './aio-handler.ts';
import { type SourceKind, type SourceReport, SourceStats } from './source-stats.ts';

/**
 * The names of what an AioContext dispatches: their numbers in traces, and the counts of those that have
 * no lasting object of their own (bottom halves and timers go by name).
 */
export class AioLedger {
  readonly #tracer: Tracer;
  readonly #ids = new Map<string, number>();
  /** By name, of handlers that are not there now. */
  readonly #removed = new Map<string, SourceStats>();
  readonly #named = new Map<string, { readonly kind: SourceKind; readonly stats: SourceStats }>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** The number of a name in trace events. */
  id(name: string): number {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = this.#tracer.nameId('source', name);
      this.#ids.set(name, id);
    }
    return id;
  }

  /** The counts of all bottom halves, or all timers, of that name. */
  stats(kind: 'bh' | 'timer', name: string): SourceStats {
    const known = this.#named.get(name);
    if (known !== undefined) return known.stats;
    const stats = new SourceStats();
    this.#named.set(name, { kind, stats });
    return stats;
  }

  /** The counts a handler of that name begins with: those of the last one removed. Two that are there at once share none. */
  handlerStats(name: string): SourceStats {
    const stats = this.#removed.get(name) ?? new SourceStats();
    this.#removed.delete(name);
    return stats;
  }

  /** A handler was removed: a device that is drained for a moment comes back under the same name. */
  handlerRemoved({ name, stats }: AioHandler): void {
    this.#removed.set(name, stats);
  }

  /** Handlers first, then bottom halves and timers by name. */
  reports(handlers: Iterable<AioHandler>, priority: number): SourceReport[] {
    const reports: SourceReport[] = [];
    for (const { stats, nameId, name, notifier } of handlers)
      reports.push({ ...stats.report(nameId, name, 'fd', priority), signals: notifier.taken });
    for (const [name, { kind, stats }] of this.#named) {
      reports.push(stats.report(this.id(name), name, kind, priority));
    }
    return reports;
  }
}

import type { EventNotifierHandlers, PollableNotifier } from './aio-interface.ts';
import type { PollFd } from './poll-fd.ts';
import type { SourceStats } from './source-stats.ts';

/** One event notifier with its callbacks, as an AioContext keeps it. */
export class AioHandler {
  readonly notifier: PollableNotifier;
  readonly name: string;
  /** The name's number in traces. */
  readonly nameId: number;
  readonly stats: SourceStats;
  handlers: EventNotifierHandlers;
  /** The watch in the source by which the AioContext is attached, if it is. */
  tag: PollFd | null = null;
  removed = false;
  /** Found ready by its notifier, not dispatched yet. */
  ready = false;
  /** Found ready by polling, not dispatched yet. */
  pollReady = false;
  /** How long polling for it has paid lately, in ns (A6). */
  pollNs = 0;
  /** It is one of those that are polled. */
  polled = false;
  /** `ioPollBegin` ran and `ioPollEnd` has not: the producer may be silent. */
  pollStarted = false;
  /** When it leaves polling unless it is ready before; 0 = not decided yet. */
  idleDeadlineNs = 0;

  constructor(
    notifier: PollableNotifier,
    handlers: EventNotifierHandlers,
    name: string,
    nameId: number,
    stats: SourceStats,
  ) {
    this.notifier = notifier;
    this.handlers = handlers;
    this.name = name;
    this.nameId = nameId;
    this.stats = stats;
  }
}

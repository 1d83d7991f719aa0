import type { PollableNotifier } from './aio-interface.ts';
import { IO_IN, type PollFd } from './poll-fd.ts';
import type { QContext } from './qcontext.ts';
import { QSource } from './qsource.ts';

/** The name by which the main loop's fd-handler list is found in its context. */
export const IOHANDLER = 'iohandler';

interface Handler {
  readonly notifier: PollableNotifier;
  readonly tag: PollFd;
  ioRead: () => void;
}

/**
 * The main loop's list of fd handlers (`qemu_set_fd_handler`), as one source of a context. Code that has
 * only the context finds it there by name. Home thread.
 */
export class IoHandler {
  readonly source: QSource;
  readonly #handlers = new Map<number, Handler>();
  readonly #wakeAddr: number;
  readonly #threw: (fd: number, error: unknown) => void;

  /**
   * @param wakeAddr - wake word of the thread, to which notifiers are directed; 0 = none.
   * @param threw - told of a handler that threw; it has been removed.
   */
  constructor(wakeAddr = 0, threw: (fd: number, error: unknown) => void = () => {}) {
    this.#wakeAddr = wakeAddr;
    this.#threw = threw;
    // No check: a source is ready when one of its fds is.
    this.source = new QSource({ dispatch: () => this.#dispatch() }, IOHANDLER);
    handlersOf.set(this.source, this);
  }

  /** The fd-handler list of a context, or null if it has none. */
  static find(context: QContext): IoHandler | null {
    const source = context.findSourceByName(IOHANDLER);
    return source === null ? null : (handlersOf.get(source) ?? null);
  }

  /** Sets or replaces what runs when the notifier is set; `null` removes it. The watch stays on a change. */
  setFdHandler(notifier: PollableNotifier, ioRead: (() => void) | null): void {
    const old = this.#handlers.get(notifier.fd);
    if (ioRead === null) {
      if (old === undefined) return;
      this.#handlers.delete(notifier.fd);
      this.source.removePollFd(old.tag);
      notifier.setHome?.(0);
    } else if (old === undefined) {
      notifier.setHome?.(this.#wakeAddr);
      this.#handlers.set(notifier.fd, { notifier, tag: this.source.addPollFd(notifier.fd, IO_IN), ioRead });
    } else {
      old.ioRead = ioRead;
    }
  }

  #dispatch(): boolean {
    for (const [fd, { notifier, tag, ioRead }] of this.#handlers) {
      // `&`, not `&&`: a handler runs for the conditions it asked for (RFC defect 5).
      if ((tag.revents & tag.events) === 0) continue;
      try {
        ioRead();
      } catch (error) {
        this.setFdHandler(notifier, null);
        this.#threw(fd, error);
      }
    }
    return true;
  }
}

const handlersOf = new WeakMap<QSource, IoHandler>();

import type { VirtualClock } from '../../base/clock.ts';
import { AioContext } from '../../qcontext/aio-context.ts';
import { IO_IN, type PollSet } from '../../qcontext/poll-fd.ts';
import { FakeNotifier } from '../../qcontext/testing.ts';

/** A real AioContext that a test turns by hand, on a virtual clock. Notifiers come from `notifiers`. */
export class TestLoop {
  readonly aio: AioContext;
  readonly #notifiers: TestNotifiers;
  #thrown: unknown;

  constructor(name: string, clock: VirtualClock, notifiers: TestNotifiers) {
    this.#notifiers = notifiers;
    this.aio = new AioContext({
      name,
      clock,
      threw: (_name, error) => {
        this.#thrown = error;
      },
    });
  }

  /** Polls until nothing is ready; what a callback threw comes out here. */
  run(limit = 100_000): void {
    for (let i = 0; this.aio.poll(false, (set) => this.#look(set)); i++) {
      if (this.#thrown !== undefined) throw this.#thrown;
      if (i === limit) throw new Error(`${this.aio.name}: still busy after ${limit} polls`);
    }
    if (this.#thrown !== undefined) throw this.#thrown;
  }

  #look(set: PollSet): void {
    for (const entry of set.fds.slice(0, set.n)) {
      entry.revents = this.#notifiers.get(entry.fd)?.isSet() ? IO_IN : 0;
    }
  }
}

/** The notifiers of a test, numbered as they are made. */
export class TestNotifiers {
  readonly #all: FakeNotifier[] = [];
  make(): FakeNotifier {
    const notifier = new FakeNotifier(this.#all.length);
    this.#all.push(notifier);
    return notifier;
  }
  get(fd: number): FakeNotifier | undefined {
    return this.#all[fd];
  }
}

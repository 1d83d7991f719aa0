import { IO_ALWAYS, IO_MASK, type PollFd, type PollSet } from './poll-fd.ts';

/** The watches of one fd. Several sources may watch one. */
class FdRecord {
  readonly fd: number;
  /** Watch → priority of its source. */
  readonly watches = new Map<PollFd, number>();
  /** The same in two arrays, made when first needed after a change: each iteration walks them. */
  #list: readonly PollFd[] | null = null;
  #priorities: readonly number[] = [];

  constructor(fd: number) {
    this.fd = fd;
  }

  set(pollFd: PollFd, priority: number): void {
    this.watches.set(pollFd, priority);
    this.#list = null;
  }

  delete(pollFd: PollFd): void {
    if (this.watches.delete(pollFd)) this.#list = null;
  }

  #walkable(): readonly PollFd[] {
    if (this.#list !== null) return this.#list;
    this.#priorities = [...this.watches.values()];
    this.#list = [...this.watches.keys()];
    return this.#list;
  }

  /** What its watches of priority ≤ `maxPriority` ask for together; −1 if there is none. */
  events(maxPriority: number): number {
    const list = this.#walkable();
    let events = -1;
    for (let i = 0; i < list.length; i++) {
      if ((this.#priorities[i] as number) > maxPriority) continue;
      events = (events < 0 ? 0 : events) | ((list[i] as PollFd).events & ~IO_ALWAYS);
    }
    return events;
  }

  answer(revents: number, maxPriority: number): void {
    const list = this.#walkable();
    for (let i = 0; i < list.length; i++) {
      if ((this.#priorities[i] as number) > maxPriority) continue;
      const pollFd = list[i] as PollFd;
      pollFd.revents = revents & (pollFd.events | IO_ALWAYS) & IO_MASK;
    }
  }
}

/**
 * The fds a context watches on behalf of its sources, each with the priority of its source.
 *
 * Kept by fd, and the fds sorted only when a `query` needs them: attaching and destroying n sources
 * stays linear (up to the sort), where an ordered list would make it quadratic. An fd that nobody watches
 * keeps its place until there are many such: a source that is blocked while it runs comes back to it.
 */
export class PollRecords {
  readonly #byFd = new Map<number, FdRecord>();
  #sorted: FdRecord[] = [];
  /** An fd is in `#byFd` but not in `#sorted`. */
  #stale = false;
  /** Set by every change, cleared by `query`: `check` must not use answers to an older question (G13). */
  changed = false;
  /** Records looked at by queries and sorts so far: what may grow faster than the sources do (G23). */
  steps = 0;

  /** Watches `pollFd` at `priority`, forgetting conditions found earlier. */
  add(pollFd: PollFd, priority: number): void {
    pollFd.revents = 0;
    let record = this.#byFd.get(pollFd.fd);
    if (record === undefined) {
      record = new FdRecord(pollFd.fd);
      this.#byFd.set(pollFd.fd, record);
      this.#stale = true;
    }
    record.set(pollFd, priority);
    this.changed = true;
  }

  /** Stops watching `pollFd`. Counts as a change even if it was not watched, as in GLib. */
  remove(pollFd: PollFd): void {
    this.#byFd.get(pollFd.fd)?.delete(pollFd);
    this.changed = true;
  }

  /** Fills `set` with the fds of priority ≤ `set.maxPriority`, ascending, one entry an fd (G11, G12). */
  query(set: PollSet): void {
    if (this.#stale) this.#sort();
    set.n = 0;
    let unwatched = 0;
    this.steps += this.#sorted.length;
    for (let i = 0; i < this.#sorted.length; i++) {
      const record = this.#sorted[i] as FdRecord;
      if (record.watches.size === 0) {
        unwatched++;
        continue;
      }
      const events = record.events(set.maxPriority);
      if (events >= 0) set.push(record.fd, events);
    }
    if (unwatched > 8 && unwatched * 2 > this.#sorted.length) this.#sort();
    this.changed = false;
  }

  #sort(): void {
    this.steps += this.#byFd.size;
    for (const record of this.#byFd.values()) if (record.watches.size === 0) this.#byFd.delete(record.fd);
    this.#sorted = [...this.#byFd.values()].toSorted((a, b) => a.fd - b.fd);
    this.#stale = false;
  }

  /**
   * Hands the answers of the poll function to the watches of priority ≤ `set.maxPriority`. The others
   * keep what they had. An entry that nobody watches any more ends the walk, as in GLib: it can only
   * come from a set queried before another iteration ran.
   */
  distribute(set: PollSet): void {
    for (let i = 0; i < set.n; i++) {
      const entry = set.fds[i];
      const record = entry && this.#byFd.get(entry.fd);
      if (entry === undefined || record === undefined || record.watches.size === 0) return;
      record.answer(entry.revents, set.maxPriority);
    }
  }
}

import { IO_ALWAYS, IO_MASK, type PollFd, type PollSet } from './poll-fd.ts';

/**
 * The fds a context watches on behalf of its sources, each with the priority of its source.
 *
 * Kept by fd, and the fds sorted only when a `query` needs them: attaching and destroying n sources
 * stays linear (up to the sort), where an ordered list would make it quadratic.
 */
export class PollRecords {
  /** fd → (watch → priority of its source). Several sources may watch one fd. */
  readonly #byFd = new Map<number, Map<PollFd, number>>();
  #sorted: number[] = [];
  #stale = false;
  /** Set by every change, cleared by `query`: `check` must not use answers to an older question (G13). */
  changed = false;

  /** Watches `pollFd` at `priority`, forgetting conditions found earlier. */
  add(pollFd: PollFd, priority: number): void {
    pollFd.revents = 0;
    let watches = this.#byFd.get(pollFd.fd);
    if (watches === undefined) {
      watches = new Map();
      this.#byFd.set(pollFd.fd, watches);
      this.#stale = true;
    }
    watches.set(pollFd, priority);
    this.changed = true;
  }

  /** Stops watching `pollFd`. Counts as a change even if it was not watched, as in GLib. */
  remove(pollFd: PollFd): void {
    const watches = this.#byFd.get(pollFd.fd);
    if (watches?.delete(pollFd) === true && watches.size === 0) {
      this.#byFd.delete(pollFd.fd);
      this.#stale = true;
    }
    this.changed = true;
  }

  /** Fills `set` with the fds of priority ≤ `set.maxPriority`, ascending, one entry an fd (G11, G12). */
  query(set: PollSet): void {
    if (this.#stale) {
      this.#sorted = [...this.#byFd.keys()].toSorted((a, b) => a - b);
      this.#stale = false;
    }
    set.n = 0;
    for (const fd of this.#sorted) {
      const watches = this.#byFd.get(fd);
      if (watches === undefined) continue;
      let events = 0;
      let wanted = false;
      for (const [pollFd, priority] of watches) {
        if (priority > set.maxPriority) continue;
        wanted = true;
        events |= pollFd.events & ~IO_ALWAYS;
      }
      if (wanted) set.push(fd, events);
    }
    this.changed = false;
  }

  /**
   * Hands the answers of the poll function to the watches of priority ≤ `set.maxPriority`. The others
   * keep what they had. An entry that nobody watches any more ends the walk, as in GLib: it can only
   * come from a set queried before another iteration ran.
   */
  distribute(set: PollSet): void {
    for (let i = 0; i < set.n; i++) {
      const entry = set.fds[i];
      const watches = entry && this.#byFd.get(entry.fd);
      if (entry === undefined || watches === undefined) return;
      for (const [pollFd, priority] of watches) {
        if (priority > set.maxPriority) continue;
        pollFd.revents = entry.revents & (pollFd.events | IO_ALWAYS) & IO_MASK;
      }
    }
  }
}

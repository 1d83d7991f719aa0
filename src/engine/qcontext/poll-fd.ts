/** Conditions of a poll fd, with the values of `GIOCondition` and of poll(2) on Linux. */
export const IO_IN = 1;
export const IO_PRI = 2;
export const IO_OUT = 4;
export const IO_ERR = 8;
export const IO_HUP = 16;
export const IO_NVAL = 32;

/** Conditions that are reported whether or not they were asked for. */
export const IO_ALWAYS = IO_ERR | IO_HUP | IO_NVAL;

/** `events` and `revents` are 16 bits wide, as in `struct pollfd`. */
export const IO_MASK = 0xffff;

/** One watched descriptor; also the tag by which its source changes or removes the watch. */
export interface PollFd {
  readonly fd: number;
  /** Conditions asked for. */
  events: number;
  /** Conditions found by the last `check` that looked at this record. */
  revents: number;
}

/** One entry of the array handed to the poll function. */
export interface PollEntry {
  fd: number;
  events: number;
  revents: number;
}

/**
 * The working record of one iteration, filled by `prepare` and `query`, answered by the poll function,
 * read by `check`. Entries beyond `n` are left over from earlier iterations and are reused.
 */
export class PollSet {
  /** The priority of the first ready source, else `PRIORITY_MAX`: fds of lower urgency are left out. */
  maxPriority = 0;
  /** Upper bound of the wait in milliseconds; −1 = none. */
  timeoutMs = -1;
  /**
   * A finer bound in nanoseconds for poll functions that can keep it; −1 = none. Never the only bound:
   * a source that sets it also sets `timeoutMs`, rounded up (G17).
   */
  timeoutNs = -1;
  /** Number of valid entries. */
  n = 0;
  readonly fds: PollEntry[] = [];

  /** Appends an entry, reusing an old one. */
  push(fd: number, events: number): void {
    const entry = this.fds[this.n];
    if (entry === undefined) {
      this.fds.push({ fd, events, revents: 0 });
    } else {
      entry.fd = fd;
      entry.events = events;
      entry.revents = 0;
    }
    this.n++;
  }
}

/**
 * Waits until an entry of `set` is ready or the timeout has passed, fills in `revents` and returns the
 * number of ready entries. `timeoutMs` overrides the set's (0 = do not wait, −1 = for ever).
 */
export type PollFunc = (set: PollSet, timeoutMs: number) => number;

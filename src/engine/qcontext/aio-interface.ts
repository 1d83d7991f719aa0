/**
 * What a device, a timer user or a backend sees of the event loop its callbacks run in.
 *
 * The names are QEMU's (`aio_set_event_notifier`, `aio_bh_new`, `aio_timer_new`); the implementation
 * is `AioContext` in aio-context.ts. Every method is for the context's home thread unless it says
 * "any thread": a callback is a closure, and a closure lives in one worker. Other threads reach a
 * context only through an event notifier in shared memory.
 */

/** A counter in shared memory that wakes the context it is registered with, like a Linux eventfd. */
export interface PollableNotifier {
  /** The notifier's number, its stand-in for a file descriptor. */
  readonly fd: number;
  /** Makes the notifier readable and wakes its home context. Any thread. */
  set(): void;
  /** Reads and resets the counter; true if it was set. */
  testAndClear(): boolean;
  /** True while the counter is not zero; does not reset it. Any thread. */
  isSet(): boolean;
  /** Says which thread's wake word `set` shall wake; 0 = nobody's. Called on registration and removal. */
  setHome?(wakeWordAddr: number): void;
  /** Which it is now. */
  readonly home?: number;
  /** Time in ns of the `set` that made it readable; meaningful while it is readable. */
  readonly stampNs?: number;
  /** How often it was set, without what has not been read yet. Home thread. */
  readonly taken?: number;
}

/** The callbacks of one event notifier. All run on the context's home thread. */
export interface EventNotifierHandlers {
  /** The notifier is set. The handler itself calls `testAndClear` before it looks for work. */
  ioRead(): void;
  /** Looks for work without the notifier (adaptive polling); true if there is some. No side effects. */
  ioPoll?(): boolean;
  /** Does the work that `ioPoll` found. */
  ioPollReady?(): void;
  /** Polling begins: the producer's notifications may be suppressed. */
  ioPollBegin?(): void;
  /** Polling ends: notifications are wanted again. `ioPoll` is called once more after it. */
  ioPollEnd?(): void;
}

/** A callback that runs once after each scheduling, before the handlers of the next poll. */
export interface BottomHalf {
  readonly name: string;
  /** Runs the callback in the next poll. Scheduling twice before it runs runs it once. */
  schedule(): void;
  /** As `schedule`, but at leisure: within 10 ms, and it does not count as progress. */
  scheduleIdle(): void;
  /** Takes back a schedule that has not run. */
  cancel(): void;
  /** Takes it back and releases the bottom half for good. */
  delete(): void;
}

/** A timer in nanoseconds on the context's clock. */
export interface AioTimer {
  readonly name: string;
  /** Expires at `deadlineNs`; replaces an earlier deadline. */
  modNs(deadlineNs: number): void;
  /** Takes the deadline back; harmless if there is none. */
  del(): void;
  readonly pending: boolean;
  /** The deadline, or −1 while not pending. */
  readonly expireNs: number;
}

/** The event loop as the code that runs in it sees it. */
export interface AioLoop {
  /** The name shown in traces and the inspector, e.g. `ctx0/aio`. */
  readonly name: string;
  /** Throws (a bug of ours) if called on another thread than the one that runs this loop. */
  assertHome(): void;
  /** The clock of the timers, in nanoseconds. Any thread. */
  nowNs(): number;
  /** Registers handlers for a notifier, replaces them, or with `null` removes them. */
  setEventNotifier(notifier: PollableNotifier, handlers: EventNotifierHandlers | null, name?: string): void;
  bhNew(name: string, callback: () => void): BottomHalf;
  /** A bottom half that is deleted after it ran once. */
  bhScheduleOneshot(name: string, callback: () => void): void;
  timerNew(name: string, callback: () => void): AioTimer;
}

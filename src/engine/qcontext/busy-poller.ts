/** Something that may find work without being woken: the poll function asks it before it sleeps. */
export interface BusyPoller {
  /** How long looking may go on, in ns; 0 = not at all. */
  readonly pollNs: number;
  /** True between `pollBegin` and `pollEnd`. */
  readonly isPolling: boolean;
  pollBegin(): void;
  /** Looks once; true if there is work. */
  pollOnce(nowNs: number): boolean;
  /** Goes back to notifications, and looks once more; true if there is work. */
  pollEnd(): boolean;
  /** Gives up on what has been idle for long; true if the last look found work. */
  dropIdle(nowNs: number): boolean;
  /** Told how long the wait took that has just ended, polling included, in ns. */
  waited(blockNs: number): void;
}

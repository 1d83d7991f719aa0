/**
 * What engine code writes events to. One tracer per thread. Calls are cheap when the event is off:
 * implementations look at one word first.
 */
export interface Tracer {
  /** Is this event wanted? For callers that would have to compute arguments. */
  enabled(event: number): boolean;
  /**
   * Records an event with up to five unsigned 32-bit arguments (see schema.ts for their meaning).
   * @returns the time it bears, ns; 0 if the event is off
   */
  emit(event: number, a0?: number, a1?: number, a2?: number, a3?: number, a4?: number): number;
  /**
   * The same, at a time the caller has just read or got from `emit`. What happens within a microsecond shares one
   * reading of the clock: that costs more than all the rest of a record, and its step in a browser is longer.
   * @param timeNs of this machine's clock, or 0 for now; not before this thread's last record, else that one's time is taken
   */
  emitAt(
    timeNs: number,
    event: number,
    a0?: number,
    a1?: number,
    a2?: number,
    a3?: number,
    a4?: number,
  ): number;
  /**
   * A small number for a name (source, bottom half, timer), stable for the life of the thread's ring;
   * the name travels once, beside the ring.
   */
  nameId(kind: string, name: string): number;
}

/** Writes nothing. */
export const nullTracer: Tracer = {
  enabled: () => false,
  emit: () => 0,
  emitAt: () => 0,
  nameId: () => 0,
};

/** Keeps what it was told, for tests. */
export class RecordingTracer implements Tracer {
  readonly records: { event: number; args: number[] }[] = [];
  readonly names: string[] = [''];
  enabled(): boolean {
    return true;
  }
  emit(event: number, ...args: number[]): number {
    this.records.push({ event, args });
    return 0;
  }
  emitAt(_timeNs: number, event: number, ...args: number[]): number {
    return this.emit(event, ...args);
  }
  nameId(_kind: string, name: string): number {
    const known = this.names.indexOf(name);
    return known >= 0 ? known : this.names.push(name) - 1;
  }
  /** Arguments of every record of one event. */
  of(event: number): number[][] {
    return this.records.filter((record) => record.event === event).map((record) => record.args);
  }
}

/** Up to five unsigned 32-bit arguments of an event; what they mean is in schema.ts. */
export type TraceArgs = readonly [a0?: number, a1?: number, a2?: number, a3?: number, a4?: number];

/**
 * What engine code writes events to. One tracer per thread. Calls are cheap when the event is off:
 * implementations look at one word first.
 *
 * A disk can have more requests a second than anyone can look at, and its machine too few cores to record them all.
 * Then only one in so many is followed (its events are recorded), and the others' events are counted: which, the device
 * asks for each batch with `follows`, so that requests that are merged or published together are treated alike.
 */
export interface Tracer {
  /** Is this event wanted? For callers that would have to compute arguments. */
  enabled(event: number): boolean;
  /**
   * Records an event.
   * @returns whether there is a record of it now; not if the event is off, the ring was full, or it is only counted
   */
  emit(event: number, ...args: TraceArgs): boolean;
  /**
   * The same, at a time the caller has just read. What happens within a microsecond shares one reading of the clock:
   * that costs more than all the rest of a record, and its step in a browser is longer.
   * @param timeNs of this machine's clock, or 0 for now; not before this thread's last record, else that one's time is taken
   */
  emitAt(timeNs: number, event: number, ...args: TraceArgs): boolean;
  /** The same, at the time of this thread's last record. */
  emitSame(event: number, ...args: TraceArgs): boolean;
  /**
   * An event of a request: recorded as by `emitAt` if the request is followed, else counted, without a reading of the
   * clock. An event that is off is neither; a breakpoint is run into in both cases.
   */
  emitFor(followed: boolean, timeNs: number, event: number, ...args: TraceArgs): boolean;
  /** Are the requests of a device's `batch`-th batch to be followed? */
  follows(batch: number): boolean;
  /**
   * A small number for a name (source, bottom half, timer), stable for the life of the thread's ring;
   * the name travels once, beside the ring.
   */
  nameId(kind: string, name: string): number;
}

/** Writes nothing. */
export const nullTracer: Tracer = {
  enabled: () => false,
  emit: () => false,
  emitAt: () => false,
  emitSame: () => false,
  emitFor: () => false,
  follows: () => true,
  nameId: () => 0,
};

/** Keeps what it was told, for tests. */
export class RecordingTracer implements Tracer {
  readonly records: { event: number; args: number[] }[] = [];
  readonly names: string[] = [''];
  /** Of what is only counted: how often, by event. */
  readonly counted = new Map<number, number>();
  /** One batch of so many is followed. */
  followOneOf = 1;
  enabled(): boolean {
    return true;
  }
  emit(event: number, ...args: number[]): boolean {
    this.records.push({ event, args });
    return true;
  }
  emitAt(_timeNs: number, event: number, ...args: number[]): boolean {
    return this.emit(event, ...args);
  }
  emitSame(event: number, ...args: number[]): boolean {
    return this.emit(event, ...args);
  }
  emitFor(followed: boolean, _timeNs: number, event: number, ...args: number[]): boolean {
    if (followed) return this.emit(event, ...args);
    this.counted.set(event, (this.counted.get(event) ?? 0) + 1);
    return false;
  }
  follows(batch: number): boolean {
    return batch % this.followOneOf === 0;
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

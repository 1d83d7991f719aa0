/**
 * What engine code writes events to. One tracer per thread. Calls are cheap when the event is off:
 * implementations look at one word first.
 */
export interface Tracer {
  /** Is this event wanted? For callers that would have to compute arguments. */
  enabled(event: number): boolean;
  /** Records an event with up to five unsigned 32-bit arguments (see schema.ts for their meaning). */
  emit(event: number, a0?: number, a1?: number, a2?: number, a3?: number, a4?: number): void;
  /**
   * A small number for a name (source, bottom half, timer), stable for the life of the thread's ring;
   * the name travels once, beside the ring.
   */
  nameId(kind: string, name: string): number;
}

/** Writes nothing. */
export const nullTracer: Tracer = { enabled: () => false, emit: () => {}, nameId: () => 0 };

/** Keeps what it was told, for tests. */
export class RecordingTracer implements Tracer {
  readonly records: { event: number; args: number[] }[] = [];
  readonly names: string[] = [''];
  enabled(): boolean {
    return true;
  }
  emit(event: number, ...args: number[]): void {
    this.records.push({ event, args });
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

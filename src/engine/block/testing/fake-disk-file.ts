import type { DiskFile } from '../../host.ts';

/** A file in memory that behaves as OPFS does, keeps count, and can be made to fail. */
export class FakeDiskFile implements DiskFile {
  data: Uint8Array;
  /** Bytes the file may grow to; writes beyond are short, as in Firefox. */
  capacity = Infinity;
  /** Thrown by the next call of that name. */
  readonly failures = new Map<'read' | 'write' | 'flush' | 'truncate', unknown>();
  readonly calls = { read: 0, write: 0, flush: 0, close: 0 };
  open = true;

  constructor(bytes: number) {
    this.data = new Uint8Array(bytes);
  }
  /** The same bytes, opened again by somebody else. */
  reopen(): FakeDiskFile {
    const next = new FakeDiskFile(0);
    next.data = this.data;
    next.capacity = this.capacity;
    return next;
  }
  size(): number {
    return this.data.length;
  }
  read(into: Uint8Array, offset: number): number {
    this.#act('read');
    const piece = this.data.subarray(offset, offset + into.length);
    into.set(piece);
    return piece.length;
  }
  write(from: Uint8Array, offset: number): number {
    this.#act('write');
    const count = Math.max(0, Math.min(from.length, this.capacity - offset));
    if (count > 0) this.#grow(offset + count);
    this.data.set(from.subarray(0, count), offset);
    return count;
  }
  flush(): void {
    this.#act('flush');
  }
  truncate(bytes: number): void {
    this.#act('truncate');
    const kept = this.data.slice(0, bytes);
    this.data = new Uint8Array(bytes);
    this.data.set(kept);
  }
  close(): void {
    this.calls.close += 1;
    this.open = false;
  }

  #grow(bytes: number): void {
    if (bytes <= this.data.length) return;
    const grown = new Uint8Array(bytes);
    grown.set(this.data);
    this.data = grown;
  }
  #act(name: 'read' | 'write' | 'flush' | 'truncate'): void {
    if (!this.open) throw new Error(`${name} after close`);
    if (name !== 'truncate') this.calls[name] += 1;
    const failure = this.failures.get(name);
    if (failure === undefined) return;
    this.failures.delete(name);
    throw failure;
  }
}

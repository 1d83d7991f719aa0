import { describe, expect, it } from 'vitest';
import type { DiskFile } from '../../host.ts';
import { checkSections, readDescription, SnapshotWriteError, SnapshotWriter, readStored } from './format.ts';

/** A file in memory, of at most `limit` bytes. */
class MemoryFile implements DiskFile {
  data = new Uint8Array(0);
  readonly #limit: number;
  constructor(limit = Infinity) {
    this.#limit = limit;
  }
  size(): number {
    return this.data.length;
  }
  read(into: Uint8Array, offset: number): number {
    const piece = this.data.subarray(offset, offset + into.length);
    into.set(piece);
    return piece.length;
  }
  write(from: Uint8Array, offset: number): number {
    const end = Math.min(this.#limit, Math.max(this.data.length, offset + from.length));
    const grown = new Uint8Array(end);
    grown.set(this.data);
    grown.set(from.subarray(0, end - offset), offset);
    this.data = grown;
    return Math.min(from.length, end - offset);
  }
  flush(): void {}
  truncate(bytes: number): void {
    this.data = this.data.slice(0, bytes);
  }
  close(): void {}
}

const description = { tag: 'a', machine: 'mit Umlaut: ä', harts: [1, 2] };
const payload = (seed: number): Uint8Array => Uint8Array.from({ length: 1000 }, (_, i) => (i * seed) & 0xff);

function written(): MemoryFile {
  const file = new MemoryFile();
  const writer = new SnapshotWriter(file, description);
  writer.section('ram', 0, payload(3), 4000);
  writer.section('hart', 1, payload(5), 1000);
  expect(writer.finish()).toBe(file.size());
  return file;
}

/** What a reader makes of a file: its sections, or why not. */
function read(file: MemoryFile): string {
  const head = readDescription(file);
  if (!head.ok) return head.error.desc;
  const sections = checkSections(file, head.value.end);
  return sections.ok ? `${sections.value.length} sections` : sections.error.desc;
}

describe('the snapshot format', () => {
  it('gives back description and sections', () => {
    const file = written();
    const head = readDescription(file);
    if (!head.ok) throw new Error(head.error.desc);
    expect(head.value.description).toEqual(description);
    const sections = checkSections(file, head.value.end);
    if (!sections.ok) throw new Error(sections.error.desc);
    expect(sections.value.map(({ name, index, rawBytes }) => [name, index, rawBytes])).toEqual([
      ['ram', 0, 4000],
      ['hart', 1, 1000],
    ]);
    expect(sections.value.map((section) => readStored(file, section))).toEqual([payload(3), payload(5)]);
  });

  it('reads what it has kept of the check only once, and the rest again', () => {
    const file = written();
    const head = readDescription(file);
    if (!head.ok) throw new Error(head.error.desc);
    const sections = checkSections(file, head.value.end, 1500);
    if (!sections.ok) throw new Error(sections.error.desc);
    const offsets: number[] = [];
    const { read: whole } = file;
    file.read = (into, offset) => {
      offsets.push(offset);
      return whole.call(file, into, offset);
    };
    expect(sections.value.map((section) => readStored(file, section))).toEqual([payload(3), payload(5)]);
    expect(offsets).toEqual([sections.value[1]?.offset]);
  });

  it('refuses the file after a change of any one byte', () => {
    const whole = written();
    for (let at = 0; at < whole.size(); at++) {
      // The four spare bytes of the preamble mean nothing.
      if (at >= 20 && at < 24) continue;
      const file = new MemoryFile();
      file.data = whole.data.slice();
      file.data[at] = (file.data[at] as number) ^ 0x41;
      expect(read(file), `byte ${at}`).toMatch(/damaged|format/);
    }
  });

  it('refuses the file cut off anywhere, and one that was never finished', () => {
    const whole = written();
    for (let size = 0; size < whole.size(); size += 7) {
      const file = new MemoryFile();
      file.data = whole.data.slice(0, size);
      expect(read(file), `${size} bytes`).toMatch(/damaged/);
    }
    const file = new MemoryFile();
    new SnapshotWriter(file, description).section('ram', 0, payload(3), 1000);
    expect(read(file)).toMatch(/never finished/);
  });

  it('refuses another version', () => {
    const file = written();
    file.data[8] = 3;
    expect(read(file)).toBe('it has format 3, of a newer version; this machine reads format 2');
    file.data[8] = 1;
    expect(read(file)).toBe('it has format 1, which is no longer read; this machine reads format 2');
  });

  it('says when there is no room', () => {
    const writer = new SnapshotWriter(new MemoryFile(500), description);
    expect(() => writer.section('ram', 0, payload(3), 1000)).toThrow(SnapshotWriteError);
  });
});

import { type Result, ok, userError } from '../../base/result.ts';
import { struct } from '../../base/struct.ts';
import type { DiskFile } from '../../host.ts';
import { xxh32 } from './xxh32.ts';

/**
 * A snapshot file, little-endian:
 *
 * | part      | contents                                                                     |
 * |-----------|------------------------------------------------------------------------------|
 * | preamble  | magic, format version, length and XXH32 of the description                    |
 * | description | JSON in ASCII: header.ts                                                   |
 * | sections  | each: name, index, bytes as stored and unpacked, XXH32 of all that; its bytes |
 * | end       | a section named `end` whose index is the number of sections                   |
 *
 * The magic is written last: a file without it was never finished, and counts for nothing.
 */
export const FORMAT_VERSION = 2;
const MAGIC = 'QCSNAP\r\n';

const Preamble = struct('SnapshotPreamble', {
  magic: 'bytes:8',
  version: 'u32',
  bytes: 'u32',
  checksum: 'u32',
  spare: 'u32',
});
const SectionHead = struct('SnapshotSection', {
  name: 'bytes:16',
  index: 'u32',
  storedBytes: 'u32',
  rawBytes: 'u32',
  /** Of the head before this field, then of the stored bytes. */
  checksum: 'u32',
});
const END = 'end';
/** Sections are written in pieces a good deal smaller; more is damage. */
const MAX_SECTION = 64 * 1024 * 1024;
/** Of what a check reads, so much is kept for the restore that follows it. A machine with more is read twice. */
const KEPT_BYTES = 256 * 1024 * 1024;

/** Where a section is in the file. `storedBytes < rawBytes`: it is deflated. */
export interface Section {
  readonly name: string;
  readonly index: number;
  readonly offset: number;
  readonly storedBytes: number;
  readonly rawBytes: number;
  /** What the check has read of it already. */
  readonly stored: Uint8Array<ArrayBuffer> | undefined;
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, (c) => c.charCodeAt(0));
/** JSON whose characters are all ASCII. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

function sectionHead(name: string, index: number, stored: Uint8Array, rawBytes: number): Uint8Array {
  const { at, size } = SectionHead;
  const head = new Uint8Array(size);
  const view = new DataView(head.buffer);
  head.set(bytesOf(name), at.name);
  view.setUint32(at.index, index, true);
  view.setUint32(at.storedBytes, stored.length, true);
  view.setUint32(at.rawBytes, rawBytes, true);
  view.setUint32(at.checksum, xxh32(stored, xxh32(head.subarray(0, at.checksum))), true);
  return head;
}

/** The disk is full, or the surroundings refuse. */
export class SnapshotWriteError extends Error {}

/** Writes one snapshot from front to back. */
export class SnapshotWriter {
  readonly #file: DiskFile;
  readonly #head: Uint8Array;
  #offset: number;
  #count = 0;

  /** @param file empty, and this object's until `finish` */
  constructor(file: DiskFile, description: unknown) {
    const json = bytesOf(asciiJson(description));
    const { at, size } = Preamble;
    this.#file = file;
    this.#head = new Uint8Array(size);
    this.#head.set(bytesOf(MAGIC), at.magic);
    const view = new DataView(this.#head.buffer);
    view.setUint32(at.version, FORMAT_VERSION, true);
    view.setUint32(at.bytes, json.length, true);
    view.setUint32(at.checksum, xxh32(json, xxh32(this.#head.subarray(at.version, at.checksum))), true);
    this.#offset = size;
    this.#append(json);
  }

  /** Adds a section; `stored` is `raw` as it is, or deflated if that is shorter. */
  section(name: string, index: number, stored: Uint8Array, rawBytes: number): void {
    this.#append(sectionHead(name, index, stored, rawBytes));
    this.#append(stored);
    this.#count += 1;
  }

  /** Makes the file whole and durable; returns its size in bytes. */
  finish(): number {
    this.#append(sectionHead(END, this.#count, new Uint8Array(0), 0));
    this.#file.flush();
    this.#write(this.#head, 0);
    this.#file.flush();
    return this.#offset;
  }

  #append(bytes: Uint8Array): void {
    this.#write(bytes, this.#offset);
    this.#offset += bytes.length;
  }
  #write(bytes: Uint8Array, offset: number): void {
    if (this.#file.write(bytes, offset) !== bytes.length)
      throw new SnapshotWriteError('there is no room left for it');
  }
}

function readAt(file: DiskFile, offset: number, bytes: number): Uint8Array<ArrayBuffer> | undefined {
  const into = new Uint8Array(bytes);
  return file.read(into, offset) === bytes ? into : undefined;
}

const damaged = (what: string): Result<never> => userError(`it is damaged: ${what}`);

/** Reads what a snapshot says of itself, without looking at its sections. */
export function readDescription(
  file: DiskFile,
): Result<{ readonly description: unknown; readonly end: number }> {
  const { at, size } = Preamble;
  const head = readAt(file, 0, size);
  if (head === undefined || !bytesOf(MAGIC).every((byte, i) => head[i] === byte))
    return damaged('it does not begin as a snapshot does, or was never finished');
  const view = new DataView(head.buffer);
  const version = view.getUint32(at.version, true);
  if (version !== FORMAT_VERSION)
    return userError(
      `it has format ${version}, ${version > FORMAT_VERSION ? 'of a newer version' : 'which is no longer read'}; this machine reads format ${FORMAT_VERSION}`,
    );
  const bytes = view.getUint32(at.bytes, true);
  const json = bytes <= file.size() ? readAt(file, size, bytes) : undefined;
  if (json === undefined) return damaged('its description ends early');
  if (xxh32(json, xxh32(head.subarray(at.version, at.checksum))) !== view.getUint32(at.checksum, true))
    return damaged('the checksum of its description is wrong');
  const text = json.reduce((all, byte) => all + String.fromCharCode(byte), '');
  return ok({ description: JSON.parse(text) as unknown, end: size + bytes });
}

/**
 * Checks every section of the file, from `offset` (the end of the description) to the end.
 *
 * @param keep bytes of sections that may be kept in memory, for those who go on to use them
 */
export function checkSections(file: DiskFile, offset: number, keep = KEPT_BYTES): Result<readonly Section[]> {
  const { at, size } = SectionHead;
  const sections: Section[] = [];
  for (;;) {
    const head = readAt(file, offset, size);
    if (head === undefined) return damaged(`it ends after ${sections.length} sections`);
    const view = new DataView(head.buffer);
    const name = String.fromCharCode(...head.subarray(at.name, at.name + 16)).replace(/\0+$/, '');
    const index = view.getUint32(at.index, true);
    const storedBytes = view.getUint32(at.storedBytes, true);
    const rawBytes = view.getUint32(at.rawBytes, true);
    const what = `section ${sections.length}`;
    if (storedBytes > MAX_SECTION || rawBytes > MAX_SECTION) return damaged(`${what} is impossibly large`);
    const stored = readAt(file, offset + size, storedBytes);
    if (stored === undefined) return damaged(`it ends in ${what}`);
    if (xxh32(stored, xxh32(head.subarray(0, at.checksum))) !== view.getUint32(at.checksum, true))
      return damaged(`the checksum of ${what} is wrong`);
    if (name === END)
      return index === sections.length ? ok(sections) : damaged('it has lost some of its sections');
    keep -= storedBytes;
    sections.push({
      name,
      index,
      offset: offset + size,
      storedBytes,
      rawBytes,
      stored: keep < 0 ? undefined : stored,
    });
    offset += size + storedBytes;
  }
}

/** The bytes of a section as stored. `checkSections` has read them before. */
export function readStored(file: DiskFile, section: Section): Uint8Array<ArrayBuffer> {
  const bytes = section.stored ?? readAt(file, section.offset, section.storedBytes);
  if (bytes === undefined) throw new Error(`section ${section.name} has changed since it was checked`);
  return bytes;
}

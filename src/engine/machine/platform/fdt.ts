/**
 * Flattened device tree, version 17 (Devicetree Specification 0.4, chapter 5): a big-endian header, a memory
 * reservation block, the structure block (tokens) and the strings block (property names).
 */
export const FDT_MAGIC = 0xd00dfeed;
const FDT_VERSION = 17;
const FDT_LAST_COMPATIBLE = 16;
export const FDT_BEGIN_NODE = 1;
export const FDT_END_NODE = 2;
export const FDT_PROP = 3;
export const FDT_NOP = 4;
export const FDT_END = 9;
const HEADER_BYTES = 40;
/** One entry of the reservation block: an empty one ends it. */
const RESERVATION_BYTES = 16;

/**
 * A property's value: a string or a list of strings, each NUL-terminated; cells of 32 bits; raw bytes; or
 * nothing (`true`: the property is present and empty).
 */
export type FdtValue = string | readonly string[] | readonly number[] | Uint8Array | true;

/** A node as data: properties in order, then children in order. */
export interface FdtNode {
  readonly properties: Readonly<Record<string, FdtValue>>;
  readonly children?: Readonly<Record<string, FdtNode>>;
}

/** A 64-bit number as two cells. */
export const cells64 = (value: number): [hi: number, lo: number] => [
  Math.floor(value / 2 ** 32),
  value % 2 ** 32,
];

/** Encodes the tree; `bootCpu` is the physical id of the boot hart. */
export function writeFdt(root: FdtNode, bootCpu = 0): Uint8Array<ArrayBuffer> {
  const structure = new ByteWriter();
  const strings = new ByteWriter();
  const stringAt = new Map<string, number>();

  const nameOffset = (name: string): number => {
    const known = stringAt.get(name);
    if (known !== undefined) return known;
    const at = strings.length;
    stringAt.set(name, at);
    strings.text(name);
    return at;
  };
  const node = (name: string, value: FdtNode): void => {
    structure.u32(FDT_BEGIN_NODE);
    structure.text(name);
    structure.align4();
    for (const [property, contents] of Object.entries(value.properties)) {
      const bytes = encodeValue(contents);
      structure.u32(FDT_PROP);
      structure.u32(bytes.length);
      structure.u32(nameOffset(property));
      structure.bytes(bytes);
      structure.align4();
    }
    for (const [child, contents] of Object.entries(value.children ?? {})) node(child, contents);
    structure.u32(FDT_END_NODE);
  };
  node('', root);
  structure.u32(FDT_END);

  const structureAt = HEADER_BYTES + RESERVATION_BYTES;
  const stringsAt = structureAt + structure.length;
  const header = new ByteWriter();
  header.u32(FDT_MAGIC);
  header.u32(Math.ceil((stringsAt + strings.length) / 8) * 8);
  header.u32(structureAt);
  header.u32(stringsAt);
  header.u32(HEADER_BYTES);
  header.u32(FDT_VERSION);
  header.u32(FDT_LAST_COMPATIBLE);
  header.u32(bootCpu);
  header.u32(strings.length);
  header.u32(structure.length);
  header.bytes(new Uint8Array(RESERVATION_BYTES));
  header.bytes(structure.take());
  header.bytes(strings.take());
  header.align(8);
  return header.take();
}

function encodeValue(value: FdtValue): Uint8Array {
  if (value instanceof Uint8Array) return value;
  const out = new ByteWriter();
  if (typeof value === 'string') out.text(value);
  else if (value !== true) {
    for (const item of value) {
      if (typeof item === 'string') out.text(item);
      else out.u32(item);
    }
  }
  return out.take();
}

/** Appends big-endian numbers and NUL-terminated ASCII to a growing array. */
class ByteWriter {
  #bytes = new Uint8Array(1024);
  length = 0;

  u32(value: number): void {
    this.bytes(Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value));
  }
  text(value: string): void {
    this.bytes(Uint8Array.from(value, (c) => c.charCodeAt(0)));
    this.bytes(Uint8Array.of(0));
  }
  bytes(value: Uint8Array): void {
    const end = this.length + value.length;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(value, this.length);
    this.length = end;
  }
  align(to: number): void {
    this.bytes(new Uint8Array((to - (this.length % to)) % to));
  }
  align4(): void {
    this.align(4);
  }
  take(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length);
  }
}

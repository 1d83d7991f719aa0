import type { SharedMemory } from '../../base/shared-memory.ts';

/** Unit of what is left out for being zero. */
const PAGE = 4096;
const WORDS = PAGE / 4;
/** Memory is saved in chunks of this many bytes, each a section. */
export const CHUNK_BYTES = 4 * 1024 * 1024;

function isZero(words: Uint32Array, first: number): boolean {
  for (let i = first; i < first + WORDS; i++) if (words[i] !== 0) return false;
  return true;
}

const mapBytes = (pages: number): number => Math.ceil(pages / 8);

/**
 * Packs `bytes` bytes (a multiple of 4096) at `addr`: a bit per page that is not zero, then those pages.
 * Undefined: all is zero.
 */
export function packPages(
  mem: SharedMemory,
  addr: number,
  bytes: number,
): Uint8Array<ArrayBuffer> | undefined {
  const pages = bytes / PAGE;
  const present: number[] = [];
  for (let page = 0; page < pages; page++)
    if (!isZero(mem.u32, (addr + page * PAGE) >>> 2)) present.push(page);
  if (present.length === 0) return undefined;
  const map = mapBytes(pages);
  const packed = new Uint8Array(map + present.length * PAGE);
  for (const [i, page] of present.entries()) {
    packed[page >>> 3] = (packed[page >>> 3] as number) | (1 << (page & 7));
    packed.set(mem.bytes(addr + page * PAGE, PAGE), map + i * PAGE);
  }
  return packed;
}

/**
 * Puts packed pages back and makes the other pages of the range zero; `packed` undefined: all of them.
 *
 * @param clean the range is zero already
 */
export function unpackPages(
  packed: Uint8Array | undefined,
  mem: SharedMemory,
  addr: number,
  bytes: number,
  clean: boolean,
): void {
  const pages = bytes / PAGE;
  const isThere = (page: number): boolean =>
    packed !== undefined && ((packed[page >>> 3] as number) & (1 << (page & 7))) !== 0;
  let from = mapBytes(pages);
  for (let page = 0; page < pages; ) {
    const at = addr + page * PAGE;
    const there = isThere(page);
    let end = page + 1;
    // Pages that follow each other are copied in one go.
    while (there && end < pages && isThere(end)) end++;
    if (packed !== undefined && there) {
      const run = (end - page) * PAGE;
      mem.u8.set(packed.subarray(from, from + run), at);
      from += run;
    } else if (!clean && !isZero(mem.u32, at >>> 2)) {
      mem.u8.fill(0, at, at + PAGE);
    }
    page = end;
  }
}

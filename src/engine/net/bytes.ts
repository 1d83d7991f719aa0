/** Numbers in network byte order. Bytes beyond the end read as 0: parsers check lengths first. */
export const read16 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
export const read32 = (bytes: Uint8Array, at: number): number =>
  ((read16(bytes, at) << 16) | read16(bytes, at + 2)) >>> 0;
export const read48 = (bytes: Uint8Array, at: number): number =>
  read16(bytes, at) * 2 ** 32 + read32(bytes, at + 2);

export function write16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}
export function write32(bytes: Uint8Array, at: number, value: number): void {
  write16(bytes, at, value >>> 16);
  write16(bytes, at + 2, value & 0xffff);
}
export function write48(bytes: Uint8Array, at: number, value: number): void {
  write16(bytes, at, Math.floor(value / 2 ** 32));
  write32(bytes, at + 2, value % 2 ** 32);
}

/** Bytes of ASCII text. */
export const ascii = (text: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(text, (char) => char.charCodeAt(0));
export const asText = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');

/** Adds bytes to a one's-complement sum (RFC 1071); an odd last byte is the high half of a word. */
export function sumWords(bytes: Uint8Array, sum = 0): number {
  let total = sum;
  for (let i = 0; i < bytes.length; i += 2) total += read16(bytes, i);
  return total;
}
/** The checksum of a sum: its carries folded in, and inverted. 0 over data that has its checksum in it. */
export function checksum(sum: number): number {
  let folded = sum;
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000);
  return ~folded & 0xffff;
}

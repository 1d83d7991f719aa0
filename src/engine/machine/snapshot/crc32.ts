/** Eight tables for eight bytes a step (reflected polynomial 0xEDB88320, as in zlib and Ethernet). */
const TABLES: readonly Uint32Array[] = (() => {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  const [first] = tables as [Uint32Array];
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0xedb8_8320);
    first[byte] = crc;
  }
  for (let k = 1; k < 8; k++) {
    const before = tables[k - 1] as Uint32Array;
    for (let byte = 0; byte < 256; byte++) {
      const crc = before[byte] as number;
      (tables[k] as Uint32Array)[byte] = (crc >>> 8) ^ (first[crc & 0xff] as number);
    }
  }
  return tables;
})();

/** CRC-32 of `bytes`; `seed` is the CRC of what came before them. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = TABLES as [
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
    Uint32Array,
  ];
  const at = (i: number): number => bytes[i] as number;
  let crc = ~seed;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    crc ^= at(i) | (at(i + 1) << 8) | (at(i + 2) << 16) | (at(i + 3) << 24);
    crc =
      (t7[crc & 0xff] as number) ^
      (t6[(crc >>> 8) & 0xff] as number) ^
      (t5[(crc >>> 16) & 0xff] as number) ^
      (t4[crc >>> 24] as number) ^
      (t3[at(i + 4)] as number) ^
      (t2[at(i + 5)] as number) ^
      (t1[at(i + 6)] as number) ^
      (t0[at(i + 7)] as number);
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ (t0[(crc ^ at(i)) & 0xff] as number);
  return ~crc >>> 0;
}

const PRIME1 = 0x9e37_79b1;
const PRIME2 = 0x85eb_ca77;
const PRIME3 = 0xc2b2_ae3d;
const PRIME4 = 0x27d4_eb2f;
const PRIME5 = 0x1656_67b1;

const rotl = (value: number, by: number): number => (value << by) | (value >>> (32 - by));
const round = (lane: number, word: number): number =>
  Math.imul(rotl((lane + Math.imul(word, PRIME2)) | 0, 13), PRIME1);

/**
 * XXH32 of `bytes`, the checksum of LZ4's frames (xxHash, doc/xxhash_spec.md). `seed` is the checksum of what came
 * before them, where a thing is in parts. It reads words: several times as fast in JavaScript as a CRC-32.
 */
export function xxh32(bytes: Uint8Array, seed = 0): number {
  const whole = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  const { length } = whole;
  const words = new Int32Array(whole.buffer, whole.byteOffset, length >>> 2);
  let at = 0;
  let hash: number;
  if (length >= 16) {
    let a = (seed + PRIME1 + PRIME2) | 0;
    let b = (seed + PRIME2) | 0;
    let c = seed | 0;
    let d = (seed - PRIME1) | 0;
    for (const end = words.length - 3; at < end; at += 4) {
      a = round(a, words[at] as number);
      b = round(b, words[at + 1] as number);
      c = round(c, words[at + 2] as number);
      d = round(d, words[at + 3] as number);
    }
    hash = (rotl(a, 1) + rotl(b, 7) + rotl(c, 12) + rotl(d, 18)) | 0;
  } else {
    hash = (seed + PRIME5) | 0;
  }
  hash = (hash + length) | 0;
  for (; at < words.length; at++)
    hash = Math.imul(rotl((hash + Math.imul(words[at] as number, PRIME3)) | 0, 17), PRIME4);
  for (let i = at * 4; i < length; i++)
    hash = Math.imul(rotl((hash + Math.imul(whole[i] as number, PRIME5)) | 0, 11), PRIME1);
  hash = Math.imul(hash ^ (hash >>> 15), PRIME2);
  hash = Math.imul(hash ^ (hash >>> 13), PRIME3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

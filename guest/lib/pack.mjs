// @ts-check
/**
 * The downloadable form of an image and its description.
 *
 * An image is cut into chunks of CHUNK_BYTES. Each chunk is deflated on its own and ends on a byte boundary, and
 * the chunks together are one ordinary gzip member: the whole file goes through `DecompressionStream('gzip')` or
 * gunzip, and a reader that keeps count can check every chunk of the output by its hash, skip writing those that
 * are zero, and resume after the last whole chunk (`gzipBytes` of the chunks before it, decoded as raw deflate).
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import zlib from 'node:zlib';

export const CHUNK_BYTES = 4 << 20;

/** Fixed gzip header: deflate, no name, no time, unknown system (RFC 1952). */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** An empty final block with fixed codes: ends the deflate stream that the flushed chunks leave open. */
const FINAL_BLOCK = Buffer.from([0x03, 0x00]);

const deflateRaw = promisify(
  /** @type {(b: Uint8Array, o: zlib.ZlibOptions, cb: (e: Error | null, r: Buffer) => void) => void} */ (
    zlib.deflateRaw
  ),
);

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k += 1) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/**
 * CRC-32 as gzip uses it; `zlib.crc32` is younger than the oldest Node this project runs on.
 *
 * @param {Uint8Array} data
 * @returns {number} unsigned
 */
export function crc32(data) {
  let c = 0xffffffff;
  for (let i = 0; i < data.length; i += 1) c = (TABLE[(c ^ (data[i] ?? 0)) & 0xff] ?? 0) ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** @param {Uint8Array} data */
export const sha256 = (data) => createHash('sha256').update(data).digest('hex');

/**
 * @typedef {import('../manifest.ts').Chunk} Chunk
 * @typedef {import('../manifest.ts').FileInfo} FileInfo
 */

/**
 * @param {string} file name of the image
 * @param {Buffer} data
 * @param {number} [chunkBytes]
 * @returns {Promise<{ info: FileInfo, gzip: Buffer }>}
 */
export async function pack(file, data, chunkBytes = CHUNK_BYTES) {
  const count = Math.ceil(data.length / chunkBytes);
  const zero = Buffer.alloc(chunkBytes);
  const parts = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const raw = data.subarray(i * chunkBytes, (i + 1) * chunkBytes);
      const body = await deflateRaw(raw, { level: 6, finishFlush: zlib.constants.Z_FULL_FLUSH });
      const isZero = raw.equals(zero.subarray(0, raw.length));
      const gzipBytes = body.length;
      /** @type {Chunk} */
      const chunk = isZero
        ? { sha256: sha256(raw), gzipBytes, zero: true }
        : { sha256: sha256(raw), gzipBytes };
      return { body, chunk };
    }),
  );
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(data), 0);
  trailer.writeUInt32LE(data.length >>> 0, 4);
  const gzip = Buffer.concat([HEADER, ...parts.map((p) => p.body), FINAL_BLOCK, trailer]);
  const info = {
    file,
    bytes: data.length,
    sha256: sha256(data),
    gzip: {
      file: `${file}.gz`,
      bytes: gzip.length,
      sha256: sha256(gzip),
      headerBytes: HEADER.length,
      chunkBytes,
      chunks: parts.map((p) => p.chunk),
    },
  };
  return { info, gzip };
}

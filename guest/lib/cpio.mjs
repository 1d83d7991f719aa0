// @ts-check
/**
 * Writer of cpio archives in the `newc` format, which the Linux kernel unpacks as its initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Every field that could differ between two runs
 * (inode numbers, owner, time) is fixed, so equal entries give equal bytes.
 */

/**
 * @typedef {{ path: string, kind: 'dir', mode?: number }
 *   | { path: string, kind: 'file', data: Uint8Array, mode?: number }
 *   | { path: string, kind: 'symlink', target: string }
 *   | { path: string, kind: 'char', major: number, minor: number, mode?: number }} CpioEntry
 *   Paths are relative, without a leading slash; a directory comes before what it holds.
 */

const S_IFCHR = 0o020000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const TRAILER = 'TRAILER!!!';

/**
 * @param {number} n
 * @returns {number} bytes up to the next multiple of four
 */
const padding = (n) => (4 - (n % 4)) % 4;

/**
 * @param {number} ino @param {number} mode @param {string} path @param {Uint8Array} data
 * @param {{ nlink?: number, major?: number, minor?: number }} [more]
 * @returns {Buffer}
 */
function record(ino, mode, path, data, more = {}) {
  const name = Buffer.from(`${path}\0`, 'utf8');
  const fields = [
    ino,
    mode,
    0,
    0,
    more.nlink ?? 1,
    0,
    data.length,
    0,
    0,
    more.major ?? 0,
    more.minor ?? 0,
    name.length,
    0,
  ];
  const header = `070701${fields.map((f) => f.toString(16).toUpperCase().padStart(8, '0')).join('')}`;
  return Buffer.concat([
    Buffer.from(header, 'latin1'),
    name,
    Buffer.alloc(padding(header.length + name.length)),
    data,
    Buffer.alloc(padding(data.length)),
  ]);
}

/**
 * Builds one archive.
 *
 * @param {readonly CpioEntry[]} entries
 * @returns {Buffer} the archive, its length a multiple of 512
 * @throws {Error} on an absolute path or a path that occurs twice
 */
export function cpio(entries) {
  /** @type {Set<string>} */
  const seen = new Set();
  const none = new Uint8Array(0);
  const records = entries.map((entry, index) => {
    if (entry.path.startsWith('/') || entry.path === '' || entry.path === TRAILER) {
      throw new Error(`cpio: bad path '${entry.path}'`);
    }
    if (seen.has(entry.path)) throw new Error(`cpio: '${entry.path}' twice`);
    seen.add(entry.path);
    const ino = index + 1;
    switch (entry.kind) {
      case 'dir':
        return record(ino, S_IFDIR | (entry.mode ?? 0o755), entry.path, none, { nlink: 2 });
      case 'file':
        return record(ino, S_IFREG | (entry.mode ?? 0o644), entry.path, entry.data);
      case 'symlink':
        return record(ino, S_IFLNK | 0o777, entry.path, Buffer.from(entry.target, 'utf8'));
      case 'char':
        return record(ino, S_IFCHR | (entry.mode ?? 0o600), entry.path, none, entry);
    }
  });
  records.push(record(0, 0, TRAILER, none));
  const size = records.reduce((sum, r) => sum + r.length, 0);
  records.push(Buffer.alloc((512 - (size % 512)) % 512));
  return Buffer.concat(records);
}

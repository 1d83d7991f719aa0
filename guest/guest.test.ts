import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import zlib from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseArchive, debName, parseStanzas } from './lib/apt.mjs';
import { cpio } from './lib/cpio.mjs';
import { applets } from './lib/disk.mjs';
import { isKernelImage, needed } from './lib/elf.mjs';
import { normaliseScript } from './lib/ext4.mjs';
import { realBarriers } from './lib/fio.mjs';
import { hashSources, isInput } from './lib/hash.mjs';
import { parseConfig, unmet } from './lib/kconfig.mjs';
import { withLock } from './lib/lock.mjs';
import { carryOver, filesPresent, readManifest, writeManifest } from './lib/manifest.mjs';
import { canonical, loadOrder, moduleDepends, withoutSignature } from './lib/modules.mjs';
import { parseOptions, UsageError } from './lib/options.mjs';
import { crc32, pack, sha256 } from './lib/pack.mjs';
import { parseOwners } from './minbase/build.mjs';
import { STOCK_APPEND } from './packages.mjs';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'guest-'));
});
afterEach(async () => {
  await rm(dir, { recursive: true });
});

/** Reads a newc archive back: path, mode and data of every record up to the trailer. */
function readCpio(
  archive: Buffer,
): { path: string; mode: number; major: number; minor: number; data: Buffer }[] {
  const found = [];
  for (let at = 0; ; ) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const field = (i: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + i * 8, at + 14 + i * 8), 16);
    const name = archive.toString('utf8', at + 110, at + 110 + field(11) - 1);
    const start = (at + 110 + field(11) + 3) & ~3;
    const data = archive.subarray(start, start + field(6));
    if (name === 'TRAILER!!!') return found;
    found.push({ path: name, mode: field(1), major: field(9), minor: field(10), data });
    at = (start + field(6) + 3) & ~3;
  }
}

describe('cpio', () => {
  it('writes records a reader of newc finds again', () => {
    const archive = cpio([
      { path: 'dev', kind: 'dir' },
      { path: 'dev/console', kind: 'char', major: 5, minor: 1 },
      { path: 'init', kind: 'file', mode: 0o755, data: Buffer.from('#!/bin/sh\n') },
      { path: 'sh', kind: 'symlink', target: 'busybox' },
    ]);
    expect(archive.length % 512).toBe(0);
    expect(readCpio(archive).map(({ data, ...rest }) => ({ ...rest, data: data.toString() }))).toEqual([
      { path: 'dev', mode: 0o040755, major: 0, minor: 0, data: '' },
      { path: 'dev/console', mode: 0o020600, major: 5, minor: 1, data: '' },
      { path: 'init', mode: 0o100755, major: 0, minor: 0, data: '#!/bin/sh\n' },
      { path: 'sh', mode: 0o120777, major: 0, minor: 0, data: 'busybox' },
    ]);
  });

  it('refuses an absolute path and a path that occurs twice', () => {
    expect(() => cpio([{ path: '/init', kind: 'dir' }])).toThrow("bad path '/init'");
    expect(() =>
      cpio([
        { path: 'a', kind: 'dir' },
        { path: 'a', kind: 'dir' },
      ]),
    ).toThrow("'a' twice");
  });
});

describe('the downloadable form', () => {
  const data = Buffer.alloc(10_000);
  for (let i = 0; i < 5000; i += 1) data[i] = (i * 7919) >> 5;

  it('is one gzip member that unpacks to the image', async () => {
    const { info, gzip } = await pack('x.img', data, 4096);
    expect(zlib.gunzipSync(gzip).equals(data)).toBe(true);
    expect(info.gzip).toMatchObject({
      file: 'x.img.gz',
      bytes: gzip.length,
      sha256: sha256(gzip),
      chunkBytes: 4096,
    });
    expect(info).toMatchObject({ file: 'x.img', bytes: 10_000, sha256: sha256(data) });
  });

  it('goes through DecompressionStream, as in the page', async () => {
    const { gzip } = await pack('x.img', data, 4096);
    const stream = new Blob([Uint8Array.from(gzip)]).stream().pipeThrough(new DecompressionStream('gzip'));
    expect(Buffer.from(await new Response(stream).arrayBuffer()).equals(data)).toBe(true);
  });

  it('lets every chunk be found, unpacked and checked by itself', async () => {
    const { info, gzip } = await pack('x.img', data, 4096);
    let at = info.gzip.headerBytes;
    const chunks = info.gzip.chunks.map((chunk) => {
      const body = gzip.subarray(at, at + chunk.gzipBytes);
      at += chunk.gzipBytes;
      const raw = zlib.inflateRawSync(body, { finishFlush: zlib.constants.Z_SYNC_FLUSH });
      expect(sha256(raw)).toBe(chunk.sha256);
      return { raw, zero: chunk.zero === true };
    });
    expect(Buffer.concat(chunks.map((c) => c.raw)).equals(data)).toBe(true);
    expect(chunks.map((c) => c.zero)).toEqual([false, false, true]);
    // Behind the last chunk: the final block and the eight bytes of the trailer.
    expect(gzip.length - at).toBe(10);
  });

  it('has the CRC of RFC 1952', () => {
    expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
  });
});

describe('kernel modules', () => {
  const modinfo = (text: string) => Buffer.from(`\x7fELF…\0license=GPL\0${text}\0name=x\0`, 'latin1');

  it('names its dependencies in .modinfo', () => {
    expect(moduleDepends(modinfo('depends=jbd2,mbcache,crc16'))).toEqual(['jbd2', 'mbcache', 'crc16']);
    expect(moduleDepends(modinfo('depends='))).toEqual([]);
    expect(moduleDepends(modinfo('softdepends=a'))).toEqual([]);
  });

  it('is loaded after what it needs, and once', () => {
    const graph: Record<string, string[]> = {
      ext4: ['jbd2', 'crc16'],
      jbd2: ['crc16'],
      virtio_net: ['net-failover'],
    };
    const order = loadOrder(['ext4', 'virtio-net', 'crc16'], (name) => graph[name] ?? []);
    expect(order).toEqual(['crc16', 'jbd2', 'ext4', 'net_failover', 'virtio_net']);
    expect(canonical('virtio-rng')).toBe('virtio_rng');
  });

  it('may not need itself', () => {
    expect(() => loadOrder(['a'], (name) => (name === 'a' ? ['b'] : ['a']))).toThrow('depends on itself');
  });

  it('loses its signature and nothing else', () => {
    const body = Buffer.from('the module');
    const info = Buffer.alloc(12);
    info.writeUInt32BE(3, 8);
    const signed = Buffer.concat([
      body,
      Buffer.from('sig'),
      info,
      Buffer.from('~Module signature appended~\n'),
    ]);
    expect(withoutSignature(signed).equals(body)).toBe(true);
    expect(withoutSignature(body)).toBe(body);
  });
});

describe('ELF', () => {
  /** A 64-bit little-endian file with one PT_LOAD that maps it whole at 0x1000, and a dynamic section. */
  function elf(libraries: readonly string[]): Buffer {
    const strings = Buffer.from(`\0${libraries.map((l) => `${l}\0`).join('')}`);
    const dynamicAt = 64 + 2 * 56;
    const stringsAt = dynamicAt + (libraries.length + 2) * 16;
    const file = Buffer.concat([Buffer.alloc(stringsAt), strings]);
    file.writeUInt32BE(0x7f454c46, 0);
    file.set([2, 1], 4);
    file.writeBigUInt64LE(64n, 32);
    file.writeUInt16LE(56, 54);
    file.writeUInt16LE(2, 56);
    const segment = (at: number, type: number, offset: number, size: number) => {
      file.writeUInt32LE(type, at);
      file.writeBigUInt64LE(BigInt(offset), at + 8);
      file.writeBigUInt64LE(BigInt(0x1000 + offset), at + 16);
      file.writeBigUInt64LE(BigInt(size), at + 32);
    };
    segment(64, 1, 0, file.length);
    segment(120, 2, dynamicAt, (libraries.length + 2) * 16);
    let name = 1;
    const entries: [number, number][] = libraries.map((l) => {
      const entry: [number, number] = [1, name];
      name += l.length + 1;
      return entry;
    });
    entries.push([5, 0x1000 + stringsAt], [0, 0]);
    entries.forEach(([tag, value], i) => {
      file.writeBigUInt64LE(BigInt(tag), dynamicAt + i * 16);
      file.writeBigUInt64LE(BigInt(value), dynamicAt + i * 16 + 8);
    });
    return file;
  }

  it('says which libraries a program asks for', () => {
    expect(needed(elf(['libtinfo.so.6', 'libc.so.6']))).toEqual(['libtinfo.so.6', 'libc.so.6']);
    expect(needed(elf([]))).toEqual([]);
    expect(needed(Buffer.from('#!/bin/sh\n'))).toEqual([]);
  });

  it('tells a raw kernel Image from another file', () => {
    const image = Buffer.alloc(128);
    image.write('RSC\x05', 0x38, 'latin1');
    expect(isKernelImage(image)).toBe(true);
    expect(isKernelImage(elf([]))).toBe(false);
  });
});

describe('apt', () => {
  it('takes the archive of the whole release', () => {
    const targets = [
      'stable-security http://one.example/security/',
      'stable-updates http://one.example/debian/',
      'stable http://two.example/debian/',
    ];
    expect(chooseArchive(targets.join('\n'))).toBe('http://two.example/debian/');
    expect(chooseArchive(targets.slice(0, 2).join('\n'))).toBe('http://one.example/debian/');
    expect(chooseArchive(`${targets[0]}\n`)).toBeUndefined();
    expect(chooseArchive('')).toBeUndefined();
  });

  it('reads stanzas', () => {
    const text = 'Package: bash\nVersion: 5.2-1\nDescription: a\n shell\n\nPackage: fio\nSHA256: 00\n';
    expect(parseStanzas(text).map((s) => [s.get('Package'), s.get('SHA256')])).toEqual([
      ['bash', undefined],
      ['fio', '00'],
    ]);
  });

  it('knows the name apt gives a file', () => {
    const p = {
      name: 'busybox-static',
      version: '1:1.37.0-6+b9',
      architecture: 'riscv64',
      sha256: '',
      bytes: 0,
    };
    expect(debName({ ...p, depends: '' })).toBe('busybox-static_1%3a1.37.0-6+b9_riscv64.deb');
  });
});

describe('the root disk', () => {
  it('finds the table of applets in busybox', () => {
    const names = ['[', '[[', 'ash', ...Array.from({ length: 100 }, (_, i) => `applet${i}`), 'sh', 'zcat'];
    expect(applets(Buffer.from(`code\0${names.join('\0')}\0\0more`, 'latin1'))).toEqual(names);
    expect(() => applets(Buffer.from('no such table'))).toThrow('no table of applets');
  });

  it('gives every inode one time and its owner', () => {
    const script = normaliseScript(['/etc'], 7, new Map([['/etc', { uid: 1, gid: 2 }]]));
    const lines = script.trim().split('\n');
    expect(lines).toHaveLength(18);
    expect(lines).toContain('set_inode_field "/" uid 0');
    expect(lines).toContain('set_inode_field "/etc" gid 2');
    expect(lines).toContain('set_inode_field "/lost+found" ctime @7');
  });

  it('keeps the owners an archive lists', () => {
    const listing = [
      'drwxr-xr-x 0/0               0 2026-01-01 00:00 ./',
      '-rw-r----- 0/42            501 2026-01-01 00:00 ./etc/shadow',
      'drwx------ 42/0              0 2026-01-01 00:00 ./var/cache/apt/archives/partial/',
      'lrwxrwxrwx 7/7               0 2026-01-01 00:00 ./a link -> target',
    ];
    expect([...parseOwners(listing.join('\n'))]).toEqual([
      ['/etc/shadow', { uid: 0, gid: 42 }],
      ['/var/cache/apt/archives/partial', { uid: 42, gid: 0 }],
      ['/a link', { uid: 7, gid: 7 }],
    ]);
  });

  it('gives fio barriers that bind the processor', () => {
    const weak = '__asm__ __volatile__("": : :"memory")';
    const header = `#define read_barrier()\t${weak}\n#define write_barrier()\t${weak}\n`;
    expect(realBarriers(header)).toBe(
      '#define read_barrier()\t__sync_synchronize()\n#define write_barrier()\t__sync_synchronize()\n',
    );
    expect(() => realBarriers('something else')).toThrow('has changed');
  });
});

describe('the tuned kernel', () => {
  it('is refused when an option does not come out as asked', () => {
    const wish = 'CONFIG_SMP=y\nCONFIG_NR_CPUS=8\n# CONFIG_EFI is not set\nCONFIG_GONE=y\n';
    const result = 'CONFIG_SMP=y\nCONFIG_NR_CPUS=4\nCONFIG_EFI=y\n';
    expect(unmet(wish, result)).toEqual([
      'CONFIG_NR_CPUS=8, is 4',
      'CONFIG_EFI=n, is y',
      'CONFIG_GONE=y, is n',
    ]);
    expect(unmet(wish, wish)).toEqual([]);
    expect(parseConfig('# a comment\n\nCONFIG_A="b"\n')).toEqual(new Map([['CONFIG_A', '"b"']]));
  });
});

describe('the manifest', () => {
  const file = (name: string, bytes: number) => ({
    file: name,
    bytes,
    sha256: '',
    gzip: { file: `${name}.gz`, bytes: 1, sha256: '', headerBytes: 10, chunkBytes: 4, chunks: [] },
  });
  const part = { title: '', append: '', release: '', input: '' };
  const manifest = {
    schema: 1 as const,
    available: true as const,
    sources: 'new',
    default: { kernel: 'stock', disk: 'small' },
    kernels: { stock: { ...part, image: 'Image' } },
    disks: { small: { title: '', file: 'rootfs.ext4', fio: true, input: '' } },
    files: { Image: file('Image', 3) },
    packages: [],
    notes: [],
  };

  it('is read as it was written, and not in another shape', async () => {
    expect(await readManifest(dir)).toBeUndefined();
    await writeManifest(dir, manifest);
    expect(await readManifest(dir)).toEqual(manifest);
    await writeFile(path.join(dir, 'manifest.json'), '{"schema":0,"available":true}');
    expect(await readManifest(dir)).toBeUndefined();
    await writeFile(path.join(dir, 'manifest.json'), '{"schema":1,');
    expect(await readManifest(dir)).toBeUndefined();
  });

  it('holds only while its files are there in their sizes', async () => {
    expect(await filesPresent(dir, manifest)).toBe(false);
    await writeFile(path.join(dir, 'Image'), 'abc');
    await writeFile(path.join(dir, 'Image.gz'), 'x');
    expect(await filesPresent(dir, manifest)).toBe(true);
    await writeFile(path.join(dir, 'Image'), 'ab');
    expect(await filesPresent(dir, manifest)).toBe(false);
  });

  it('carries a tuned kernel over while its recipe is the same', () => {
    const before = {
      ...manifest,
      sources: 'old',
      kernels: { ...manifest.kernels, tuned: { ...part, image: 'Image.tuned', recipe: 'r' } },
      files: { ...manifest.files, 'Image.tuned': file('Image.tuned', 5) },
    };
    const kept = carryOver(manifest, before, { tuned: 'r' });
    expect(kept).toMatchObject({ sources: 'new', default: { kernel: 'tuned', disk: 'small' } });
    expect(Object.keys(kept.files)).toEqual(['Image', 'Image.tuned']);
    expect(carryOver(manifest, before, { tuned: 'other' })).toEqual(manifest);
  });
});

describe('the input hash', () => {
  it('changes with names and contents, not with tests and documentation', async () => {
    const put = (name: string, text: string) => writeFile(path.join(dir, name), text);
    await put('a.mjs', '1');
    const first = await hashSources(dir);
    await put('a.test.ts', 'x');
    await put('README.md', 'x');
    expect(await hashSources(dir)).toBe(first);
    await put('a.mjs', '2');
    const second = await hashSources(dir);
    expect(second).not.toBe(first);
    await mkdir(path.join(dir, 'sub'));
    await put('sub/b', '');
    expect(await hashSources(dir)).not.toBe(second);
  });

  it('leaves out the parts with a build of their own', () => {
    const names = [
      'packages.mjs',
      'overlay/usr/sbin/init',
      'baremetal/main.s',
      'tuned/kernel.config',
      'guest.test.ts',
    ];
    expect(names.filter(isInput)).toEqual(['packages.mjs', 'overlay/usr/sbin/init']);
  });
});

describe('the lock', () => {
  it('lets one build run at a time, and the next one after a failure', async () => {
    const log: string[] = [];
    const body = (name: string) => async () => {
      log.push(`${name} in`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      log.push(`${name} out`);
      if (name === 'a') throw new Error('a failed');
    };
    const say = (line: string) => log.push(line);
    const [a, b] = await Promise.allSettled([withLock(dir, say, body('a')), withLock(dir, say, body('b'))]);
    expect(log).toEqual(['a in', 'waiting for another build', 'a out', 'b in', 'b out']);
    expect([a?.status, b?.status]).toEqual(['rejected', 'fulfilled']);
  });
});

describe('the command line', () => {
  it('knows its options and refuses others', () => {
    expect(parseOptions([])).toEqual({ tuned: false, minbase: false, update: false, help: false });
    expect(parseOptions(['--kernel=tuned', '--image=minbase', '--update'])).toMatchObject({
      tuned: true,
      minbase: true,
      update: true,
    });
    expect(() => parseOptions(['--kernel=fast'])).toThrow(UsageError);
  });

  it('leaves room on the kernel command line', () => {
    // COMMAND_LINE_SIZE of riscv is 1024; the page and the command line add the terminal's size and more.
    expect(STOCK_APPEND.length).toBeLessThan(700);
  });
});

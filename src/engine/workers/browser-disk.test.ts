import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DiskOpenError } from '../host.ts';
import { openOpfsDisk, prepareOpfsDisk } from './browser-disk.ts';

const named = (name: string): Error => Object.assign(new Error(name), { name });

/** As much of OPFS as a worker sees; files are locked while a handle is open. */
class FakeOpfs {
  readonly files = new Map<string, Uint8Array>();
  readonly locked = new Set<string>();
  /** Handles found so far of these no longer lead to a file. */
  readonly stale = new Set<string>();
  readonly modes: unknown[] = [];
  synchronous = true;

  getDirectory = () => Promise.resolve(this.#directory(''));

  #directory(prefix: string): object {
    return {
      getDirectoryHandle: (name: string) => Promise.resolve(this.#directory(`${prefix}${name}/`)),
      getFileHandle: (name: string) =>
        this.files.has(prefix + name)
          ? Promise.resolve(this.#file(prefix + name))
          : Promise.reject(named('NotFoundError')),
    };
  }
  #file(path: string): object {
    if (!this.synchronous) return {};
    return {
      createSyncAccessHandle: ({ mode }: { mode: string }) => {
        if (this.stale.delete(path)) return Promise.reject(named('NotFoundError'));
        this.modes.push(mode);
        if (this.locked.has(path)) return Promise.reject(named('NoModificationAllowedError'));
        this.locked.add(path);
        const data = this.files.get(path) ?? new Uint8Array(0);
        return Promise.resolve({
          getSize: () => data.length,
          read: (into: Uint8Array, { at }: { at: number }) => {
            const piece = data.subarray(at, at + into.length);
            into.set(piece);
            return piece.length;
          },
          write: (from: Uint8Array, { at }: { at: number }) => {
            data.set(from, at);
            return from.length;
          },
          flush: () => {},
          close: () => this.locked.delete(path),
        });
      },
    };
  }
}

let opfs: FakeOpfs;
beforeEach(() => {
  opfs = new FakeOpfs();
  vi.stubGlobal('navigator', { storage: opfs });
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const open = (name: string, readOnly = false) => openOpfsDisk({ kind: 'opfs', name, readOnly });
const reason = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'opened',
    (error: unknown) => (error instanceof DiskOpenError ? error.reason : String(error)),
  );

describe('a disk in OPFS', () => {
  it('is found in directories, read and written at offsets', async () => {
    opfs.files.set('disks/root.img', new Uint8Array(4096));
    const disk = await open('disks/root.img');
    const shared = new Uint8Array(new SharedArrayBuffer(512)).fill(7);
    expect([disk.size(), disk.write(shared, 1024), disk.read(shared.fill(0), 1024)]).toEqual([
      4096, 512, 512,
    ]);
    expect(shared.every((byte) => byte === 7)).toBe(true);
    disk.close();
    expect(opfs.locked.size).toBe(0);
  });

  it('that was prepared is opened without another look for it, and only once so', async () => {
    const looked = vi.spyOn(opfs, 'getDirectory');
    opfs.files.set('disks/root.img', new Uint8Array(512));
    await prepareOpfsDisk({ kind: 'opfs', name: 'disks/root.img', readOnly: false });
    expect([looked.mock.calls.length, opfs.locked.size]).toEqual([1, 0]);
    (await open('disks/root.img')).close();
    expect(looked.mock.calls.length).toBe(1);
    (await open('disks/root.img')).close();
    expect(looked.mock.calls.length).toBe(2);
  });

  it('that was prepared and is another file now is looked for again', async () => {
    opfs.files.set('root.img', new Uint8Array(512));
    await prepareOpfsDisk({ kind: 'opfs', name: 'root.img', readOnly: false });
    opfs.stale.add('root.img');
    opfs.files.set('root.img', new Uint8Array(1024));
    expect((await open('root.img')).size()).toBe(1024);
    await prepareOpfsDisk({ kind: 'opfs', name: 'nothing.img', readOnly: false });
    expect(await reason(open('nothing.img'))).toBe('not-found');
  });

  it('asks for a handle that fits', async () => {
    opfs.files.set('root.img', new Uint8Array(512));
    (await open('root.img', true)).close();
    (await open('root.img')).close();
    expect(opfs.modes).toEqual(['read-only', 'readwrite']);
  });

  it('waits out the lock a reload leaves behind', async () => {
    opfs.files.set('root.img', new Uint8Array(512));
    opfs.locked.add('root.img');
    const opened = reason(open('root.img'));
    setTimeout(() => opfs.locked.clear(), 3000);
    await vi.advanceTimersByTimeAsync(3100);
    expect(await opened).toBe('opened');
  });

  it('gives up on a disk that stays open elsewhere, and says so', async () => {
    opfs.files.set('root.img', new Uint8Array(512));
    opfs.locked.add('root.img');
    const opened = reason(open('root.img'));
    await vi.advanceTimersByTimeAsync(5000);
    expect(await opened).toBe('in-use');
    expect(opfs.modes.length).toBeGreaterThan(10);
  });

  it('tells what is missing', async () => {
    expect(await reason(open('nothing.img'))).toBe('not-found');
    opfs.files.set('root.img', new Uint8Array(512));
    opfs.synchronous = false;
    expect(await reason(open('root.img'))).toBe('no-opfs');
    vi.stubGlobal('navigator', {});
    expect(await reason(open('root.img'))).toBe('no-opfs');
    vi.stubGlobal('navigator', { storage: { getDirectory: () => Promise.reject(named('SecurityError')) } });
    expect(await reason(open('root.img'))).toBe('permission');
    expect(await reason(openOpfsDisk({ kind: 'file', name: '/etc/passwd', readOnly: true }))).toBe(
      'not-found',
    );
  });
});

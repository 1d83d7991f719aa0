import { describe, expect, it } from 'vitest';
import { KiB, MiB } from '../base/brands.ts';
import { IoVector } from '../base/io-vector.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import { DiskOpenError } from '../host.ts';
import { BLK_OK, EIO, ENOMEDIUM, ENOSPC } from './block-backend.ts';
import { RawStore } from './raw-store.ts';
import { StoreBackend } from './store-backend.ts';
import { FakeDiskFile } from './testing/fake-disk-file.ts';

const mem = new SharedMemory(new WebAssembly.Memory({ initial: 80, maximum: 80, shared: true }));

function board(bytes = 4 * MiB) {
  const file = new FakeDiskFile(bytes);
  return { file, store: new RawStore(mem, file, false) };
}
function vector(...pieces: [addr: number, length: number][]): IoVector {
  const iov = new IoVector();
  for (const [addr, length] of pieces) iov.add(addr, length);
  return iov;
}
/** `count` pieces of `bytes` each, with a gap after each. */
const scattered = (count: number, bytes: number): IoVector =>
  vector(...Array.from({ length: count }, (_, i) => [i * (bytes + 64), bytes] as [number, number]));

describe('calls to the file', () => {
  it('one contiguous run is one call on guest RAM itself', () => {
    const { file, store } = board();
    const seen: Uint8Array[] = [];
    const read = file.read.bind(file);
    file.read = (into, offset) => {
      seen.push(into);
      return read(into, offset);
    };
    expect(store.read(vector([4096, 1 * MiB]), 0)).toBe(BLK_OK);
    expect(store.write(vector([4096, 1 * MiB]), 0)).toBe(BLK_OK);
    expect(seen.map((view) => [view.buffer === mem.buffer, view.byteOffset, view.length])).toEqual([
      [true, 4096, 1 * MiB],
    ]);
    expect(file.calls.write).toBe(1);
  });

  it('128 scattered pieces of 4 KiB are one call', () => {
    const { file, store } = board();
    expect(store.write(scattered(128, 4 * KiB), 0)).toBe(BLK_OK);
    expect(store.read(scattered(128, 4 * KiB), 0)).toBe(BLK_OK);
    expect([file.calls.write, file.calls.read]).toEqual([1, 1]);
  });

  it('a few long pieces are not copied', () => {
    const { file, store } = board();
    expect(store.write(scattered(3, 256 * KiB), 0)).toBe(BLK_OK);
    expect(file.calls.write).toBe(3);
  });

  it('what is longer than the bounce buffer takes several calls', () => {
    const { file, store } = board();
    expect(store.write(scattered(40, 64 * KiB), 0)).toBe(BLK_OK);
    expect(file.calls.write).toBe(3); // 2.5 MiB through 1 MiB
  });
});

describe('odd files and failures', () => {
  it('a file that ends inside a sector counts as rounded up, and the rest is zeroes', () => {
    const file = new FakeDiskFile(1000);
    file.data.fill(7);
    const store = new RawStore(mem, file, false);
    expect(store.bytes).toBe(1024);
    mem.u8.fill(9, 0, 1024);
    expect(store.read(vector([0, 1024]), 0)).toBe(BLK_OK);
    expect([mem.u8[999], mem.u8[1000], mem.u8[1023]]).toEqual([7, 0, 0]);
    // In pieces, through the bounce buffer.
    mem.u8.fill(9, 0, 2048);
    expect(store.read(vector([0, 512], [1024, 512]), 0)).toBe(BLK_OK);
    expect([mem.u8[1024 + 487], mem.u8[1024 + 488]]).toEqual([7, 0]);
  });

  it('reads on after a short read', () => {
    const { file, store } = board();
    file.data.fill(5, 0, 4096);
    const read = file.read.bind(file);
    file.read = (into, offset) => read(into.subarray(0, Math.min(100, into.length)), offset);
    expect(store.read(vector([0, 4096]), 0)).toBe(BLK_OK);
    expect(mem.u8.subarray(0, 4096).every((byte) => byte === 5)).toBe(true);
  });

  it('B7: knows a full disk by a short write and by its many errors', () => {
    const { file, store } = board();
    const write = () => store.write(vector([0, 4096]), 0);
    file.capacity = 1000;
    expect(write()).toBe(ENOSPC);
    file.capacity = Infinity;
    for (const error of [
      Object.assign(new Error('full'), { name: 'QuotaExceededError' }),
      Object.assign(new Error('full'), { code: 'ENOSPC' }),
      Object.assign(new Error('full'), { code: 'EDQUOT' }),
    ]) {
      file.failures.set('write', error);
      expect(write()).toBe(ENOSPC);
      file.failures.set('flush', error);
      expect(store.flush()).toBe(ENOSPC);
      file.failures.set('truncate', error);
      expect(store.resize(8192)).toBe(ENOSPC);
    }
    expect(write()).toBe(BLK_OK);
  });

  it('any other failure is EIO', () => {
    const { file, store } = board();
    for (const error of [new Error('gone'), 'a string', null, undefined]) {
      file.failures.set('read', error ?? 'nothing');
      expect(store.read(vector([0, 512]), 0)).toBe(EIO);
      file.failures.set('write', error ?? 'nothing');
      expect(store.write(vector([0, 512]), 0)).toBe(EIO);
    }
  });
});

describe('opening', () => {
  it('a failure leaves the backend detached and the reason at hand, and can be tried again', async () => {
    let failure: unknown = new DiskOpenError('in-use', 'open in another tab');
    const backend = new StoreBackend(
      'disk0',
      () => (failure === undefined ? Promise.resolve(board().store) : Promise.reject(failure as Error)),
      { bytes: 1024, readOnly: true },
    );
    const aio = {} as Parameters<typeof backend.attach>[0];
    expect([backend.bytes, backend.readOnly]).toEqual([1024, true]);
    expect(await backend.attach(aio)).toBe(EIO);
    expect(backend.openError?.reason).toBe('in-use');
    failure = new DiskOpenError('not-found', 'no such file');
    expect(await backend.attach(aio)).toBe(ENOMEDIUM);
    failure = new TypeError('our own bug');
    await expect(backend.attach(aio)).rejects.toThrow('our own bug');
    failure = undefined;
    expect(await backend.attach(aio)).toBe(BLK_OK);
    expect([backend.openError, backend.bytes]).toEqual([undefined, 4 * MiB]);
  });

  it('detach makes durable, then closes', async () => {
    const { file, store } = board();
    const backend = new StoreBackend('disk0', () => Promise.resolve(store));
    await backend.attach({} as Parameters<typeof backend.attach>[0]);
    file.failures.set('flush', new Error('gone'));
    expect(await backend.detach()).toBe(EIO);
    expect([file.open, file.calls.close]).toEqual([false, 1]);
  });
});

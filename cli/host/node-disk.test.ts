import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DiskOpenError } from '../../src/engine/host.ts';
import { lockDisk } from './disk-lock.ts';
import { openNodeDisk } from './node-disk.ts';

let directory: string;
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'node-disk-'));
});
afterAll(() => fs.rmSync(directory, { recursive: true }));

function image(name: string, bytes = 4096): string {
  const file = path.join(directory, name);
  fs.writeFileSync(file, new Uint8Array(bytes));
  return file;
}
const open = (name: string, readOnly = false) => openNodeDisk({ kind: 'file', name, readOnly });
const reason = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'opened',
    (error: unknown) => (error instanceof DiskOpenError ? error.reason : String(error)),
  );

describe('a disk image in a file', () => {
  it('reads and writes views over shared memory in place', async () => {
    const disk = await open(image('rw'));
    const shared = new Uint8Array(new SharedArrayBuffer(1024));
    shared.fill(7);
    expect(disk.write(shared.subarray(0, 512), 1024)).toBe(512);
    expect(disk.read(shared.subarray(512), 1024)).toBe(512);
    expect(disk.read(shared.subarray(0, 512), 0)).toBe(512);
    expect(Array.from(new Set(shared))).toEqual([0, 7]);
    disk.flush();
    disk.truncate(8192);
    expect(disk.size()).toBe(8192);
    expect(disk.read(shared, 8192)).toBe(0);
    disk.close();
  });

  it('says why it cannot be opened', async () => {
    expect(await reason(open(path.join(directory, 'missing')))).toBe('not-found');
    expect(await reason(open(directory, true))).toBe('io');
    expect(await reason(openNodeDisk({ kind: 'opfs', name: 'x', readOnly: false }))).toBe('not-found');
  });

  it('has one writer, or readers and no writer', async () => {
    const file = image('locked');
    const writer = await open(file);
    expect(await reason(open(file))).toBe('in-use');
    expect(await reason(open(file, true))).toBe('in-use');
    writer.close();
    const reader = await open(file, true);
    const other = await open(file, true);
    reader.close();
    other.close();
    (await open(file)).close();
  });

  it('finds the same image behind another name', async () => {
    const file = image('aliased');
    const alias = path.join(directory, 'alias');
    fs.symlinkSync(file, alias);
    const writer = await open(file);
    expect(await reason(open(alias))).toBe('in-use');
    writer.close();
  });

  it('takes over the lock of a process that died', async () => {
    const file = image('orphaned');
    const stat = fs.statSync(file);
    const lock = lockDisk(stat, { kind: 'file', name: file, readOnly: false });
    const locks = path.join(os.tmpdir(), `qcontext-playground-${os.userInfo().uid}`);
    const lockFile = path.join(locks, `disk-${stat.dev}-${stat.ino}.lock`);
    const dead = spawnSync(process.execPath, ['-e', '0']).pid;
    fs.writeFileSync(lockFile, `${dead} 1`);
    const taken = await open(file);
    expect(fs.readFileSync(lockFile, 'latin1')).toMatch(new RegExp(`^${process.pid} `));
    taken.close();
    // The number of this process, but another start: the number was used again.
    fs.writeFileSync(lockFile, `${process.pid} 1`);
    (await open(file)).close();
    expect(fs.existsSync(lockFile)).toBe(false);
    lock?.release();
  });
});

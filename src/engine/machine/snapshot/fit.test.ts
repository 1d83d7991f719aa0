import { describe, expect, it } from 'vitest';
import { checkFit, type Present } from './fit.ts';
import type { DeviceFacts, DiskState, MachineFacts, SnapshotHeader } from './header.ts';

const disk: DiskState = {
  id: 'drive0',
  filename: 'disk.img',
  bytes: 4096,
  stamp: '17',
  memoryBytes: 0,
  memoryCapacity: 0,
};
const device: DeviceFacts = {
  slot: 7,
  driver: 'virtio-blk-device',
  qomPath: '/machine/peripheral/disk0',
  features: '1f',
  config: '00',
  queues: [256],
};
const machine: MachineFacts = {
  type: 'virt',
  memoryBytes: 256 * 2 ** 20,
  harts: 2,
  cpu: {},
  firmware: 'built-in',
  devices: [device],
};
const header: SnapshotHeader = {
  tag: 'a',
  date: '2026-01-01T00:00:00.000Z',
  vmClockNs: 1,
  state: 99,
  machine,
  digest: 0,
  hsm: [0, 0],
  ramOffset: 0,
  devices: [{ slot: 7, placement: ['ctx0'], serving: [0], parked: [] }],
  disks: [disk],
};
const present: Present = { state: 99, machine, contexts: ['main', 'ctx0'], disks: [disk] };

const why = (change: Partial<Present>): string => {
  const fits = checkFit(header, { ...present, ...change });
  return fits.ok ? 'fits' : fits.error.desc;
};
const withMachine = (change: Partial<MachineFacts>): string => why({ machine: { ...machine, ...change } });
const withDevice = (change: Partial<DeviceFacts>): string =>
  withMachine({ devices: [{ ...device, ...change }] });
const withDisk = (change: Partial<DiskState>): string => why({ disks: [{ ...disk, ...change }] });

describe('a snapshot', () => {
  it('fits the machine it was made of, whatever else that has in contexts and disks', () => {
    expect(why({})).toBe('fits');
    expect(why({ contexts: ['io1', 'ctx0'], disks: [{ ...disk, id: 'other' }, disk] })).toBe('fits');
  });

  it('fits no other machine', () => {
    expect(why({ state: 98 })).toMatch(/another version/);
    expect(withMachine({ memoryBytes: 2 ** 20 })).toMatch(/-m 256, here -m 1$/);
    expect(withMachine({ harts: 4 })).toMatch(/-smp 2, here -smp 4/);
    expect(withMachine({ firmware: 'guest' })).toMatch(/firmware/);
    expect(withMachine({ cpu: { sstc: false } })).toMatch(/-cpu/);
    expect(withMachine({ devices: [] })).toMatch(/disk0 in slot 7, where here is nothing/);
    expect(withMachine({ devices: [device, { ...device, slot: 6 }] })).toMatch(/it has no virtio-blk/);
    expect(withDevice({ driver: 'virtio-rng-device' })).toMatch(/is virtio-rng-device/);
    expect(withDevice({ features: '1e' })).toMatch(/other features/);
    expect(withDevice({ queues: [256, 256] })).toMatch(/other queues/);
    expect(withDevice({ config: '01' })).toMatch(/configured differently/);
    expect(why({ contexts: ['main'] })).toMatch(/context 'ctx0'/);
  });

  it('fits no disk but the one it knows, as it was', () => {
    expect(why({ disks: [] })).toMatch(/drive0.*not there/);
    expect(withDisk({ stamp: '18' })).toMatch(/was written to since/);
    expect(withDisk({ bytes: 8192 })).toMatch(/4096 bytes and has 8192/);
    expect(withDisk({ stamp: undefined })).toMatch(/another kind/);
    expect(withDisk({ memoryCapacity: 65536 })).toMatch(/kept in memory now/);
    // Another file of the same time and size under the same id cannot be told; another name may be the same file.
    expect(withDisk({ filename: 'moved.img' })).toBe('fits');
  });
});

import { MiB } from '../../base/brands.ts';
import { type Result, ok, userError } from '../../base/result.ts';
import type { DeviceFacts, DiskState, MachineFacts, SnapshotHeader } from './header.ts';

/** The machine a snapshot is to go on in. */
export interface Present {
  readonly state: number;
  readonly machine: MachineFacts;
  readonly contexts: readonly string[];
  readonly disks: readonly DiskState[];
}

/**
 * Does a snapshot fit? RAM size, harts and devices must be those it was made with, each context it uses must be
 * there, and every disk must be as the guest last saw it: a file system that is half in memory and half on
 * another disk is a broken one.
 */
export function checkFit(header: SnapshotHeader, present: Present): Result<void> {
  if (header.state !== present.state)
    return userError('it was made by another version of this machine, whose state is laid out differently');
  const differs = machineDifference(header.machine, present.machine);
  if (differs !== undefined) return userError(`it is of another machine: ${differs}`);
  const missing = header.devices
    .flatMap(({ placement }) => placement)
    .find((id) => !present.contexts.includes(id));
  if (missing !== undefined)
    return userError(`its devices were in context '${missing}', which this machine does not have`);
  for (const disk of header.disks) {
    const now = present.disks.find(({ id }) => id === disk.id);
    const changed = now === undefined ? 'it is not there' : diskDifference(disk, now);
    if (changed !== undefined)
      return userError(`it does not fit the disk '${disk.id}' (${disk.filename}): ${changed}`);
  }
  return ok(undefined);
}

function machineDifference(then: MachineFacts, now: MachineFacts): string | undefined {
  const size = ({ memoryBytes }: MachineFacts): string => `-m ${memoryBytes / MiB}`;
  if (then.type !== now.type) return `-machine ${then.type}, here ${now.type}`;
  if (then.memoryBytes !== now.memoryBytes) return `${size(then)}, here ${size(now)}`;
  if (then.harts !== now.harts) return `-smp ${then.harts}, here -smp ${now.harts}`;
  if (then.firmware !== now.firmware) return `its firmware is ${then.firmware}, here ${now.firmware}`;
  if (JSON.stringify(then.cpu) !== JSON.stringify(now.cpu)) return 'its -cpu has other features';
  for (const device of then.devices) {
    const name = `${device.driver} ${device.qomPath}`;
    const here = now.devices.find(({ slot }) => slot === device.slot);
    if (here === undefined) return `it has ${name} in slot ${device.slot}, where here is nothing`;
    const what = deviceDifference(device, here);
    if (what !== undefined) return `${name} ${what}`;
  }
  const more = now.devices.find(({ slot }) => !then.devices.some((device) => device.slot === slot));
  return more === undefined ? undefined : `it has no ${more.driver} ${more.qomPath}`;
}

function deviceDifference(then: DeviceFacts, now: DeviceFacts): string | undefined {
  if (then.driver !== now.driver || then.qomPath !== now.qomPath)
    return `is ${now.driver} ${now.qomPath} here`;
  if (then.queues.join() !== now.queues.join()) return 'has other queues here';
  if (then.features !== now.features) return 'offers other features here';
  return then.config === now.config ? undefined : 'is configured differently here';
}

function diskDifference(then: DiskState, now: DiskState): string | undefined {
  if (then.bytes !== now.bytes) return `it had ${then.bytes} bytes and has ${now.bytes}`;
  if ((then.stamp === undefined) !== (now.stamp === undefined)) return 'it is another kind of disk now';
  if (then.memoryCapacity !== now.memoryCapacity) {
    if (now.memoryCapacity === 0) return 'its writes were kept in memory';
    return then.memoryCapacity === 0 ? 'its writes are kept in memory now' : 'its memory has another size';
  }
  return then.stamp === now.stamp ? undefined : 'it was written to since the snapshot was made';
}

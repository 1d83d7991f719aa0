import type { SerialBusState } from '../serial-bus.ts';
import type { ParkedBlkRequest } from '../../virtio/blk/parked.ts';

/** What a snapshot says of itself: enough to tell whether it fits a machine, and what is not in regions. */
export interface SnapshotHeader {
  readonly tag: string;
  /** When it was made, ISO 8601. */
  readonly date: string;
  /** Guest clock, in ns. */
  readonly vmClockNs: number;
  /** Of the layouts of the saved regions (regions.ts). */
  readonly state: number;
  readonly machine: MachineFacts;
  /** XXH32 of `machine`, to compare at a glance. */
  readonly digest: number;
  /** HSM state of each hart. */
  readonly hsm: readonly number[];
  /** Byte offset of guest RAM in the machine's memory, which stopped requests point into. */
  readonly ramOffset: number;
  readonly devices: readonly DeviceState[];
  readonly disks: readonly DiskState[];
}

/** What must be the same in the machine that is to go on. */
export interface MachineFacts {
  readonly type: string;
  readonly memoryBytes: number;
  readonly harts: number;
  readonly cpu: Readonly<Record<string, boolean>>;
  /** With the built-in SBI the harts' machine-level state is made, not the firmware's. */
  readonly firmware: 'built-in' | 'guest';
  readonly devices: readonly DeviceFacts[];
}

export interface DeviceFacts {
  readonly slot: number;
  readonly driver: string;
  readonly qomPath: string;
  /** Offered features, in hexadecimal. */
  readonly features: string;
  /** Configuration space at reset, in hexadecimal; a disk's without its capacity, which `DiskState` has. */
  readonly config: string;
  readonly queues: readonly number[];
}

export interface DeviceState {
  readonly slot: number;
  /** Context id of each queue, and the queues that were being served. */
  readonly placement: readonly string[];
  readonly serving: readonly number[];
  /** Requests stopped by an error policy, by queue. */
  readonly parked: readonly (readonly [queue: number, requests: readonly ParkedBlkRequest[]])[];
  /** Of a virtio-serial device. */
  readonly bus?: SerialBusState;
}

export interface DiskState {
  readonly id: string;
  readonly filename: string;
  readonly bytes: number;
  /** Host.diskStamp of its file when the snapshot was made; undefined if it is not in a file. */
  readonly stamp: string | undefined;
  /** Bytes of its memory that are saved along (`-drive snapshot=on`, `-blockdev memory`), 0 for none. */
  readonly memoryBytes: number;
  /** Size of that memory, used or not. */
  readonly memoryCapacity: number;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Reads a description whose checksum was right: it is what this version wrote, or there is none. */
export function readHeader(description: unknown): SnapshotHeader | undefined {
  if (!isRecord(description)) return undefined;
  const { tag, date, vmClockNs, state, machine, hsm, devices, disks } = description;
  const complete =
    typeof tag === 'string' &&
    typeof date === 'string' &&
    typeof vmClockNs === 'number' &&
    typeof state === 'number' &&
    isRecord(machine) &&
    [hsm, devices, disks, machine['devices']].every(Array.isArray);
  return complete ? (description as unknown as SnapshotHeader) : undefined;
}

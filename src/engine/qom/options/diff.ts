import type { JsonValue } from '../property.ts';
import { DEVICE_TABLES, OBJECT_TABLES } from '../types/type-registry.ts';
import type { DeviceConfig, DriveConfig, MachineConfig, ObjectConfig } from './config.ts';
import { formatDevice, formatDrive, formatObject, formatOptions } from './format.ts';
import { quoteWord } from './shell.ts';

/** A QMP command, as it would be sent. */
export interface QmpCommand {
  readonly execute: string;
  readonly arguments: { readonly [name: string]: JsonValue };
}

/** One difference between two command lines. */
export interface CommandLineChange {
  /** The option before and after, as text; undefined on the side where it is not there. */
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** The commands that make the change in a running machine; undefined if it needs a restart. */
  readonly live: readonly QmpCommand[] | undefined;
}

/**
 * What leads from one configuration to another, in an order in which it can be done live: what is added comes
 * before what refers to it, what is removed after. Empty if they are equal.
 */
export function diffCommandLine(from: MachineConfig, to: MachineConfig): readonly CommandLineChange[] {
  const objects = byKey(from.objects, to.objects, (object) => object.id);
  const drives = byKey(from.drives, to.drives, (drive) => drive.id);
  const devices = byKey(
    from.devices,
    to.devices,
    (device, index) => device.id ?? `${device.driver}#${index}`,
  );
  const changes: CommandLineChange[] = [];
  const push = (
    before: string | undefined,
    after: string | undefined,
    live: readonly QmpCommand[] | undefined,
  ) => {
    changes.push({ before, after, live });
  };
  const rest = diffRest(from, to);
  for (const { before, after } of objects)
    if (after !== undefined && before === undefined)
      push(undefined, `-object ${formatObject(after)}`, [objectAdd(after)]);
  for (const { before, after } of objects) {
    if (before === undefined || after === undefined || same(before, after)) continue;
    push(`-object ${formatObject(before)}`, `-object ${formatObject(after)}`, objectSet(before, after));
  }
  for (const { before, after } of drives) {
    if (same(before, after) || after === undefined) continue;
    push(before && `-drive ${formatDrive(before)}`, `-drive ${formatDrive(after)}`, driveSet(before, after));
  }
  for (const { before, after, index } of devices) {
    if (same(before, after)) continue;
    const live =
      before === undefined || after === undefined
        ? deviceAddOrDelete(before, after)
        : deviceSet(before, after, devicePath(to, index));
    push(before && `-device ${formatDevice(before)}`, after && `-device ${formatDevice(after)}`, live);
  }
  for (const { before, after } of drives)
    if (before !== undefined && after === undefined)
      push(`-drive ${formatDrive(before)}`, undefined, undefined);
  for (const { before, after } of objects)
    if (before !== undefined && after === undefined)
      push(`-object ${formatObject(before)}`, undefined, [
        { execute: 'object-del', arguments: { id: before.id } },
      ]);
  return [...changes, ...rest];
}

const same = (a: unknown, b: unknown): boolean => stable(a) === stable(b);
const stable = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  ) ?? 'undefined';

interface Pair<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
  /** Index in the later list, or in the earlier one if it is gone. */
  readonly index: number;
}

function byKey<T>(
  from: readonly T[],
  to: readonly T[],
  keyOf: (part: T, index: number) => string,
): readonly Pair<T>[] {
  const before = new Map(from.map((part, index) => [keyOf(part, index), { part, index }]));
  const after = new Map(to.map((part, index) => [keyOf(part, index), { part, index }]));
  return [...new Set([...before.keys(), ...after.keys()])].map((key) => ({
    before: before.get(key)?.part,
    after: after.get(key)?.part,
    index: after.get(key)?.index ?? before.get(key)?.index ?? 0,
  }));
}

/** Options that have no live form: compared as text. */
function diffRest(from: MachineConfig, to: MachineConfig): readonly CommandLineChange[] {
  const LIVE = new Set(['-object', '-device', '-drive']);
  const texts = (config: MachineConfig) =>
    formatOptions(config)
      .filter(([option]) => !LIVE.has(option))
      .map((option) => option.map(quoteWord).join(' '));
  const before = texts(from);
  const after = texts(to);
  const gone = before.filter((text) => !after.includes(text));
  const added = after.filter((text) => !before.includes(text));
  const optionOf = (text: string) => text.split(' ')[0] ?? '';
  const changes: CommandLineChange[] = [];
  for (const text of gone) {
    const at = added.findIndex((candidate) => optionOf(candidate) === optionOf(text));
    changes.push({ before: text, after: at < 0 ? undefined : added.splice(at, 1)[0], live: undefined });
  }
  for (const text of added) changes.push({ before: undefined, after: text, live: undefined });
  return changes;
}

const objectAdd = (object: ObjectConfig): QmpCommand => ({
  execute: 'object-add',
  arguments: { 'qom-type': object.type, id: object.id, ...(object.props as Record<string, JsonValue>) },
});

const qomSet = (path: string, property: string, value: JsonValue): QmpCommand => ({
  execute: 'qom-set',
  arguments: { path, property, value },
});

type Values = Readonly<Record<string, JsonValue | undefined>>;

/** Names of the properties that differ. */
const changed = (before: Values, after: Values): readonly string[] =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !same(before[name], after[name]),
  );

function objectSet(before: ObjectConfig, after: ObjectConfig): readonly QmpCommand[] | undefined {
  if (before.type !== after.type) return undefined;
  const table = OBJECT_TABLES[after.type] as Readonly<Record<string, { live: boolean; default: unknown }>>;
  const commands: QmpCommand[] = [];
  const values = after.props as Values;
  for (const name of changed(before.props as Values, values)) {
    const property = table[name];
    if (property === undefined || !property.live) return undefined;
    commands.push(qomSet(`/objects/${after.id}`, name, values[name] ?? (property.default as JsonValue)));
  }
  return commands;
}

function driveSet(before: DriveConfig | undefined, after: DriveConfig): readonly QmpCommand[] | undefined {
  if (before === undefined || !same({ ...before, throttling: {} }, { ...after, throttling: {} }))
    return undefined;
  const limits = after.throttling;
  return [
    {
      execute: 'block_set_io_throttle',
      arguments: {
        device: after.id,
        bps: limits['bps-total'] ?? 0,
        bps_rd: limits['bps-read'] ?? 0,
        bps_wr: limits['bps-write'] ?? 0,
        iops: limits['iops-total'] ?? 0,
        iops_rd: limits['iops-read'] ?? 0,
        iops_wr: limits['iops-write'] ?? 0,
        bps_max: limits['bps-total-max'] ?? 0,
        bps_rd_max: limits['bps-read-max'] ?? 0,
        bps_wr_max: limits['bps-write-max'] ?? 0,
        iops_max: limits['iops-total-max'] ?? 0,
        iops_rd_max: limits['iops-read-max'] ?? 0,
        iops_wr_max: limits['iops-write-max'] ?? 0,
        iops_size: limits['iops-size'] ?? 0,
      },
    },
  ];
}

/** The path of `config.devices[index]` in the composition tree. */
export function devicePath(config: MachineConfig, index: number): string {
  const device = config.devices[index];
  if (device?.id !== undefined) return `/machine/peripheral/${device.id}`;
  const before = config.devices.slice(0, index).filter((other) => other.id === undefined).length;
  const automatic = config.drives.filter((drive) => drive.interface === 'virtio').length;
  return `/machine/peripheral-anon/device[${automatic + before}]`;
}

function deviceAddOrDelete(
  before: DeviceConfig | undefined,
  after: DeviceConfig | undefined,
): readonly QmpCommand[] | undefined {
  if (after !== undefined)
    return [
      {
        execute: 'device_add',
        arguments: {
          driver: after.driver,
          ...(after.id === undefined ? {} : { id: after.id }),
          ...(after.props as Record<string, JsonValue>),
        },
      },
    ];
  return before?.id === undefined ? undefined : [{ execute: 'device_del', arguments: { id: before.id } }];
}

function deviceSet(
  before: DeviceConfig,
  after: DeviceConfig,
  path: string,
): readonly QmpCommand[] | undefined {
  if (before.driver !== after.driver || before.id !== after.id) return undefined;
  const table = DEVICE_TABLES[after.driver] as Readonly<Record<string, { live: boolean; default: unknown }>>;
  const commands: QmpCommand[] = [];
  const old = before.props as Values;
  const values = after.props as Values;
  const names = changed(old, values);
  // The two names of the event loop are one setting.
  const place = values['context'] ?? values['iothread'] ?? 'main';
  if (names.includes('context') || names.includes('iothread')) {
    if (!same(place, old['context'] ?? old['iothread'] ?? 'main'))
      commands.push(qomSet(path, 'context', place));
  }
  const oldMap = queueMap(old);
  const newMap = queueMap(values);
  if (oldMap !== undefined || newMap !== undefined) {
    const queues = Number(values['num-queues'] ?? 1);
    for (let queue = 0; queue < queues; queue++) {
      const to = newMap?.[queue] ?? place;
      const was = oldMap?.[queue] ?? old['context'] ?? old['iothread'] ?? 'main';
      if (!same(to, was)) commands.push(qomSet(`${path}/virtqueue[${queue}]`, 'context', to));
    }
  }
  for (const name of names) {
    if (name === 'context' || name === 'iothread' || name === 'iothread-vq-mapping') continue;
    const property = table[name];
    if (property === undefined || !property.live) return undefined;
    commands.push(qomSet(path, name, values[name] ?? (property.default as JsonValue)));
  }
  return commands;
}

function queueMap(values: Values): readonly string[] | undefined {
  const mapping = values['iothread-vq-mapping'] as
    | readonly { iothread: string; vqs?: readonly number[] }[]
    | undefined;
  if (mapping === undefined) return undefined;
  const queues = Number(values['num-queues'] ?? 1);
  return Array.from(
    { length: queues },
    (_, queue) =>
      (mapping.find((entry) => entry.vqs?.includes(queue)) ?? mapping[queue % mapping.length])?.iothread ??
      'main',
  );
}

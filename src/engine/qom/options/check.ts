import type { DeviceSpec } from '../machine-ops.ts';
import { isA } from '../types/type-registry.ts';
import { nearest } from './suggest.ts';

/**
 * What exists, as far as a new device can refer to it: built from a draft configuration, or from the live
 * composition tree when a device is plugged into a running machine. Users are named as a message names them.
 */
export interface World {
  /** Everything in /objects, `main` included: id → type name. */
  readonly objects: ReadonlyMap<string, string>;
  readonly blocks: ReadonlyMap<string, BlockUse>;
  readonly netdevs: ReadonlyMap<string, string | undefined>;
  readonly chardevs: ReadonlyMap<string, { readonly mux: boolean; readonly user: string | undefined }>;
  /** The virtio-serial buses, by id. */
  readonly serialBuses: readonly (string | undefined)[];
  readonly deviceIds: ReadonlySet<string>;
}

export interface BlockUse {
  readonly origin: 'drive' | 'blockdev';
  readonly readOnly: boolean;
  /** The drive was given without if=none: its own device takes it. */
  readonly automatic: boolean;
  readonly users: readonly { readonly name: string; readonly shareRw: boolean }[];
}

/** What is wrong, and with which property. */
export interface Problem {
  readonly property: string | undefined;
  readonly desc: string;
  readonly hint?: string;
}

const problem = (property: string | undefined, desc: string, hint?: string): Problem =>
  hint === undefined ? { property, desc } : { property, desc, hint };

/** The name of a device in a message. */
export const deviceLabel = (spec: Pick<DeviceSpec, 'id' | 'driver' | 'qomPath'>): string =>
  spec.id === undefined ? `${spec.driver} at ${spec.qomPath}` : `device '${spec.id}'`;

/** Checks a device against what exists. `automatic` devices come from `-drive if=virtio`. */
export function checkDevice(spec: DeviceSpec, world: World, automatic = false): Problem | undefined {
  if (spec.id !== undefined && world.deviceIds.has(spec.id))
    return problem('id', `Duplicate device ID '${spec.id}'`);
  switch (spec.driver) {
    case 'virtio-blk-device':
      return checkContexts(spec, world) ?? checkDrive(spec, world, automatic) ?? checkDisk(spec);
    case 'virtio-net-device':
      return checkContexts(spec, world) ?? checkNetdev(spec.props.netdev, world);
    case 'virtio-serial-device':
      return checkContexts(spec, world);
    case 'virtio-rng-device':
      return checkContexts(spec, world) ?? checkRng(spec.props.rng, world);
    case 'virtconsole':
    case 'virtserialport':
      return checkBus(spec.props.bus, spec.driver, world) ?? checkChardev(spec.props.chardev, world);
  }
}

/** Checks that an id names an event loop. */
export function checkContext(
  property: string,
  id: string,
  objects: ReadonlyMap<string, string>,
): Problem | undefined {
  const type = objects.get(id);
  if (type !== undefined && isA(type, 'qcontext')) return undefined;
  if (type !== undefined)
    return problem(property, `'${id}' is a ${type}, not an event loop`, contextHint(id, objects));
  return problem(property, `Event loop '${id}' not found`, contextHint(id, objects));
}

function contextHint(id: string, objects: ReadonlyMap<string, string>): string {
  const contexts = [...objects].filter(([, type]) => isA(type, 'qcontext')).map(([name]) => name);
  const near = nearest(id, contexts);
  return near === undefined
    ? `Possible: ${contexts.join(', ')}. To make it: -object glib-qcontext,id=${id},threaded=yes`
    : `Did you mean '${near}'?`;
}

function checkContexts(spec: DeviceSpec, world: World): Problem | undefined {
  const props: Readonly<Record<string, unknown>> = spec.props;
  const property =
    ['context', 'iothread', 'iothread-vq-mapping'].find((name) => props[name] !== undefined) ?? 'context';
  const mapped = (props['iothread-vq-mapping'] as readonly { iothread: string }[] | undefined) ?? [];
  for (const id of [...mapped.map((entry) => entry.iothread), ...spec.placement]) {
    const found = checkContext(property, id, world.objects);
    if (found !== undefined) return found;
  }
  return undefined;
}

type BlkSpec = Extract<DeviceSpec, { driver: 'virtio-blk-device' }>;

function checkDrive(spec: BlkSpec, world: World, automatic: boolean): Problem | undefined {
  const id = spec.props.drive;
  if (id === undefined || id === '')
    return problem(
      undefined,
      'drive property not set',
      'Add drive=ID and -drive file=disk.img,if=none,id=ID,format=raw',
    );
  const block = world.blocks.get(id);
  if (block === undefined) {
    const near = nearest(id, world.blocks.keys());
    return problem(
      'drive',
      `Property '${spec.driver}.drive' can't find value '${id}'`,
      near === undefined
        ? `${listOf('Drives and nodes', world.blocks.keys())} To make it: -drive file=disk.img,if=none,id=${id},format=raw`
        : `Did you mean '${near}'?`,
    );
  }
  if (block.automatic && !automatic)
    return problem(
      'drive',
      `Drive '${id}' is already in use because it has been automatically connected to another device`,
      "Add 'if=none' to the -drive.",
    );
  const user = block.users.find((other) => !(other.shareRw && spec.props['share-rw']));
  if (user !== undefined)
    return problem(
      'drive',
      `Drive '${id}' is already in use by ${user.name}`,
      'Give each device a drive of its own; share-rw=on on both allows sharing on purpose.',
    );
  return undefined;
}

function checkDisk(spec: BlkSpec): Problem | undefined {
  const logical = spec.props.logical_block_size;
  if (spec.props.physical_block_size < logical)
    return problem('physical_block_size', 'physical_block_size must not be smaller than logical_block_size');
  for (const name of ['min_io_size', 'opt_io_size'] as const)
    if (spec.props[name] % logical !== 0)
      return problem(name, `${name} must be a multiple of logical_block_size`);
  if (!spec.props['x-data-plane'] && spec.placement.some((id) => id !== 'main'))
    return problem(
      'x-data-plane',
      'x-data-plane=off runs the device on the main loop, but an event loop is named',
      'Leave x-data-plane out, or the event loop.',
    );
  return undefined;
}

function checkNetdev(id: string | undefined, world: World): Problem | undefined {
  if (id === undefined) return undefined;
  if (!world.netdevs.has(id))
    return problem(
      'netdev',
      `Property 'virtio-net-device.netdev' can't find value '${id}'`,
      `${listOf('Netdevs', world.netdevs.keys())} To make it: -netdev user,id=${id}`,
    );
  const user = world.netdevs.get(id);
  return user === undefined
    ? undefined
    : problem('netdev', `Netdev '${id}' is already in use by ${user}`, 'Give each card a netdev of its own.');
}

function checkRng(id: string | undefined, world: World): Problem | undefined {
  if (id === undefined) return undefined;
  const type = world.objects.get(id);
  if (type !== undefined && isA(type, 'rng-backend')) return undefined;
  return problem(
    'rng',
    type === undefined ? `Device '${id}' not found` : `'${id}' is a ${type}, not a source of random bytes`,
    `To make one: -object rng-builtin,id=${type === undefined ? id : 'rng0'}`,
  );
}

function checkBus(bus: string | undefined, driver: string, world: World): Problem | undefined {
  // QEMU names the bus DEVICE.0; both forms are taken.
  const wanted = bus?.replace(/\.0$/, '');
  if (wanted === undefined ? world.serialBuses.length > 0 : world.serialBuses.includes(wanted))
    return undefined;
  return problem(
    bus === undefined ? undefined : 'bus',
    bus === undefined ? `No 'virtio-serial-bus' bus found for device '${driver}'` : `Bus '${bus}' not found`,
    `Put -device virtio-serial-device${wanted === undefined ? '' : `,id=${wanted}`} before it.`,
  );
}

function checkChardev(id: string | undefined, world: World): Problem | undefined {
  if (id === undefined)
    return problem(undefined, "Parameter 'chardev' is missing", 'Add chardev=ID and -chardev vc,id=ID');
  return chardevProblem('chardev', id, world.chardevs);
}

/** Checks that a chardev exists and is free. */
export function chardevProblem(
  property: string | undefined,
  id: string,
  chardevs: World['chardevs'],
): Problem | undefined {
  const chardev = chardevs.get(id);
  if (chardev === undefined)
    return problem(
      property,
      `Chardev '${id}' not found`,
      `${listOf('Chardevs', chardevs.keys())} To make it: -chardev vc,id=${id}`,
    );
  if (chardev.user === undefined || chardev.mux) return undefined;
  return problem(
    property,
    `Chardev '${id}' is already in use by ${chardev.user}`,
    'Several front ends can share it with mux=on.',
  );
}

const listOf = (what: string, names: Iterable<string>): string => {
  const all = [...names];
  return all.length === 0 ? `${what}: none.` : `${what}: ${all.join(', ')}.`;
};

import type { PropertyDef, PropertyTable, PropsOf } from '../property.ts';
import { GLIB_QCONTEXT, IOTHREAD, QCONTEXT } from './context-types.ts';
import {
  DEVICE,
  VIRTCONSOLE,
  VIRTIO_BLK,
  VIRTIO_DEVICE,
  VIRTIO_NET,
  VIRTIO_RNG,
  VIRTIO_SERIAL,
  VIRTSERIALPORT,
} from './device-types.ts';
import { RNG_BACKEND, RNG_BUILTIN, RNG_RANDOM, THROTTLE_GROUP } from './object-types.ts';
import { type TypeInfo, typeInfo } from './type-info.ts';

const structural = (name: string, parent: string | undefined, description: string): TypeInfo =>
  typeInfo({ name, parent, description }, {});

/** What `-object` can make: type name → own properties and those inherited. */
export const OBJECT_TABLES = {
  'glib-qcontext': { ...QCONTEXT.properties, ...GLIB_QCONTEXT.properties },
  iothread: QCONTEXT.properties,
  'throttle-group': THROTTLE_GROUP.properties,
  'rng-builtin': RNG_BUILTIN.properties,
  'rng-random': RNG_RANDOM.properties,
} as const;

/** What `-device` can make. */
export const DEVICE_TABLES = {
  'virtio-blk-device': { ...VIRTIO_DEVICE.properties, ...VIRTIO_BLK.properties },
  'virtio-net-device': { ...VIRTIO_DEVICE.properties, ...VIRTIO_NET.properties },
  'virtio-serial-device': { ...VIRTIO_DEVICE.properties, ...VIRTIO_SERIAL.properties },
  virtconsole: VIRTCONSOLE.properties,
  virtserialport: VIRTSERIALPORT.properties,
  'virtio-rng-device': { ...VIRTIO_DEVICE.properties, ...VIRTIO_RNG.properties },
} as const;

export type ObjectType = keyof typeof OBJECT_TABLES;
export type DeviceType = keyof typeof DEVICE_TABLES;
/** Values of all properties of an object or device type. */
export type ObjectProps<T extends ObjectType> = PropsOf<(typeof OBJECT_TABLES)[T]>;
export type DeviceProps<T extends DeviceType> = PropsOf<(typeof DEVICE_TABLES)[T]>;

/** Other names of device types, and what to say when one is used. */
export const DEVICE_ALIASES: Readonly<
  Record<string, { readonly driver: DeviceType; readonly note?: string }>
> = {
  'virtio-blk': { driver: 'virtio-blk-device' },
  'virtio-net': { driver: 'virtio-net-device' },
  'virtio-serial': { driver: 'virtio-serial-device' },
  'virtio-rng': { driver: 'virtio-rng-device' },
  ...Object.fromEntries(
    (['blk', 'net', 'serial', 'rng'] as const).map((kind) => [
      `virtio-${kind}-pci`,
      {
        driver: `virtio-${kind}-device` as const,
        note: `this board has no PCI bus: virtio-${kind}-pci becomes virtio-${kind}-device on virtio-mmio`,
      },
    ]),
  ),
};

/** Every QOM type, parents before children. */
export const TYPES: readonly TypeInfo[] = [
  { ...structural('object', undefined, 'the root of all types'), abstract: true },
  structural('container', 'object', 'a folder of the composition tree'),
  QCONTEXT,
  GLIB_QCONTEXT,
  IOTHREAD,
  THROTTLE_GROUP,
  RNG_BACKEND,
  RNG_BUILTIN,
  RNG_RANDOM,
  { ...structural('machine', 'object', 'a board'), abstract: true },
  structural('virt-machine', 'machine', 'RISC-V virt board'),
  { ...structural('block-node', 'object', 'a node of the block graph'), abstract: true },
  structural('block-backend', 'block-node', 'a -drive or -blockdev'),
  { ...structural('chardev', 'object', 'where characters go'), abstract: true },
  ...['stdio', 'vc', 'null', 'ringbuf', 'socket'].map((kind) =>
    structural(`chardev-${kind}`, 'chardev', kind),
  ),
  { ...structural('netdev', 'object', 'what is behind a network card'), abstract: true },
  structural('netdev-user', 'netdev', 'user-mode network'),
  structural('netdev-hubport', 'netdev', 'a port of a hub'),
  DEVICE,
  VIRTIO_DEVICE,
  VIRTIO_BLK,
  VIRTIO_NET,
  VIRTIO_SERIAL,
  VIRTCONSOLE,
  VIRTSERIALPORT,
  VIRTIO_RNG,
  structural('virtqueue', 'object', 'one virtqueue of a device'),
  structural('rv64-riscv-cpu', 'device', 'a hart'),
];

const BY_NAME = new Map(TYPES.map((type) => [type.name, type]));

export const typeByName = (name: string): TypeInfo | undefined => BY_NAME.get(name);

/** True if `name` is `ancestor` or descends from it. */
export function isA(name: string, ancestor: string): boolean {
  for (let type = BY_NAME.get(name); type !== undefined; type = BY_NAME.get(type.parent ?? '')) {
    if (type.name === ancestor) return true;
  }
  return false;
}

/** Own and inherited properties of a type; a child's definition hides its parent's. */
export function propertiesOf(name: string): PropertyTable {
  const type = BY_NAME.get(name);
  if (type === undefined) return {};
  return { ...(type.parent === undefined ? {} : propertiesOf(type.parent)), ...type.properties };
}

/** The names `-object` or `-device` accept, sorted. */
export const creatableTypes = (how: 'object' | 'device'): readonly TypeInfo[] =>
  TYPES.filter((type) => type.creatable === how).toSorted((a, b) => (a.name < b.name ? -1 : 1));

/** Fills the defaults in: the full values of a table from those given. */
export function withDefaults<Table extends PropertyTable>(
  table: Table,
  given: Partial<PropsOf<NoInfer<Table>>>,
): PropsOf<Table> {
  const full: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(table) as [string, PropertyDef][]) {
    full[name] = (given as Record<string, unknown>)[name] ?? property.default;
  }
  return full as PropsOf<Table>;
}

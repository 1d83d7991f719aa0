import { bool, oneOf, type PropertyTable } from '../property.ts';
import {
  creatableTypes,
  DEVICE_ALIASES,
  DEVICE_TABLES,
  type DeviceType,
  OBJECT_TABLES,
  type ObjectType,
} from '../types/type-registry.ts';
import type { Arg, Bag } from './arg.ts';
import type { DeviceConfig, GlobalConfig, ObjectConfig } from './config.ts';
import { parseOpts } from './opts.ts';
import { possible } from './suggest.ts';

/** `-object type,id=…` and `object-add`. */
export function readObject(bag: Bag): ObjectConfig {
  const span = bag.valueSpan('qom-type');
  const type = bag.string('qom-type') ?? bag.arg.fail("Parameter 'qom-type' is missing", objectTypesHint(''));
  if (!Object.hasOwn(OBJECT_TABLES, type))
    bag.arg.fail(`Parameter 'qom-type' does not accept value '${type}'`, objectTypesHint(type), span);
  const known = type as ObjectType;
  const id = bag.id('id', true);
  if (id === 'main' && (known === 'glib-qcontext' || known === 'iothread'))
    bag.arg.fail("'main' is the main loop and exists already", 'Choose another id.');
  // The table belongs to the type, which TypeScript can't correlate through the union.
  return { type: known, id, props: bag.table(OBJECT_TABLES[known], known) } as ObjectConfig;
}

const objectTypesHint = (typed: string): string =>
  possible(
    typed,
    creatableTypes('object').map((type) => type.name),
  );

export const CONTEXT_OPTION = {
  threaded: bool('run it in a thread of its own', { default: false }),
  backend: oneOf('which event loop: default and glib are the same', ['default', 'glib'], {
    default: 'default',
  }),
} as const;

/** `-context id,threaded=yes,backend=glib`: the RFC's short form of `-object glib-qcontext`. */
export function readContext(bag: Bag): ObjectConfig {
  const id = bag.id('id', true);
  if (id === 'main') bag.fail('id', "'main' is the main loop and exists already", 'Choose another id.');
  const { threaded } = bag.table(CONTEXT_OPTION, 'context');
  return { type: 'glib-qcontext', id, props: threaded === undefined ? {} : { threaded } };
}

/** The device type a name stands for; complains if there is none. */
export function deviceType(arg: Arg, name: string, span: readonly [number, number]): DeviceType {
  if (Object.hasOwn(DEVICE_TABLES, name)) return name as DeviceType;
  const alias = Object.hasOwn(DEVICE_ALIASES, name) ? DEVICE_ALIASES[name] : undefined;
  if (alias === undefined) {
    return arg.fail(
      `'${name}' is not a valid device model name`,
      possible(name, [
        ...Object.keys(DEVICE_TABLES),
        'virtio-blk',
        'virtio-net',
        'virtio-serial',
        'virtio-rng',
      ]),
      span,
    );
  }
  if (alias.note !== undefined) arg.note(alias.note, span);
  return alias.driver;
}

/** PCI's own properties, dropped with a note when a command line made for QEMU's PCI boards names them. */
const PCI_ONLY = [
  'addr',
  'disable-legacy',
  'disable-modern',
  'vectors',
  'romfile',
  'ioeventfd',
  'bus',
] as const;

/** `-device driver,…` and `device_add`. */
export function readDevice(bag: Bag): DeviceConfig {
  const span = bag.valueSpan('driver');
  const name = bag.string('driver') ?? bag.arg.fail("Parameter 'driver' is missing", 'Try -device help.');
  const driver = deviceType(bag.arg, name, span);
  const id = bag.id('id', false);
  const table = DEVICE_TABLES[driver];
  for (const property of PCI_ONLY) {
    if (Object.hasOwn(table, property) || !bag.has(property)) continue;
    bag.note(property, `'${property}' belongs to a PCI device and has no effect on virtio-mmio`);
    bag.raw(property);
  }
  return { driver, id, props: bag.table(table, driver) } as DeviceConfig;
}

/** `-global driver.property=value` or `-global driver=…,property=…,value=…`. */
export function readGlobal(arg: Arg): GlobalConfig {
  const short = /^([^.=,]+)\.([^=,]+)=(.*)$/s.exec(arg.text);
  const opts = new Map(parseOpts(arg.text, undefined).map((opt) => [opt.key, opt.value]));
  const name = short?.[1] ?? opts.get('driver');
  const property = short?.[2] ?? opts.get('property');
  const value = short?.[3] ?? opts.get('value');
  if (name === undefined || property === undefined || value === undefined)
    return arg.fail('expects driver.property=value', 'For example: -global virtio-blk-device.queue-size=128');
  const driver = deviceType(arg, name, short === null ? [0, arg.text.length] : [0, name.length]);
  const table = DEVICE_TABLES[driver];
  const span = short === null ? undefined : ([name.length + 1, name.length + 1 + property.length] as const);
  if (!Object.hasOwn(table, property))
    return arg.fail(
      `Property '${driver}.${property}' not found`,
      possible(property, Object.keys(table)),
      span,
    );
  const definition = (table as PropertyTable)[property];
  const read = definition?.read(property, value);
  if (read === undefined || !read.ok) return arg.fail(read?.error.desc ?? '', read?.error.hint);
  return { driver, property, value: read.value as GlobalConfig['value'] };
}

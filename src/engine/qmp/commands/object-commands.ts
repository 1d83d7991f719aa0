import { ok, userError } from '../../base/result.ts';
import { catchOptionError, monitorBag } from '../../qom/options/arg.ts';
import { readBlockdev } from '../../qom/options/blockdev-option.ts';
import { readChardev } from '../../qom/options/char-options.ts';
import { readNetdev } from '../../qom/options/net-options.ts';
import { readDevice, readObject } from '../../qom/options/object-options.ts';
import { isA, propertiesOf, typeByName, TYPES } from '../../qom/types/type-registry.ts';
import { any, boolean, optional, string } from '../arguments.ts';
import { type Command, command, nothing, openCommand } from '../command.ts';

/** The properties of a type, as `qom-list-properties` and `device-list-properties` give them. */
function listProperties(name: string) {
  if (typeByName(name) === undefined)
    return userError(`Class '${name}' not found`, { class: 'DeviceNotFound' });
  return ok(
    Object.entries(propertiesOf(name)).map(([property, { type, description, default: initial }]) => ({
      name: property,
      type,
      description,
      'default-value': initial,
    })),
  );
}

export const OBJECT_COMMANDS: readonly Command[] = [
  command('qom-list', { path: string }, ({ model }, { path }) => model.qomList(path)),
  command('qom-get', { path: string, property: string }, ({ model }, { path, property }) =>
    model.qomGet(path, property),
  ),
  command(
    'qom-set',
    { path: string, property: string, value: any },
    async ({ model }, { path, property, value }) => {
      const set = await model.qomSet(path, property, value);
      return set.ok ? ok(set.value ?? {}) : set;
    },
  ),
  command('qom-list-types', { implements: optional(string), abstract: optional(boolean) }, (_context, args) =>
    ok(
      TYPES.filter(
        (type) =>
          (args.abstract === true || !type.abstract) &&
          (args.implements === undefined || isA(type.name, args.implements)),
      ).map(({ name, parent, abstract }) => ({ name, parent, abstract: abstract || undefined })),
    ),
  ),
  command('qom-list-properties', { typename: string }, (_context, { typename }) => listProperties(typename)),
  command('device-list-properties', { typename: string }, (_context, { typename }) => {
    if (typeByName(typename) === undefined)
      return userError(`Device '${typename}' not found`, { class: 'DeviceNotFound' });
    return isA(typename, 'device')
      ? listProperties(typename)
      : userError("Parameter 'typename' expects a non-abstract device type");
  }),
  openCommand('object-add', async ({ model }, given) => {
    const object = catchOptionError(() => readObject(monitorBag(given)));
    return object.ok ? nothing(await model.objectAdd(object.value)) : object;
  }),
  command('object-del', { id: string }, async ({ model }, { id }) => nothing(await model.objectDel(id))),
  openCommand('device_add', async ({ model }, given) => {
    const device = catchOptionError(() => readDevice(monitorBag(given)));
    return device.ok ? nothing(await model.deviceAdd(device.value)) : device;
  }),
  command('device_del', { id: string }, async ({ model }, { id }) => nothing(await model.deviceDel(id))),
  openCommand('blockdev-add', async ({ model }, given) => {
    const nodes = catchOptionError(() => readBlockdev(monitorBag(given)));
    return nodes.ok ? nothing(await model.blockdevAdd(nodes.value)) : nodes;
  }),
  command('blockdev-del', { 'node-name': string }, async ({ model }, args) =>
    nothing(await model.blockdevDel(args['node-name'])),
  ),
  openCommand('chardev-add', async ({ model }, { id, backend, ...rest }) => {
    // QAPI nests what -chardev has side by side: {"id":…, "backend":{"type":…, "data":{…}}}.
    const nested =
      typeof backend === 'object' && backend !== null ? (backend as Record<string, unknown>) : undefined;
    const data = nested?.['data'];
    const flat =
      nested === undefined
        ? { id, backend, ...rest }
        : { id, backend: nested['type'], ...(typeof data === 'object' ? data : {}), ...rest };
    const chardev = catchOptionError(() => readChardev(monitorBag(flat)));
    return chardev.ok ? nothing(await model.chardevAdd(chardev.value)) : chardev;
  }),
  command('chardev-remove', { id: string }, async ({ model }, { id }) =>
    nothing(await model.chardevRemove(id)),
  ),
  command('query-chardev', {}, ({ model }) =>
    ok(model.chardevs().map(({ id, backend }) => ({ label: id, filename: backend, 'frontend-open': true }))),
  ),
  openCommand('netdev_add', async ({ model }, given) => {
    const netdev = catchOptionError(() => readNetdev(monitorBag(given)));
    return netdev.ok ? nothing(await model.netdevAdd(netdev.value)) : netdev;
  }),
  command('netdev_del', { id: string }, async ({ model }, { id }) => nothing(await model.netdevDel(id))),
];

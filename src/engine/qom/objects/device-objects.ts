import { ok, type Result, type UserError, userError } from '../../base/result.ts';
import type { MoveReport } from '../../vm.ts';
import type { DeviceSpec } from '../machine-ops.ts';
import { QomObject, type QomProperty } from '../object.ts';
import { checkContext, checkDevice, deviceLabel, type Problem } from '../options/check.ts';
import type { DeviceConfig } from '../options/config.ts';
import { deviceSpec } from '../options/resolve.ts';
import type { JsonValue, PropertyTable, ValueError } from '../property.ts';
import { DEVICE_TABLES } from '../types/type-registry.ts';
import type { DeviceEntry } from './entries.ts';
import type { ModelState } from './model-state.ts';
import { StoredProperties } from './stored-properties.ts';

const asUserError = (problem: Problem | ValueError): { ok: false; error: UserError } =>
  userError(problem.desc, problem.hint === undefined ? {} : { hint: problem.hint });

/** Realizes a device and puts it in the tree. Nothing is left of it if that fails. */
export async function addDevice(state: ModelState, config: DeviceConfig): Promise<Result<DeviceEntry>> {
  const anon = state.container('/machine/peripheral-anon');
  let index = 0;
  while (anon.children.has(`device[${index}]`)) index++;
  const made = deviceSpec(config, index, state.config.globals, state.drives());
  if (!made.ok) return asUserError(made.error);
  const spec = made.value;
  const problem = checkDevice(spec, state.world());
  if (problem !== undefined) return asUserError(problem);
  const realized = await state.ops.realizeDevice(spec);
  if (!realized.ok) return realized;

  const table: PropertyTable = DEVICE_TABLES[spec.driver];
  const named = spec.id === undefined ? 'anonymous device' : `device '${spec.id}'`;
  const properties = new StoredProperties<PropertyTable>(
    table,
    spec.props as never,
    (name) => `Attempt to set property '${name}' on ${named} (type '${spec.driver}') after it was realized`,
    async (name, value) => {
      const done = await state.ops.configureDevice(spec.qomPath, name, value);
      return done.ok ? ok(undefined) : done;
    },
  );
  properties.completed = true;
  const object = new QomObject(spec.driver, properties.qomProperties());
  const entry: DeviceEntry = {
    spec,
    realized: realized.value,
    object,
    properties,
    held: [],
    contextRefs: [],
  };
  if (spec.id === undefined) anon.addChild(object, 'device[*]');
  else state.container('/machine/peripheral').addChild(object, spec.id);
  state.devices.set(spec.qomPath, entry);
  addTransport(entry);
  if ('context' in table) addPlacement(state, entry);
  holdReferences(state, entry);
  return ok(entry);
}

function addTransport({ object, realized: { transport } }: DeviceEntry): void {
  if (transport === undefined) return;
  object.properties.set('realized', { type: 'bool', get: () => true });
  object.properties.set('slot', {
    type: 'int',
    description: 'virtio-mmio transport',
    get: () => transport.slot,
  });
  object.properties.set('mmio-base', {
    type: 'int',
    description: 'guest address of its registers',
    get: () => transport.base,
  });
  object.properties.set('irq', {
    type: 'int',
    description: 'PLIC interrupt source',
    get: () => transport.irq,
  });
}

/** `context`, `iothread` and one `virtqueue[N]` child per queue that can be placed on its own. */
function addPlacement(state: ModelState, entry: DeviceEntry): void {
  const current = (): JsonValue => {
    const [first, ...others] = entry.spec.placement;
    return others.every((id) => id === first) ? (first ?? '') : '';
  };
  const property = (description: string, get: () => JsonValue, queue: number | undefined): QomProperty => ({
    type: 'link<qcontext>',
    description,
    get,
    set: async (value) => {
      const moved = await moveDevice(state, entry, queue, value);
      return moved.ok ? ok({ ...moved.value, queue: moved.value.queue ?? null }) : moved;
    },
  });
  for (const name of ['context', 'iothread'])
    entry.object.properties.set(
      name,
      property('event loop that runs it; empty if its queues have several', current, undefined),
    );
  entry.object.properties.set('iothread-vq-mapping', {
    type: 'IOThreadVirtQueueMappingList',
    description: 'event loop of each virtqueue',
    get: () =>
      [...new Set(entry.spec.placement)].map((iothread) => ({
        iothread,
        vqs: entry.spec.placement.flatMap((id, vq) => (id === iothread ? [vq] : [])),
      })),
  });
  for (const queue of entry.spec.placement.keys()) {
    const child = new QomObject('virtqueue', {
      context: property('event loop that serves it', () => entry.spec.placement[queue] ?? '', queue),
    });
    entry.object.addChild(child, `virtqueue[${queue}]`);
  }
}

function holdReferences(state: ModelState, entry: DeviceEntry): void {
  const props: Readonly<Record<string, unknown>> = entry.spec.props;
  const label = deviceLabel(entry.spec);
  const used = [
    state.blocks.get(String(props['drive']))?.object,
    state.netdevs.get(String(props['netdev']))?.object,
    state.chardevs.get(String(props['chardev']))?.object,
    state.objects.get(String(props['rng']))?.object,
    busOf(state, entry.spec),
  ];
  for (const object of used) if (object !== undefined) entry.held.push(object.ref(label));
  holdContexts(state, entry);
}

/** The virtio-serial device a port sits on. */
function busOf(state: ModelState, spec: DeviceSpec): QomObject | undefined {
  if (spec.driver !== 'virtconsole' && spec.driver !== 'virtserialport') return undefined;
  const wanted = spec.props.bus?.replace(/\.0$/, '');
  return [...state.devices.values()].find(
    (device) =>
      device.spec.driver === 'virtio-serial-device' && (wanted === undefined || device.spec.id === wanted),
  )?.object;
}

/** References follow the queues from loop to loop. */
function holdContexts(state: ModelState, entry: DeviceEntry): void {
  const label = deviceLabel(entry.spec);
  const objects = state.container('/objects').children;
  const refs = [...new Set(entry.spec.placement)].flatMap((id) => objects.get(id)?.ref(label) ?? []);
  for (const release of entry.contextRefs) release();
  entry.contextRefs = refs;
}

/** Moves a device or one of its queues; `value` is a context's id or its path. */
export async function moveDevice(
  state: ModelState,
  entry: DeviceEntry,
  queue: number | undefined,
  value: unknown,
): Promise<Result<MoveReport>> {
  if (typeof value !== 'string') return userError("Invalid parameter type for 'context', expected: string");
  const to = value.replace(/^\/objects\//, '');
  const problem = checkContext('context', to, state.objectTypes());
  if (problem !== undefined) return asUserError(problem);
  const { placement, qomPath } = entry.spec;
  const moved = await state.ops.moveDevice(qomPath, queue, to);
  if (!moved.ok) return moved;
  const next = queue === undefined ? placement.map(() => to) : placement.with(queue, to);
  entry.spec = { ...entry.spec, placement: next } as DeviceSpec;
  holdContexts(state, entry);
  // Where it is already it stays: a success, and nobody needs to be told.
  if (next.every((context, index) => context === placement[index])) return moved;
  const { from, inFlight, downtimeNs } = moved.value;
  state.emit('DEVICE_CONTEXT_CHANGED', {
    ...(entry.spec.id === undefined ? {} : { device: entry.spec.id }),
    path: qomPath,
    ...(queue === undefined ? {} : { queue }),
    from,
    to,
    'in-flight': inFlight,
    'downtime-ns': downtimeNs,
  });
  return moved;
}

/** `device_del`, by id or path. */
export async function deleteDevice(state: ModelState, idOrPath: string): Promise<Result<void>> {
  const entry = findDevice(state, idOrPath);
  if (entry === undefined) {
    const ids = [...state.devices.values()].map(({ spec }) => spec.id ?? spec.qomPath);
    return userError(`Device '${idOrPath}' not found`, {
      class: 'DeviceNotFound',
      hint: `Devices: ${ids.join(', ') || 'none'}.`,
    });
  }
  const { users } = entry.object;
  if (users.length > 0)
    return userError(`${deviceLabel(entry.spec)} is in use by ${users.join(', ')}`, {
      hint: 'Remove its users first.',
    });
  const gone = await finalizeDevice(state, entry);
  if (!gone.ok) return gone;
  state.emit('DEVICE_DELETED', {
    ...(entry.spec.id === undefined ? {} : { device: entry.spec.id }),
    path: entry.spec.qomPath,
  });
  return ok(undefined);
}

export const findDevice = (state: ModelState, idOrPath: string): DeviceEntry | undefined =>
  state.devices.get(idOrPath) ?? state.devices.get(`/machine/peripheral/${idOrPath}`);

/** Takes a device off the board and out of the tree. */
export async function finalizeDevice(state: ModelState, entry: DeviceEntry): Promise<Result<void>> {
  const gone = await state.ops.unrealizeDevice(entry.spec.qomPath);
  if (!gone.ok) return gone;
  for (const release of [...entry.held, ...entry.contextRefs]) release();
  entry.object.unparent();
  state.devices.delete(entry.spec.qomPath);
  return ok(undefined);
}

import { err, ok, type Result } from '../../base/result.ts';
import type { BlockSpec, ContextSpec, DeviceSpec } from '../machine-ops.ts';
import type { PropertyDef, ValueError } from '../property.ts';
import { DEVICE_TABLES, OBJECT_TABLES, withDefaults } from '../types/type-registry.ts';
import { placeQueues } from '../types/vq-mapping.ts';
import type {
  BlockNodeConfig,
  CharTarget,
  DeviceConfig,
  DriveConfig,
  GlobalConfig,
  MachineConfig,
  NetdevConfig,
  ObjectConfig,
  ProtocolConfig,
  ThrottleLimits,
} from './config.ts';

/** A device, and what made it: its own `-device`, a `-drive if=virtio` or a `-nic`. */
export interface PlannedDevice {
  readonly device: DeviceConfig;
  readonly from: { readonly kind: 'devices' | 'drives' | 'nics'; readonly index: number };
}

/**
 * All devices of a configuration in the order they are put on the board: those of `-drive if=virtio`, then
 * each `-device`, then each `-nic`.
 */
export function plannedDevices(config: MachineConfig): readonly PlannedDevice[] {
  const planned: PlannedDevice[] = [];
  for (const [index, drive] of config.drives.entries()) {
    if (drive.interface !== 'virtio') continue;
    const device: DeviceConfig = { driver: 'virtio-blk-device', id: undefined, props: { drive: drive.id } };
    planned.push({ device, from: { kind: 'drives', index } });
  }
  for (const [index, device] of config.devices.entries())
    planned.push({ device, from: { kind: 'devices', index } });
  for (const [index, nic] of config.nics.entries()) {
    if (nic.kind === 'none') continue;
    const props = { netdev: nic.netdev.id, ...(nic.mac === undefined ? {} : { mac: nic.mac }) };
    planned.push({ device: { driver: nic.model, id: undefined, props }, from: { kind: 'nics', index } });
  }
  return planned;
}

/** All netdevs, those of `-nic` included. */
export const plannedNetdevs = (config: MachineConfig): readonly NetdevConfig[] => [
  ...config.netdevs,
  ...config.nics.flatMap((nic) => (nic.kind === 'card' ? [nic.netdev] : [])),
];

/** The serial ports that are there: one on stdio (in a page, the terminal) if none was named. */
export const plannedSerials = (config: MachineConfig): readonly CharTarget[] =>
  config.serials.length > 0 || config.noDefaults
    ? config.serials
    : [{ kind: 'new', mux: false, backend: { backend: 'stdio', signal: true } }];

/** The event loop an `-object` stands for; undefined for other objects. */
export function contextSpec(object: ObjectConfig): ContextSpec | undefined {
  if (object.type !== 'glib-qcontext' && object.type !== 'iothread') return undefined;
  const loop = withDefaults(OBJECT_TABLES.iothread, object.props);
  const threaded = object.type === 'iothread' || (object.props.threaded ?? false);
  return { ...loop, id: object.id, qomPath: `/objects/${object.id}`, type: object.type, threaded };
}

/**
 * A device with everything filled in. `anonIndex` numbers devices without an id. The error names the property
 * whose values do not fit together.
 */
export function deviceSpec(
  device: DeviceConfig,
  anonIndex: number,
  globals: readonly GlobalConfig[],
  drives: readonly DriveConfig[],
): Result<DeviceSpec, ValueError & { readonly property: string }> {
  const defaults = Object.fromEntries(
    globals
      .filter((global) => global.driver === device.driver)
      .map((global) => [global.property, global.value]),
  );
  const given: Record<string, unknown> = { ...defaults, ...device.props };
  const table = DEVICE_TABLES[device.driver] as Readonly<Record<string, PropertyDef>>;
  const props: Record<string, unknown> = withDefaults(table, given);
  const placed = placement(props);
  if (!placed.ok) return placed;
  const drive = drives.find((candidate) => candidate.id === props['drive']);
  const onError =
    device.driver === 'virtio-blk-device'
      ? {
          werror: props['werror'] === 'auto' ? (drive?.werror ?? 'enospc') : props['werror'],
          rerror: props['rerror'] === 'auto' ? (drive?.rerror ?? 'report') : props['rerror'],
        }
      : undefined;
  const qomPath =
    device.id === undefined
      ? `/machine/peripheral-anon/device[${anonIndex}]`
      : `/machine/peripheral/${device.id}`;
  // The table was chosen by the driver, which TypeScript can't correlate through the union.
  return ok({
    driver: device.driver,
    id: device.id,
    qomPath,
    props,
    placement: placed.value,
    onError,
  } as DeviceSpec);
}

function placement(
  props: Readonly<Record<string, unknown>>,
): Result<readonly string[], ValueError & { readonly property: string }> {
  const forms = ['context', 'iothread', 'iothread-vq-mapping'].filter((name) => props[name] !== undefined);
  const second = forms[1];
  if (second !== undefined)
    return err({ property: second, desc: `Parameters '${forms[0]}' and '${second}' are mutually exclusive` });
  const all = (props['context'] ?? props['iothread'] ?? 'main') as string;
  const queues = (props['num-queues'] as number | undefined) ?? 1;
  const mapping = props['iothread-vq-mapping'] as Parameters<typeof placeQueues>[1];
  const placed = placeQueues(queues, mapping, all);
  return placed.ok ? placed : err({ property: 'iothread-vq-mapping', ...placed.error });
}

/** A `-drive` as the machine opens it. */
export const driveSpec = (drive: DriveConfig, snapshotAll: boolean): BlockSpec => ({
  id: drive.id,
  origin: 'drive',
  protocol: drive.protocol,
  offset: 0,
  size: undefined,
  readOnly: drive.readOnly,
  snapshot: drive.snapshot ?? snapshotAll,
  cache: drive.cache,
  discard: drive.discard,
  detectZeroes: drive.detectZeroes,
  throttling: drive.throttling,
  throttlingGroup: drive.throttlingGroup,
});

/** The chain of nodes below one, itself first. Stops at a name that does not exist or comes again. */
export function nodeChain(nodes: readonly BlockNodeConfig[], name: string): readonly BlockNodeConfig[] {
  const chain: BlockNodeConfig[] = [];
  let node = nodes.find((candidate) => candidate.nodeName === name);
  while (node !== undefined && !chain.includes(node)) {
    chain.push(node);
    const below = 'file' in node ? node.file : undefined;
    node = nodes.find((candidate) => candidate.nodeName === below);
  }
  return chain;
}

/**
 * The block node `name` with its chain flattened into one backend. The caller has checked that the chain ends
 * in a protocol node; undefined if it does not.
 */
export function blockdevSpec(
  nodes: readonly BlockNodeConfig[],
  name: string,
  objects: readonly ObjectConfig[],
): BlockSpec | undefined {
  const chain = nodeChain(nodes, name);
  const top = chain[0];
  const bottom = chain.at(-1);
  if (top === undefined || bottom === undefined || bottom.driver === 'raw' || bottom.driver === 'throttle')
    return undefined;
  let offset = 0;
  let size: number | undefined;
  let group: string | undefined;
  for (const node of chain) {
    if (node.driver === 'throttle') group ??= node.throttleGroup;
    if (node.driver !== 'raw') continue;
    // A window inside a window: offsets add up, the narrower end wins.
    size =
      size === undefined ? node.size : node.size === undefined ? size : Math.min(size, node.size - offset);
    offset += node.offset;
  }
  return {
    id: name,
    origin: 'blockdev',
    protocol: protocolOf(bottom),
    offset,
    size,
    readOnly: chain.some((node) => node.readOnly),
    snapshot: false,
    cache: {
      writeback: true,
      direct: chain.some((node) => node.cache.direct),
      noFlush: chain.some((node) => node.cache.noFlush),
    },
    discard: chain.every((node) => node.discard === 'unmap') ? 'unmap' : 'ignore',
    detectZeroes: 'off',
    throttling: group === undefined ? {} : groupLimits(objects, group),
    throttlingGroup: group,
  };
}

function protocolOf(node: BlockNodeConfig & ProtocolConfig): ProtocolConfig {
  switch (node.driver) {
    case 'file':
      return { driver: 'file', filename: node.filename };
    case 'memory':
      return { driver: 'memory', size: node.size };
    case 'null-co':
      return { driver: 'null-co', size: node.size, latencyNs: node.latencyNs, readZeroes: node.readZeroes };
  }
}

/** The limits of a throttle-group object that limit, without the `x-` of its property names. */
export function groupLimits(objects: readonly ObjectConfig[], id: string): ThrottleLimits {
  const group = objects.find((object) => object.type === 'throttle-group' && object.id === id);
  const given = Object.entries(group?.props ?? {}) as [string, number][];
  return Object.fromEntries(
    given.flatMap(([name, value]) => (value === 0 ? [] : [[name.replace(/^x-/, ''), value]])),
  );
}

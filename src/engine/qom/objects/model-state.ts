import type { MachineOps } from '../machine-ops.ts';
import { objectAt, QomObject } from '../object.ts';
import type { BlockUse, World } from '../options/check.ts';
import { deviceLabel } from '../options/check.ts';
import type { BlockNodeConfig, DriveConfig, MachineConfig, ObjectConfig } from '../options/config.ts';
import type { BlockEntry, ChardevEntry, DeviceEntry, NetdevEntry, ObjectEntry } from './entries.ts';

/** Name of an event of the object model and its data: `DEVICE_DELETED` and the like. */
export type ModelEventListener = (event: string, data: Readonly<Record<string, unknown>>) => void;

/** The composition tree and an index of what is in it. */
export class ModelState {
  readonly ops: MachineOps;
  readonly config: MachineConfig;
  readonly root = new QomObject('container');
  readonly objects = new Map<string, ObjectEntry>();
  readonly blocks = new Map<string, BlockEntry>();
  readonly chardevs = new Map<string, ChardevEntry>();
  readonly netdevs = new Map<string, NetdevEntry>();
  /** By path, in the order they were realized. */
  readonly devices = new Map<string, DeviceEntry>();
  readonly eventListeners = new Set<ModelEventListener>();

  constructor(ops: MachineOps, config: MachineConfig) {
    this.ops = ops;
    this.config = config;
    const machine = new QomObject('virt-machine');
    this.root.addChild(new QomObject('container'), 'objects');
    this.root.addChild(machine, 'machine');
    machine.addChild(new QomObject('container'), 'peripheral');
    machine.addChild(new QomObject('container'), 'peripheral-anon');
    for (const name of ['chardevs', 'netdevs', 'block']) this.root.addChild(new QomObject('container'), name);
  }

  /** One of the containers made at construction. */
  container(
    path:
      | '/objects'
      | '/machine'
      | '/machine/peripheral'
      | '/machine/peripheral-anon'
      | '/chardevs'
      | '/netdevs'
      | '/block',
  ): QomObject {
    return objectAt(this.root, path) as QomObject;
  }

  emit(event: string, data: Readonly<Record<string, unknown>>): void {
    for (const listener of this.eventListeners) listener(event, data);
  }

  /** Type of everything in /objects, `main` included. */
  objectTypes(): ReadonlyMap<string, string> {
    return new Map([...this.container('/objects').children].map(([id, object]) => [id, object.type]));
  }

  /** The objects with the values they have now, which `qom-set` may have changed. */
  objectConfigs(): readonly ObjectConfig[] {
    return [...this.objects.values()].map(({ config: { type, id }, properties: { table, values } }) => {
      const changed = Object.entries(values).filter(([name, value]) => value !== table[name]?.default);
      return { type, id, props: Object.fromEntries(changed) } as ObjectConfig;
    });
  }

  nodes(): readonly BlockNodeConfig[] {
    return [...this.blocks.values()].flatMap((entry) => (entry.kind === 'node' ? [entry.config] : []));
  }

  drives(): readonly DriveConfig[] {
    return [...this.blocks.values()].flatMap((entry) => (entry.kind === 'drive' ? [entry.config] : []));
  }

  /** What a new device can refer to. */
  world(): World {
    const devices = [...this.devices.values()];
    const userOf = (property: 'netdev' | 'chardev', id: string): string | undefined => {
      const user = devices.find(
        (device) => (device.spec.props as Readonly<Record<string, unknown>>)[property] === id,
      );
      return user === undefined ? undefined : deviceLabel(user.spec);
    };
    return {
      objects: this.objectTypes(),
      blocks: new Map([...this.blocks].map(([id, entry]) => [id, this.#blockUse(id, entry)])),
      netdevs: new Map([...this.netdevs.keys()].map((id) => [id, userOf('netdev', id)])),
      chardevs: new Map(
        [...this.chardevs].map(([id, { config, object }]) => [
          id,
          { mux: config.mux, user: userOf('chardev', id) ?? object.users[0] },
        ]),
      ),
      serialBuses: devices
        .filter(({ spec }) => spec.driver === 'virtio-serial-device')
        .map(({ spec }) => spec.id),
      deviceIds: new Set(devices.flatMap(({ spec }) => (spec.id === undefined ? [] : [spec.id]))),
    };
  }

  #blockUse(id: string, entry: BlockEntry): BlockUse {
    const users = [...this.devices.values()].flatMap(({ spec }) =>
      spec.driver === 'virtio-blk-device' && spec.props.drive === id
        ? [{ name: deviceLabel(spec), shareRw: spec.props['share-rw'] }]
        : [],
    );
    const above = this.nodes().find((node) => 'file' in node && node.file === id);
    if (above !== undefined) users.push({ name: `node '${above.nodeName}'`, shareRw: false });
    return {
      origin: entry.kind === 'drive' ? 'drive' : 'blockdev',
      readOnly: entry.config.readOnly,
      automatic: false,
      users,
    };
  }
}

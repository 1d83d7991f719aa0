import { ok, type Result, userError } from '../base/result.ts';
import type { MoveReport } from '../vm.ts';
import type { MachineOps } from './machine-ops.ts';
import { type QomObject, resolvePath } from './object.ts';
import { addChardev, addNetdev, deleteChardev, deleteNetdev } from './objects/backend-objects.ts';
import {
  addDrive,
  addNodes,
  deleteDrive,
  deleteNode,
  finalizeBlock,
  openBlock,
  resizeBlock,
  setThrottle,
} from './objects/block-objects.ts';
import { addDevice, deleteDevice, finalizeDevice, findDevice, moveDevice } from './objects/device-objects.ts';
import type { BlockEntry, DeviceEntry } from './objects/entries.ts';
import { type ModelEventListener, ModelState } from './objects/model-state.ts';
import {
  addMainContext,
  completeObject,
  createObject,
  deleteObject,
  finalizeObject,
} from './objects/user-objects.ts';
import type {
  BlockNodeConfig,
  ChardevConfig,
  DeviceConfig,
  DriveConfig,
  MachineConfig,
  NetdevConfig,
  ObjectConfig,
  ThrottleLimits,
} from './options/config.ts';
import { formatBlockdev, formatDevice, formatDrive, formatObject } from './options/format.ts';
import { nodeChain, plannedDevices, plannedNetdevs } from './options/resolve.ts';
import { possible } from './options/suggest.ts';
import type { JsonValue } from './property.ts';

/** A property as `qom-list` shows it. */
export interface QomListEntry {
  readonly name: string;
  readonly type: string;
  readonly description: string | undefined;
}

/**
 * The object model of a running machine: its composition tree, and every change to it. What changes the
 * machine waits its turn, so that two monitors can't interleave; reading never waits. Thread of context `main`.
 */
export class ObjectModel {
  readonly #state: ModelState;
  #last: Promise<unknown> = Promise.resolve();

  constructor(ops: MachineOps, config: MachineConfig) {
    this.#state = new ModelState(ops, config);
    addMainContext(this.#state);
  }

  get root(): QomObject {
    return this.#state.root;
  }
  get ops(): MachineOps {
    return this.#state.ops;
  }
  get config(): MachineConfig {
    return this.#state.config;
  }
  /** The devices on the board, in the order they came. */
  devices(): readonly DeviceEntry[] {
    return [...this.#state.devices.values()];
  }
  findDevice(idOrPath: string): DeviceEntry | undefined {
    return findDevice(this.#state, idOrPath);
  }
  /** The event loops other than main: id, and the values of their properties now. */
  contexts(): readonly ObjectConfig[] {
    return this.#state
      .objectConfigs()
      .filter((object) => object.type === 'glib-qcontext' || object.type === 'iothread');
  }
  /** Ids of all user-created objects. */
  objectIds(): readonly string[] {
    return this.#state.objectConfigs().map((object) => object.id);
  }
  /** Drives and block nodes, by id. */
  blocks(): ReadonlyMap<string, BlockEntry> {
    return this.#state.blocks;
  }
  /** The open backend of a drive's id, a node's name, or a device's id or path. */
  findBlock(name: string): Result<{ readonly id: string; readonly entry: BlockEntry }> {
    const device = this.findDevice(name)?.spec;
    const id = device?.driver === 'virtio-blk-device' ? (device.props.drive ?? name) : name;
    const entry = openBlock(this.#state, id);
    return entry.ok ? ok({ id, entry: entry.value }) : entry;
  }
  /** The device that uses a block backend, directly or through the nodes above it. */
  blockUser(id: string): DeviceEntry | undefined {
    const nodes = this.#state.nodes();
    return this.devices().find(({ spec }) => {
      const drive = spec.driver === 'virtio-blk-device' ? spec.props.drive : undefined;
      return (
        drive !== undefined && (drive === id || nodeChain(nodes, drive).some((node) => node.nodeName === id))
      );
    });
  }

  /** Events of the model itself (`DEVICE_DELETED`, `DEVICE_CONTEXT_CHANGED`). Returns what unsubscribes. */
  onEvent(listener: ModelEventListener): () => void {
    this.#state.eventListeners.add(listener);
    return () => this.#state.eventListeners.delete(listener);
  }

  /** Runs changes one after another, in the order they were asked for. */
  exclusive<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#last.then(change);
    // The next change runs whether or not this one failed; whoever asked for this one sees its failure.
    this.#last = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /**
   * Makes everything the configuration names, in this order: all objects are created and get their
   * properties; then they are completed, parents before children; then character devices, block nodes and
   * drives, netdevs; then devices. If anything fails, what was made is taken down again, last first.
   */
  populate(): Promise<Result<void>> {
    return this.exclusive(async () => {
      const made = await this.#populate();
      if (!made.ok) await this.#dispose();
      return made;
    });
  }

  async #populate(): Promise<Result<void>> {
    const state = this.#state;
    const { config } = state;
    for (const object of config.objects) {
      const created = createObject(state, object);
      if (!created.ok) return placed(created, '-object', formatObject(object));
    }
    for (const object of state.container('/objects').subtree()) {
      const entry = state.objects.get(object.name);
      if (entry?.object !== object) continue;
      const completed = await completeObject(state, entry);
      if (!completed.ok) return placed(completed, '-object', formatObject(entry.config));
    }
    for (const chardev of config.chardevs) {
      const added = await addChardev(state, chardev);
      if (!added.ok) return placed(added, '-chardev', chardev.id);
    }
    for (const drive of config.drives) {
      const added = await addDrive(state, drive);
      if (!added.ok) return placed(added, '-drive', formatDrive(drive));
    }
    for (const top of config.blockdevs) {
      if (config.blockdevs.some((node) => 'file' in node && node.file === top.nodeName)) continue;
      const added = await addNodes(state, nodeChain(config.blockdevs, top.nodeName).toReversed(), false);
      if (!added.ok) return placed(added, '-blockdev', formatBlockdev(top));
    }
    for (const netdev of plannedNetdevs(config)) {
      const added = await addNetdev(state, netdev);
      if (!added.ok) return placed(added, '-netdev', netdev.id);
    }
    for (const { device } of plannedDevices(config)) {
      const added = await addDevice(state, device);
      if (!added.ok) return placed(added, '-device', formatDevice(device));
    }
    return ok(undefined);
  }

  /** Takes everything down: devices first, event loops last. Goes on where something refuses. */
  dispose(): Promise<void> {
    return this.exclusive(() => this.#dispose());
  }

  async #dispose(): Promise<void> {
    const state = this.#state;
    for (const entry of [...state.devices.values()].toReversed()) await finalizeDevice(state, entry);
    for (const id of [...state.netdevs.keys()].toReversed()) await deleteNetdev(state, id);
    for (const [id, entry] of [...state.blocks].toReversed())
      if (entry.object.users.length === 0) await finalizeBlock(state, id, entry);
    for (const id of [...state.chardevs.keys()].toReversed()) await deleteChardev(state, id);
    for (const entry of [...state.objects.values()].toReversed())
      if (entry.object.users.length === 0) await finalizeObject(state, entry);
  }

  // what the monitor changes ------------------------------------------------------------------------------

  objectAdd(config: ObjectConfig): Promise<Result<void>> {
    return this.exclusive(async () => {
      const created = createObject(this.#state, config);
      if (!created.ok) return created;
      const completed = await completeObject(this.#state, created.value);
      if (!completed.ok) await finalizeObject(this.#state, created.value);
      return completed;
    });
  }
  objectDel(id: string): Promise<Result<void>> {
    return this.exclusive(() => deleteObject(this.#state, id));
  }
  deviceAdd(config: DeviceConfig): Promise<Result<void>> {
    return this.exclusive(async () => {
      const added = await addDevice(this.#state, config);
      return added.ok ? ok(undefined) : added;
    });
  }
  deviceDel(idOrPath: string): Promise<Result<void>> {
    return this.exclusive(() => deleteDevice(this.#state, idOrPath));
  }
  blockdevAdd(nodes: readonly BlockNodeConfig[]): Promise<Result<void>> {
    return this.exclusive(() => addNodes(this.#state, nodes, true));
  }
  blockdevDel(id: string): Promise<Result<void>> {
    return this.exclusive(() => deleteNode(this.#state, id));
  }
  driveAdd(config: DriveConfig): Promise<Result<void>> {
    return this.exclusive(() => addDrive(this.#state, config));
  }
  driveDel(id: string): Promise<Result<void>> {
    return this.exclusive(() => deleteDrive(this.#state, id));
  }
  blockResize(id: string, bytes: number): Promise<Result<void>> {
    return this.exclusive(() => resizeBlock(this.#state, id, bytes));
  }
  blockSetThrottle(id: string, limits: ThrottleLimits, group: string | undefined): Promise<Result<void>> {
    return this.exclusive(() => setThrottle(this.#state, id, limits, group));
  }
  chardevAdd(config: ChardevConfig): Promise<Result<void>> {
    return this.exclusive(() => addChardev(this.#state, config));
  }
  chardevRemove(id: string): Promise<Result<void>> {
    return this.exclusive(() => deleteChardev(this.#state, id));
  }
  netdevAdd(config: NetdevConfig): Promise<Result<void>> {
    return this.exclusive(() => addNetdev(this.#state, config));
  }
  netdevDel(id: string): Promise<Result<void>> {
    return this.exclusive(() => deleteNetdev(this.#state, id));
  }
  /** Character devices and netdevs, by id. */
  chardevs(): readonly ChardevConfig[] {
    return [...this.#state.chardevs.values()].map((entry) => entry.config);
  }
  netdevs(): readonly NetdevConfig[] {
    return [...this.#state.netdevs.values()].map((entry) => entry.config);
  }
  /** Moves a device, or one queue of it. */
  move(device: DeviceEntry, queue: number | undefined, contextId: string): Promise<Result<MoveReport>> {
    return this.exclusive(() => moveDevice(this.#state, device, queue, contextId));
  }

  // paths and properties ----------------------------------------------------------------------------------

  resolve(path: string): Result<QomObject> {
    return resolvePath(this.root, path);
  }

  qomList(path: string): Result<readonly QomListEntry[]> {
    const object = this.resolve(path);
    if (!object.ok) return object;
    const { properties, children } = object.value;
    return ok([
      { name: 'type', type: 'string', description: undefined },
      ...[...properties].map(([name, property]) => ({
        name,
        type: property.type,
        description: property.description,
      })),
      ...[...children].map(([name, child]) => ({
        name,
        type: `child<${child.type}>`,
        description: undefined,
      })),
    ]);
  }

  async qomGet(path: string, name: string): Promise<Result<JsonValue>> {
    const object = this.resolve(path);
    if (!object.ok) return object;
    if (name === 'type') return ok(object.value.type);
    const child = object.value.children.get(name);
    if (child !== undefined) return ok(child.path);
    const property = object.value.properties.get(name);
    if (property === undefined) return noProperty(object.value, name);
    if (property.get === undefined)
      return userError(`Property '${object.value.type}.${name}' is not readable`);
    return ok(await property.get());
  }

  /** The value is what `qom-set` returns: nothing, or the report of a move. */
  async qomSet(path: string, name: string, value: unknown): Promise<Result<JsonValue | undefined>> {
    return this.exclusive(async () => {
      const object = this.resolve(path);
      if (!object.ok) return object;
      const property = object.value.properties.get(name);
      if (property === undefined && name !== 'type' && !object.value.children.has(name))
        return noProperty(object.value, name);
      if (property?.set === undefined)
        return userError(`Property '${object.value.type}.${name}' is not writable`);
      return property.set(value);
    });
  }
}

function noProperty(object: QomObject, name: string) {
  return userError(`Property '${object.type}.${name}' not found`, {
    hint: possible(name, [...object.properties.keys(), ...object.children.keys()]),
  });
}

/** Names the option that a failure at start-up belongs to. */
const placed = <T>(failed: Result<T> & { ok: false }, option: string, value: string): Result<void> => ({
  ok: false,
  error: { ...failed.error, desc: `${option} ${value}: ${failed.error.desc}` },
});

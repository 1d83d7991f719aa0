import { ok, type Result, userError } from '../../base/result.ts';
import { QomObject } from '../object.ts';
import type { ChardevConfig, NetdevConfig } from '../options/config.ts';
import type { ModelState } from './model-state.ts';

/** `chardev-add` and `-chardev`. */
export async function addChardev(state: ModelState, config: ChardevConfig): Promise<Result<void>> {
  if (state.chardevs.has(config.id)) return userError(`Chardev with id '${config.id}' already exists`);
  const added = await state.ops.chardevAdd(config);
  if (!added.ok) return added;
  const object = new QomObject(`chardev-${config.backend}`);
  state.container('/chardevs').addChild(object, config.id);
  state.chardevs.set(config.id, { config, object });
  return ok(undefined);
}

export async function deleteChardev(state: ModelState, id: string): Promise<Result<void>> {
  const entry = state.chardevs.get(id);
  if (entry === undefined) return userError(`Chardev '${id}' not found`);
  const { users } = entry.object;
  if (users.length > 0) return userError(`Chardev '${id}' is busy: ${users.join(', ')}`);
  const removed = await state.ops.chardevRemove(id);
  if (!removed.ok) return removed;
  entry.object.unparent();
  state.chardevs.delete(id);
  return ok(undefined);
}

/** `netdev_add` and `-netdev`. */
export async function addNetdev(state: ModelState, config: NetdevConfig): Promise<Result<void>> {
  if (state.netdevs.has(config.id)) return userError(`Duplicate ID '${config.id}' for netdev`);
  const added = await state.ops.netdevAdd(config);
  if (!added.ok) return added;
  const object = new QomObject(`netdev-${config.type}`);
  state.container('/netdevs').addChild(object, config.id);
  state.netdevs.set(config.id, { config, object });
  return ok(undefined);
}

export async function deleteNetdev(state: ModelState, id: string): Promise<Result<void>> {
  const entry = state.netdevs.get(id);
  if (entry === undefined) return userError(`Device '${id}' not found`, { class: 'DeviceNotFound' });
  const { users } = entry.object;
  if (users.length > 0) return userError(`Netdev '${id}' is in use by ${users.join(', ')}`);
  const removed = await state.ops.netdevDel(id);
  if (!removed.ok) return removed;
  entry.object.unparent();
  state.netdevs.delete(id);
  return ok(undefined);
}

import { ok, type Result, userError } from '../../base/result.ts';
import type { BlockSpec } from '../machine-ops.ts';
import { QomObject, type QomProperty } from '../object.ts';
import { nodeProblem } from '../options/check-draft.ts';
import type { BlockNodeConfig, DriveConfig, ThrottleLimits } from '../options/config.ts';
import { throttleProblem } from '../options/drive-option.ts';
import { blockdevSpec, driveSpec, nodeChain } from '../options/resolve.ts';
import type { BlockEntry } from './entries.ts';
import type { ModelState } from './model-state.ts';

const properties = (state: ModelState, id: string): Record<string, QomProperty> => ({
  size: {
    type: 'int',
    description: 'bytes; 0 while another node has it open',
    get: async () => (await state.ops.blocks()).find((block) => block.id === id)?.bytes ?? 0,
  },
  filename: {
    type: 'str',
    get: async () => (await state.ops.blocks()).find((block) => block.id === id)?.filename ?? '',
  },
});

const taken = (state: ModelState, id: string): Result<void> =>
  state.blocks.has(id) ? userError(`Duplicate nodes with node-name='${id}'`) : ok(undefined);

/** Opens a drive and puts it in the tree. */
export async function addDrive(state: ModelState, config: DriveConfig): Promise<Result<void>> {
  const free = taken(state, config.id);
  if (!free.ok) return free;
  const opened = await state.ops.blockAdd(driveSpec(config, state.config.snapshot));
  if (!opened.ok) return opened;
  const object = new QomObject('block-backend', properties(state, config.id));
  state.container('/block').addChild(object, config.id);
  state.blocks.set(config.id, {
    kind: 'drive',
    config,
    object,
    open: true,
    inline: false,
    throttling: config.throttling,
    throttlingGroup: config.throttlingGroup,
    held: [],
  });
  return ok(undefined);
}

/**
 * `blockdev-add`: all nodes of one command, children first. The top one is opened; a node that was open by
 * itself and is now below it is closed first, since an image has one owner.
 *
 * @param inline the nodes below the top one were described inside it, and go with it
 */
export async function addNodes(
  state: ModelState,
  nodes: readonly BlockNodeConfig[],
  inline: boolean,
): Promise<Result<void>> {
  const top = nodes.at(-1);
  if (top === undefined) return ok(undefined);
  for (const node of nodes) {
    const free = taken(state, node.nodeName);
    if (!free.ok) return free;
  }
  const all = [...state.nodes(), ...nodes];
  for (const node of nodes) {
    const problem = nodeProblem(node, all, state.objectTypes());
    if (problem !== undefined)
      return userError(problem.desc, problem.hint === undefined ? {} : { hint: problem.hint });
    const users = 'file' in node ? (state.blocks.get(node.file)?.object.users ?? []) : [];
    if ('file' in node && users.length > 0)
      return userError(`Node '${node.file}' is already in use by ${users[0]}`);
  }
  const spec = blockdevSpec(all, top.nodeName, state.objectConfigs());
  if (spec === undefined) return userError(`Node '${top.nodeName}' has no bytes below it`);
  const opened = await replaceOpen(state, nodeChain(all, top.nodeName), spec);
  if (!opened.ok) return opened;
  for (const node of nodes) {
    const object = new QomObject('block-backend', properties(state, node.nodeName));
    state.container('/block').addChild(object, node.nodeName);
    const entry: BlockEntry = {
      kind: 'node',
      config: node,
      object,
      open: node === top,
      inline: inline && node !== top,
      throttling: node === top ? spec.throttling : {},
      throttlingGroup: node === top ? spec.throttlingGroup : undefined,
      held: [],
    };
    if ('file' in node) hold(entry, state.blocks.get(node.file)?.object, `node '${node.nodeName}'`);
    if (node.driver === 'throttle')
      hold(entry, state.objects.get(node.throttleGroup)?.object, `node '${node.nodeName}'`);
    state.blocks.set(node.nodeName, entry);
  }
  return ok(undefined);
}

const hold = (entry: BlockEntry, used: QomObject | undefined, user: string): void => {
  if (used !== undefined) entry.held.push(used.ref(user));
};

/** Opens `spec` in the place of whatever node of its chain is open by itself. */
async function replaceOpen(
  state: ModelState,
  chain: readonly BlockNodeConfig[],
  spec: BlockSpec,
): Promise<Result<void>> {
  const below = chain.map((node) => state.blocks.get(node.nodeName)).find((entry) => entry?.open === true);
  const belowSpec = below === undefined ? undefined : nodeSpec(state, below);
  if (below !== undefined && belowSpec !== undefined) {
    const closed = await state.ops.blockDel(belowSpec.id);
    if (!closed.ok) return closed;
    below.open = false;
  }
  const opened = await state.ops.blockAdd(spec);
  if (opened.ok) return ok(undefined);
  if (below !== undefined && belowSpec !== undefined) below.open = (await state.ops.blockAdd(belowSpec)).ok;
  return opened;
}

const nodeSpec = (state: ModelState, entry: BlockEntry): BlockSpec | undefined =>
  entry.kind === 'drive'
    ? driveSpec(entry.config, state.config.snapshot)
    : blockdevSpec(state.nodes(), entry.config.nodeName, state.objectConfigs());

/** `blockdev-del`. Inline nodes below go as well; a named one is open by itself again. */
export async function deleteNode(state: ModelState, id: string): Promise<Result<void>> {
  const entry = state.blocks.get(id);
  if (entry === undefined)
    return userError(`Failed to find node with node-name='${id}'`, {
      hint: `Nodes: ${[...state.blocks.keys()].join(', ') || 'none'}.`,
    });
  if (entry.kind === 'drive')
    return userError(`'${id}' was made with -drive and can't be deleted by node name`);
  const { users } = entry.object;
  if (users.length > 0)
    return userError(`Node '${id}' is in use by ${users.join(', ')}`, {
      hint: 'Remove its user first: device_del, or blockdev-del of the node above.',
    });
  let [gone, ...below] = nodeChain(state.nodes(), id);
  while (gone !== undefined) {
    const closed = await finalizeBlock(state, gone.nodeName, state.blocks.get(gone.nodeName) as BlockEntry);
    if (!closed.ok) return closed;
    const next = state.blocks.get(below[0]?.nodeName ?? '');
    if (next === undefined) break;
    if (!next.inline) {
      const spec = nodeSpec(state, next);
      next.open = spec !== undefined && (await state.ops.blockAdd(spec)).ok;
      break;
    }
    [gone, ...below] = below;
  }
  return ok(undefined);
}

/** Closes a block backend and takes it out of the tree. */
export async function finalizeBlock(state: ModelState, id: string, entry: BlockEntry): Promise<Result<void>> {
  if (entry.open) {
    const closed = await state.ops.blockDel(id);
    if (!closed.ok) return closed;
  }
  for (const release of entry.held) release();
  entry.object.unparent();
  state.blocks.delete(id);
  return ok(undefined);
}

/** `drive_del`. */
export async function deleteDrive(state: ModelState, id: string): Promise<Result<void>> {
  const entry = state.blocks.get(id);
  if (entry === undefined || entry.kind === 'node')
    return userError(`Device '${id}' not found`, { class: 'DeviceNotFound' });
  const { users } = entry.object;
  if (users.length > 0)
    return userError(`Drive '${id}' is in use by ${users.join(', ')}`, {
      hint: 'Remove the device first: device_del.',
    });
  return finalizeBlock(state, id, entry);
}

/** The open backend that a drive's id, a node's name or (through `deviceDrive`) a device means. */
export function openBlock(state: ModelState, id: string): Result<BlockEntry> {
  const entry = state.blocks.get(id);
  if (entry === undefined)
    return userError(`Cannot find device='${id}' nor node-name='${id}'`, {
      hint: `Drives and nodes: ${[...state.blocks.keys()].join(', ') || 'none'}.`,
    });
  if (!entry.open) return userError(`Node '${id}' is below another node, which has it open: name that one`);
  return ok(entry);
}

/** `block_set_io_throttle`. */
export async function setThrottle(
  state: ModelState,
  id: string,
  limits: ThrottleLimits,
  group: string | undefined,
): Promise<Result<void>> {
  const entry = openBlock(state, id);
  if (!entry.ok) return entry;
  const problem = throttleProblem(limits);
  if (problem !== undefined)
    return userError(problem.desc, problem.hint === undefined ? {} : { hint: problem.hint });
  const done = await state.ops.blockSetThrottle(id, limits, group ?? entry.value.throttlingGroup);
  if (!done.ok) return done;
  entry.value.throttling = limits;
  entry.value.throttlingGroup = group ?? entry.value.throttlingGroup;
  return ok(undefined);
}

/** `block_resize`. */
export async function resizeBlock(state: ModelState, id: string, bytes: number): Promise<Result<void>> {
  const entry = openBlock(state, id);
  if (!entry.ok) return entry;
  if (bytes <= 0) return userError("Parameter 'size' expects a >0 size");
  if (bytes % 512 !== 0) return userError("Parameter 'size' expects a multiple of 512 bytes, the sector");
  if (entry.value.config.readOnly) return userError(`Block node is read-only: '${id}'`);
  return state.ops.blockResize(id, bytes);
}

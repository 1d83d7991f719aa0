import { chardevProblem, checkDevice, type BlockUse, deviceLabel, type World } from './check.ts';
import type { BlockNodeConfig, CharTarget } from './config.ts';
import type { Draft, Origin } from './draft.ts';
import { throttleProblem } from './drive-option.ts';
import { deviceSpec, groupLimits, nodeChain, plannedDevices, plannedNetdevs } from './resolve.ts';

/** The checks that need the whole command line: ids, references, and what is used twice. */
export function checkDraft(draft: Draft): void {
  const { config, origins } = draft;
  addNoGraphic(draft);
  const objects = new Map([['main', 'glib-qcontext']]);
  for (const [index, object] of config.objects.entries()) {
    const origin = at(origins.objects, index);
    if (objects.has(object.id)) origin.fail('id', `Duplicate ID '${object.id}' for object`);
    objects.set(object.id, object.type);
    if (object.type !== 'throttle-group') continue;
    const problem = throttleProblem(groupLimits(config.objects, object.id));
    if (problem !== undefined) origin.fail(undefined, problem.desc, problem.hint);
  }
  unique(
    config.chardevs,
    origins.chardevs,
    (chardev) => chardev.id,
    (id) => `Chardev with id '${id}' already exists`,
  );
  unique(
    config.netdevs,
    origins.netdevs,
    (netdev) => netdev.id,
    (id) => `Duplicate ID '${id}' for netdev`,
  );
  const blocks = checkBlocks(draft, objects);
  const chardevs = new Map<string, { mux: boolean; user: string | undefined }>(
    config.chardevs.map((chardev) => [chardev.id, { mux: chardev.mux, user: undefined }]),
  );
  checkStdio(draft);
  useTargets(config.serials, origins.serials, chardevs, (index) => `-serial number ${index}`);
  useTargets(
    config.monitors.map((monitor) => monitor.target),
    origins.monitors,
    chardevs,
    (index) => `monitor number ${index}`,
  );
  checkBoot(draft);
  checkDevices(draft, { objects, blocks, chardevs });
}

const at = (origins: readonly Origin[], index: number): Origin => origins[index] as Origin;

function unique<T>(
  parts: readonly T[],
  origins: readonly Origin[],
  idOf: (part: T) => string,
  message: (id: string) => string,
): void {
  const seen = new Set<string>();
  for (const [index, part] of parts.entries()) {
    const id = idOf(part);
    if (seen.has(id)) at(origins, index).fail('id', message(id));
    seen.add(id);
  }
}

type Chardevs = Map<string, { mux: boolean; user: string | undefined }>;

function useTargets(
  targets: readonly CharTarget[],
  origins: readonly Origin[],
  chardevs: Chardevs,
  label: (index: number) => string,
): void {
  for (const [index, target] of targets.entries()) {
    if (target.kind !== 'chardev') continue;
    const problem = chardevProblem(undefined, target.id, chardevs);
    if (problem !== undefined) at(origins, index).fail(undefined, problem.desc, problem.hint);
    const chardev = chardevs.get(target.id);
    if (chardev !== undefined) chardev.user ??= label(index);
  }
}

/**
 * `-nographic` puts on stdio what has no place yet, as in QEMU: serial port and monitor together (Ctrl-A c switches), or
 * the one of them that nobody named.
 */
function addNoGraphic({ config, origins, noGraphic }: Draft): void {
  if (noGraphic === undefined || config.noDefaults) return;
  const serial = config.serials.length === 0;
  const monitor =
    config.monitors.length === 0 && !config.serials.some((target) => target.kind === 'new' && target.mux);
  const stdio = (mux: boolean): CharTarget => ({
    kind: 'new',
    mux,
    backend: { backend: 'stdio', signal: !mux },
  });
  if (serial) {
    config.serials.push(stdio(monitor));
    origins.serials.push(noGraphic);
  } else if (monitor) {
    config.monitors.push({ mode: 'readline', pretty: false, target: stdio(false) });
    origins.monitors.push(noGraphic);
  }
}

/** There is one stdio. Whoever asks for it second, in the order of the command line, is refused. */
function checkStdio({ config, origins }: Draft): void {
  const isStdio = (target: CharTarget): boolean =>
    target.kind === 'new' && target.backend.backend === 'stdio';
  const users = [
    ...config.chardevs.flatMap(({ backend, id }, index) =>
      backend === 'stdio' ? [{ name: `chardev '${id}'`, origin: at(origins.chardevs, index) }] : [],
    ),
    ...config.serials.flatMap((target, index) =>
      isStdio(target) ? [{ name: 'the serial port', origin: at(origins.serials, index) }] : [],
    ),
    ...config.monitors.flatMap(({ target }, index) =>
      isStdio(target) ? [{ name: 'a monitor', origin: at(origins.monitors, index) }] : [],
    ),
  ].toSorted((a, b) => a.origin.argIndex - b.origin.argIndex);
  users[1]?.origin.fail(
    undefined,
    `cannot use stdio by multiple character devices: ${users[0]?.name} has it`,
    '-serial mon:stdio lets serial port and monitor share it (Ctrl-A c switches); otherwise give one of them vc, null, unix:PATH,server=on,wait=off or -chardev stdio,id=c,mux=on.',
  );
}

function checkBlocks(
  draft: Draft,
  objects: ReadonlyMap<string, string>,
): Map<string, BlockUse & { users: { name: string; shareRw: boolean }[] }> {
  const { config, origins } = draft;
  const blocks = new Map<string, BlockUse & { users: { name: string; shareRw: boolean }[] }>();
  for (const [index, drive] of config.drives.entries()) {
    if (blocks.has(drive.id)) at(origins.drives, index).fail('id', `Duplicate ID '${drive.id}' for drive`);
    blocks.set(drive.id, {
      origin: 'drive',
      readOnly: drive.readOnly,
      automatic: drive.interface === 'virtio',
      users: [],
    });
  }
  for (const [index, node] of config.blockdevs.entries()) {
    if (blocks.has(node.nodeName))
      at(origins.blockdevs, index).fail('node-name', `Duplicate nodes with node-name='${node.nodeName}'`);
    blocks.set(node.nodeName, { origin: 'blockdev', readOnly: node.readOnly, automatic: false, users: [] });
  }
  for (const [index, node] of config.blockdevs.entries()) {
    const problem = nodeProblem(node, config.blockdevs, objects);
    if (problem !== undefined)
      at(origins.blockdevs, index).fail(problem.property, problem.desc, problem.hint);
    if (!('file' in node)) continue;
    const below = blocks.get(node.file);
    const user = below?.users[0];
    if (user !== undefined)
      at(origins.blockdevs, index).fail('file', `Node '${node.file}' is already in use by ${user.name}`);
    below?.users.push({ name: `node '${node.nodeName}'`, shareRw: false });
  }
  checkImages(draft);
  return blocks;
}

/** What is wrong with a node's references: a missing one, a cycle, or a throttle group that is none. */
export function nodeProblem(
  node: BlockNodeConfig,
  nodes: readonly BlockNodeConfig[],
  objects: ReadonlyMap<string, string>,
): { property: string; desc: string; hint?: string } | undefined {
  if (node.driver === 'throttle' && objects.get(node.throttleGroup) !== 'throttle-group')
    return {
      property: 'throttle-group',
      desc: `Throttle group '${node.throttleGroup}' not found`,
      hint: `To make it: -object throttle-group,id=${node.throttleGroup},x-bps-total=10M`,
    };
  if (!('file' in node)) return undefined;
  const below = nodes.find((other) => other.nodeName === node.file);
  if (below === undefined)
    return {
      property: 'file',
      desc: `Cannot find device='${node.file}' nor node-name='${node.file}'`,
      hint: `To make it: -blockdev file,node-name=${node.file},filename=disk.img`,
    };
  const chain = nodeChain(nodes, node.nodeName);
  const last = chain.at(-1);
  if (last !== undefined && 'file' in last && chain.some((other) => other.nodeName === last.file))
    return {
      property: 'file',
      desc: `Cyclic reference: ${[...chain.map((other) => other.nodeName), last.file].join(' -> ')}`,
      hint: 'A chain of nodes must end in one that holds the bytes (file, memory or null-co).',
    };
  return undefined;
}

/** One image opened twice, at least once for writing: refused before anything is opened. */
function checkImages(draft: Draft): void {
  const { config, origins } = draft;
  const seen = new Map<string, { name: string; writable: boolean }>();
  const open = (filename: string, name: string, writable: boolean, origin: Origin, property: string) => {
    const before = seen.get(filename);
    if (before !== undefined && (before.writable || writable))
      origin.fail(
        property,
        `Image '${filename}' is already opened by ${before.name}`,
        'Use another image, or readonly=on on both.',
      );
    seen.set(filename, { name, writable: writable || (before?.writable ?? false) });
  };
  for (const [index, drive] of config.drives.entries()) {
    const writable = !drive.readOnly && !(drive.snapshot ?? config.snapshot);
    if (drive.protocol.driver === 'file')
      open(drive.protocol.filename, `drive '${drive.id}'`, writable, at(origins.drives, index), 'file');
  }
  for (const [index, node] of config.blockdevs.entries())
    if (node.driver === 'file')
      open(
        node.filename,
        `node '${node.nodeName}'`,
        !node.readOnly,
        at(origins.blockdevs, index),
        'filename',
      );
}

function checkBoot(draft: Draft): void {
  const { kernel, initrd, append, bios } = draft.config.boot;
  if (bios === 'default') draft.config.boot = { ...draft.config.boot, bios: undefined };
  if (kernel === undefined && bios !== undefined && (initrd !== undefined || append !== undefined))
    draft.notes.push({
      argIndex: 0,
      span: [0, 0],
      text: '-initrd and -append have no effect without -kernel: the firmware finds what it boots itself',
    });
}

function checkDevices(
  draft: Draft,
  known: {
    objects: Map<string, string>;
    blocks: Map<string, BlockUse & { users: { name: string; shareRw: boolean }[] }>;
    chardevs: Chardevs;
  },
): void {
  const { config, origins } = draft;
  const deviceIds = new Set<string>();
  const netdevs = new Map<string, string | undefined>(
    plannedNetdevs(config).map((netdev) => [netdev.id, undefined]),
  );
  const serialBuses: (string | undefined)[] = [];
  let anon = 0;
  for (const { device, from } of plannedDevices(config)) {
    const origin = at(origins[from.kind], from.index);
    const spec = deviceSpec(device, anon, config.globals, config.drives);
    if (!spec.ok) return origin.fail(spec.error.property, spec.error.desc, spec.error.hint);
    if (device.id === undefined) anon++;
    const world: World = { ...known, netdevs, serialBuses, deviceIds };
    const problem = checkDevice(spec.value, world, from.kind === 'drives');
    if (problem !== undefined) origin.fail(problem.property, problem.desc, problem.hint);
    const label = deviceLabel(spec.value);
    if (device.id !== undefined) deviceIds.add(device.id);
    switch (spec.value.driver) {
      case 'virtio-blk-device': {
        const { props, placement } = spec.value;
        known.blocks.get(props.drive ?? '')?.users.push({ name: label, shareRw: props['share-rw'] });
        if (placement.length > 1 && new Set(placement).size === 1)
          origin.note(
            'num-queues',
            `all ${placement.length} queues share event loop '${placement[0]}': map them with iothread-vq-mapping`,
          );
        break;
      }
      case 'virtio-net-device':
        if (spec.value.props.netdev === undefined)
          origin.note(undefined, 'the card has no netdev: nothing is on the other end');
        else netdevs.set(spec.value.props.netdev, label);
        break;
      case 'virtio-serial-device':
        serialBuses.push(spec.value.id);
        break;
      case 'virtconsole':
      case 'virtserialport': {
        const chardev = known.chardevs.get(spec.value.props.chardev ?? '');
        if (chardev !== undefined) chardev.user ??= label;
        break;
      }
      case 'virtio-rng-device':
        break;
    }
  }
}

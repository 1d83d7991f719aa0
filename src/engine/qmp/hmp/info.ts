import { RISCV_REGISTER_NAMES } from './register-names.ts';
import { TRACE_EVENTS } from '../../trace/schema.ts';
import type { BlockStats } from '../../qom/machine-ops.ts';
import type { QomObject } from '../../qom/object.ts';
import { blockViews, cacheOf, qdevOf } from '../commands/block-commands.ts';
import { contextInfos } from '../commands/context-commands.ts';
import { queueAt, virtioAt } from '../commands/virtio-commands.ts';
import { versionText } from '../version.ts';
import { deviceFeatureNames, statusNames, transportFeatureNames } from '../virtio-names.ts';
import { breakpointsInWords } from './hold-commands.ts';
import { type HmpCommand, type HmpContext, type HmpWord, show } from './hmp-command.ts';

const hex = (value: number | bigint, digits = 16): string => value.toString(16).padStart(digits, '0');
const lines = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('\n');

function qomTree(object: QomObject, depth: number): string {
  const children = [...object.children.values()].map((child) => qomTree(child, depth + 1));
  return lines(`${'  '.repeat(depth)}/${object.name} (${object.type})`, ...children);
}

/** The buses with their devices, and each device's properties. */
async function qtree({ model }: HmpContext): Promise<string> {
  const out = ['bus: main-system-bus', '  type System'];
  for (const { spec, realized, object } of model.devices()) {
    const { transport } = realized;
    const indent = transport === undefined ? '    ' : '  ';
    out.push(`${indent}dev: ${spec.driver}, id "${spec.id ?? ''}"`);
    if (transport !== undefined) {
      out.push(`${indent}  bus: virtio-mmio-bus.${transport.slot}`);
      out.push(`${indent}  mmio ${hex(transport.base)}/${hex(0x1000)}, irq ${transport.irq}`);
    }
    for (const [name, property] of object.properties) {
      if (name === 'slot' || name === 'mmio-base' || name === 'irq' || name === 'realized') continue;
      const value = await property.get?.();
      out.push(`${indent}  ${name} = ${typeof value === 'string' ? `"${value}"` : JSON.stringify(value)}`);
    }
    for (const [queue, id] of spec.placement.entries())
      if (object.children.has(`virtqueue[${queue}]`))
        out.push(`${indent}  virtqueue[${queue}]: context "${id}"`);
  }
  return out.join('\n');
}

const iothreads = (context: HmpContext): string =>
  contextInfos(context)
    .filter(({ status }) => status.id !== 'main' && status.threaded)
    .map(({ status, loop }) =>
      lines(
        `${status.id}:`,
        `  thread_id=${status.threadId}`,
        ...Object.entries(loop).map(([name, value]) => `  ${name}=${value}`),
      ),
    )
    .join('\n');

function contexts(context: HmpContext): string {
  const devices = context.model.devices();
  return contextInfos(context)
    .map(({ status, type, loop }) => {
      const runs = devices.flatMap(({ spec, object }) => {
        if (!object.properties.has('context')) return [];
        const queues = [...spec.placement.entries()]
          .filter(([, id]) => id === status.id)
          .map(([queue]) => queue);
        const name = spec.id ?? spec.qomPath;
        if (queues.length === 0) return [];
        return [queues.length === spec.placement.length ? name : `${name} (queues ${queues.join(', ')})`];
      });
      return lines(
        `${status.id}: ${type}, ${status.threaded ? `thread ${status.threadId} (${status.worker})` : 'iterated by main'}, ${status.state}`,
        `  poll-max-ns=${loop['poll-max-ns']} poll-grow=${loop['poll-grow']} poll-shrink=${loop['poll-shrink']} aio-max-batch=${loop['aio-max-batch']}`,
        `  devices: ${runs.join(', ') || 'none'}`,
        ...status.sources.map(
          (source) => `  source ${source.name}: priority ${source.priority}, ${source.dispatches} dispatches`,
        ),
      );
    })
    .join('\n');
}

async function block(context: HmpContext): Promise<string> {
  const views = await blockViews(context);
  return views
    .map(({ status, entry, user }) => {
      const { writeback, direct, noFlush } = cacheOf(entry);
      const cache = [
        writeback ? 'writeback' : 'writethrough',
        direct ? 'direct' : '',
        noFlush ? 'ignore flushes' : '',
      ]
        .filter((part) => part !== '')
        .join(', ');
      const limits = Object.entries(entry.throttling).map(([name, value]) => `${name}=${value}`);
      return lines(
        `${status.id}: ${status.filename} (raw${status.readOnly ? ', read-only' : ''}), ${status.bytes} bytes`,
        user === undefined ? '' : `    Attached to:      ${qdevOf(user)}`,
        `    Cache mode:       ${cache}`,
        limits.length === 0 ? '' : `    I/O throttling:   ${limits.join(' ')}`,
        status.ioStatus === 'ok' ? '' : `    I/O status:       ${status.ioStatus}`,
      );
    })
    .join('\n');
}

const COUNTERS: readonly (keyof BlockStats)[] = [
  'rd_bytes',
  'wr_bytes',
  'rd_operations',
  'wr_operations',
  'flush_operations',
  'wr_total_time_ns',
  'rd_total_time_ns',
  'flush_total_time_ns',
  'rd_merged',
  'wr_merged',
  'failed_rd_operations',
  'failed_wr_operations',
];

const blockstats = async (context: HmpContext): Promise<string> =>
  (await blockViews(context))
    .map(
      ({ status }) =>
        `${status.id}: ${COUNTERS.map((name) => `${name}=${String(status.stats[name])}`).join(' ')}`,
    )
    .join('\n');

const virtioList = ({ model }: HmpContext): string =>
  model
    .devices()
    .flatMap(({ spec }) => {
      const status = model.ops.virtio(spec.qomPath);
      return status === undefined ? [] : [`${spec.qomPath} [${status.deviceName}]`];
    })
    .join('\n');

function virtioStatus(context: HmpContext, path: string): string {
  const device = virtioAt(context, path);
  if (!device.ok) return show(device);
  const { status, path: at } = device.value;
  const list = (title: string, names: readonly string[]) => `  ${title}: ${names.join(', ') || 'none'}`;
  const all = (bits: bigint) => [
    ...deviceFeatureNames(status.deviceId, bits),
    ...transportFeatureNames(bits),
  ];
  return lines(
    `${at}:`,
    `  device_name:  ${status.deviceName}`,
    `  device_id:    ${status.deviceId}`,
    `  num_vqs:      ${status.queues.length}`,
    `  started:      ${status.started}`,
    `  broken:       ${status.broken}`,
    `  isr:          ${status.isr}`,
    list('status', statusNames(status.status)),
    list('Guest features', all(status.guestFeatures)),
    list('Host features', all(status.hostFeatures)),
  );
}

function virtioQueue(context: HmpContext, path: string, queue: string): string {
  const device = virtioAt(context, path);
  if (!device.ok) return show(device);
  const found = queueAt(device.value.status, Number(queue));
  if (!found.ok) return show(found);
  const vq = found.value;
  return lines(
    `${device.value.path}:`,
    `  queue_index:          ${vq.index} (${vq.name})`,
    `  context:              ${vq.contextId}`,
    `  inuse:                ${vq.inuse}`,
    `  used_idx:             ${vq.usedIdx}`,
    `  signalled_used:       ${vq.signalledUsed}`,
    `  signalled_used_valid: ${vq.signalledUsedValid}`,
    `  last_avail_idx:       ${vq.lastAvailIdx}`,
    `  shadow_avail_idx:     ${vq.shadowAvailIdx}`,
    '  VRing:',
    `    num:         ${vq.vringNum}`,
    `    num_default: ${vq.vringNumDefault}`,
    `    desc:        0x${hex(vq.desc)}`,
    `    avail:       0x${hex(vq.avail)}`,
    `    used:        0x${hex(vq.used)}`,
  );
}

async function registers({ model }: HmpContext, hart: string): Promise<string> {
  if (!/^\d+$/.test(hart)) return `Error: invalid hart '${hart}'`;
  const got = await model.ops.registers(Number(hart));
  if (!got.ok) return show(got);
  const { pc, x, f, csrs, mode } = got.value;
  const four = (values: readonly (readonly [string, bigint])[], perLine: number) =>
    values
      .map(
        ([name, value], index) => ` ${name.padEnd(9)}${hex(value)}${(index + 1) % perLine === 0 ? '\n' : ''}`,
      )
      .join('')
      .trimEnd();
  return lines(
    `CPU#${hart}`,
    ` mode     ${mode}`,
    ` pc       ${hex(pc)}`,
    four(csrs, 1),
    four(
      x.map((value, index) => [`x${index}/${RISCV_REGISTER_NAMES[index] ?? ''}`, value] as const),
      4,
    ),
    four(
      f.map((value, index) => [`f${index}`, value] as const),
      4,
    ),
  );
}

const cpus = ({ model }: HmpContext): string =>
  model.ops
    .harts()
    .map(
      (hart) =>
        `  CPU #${hart.index}: thread_id=${hart.threadId} ${hart.state}, ${hart.instructions} instructions`,
    )
    .join('\n');

const mtree = ({ model }: HmpContext): string =>
  lines(
    'address-space: memory',
    ...model.ops
      .memoryMap()
      .toSorted((a, b) => a.base - b.base)
      .map(
        ({ base, size, kind, name }) => `  ${hex(base)}-${hex(base + size - 1)} (prio 0, ${kind}): ${name}`,
      ),
  );

async function snapshots({ model }: HmpContext): Promise<string> {
  const ops = model.ops.snapshots;
  if (ops === undefined) return NO_SNAPSHOTS;
  const list = await ops.list();
  if (list.length === 0) return 'There is no snapshot available.';
  const rows = list.map(
    (one) => `${one.tag.padEnd(20)} ${String(one.bytes).padStart(12)} ${one.date} ${one.vmClockNs} ns`,
  );
  return lines('TAG                         BYTES DATE VM CLOCK', ...rows);
}

export const NO_SNAPSHOTS = 'Error: this machine has no snapshots';

const status = ({ model }: HmpContext): string => {
  const state = model.ops.status();
  return state === 'running'
    ? 'VM status: running'
    : state === 'paused'
      ? 'VM status: paused'
      : `VM status: paused (${state})`;
};

const info = (
  name: string,
  help: string,
  run: HmpCommand['run'],
  words: readonly HmpWord[] = [],
  usage = '',
  required = 0,
): HmpCommand => ({ names: [name], usage, help, words, required, run });

export const INFO_COMMANDS: readonly HmpCommand[] = [
  info('block', 'block backends and who uses them', block),
  info('blockstats', 'block counters', blockstats),
  info('breakpoints', 'trace events that hold the event loop they happen in', ({ model }) =>
    breakpointsInWords(model.ops.breakpoints()),
  ),
  info('chardev', 'character devices', ({ model }) =>
    model
      .chardevs()
      .map(({ id, backend }) => `${id}: filename=${backend}`)
      .join('\n'),
  ),
  info('contexts', 'event loops, what is attached to them and what they run', contexts),
  info('cpus', 'harts', cpus),
  info('iothreads', 'event loops in threads of their own', iothreads),
  info('mtree', 'guest physical memory map', mtree),
  info('name', 'name of the machine', ({ model }) => model.config.name ?? ''),
  info('network', 'network backends', ({ model }) =>
    model
      .netdevs()
      .map(({ id, type }) => `${id}: type=${type}`)
      .join('\n'),
  ),
  info(
    'qom-tree',
    'composition tree',
    ({ model }, [path = '/']) => {
      const object = model.resolve(path);
      return object.ok
        ? path === '/'
          ? lines(...[...object.value.children.values()].map((child) => qomTree(child, 0)))
          : qomTree(object.value, 0)
        : show(object);
    },
    ['path'],
    '[path]',
  ),
  info('qtree', 'buses, devices and their properties', qtree),
  info(
    'registers',
    'registers of a hart',
    (context, [hart = '0']) => registers(context, hart),
    ['text'],
    '[hart]',
  ),
  info('snapshots', 'saved snapshots', snapshots),
  info('status', 'whether the machine runs', status),
  info(
    'trace-events',
    'trace events and their state',
    ({ model }, [pattern]) =>
      TRACE_EVENTS.filter(({ name }) => pattern === undefined || name.startsWith(pattern.replace(/\*$/, '')))
        .map(({ name }) => `${name} : state ${model.ops.traceEventEnabled(name) ? 1 : 0}`)
        .join('\n'),
    ['trace-event'],
    '[name]',
  ),
  info('version', 'version', () => versionText),
  info('virtio', 'virtio devices', virtioList),
  info(
    'virtio-queue-status',
    'one virtqueue',
    (context, [path = '', queue = '']) => virtioQueue(context, path, queue),
    ['path', 'text'],
    'path queue',
    2,
  ),
  info(
    'virtio-status',
    'one virtio device',
    (context, [path = '']) => virtioStatus(context, path),
    ['path'],
    'path',
    1,
  ),
];

import type { MoveReport } from '../../vm.ts';
import { Arg, catchOptionError } from '../../qom/options/arg.ts';
import { readDrive } from '../../qom/options/drive-option.ts';
import { readDevice, readObject } from '../../qom/options/object-options.ts';
import { parseSize } from '../../qom/options/size.ts';
import type { SnapshotOps } from '../../qom/machine-ops.ts';
import { type HmpCommand, type HmpContext, show } from './hmp-command.ts';
import { HOLD_HMP_COMMANDS } from './hold-commands.ts';
import { NO_SNAPSHOTS } from './info.ts';

/** An option argument (`virtio-blk,drive=d0`) typed in the monitor. */
const opts = (text: string, impliedKey: string | undefined) => new Arg('', 0, text, []).bag(impliedKey);

async function deviceAdd({ model }: HmpContext, text: string): Promise<string> {
  const device = catchOptionError(() => readDevice(opts(text, 'driver')));
  return show(device.ok ? await model.deviceAdd(device.value) : device);
}

async function objectAdd({ model }: HmpContext, text: string): Promise<string> {
  const object = catchOptionError(() => readObject(opts(text, 'qom-type')));
  return show(object.ok ? await model.objectAdd(object.value) : object);
}

async function driveAdd({ model }: HmpContext, text: string): Promise<string> {
  const drive = catchOptionError(() => readDrive(opts(text, undefined), `drive${model.blocks().size}`));
  if (!drive.ok) return show(drive);
  const added = await model.driveAdd({ ...drive.value, interface: 'none' });
  return added.ok ? 'OK' : show(added);
}

async function qomSet({ model }: HmpContext, path: string, property: string, text: string): Promise<string> {
  const value = /^[[{]/.test(text) ? parsed(text) : text;
  const set = await model.qomSet(path, property, value);
  if (!set.ok) return show(set);
  const report = set.value as unknown as MoveReport | undefined;
  if (report === undefined || typeof report !== 'object') return '';
  const ms = (report.downtimeNs / 1e6).toFixed(2);
  return `moved from ${report.from} to ${report.to}: ${report.inFlight} requests were in flight, ${ms} ms without service`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

async function snapshot(
  { model }: HmpContext,
  run: (ops: SnapshotOps) => ReturnType<SnapshotOps['save']>,
): Promise<string> {
  const ops = model.ops.snapshots;
  return ops === undefined ? NO_SNAPSHOTS : show(await run(ops));
}

const quiet =
  (execute: string): HmpCommand['run'] =>
  async (context) => {
    const reply = await context.execute(execute);
    const text = show(reply);
    if (reply.ok) await reply.after?.();
    return text;
  };

/** Commands other than `info`. */
export const HMP_COMMANDS: readonly HmpCommand[] = [
  {
    names: ['block_resize'],
    usage: 'device size',
    help: 'resize a disk; the guest is told (a bare number is MiB)',
    words: ['block-id', 'text'],
    required: 2,
    run: async ({ execute }, [device, size = '']) => {
      const bytes = parseSize(size, 2 ** 20);
      return bytes === undefined
        ? `Error: invalid size '${size}'`
        : show(await execute('block_resize', { device, size: bytes }));
    },
  },
  {
    names: ['block_set_io_throttle'],
    usage: 'device bps bps_rd bps_wr iops iops_rd iops_wr',
    help: 'limit a disk; 0 is no limit',
    words: ['block-id', 'text', 'text', 'text', 'text', 'text', 'text'],
    required: 7,
    run: async ({ execute }, [id, ...limits]) => {
      const bad = limits.find((limit) => !/^\d+$/.test(limit));
      if (bad !== undefined) return `Error: invalid number '${bad}'`;
      const [bps, bps_rd, bps_wr, iops, iops_rd, iops_wr] = limits.map(Number);
      return show(
        await execute('block_set_io_throttle', { id, bps, bps_rd, bps_wr, iops, iops_rd, iops_wr }),
      );
    },
  },
  { names: ['cont', 'c'], usage: '', help: 'go on', words: [], required: 0, run: quiet('cont') },
  {
    names: ['delvm'],
    usage: 'tag',
    help: 'delete a snapshot',
    words: ['text'],
    required: 1,
    run: (context, [tag = '']) => snapshot(context, (ops) => ops.delete(tag)),
  },
  {
    names: ['device_add'],
    usage: 'driver[,prop=value][,…]',
    help: 'plug a device in',
    words: ['driver'],
    required: 1,
    rest: true,
    run: (context, [text = '']) => deviceAdd(context, text),
  },
  {
    names: ['device_del'],
    usage: 'device',
    help: 'take a device out, by id or path',
    words: ['device-id'],
    required: 1,
    run: async ({ execute }, [id]) => show(await execute('device_del', { id })),
  },
  {
    names: ['drive_add'],
    usage: 'file=image,id=id[,…]',
    help: 'add a drive for a later device_add',
    words: ['text'],
    required: 1,
    rest: true,
    // QEMU has an address before the options, which only meant something for PCI.
    run: (context, [text = '']) => driveAdd(context, text.replace(/^(\d+|dummy)\s+/, '')),
  },
  {
    names: ['drive_del'],
    usage: 'device',
    help: 'delete a drive that no device uses',
    words: ['block-id'],
    required: 1,
    run: async ({ model }, [id = '']) => show(await model.driveDel(id)),
  },
  {
    names: ['loadvm'],
    usage: 'tag',
    help: 'go back to a snapshot',
    words: ['text'],
    required: 1,
    run: (context, [tag = '']) => snapshot(context, (ops) => ops.load(tag)),
  },
  {
    names: ['object_add'],
    usage: 'type,id=id[,prop=value][,…]',
    help: 'create an object',
    words: ['object-type'],
    required: 1,
    rest: true,
    run: (context, [text = '']) => objectAdd(context, text),
  },
  {
    names: ['object_del'],
    usage: 'id',
    help: 'delete an object',
    words: ['object-id'],
    required: 1,
    run: async ({ execute }, [id]) => show(await execute('object-del', { id })),
  },
  {
    names: ['qom-get'],
    usage: 'path property',
    help: 'print a property',
    words: ['path', 'property'],
    required: 2,
    run: async ({ execute }, [path, property]) =>
      show(await execute('qom-get', { path, property }), (value) => JSON.stringify(value)),
  },
  {
    names: ['qom-list'],
    usage: '[path]',
    help: 'list the properties and children of an object',
    words: ['path'],
    required: 0,
    run: ({ model }, [path = '/']) => {
      const list = model.qomList(path);
      return list.ok ? list.value.map(({ name, type }) => `${name} (${type})`).join('\n') : show(list);
    },
  },
  {
    names: ['qom-set'],
    usage: 'path property value',
    help: 'set a property; qom-set DEVICE context ID moves a device to another event loop',
    words: ['path', 'property', 'text'],
    required: 3,
    rest: true,
    run: (context, [path = '', property = '', value = '']) => qomSet(context, path, property, value),
  },
  { names: ['quit', 'q'], usage: '', help: 'end the machine', words: [], required: 0, run: quiet('quit') },
  {
    names: ['savevm'],
    usage: '[-u] tag',
    help: 'save a snapshot; -u: not compressed, which is larger and loads sooner',
    words: ['text', 'text'],
    required: 1,
    run: (context, [first = '', tag = '']) =>
      snapshot(context, (ops) => (first === '-u' ? ops.save(tag, false) : ops.save(first, true))),
  },
  { names: ['stop', 's'], usage: '', help: 'stop the machine', words: [], required: 0, run: quiet('stop') },
  {
    names: ['system_powerdown'],
    usage: '',
    help: 'ask the guest to power off',
    words: [],
    required: 0,
    run: quiet('system_powerdown'),
  },
  {
    names: ['system_reset'],
    usage: '',
    help: 'reset the machine',
    words: [],
    required: 0,
    run: quiet('system_reset'),
  },
  {
    names: ['trace-event'],
    usage: 'name on|off',
    help: 'switch trace events; * stands for anything',
    words: ['trace-event', 'on-off'],
    required: 2,
    run: async ({ execute }, [name, state = '']) =>
      state === 'on' || state === 'off'
        ? show(await execute('trace-event-set-state', { name, enable: state === 'on' }))
        : "Error: trace-event expects 'on' or 'off'",
  },
  {
    names: ['x-blockdev-set-iothread'],
    usage: 'node context',
    help: 'move the device that uses a node to another event loop',
    words: ['block-id', 'object-id'],
    required: 2,
    run: async ({ execute }, [node, iothread]) =>
      show(await execute('x-blockdev-set-iothread', { 'node-name': node, iothread })),
  },
  ...HOLD_HMP_COMMANDS,
];

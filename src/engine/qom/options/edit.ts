import { ok, type Result, userError } from '../../base/result.ts';
import type { DeviceConfig, MachineConfig } from './config.ts';
import { devicePath } from './diff.ts';
import { formatDevice, formatDrive } from './format.ts';
import { escapeOpt, parseOpts } from './opts.ts';
import { parseCommandLine } from './parse.ts';
import { deviceSpec } from './resolve.ts';

/**
 * The command line after a device, or one of its queues, moved to another event loop: what the user wrote
 * stays as it is except for the placement of that device.
 *
 * @param path the device in the composition tree, `/machine/peripheral/disk0`
 * @param queue one virtqueue, or undefined for the whole device
 */
export function placeDevice(
  argv: readonly string[],
  path: string,
  queue: number | undefined,
  contextId: string,
): Result<readonly string[]> {
  const parsed = parseCommandLine(argv);
  if (!parsed.ok) return parsed;
  if (parsed.value.kind !== 'run') return userError('this command line asks for help');
  const { config, deviceArgs } = parsed.value;
  const index = config.devices.findIndex((_, candidate) => devicePath(config, candidate) === path);
  const device = config.devices[index];
  const argIndex = deviceArgs[index];
  if (device === undefined || argIndex === undefined) return placeAutomatic(argv, config, path, contextId);
  const moved = withPlacement(device, queue, contextId, config);
  if (!moved.ok) return moved;
  const text = argv[argIndex] ?? '';
  const asOpts = !text.startsWith('{') && moved.value.props === undefined;
  const edited = asOpts
    ? setOpts(text, { context: contextId === 'main' ? undefined : contextId, iothread: undefined })
    : formatDevice(moved.value.device);
  return ok(argv.with(argIndex, edited));
}

/** The device with its new placement; `props` is undefined when `context=` alone says it. */
function withPlacement(
  device: DeviceConfig,
  queue: number | undefined,
  contextId: string,
  config: MachineConfig,
): Result<{ device: DeviceConfig; props: 'mapping' | undefined }> {
  const {
    context: _context,
    iothread: _iothread,
    'iothread-vq-mapping': mapping,
    ...rest
  } = device.props as Record<string, unknown>;
  const whole = (id: string): DeviceConfig =>
    ({ ...device, props: id === 'main' ? rest : { ...rest, context: id } }) as DeviceConfig;
  if (queue === undefined)
    return ok({ device: whole(contextId), props: mapping === undefined ? undefined : 'mapping' });
  const spec = deviceSpec(device, 0, config.globals, config.drives);
  if (!spec.ok) return userError(spec.error.desc);
  const { placement } = spec.value;
  if (queue >= placement.length)
    return userError(`virtqueue ${queue} of the device can't be placed on its own`);
  const placed = placement.with(queue, contextId);
  const contexts = [...new Set(placed)];
  if (contexts.length === 1)
    return ok({ device: whole(contextId), props: mapping === undefined ? undefined : 'mapping' });
  const entries = contexts.map((iothread) => ({
    iothread,
    vqs: placed.flatMap((id, vq) => (id === iothread ? [vq] : [])),
  }));
  return ok({
    device: { ...device, props: { ...rest, 'iothread-vq-mapping': entries } } as DeviceConfig,
    props: 'mapping',
  });
}

/** A drive with if=virtio has no -device to write on: it gets one. */
function placeAutomatic(
  argv: readonly string[],
  config: MachineConfig,
  path: string,
  contextId: string,
): Result<readonly string[]> {
  const automatic = config.drives.filter((drive) => drive.interface === 'virtio');
  const drive = automatic.find((_, index) => path === `/machine/peripheral-anon/device[${index}]`);
  if (drive === undefined)
    return userError(`'${path}' is not a device of this command line`, { class: 'DeviceNotFound' });
  let nth = config.drives.indexOf(drive);
  const at = argv.findIndex((word) => /^--?drive$/.test(word) && nth-- === 0) + 1;
  const place = contextId === 'main' ? '' : `,context=${escapeOpt(contextId)}`;
  const device = `virtio-blk-device,drive=${drive.id}${place}`;
  return ok([
    ...argv.with(at, formatDrive({ ...drive, interface: 'none', autoId: false })),
    '-device',
    device,
  ]);
}

/** Sets (or with undefined removes) keys of an option argument, leaving the rest as it is written. */
export function setOpts(text: string, changes: Readonly<Record<string, string | undefined>>): string {
  const left = new Map(Object.entries(changes));
  const parts: string[] = [];
  for (const opt of parseOpts(text, '')) {
    const start = opt.keySpan[0] === opt.keySpan[1] ? opt.valueSpan[0] : opt.keySpan[0];
    if (!Object.hasOwn(changes, opt.key)) {
      parts.push(text.slice(start, opt.valueSpan[1]));
      continue;
    }
    const value = left.get(opt.key);
    left.delete(opt.key);
    if (value !== undefined) parts.push(`${opt.key}=${escapeOpt(value)}`);
  }
  for (const [key, value] of left) if (value !== undefined) parts.push(`${key}=${escapeOpt(value)}`);
  return parts.join(',');
}

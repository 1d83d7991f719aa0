import type { JsonValue, PropertyTable } from '../property.ts';
import { DEVICE_TABLES, OBJECT_TABLES } from '../types/type-registry.ts';
import type {
  BlockNodeConfig,
  ChardevBackend,
  ChardevConfig,
  CharTarget,
  DeviceConfig,
  DriveConfig,
  MachineConfig,
  MonitorConfig,
  NetdevConfig,
  NicConfig,
  ObjectConfig,
  ProtocolConfig,
  RtcConfig,
  SocketAddress,
} from './config.ts';
import { CPU_FEATURES, DEFAULT_CONFIG } from './config.ts';
import { cacheModeName } from './drive-option.ts';
import { formatSize } from '../property.ts';
import { escapeOpt } from './opts.ts';
import { quoteWord } from './shell.ts';

/** One option with its value, as it stands in argv. */
export type FormattedOption = readonly [option: string] | readonly [option: string, value: string];

/** `key=value,…`; a part without a value is left out. */
function opts(
  head: string | undefined,
  parts: readonly (readonly [string, string | number | boolean | undefined])[],
): string {
  const text = parts.flatMap(([key, value]) =>
    value === undefined
      ? []
      : [`${key}=${typeof value === 'boolean' ? (value ? 'on' : 'off') : escapeOpt(String(value))}`],
  );
  return (head === undefined ? text : [escapeOpt(head), ...text]).join(',');
}

const yes = (value: boolean): true | undefined => (value ? true : undefined);

/** The properties given, written by their definitions; undefined if one of them needs JSON. */
function props(
  table: PropertyTable,
  values: Readonly<Record<string, unknown>>,
): [string, string][] | undefined {
  const written: [string, string][] = [];
  for (const [name, value] of Object.entries(values)) {
    const text = table[name]?.write(value);
    if (typeof text !== 'string') return undefined;
    written.push([name, text]);
  }
  return written;
}

export function formatObject(object: ObjectConfig): string {
  const table: PropertyTable = OBJECT_TABLES[object.type];
  return opts(object.type, [['id', object.id], ...(props(table, object.props) ?? [])]);
}

/** A `-device` value; in the JSON form if a property (iothread-vq-mapping) has no other. */
export function formatDevice(device: DeviceConfig): string {
  const table: PropertyTable = DEVICE_TABLES[device.driver];
  const written = props(table, device.props);
  if (written !== undefined) return opts(device.driver, [['id', device.id], ...written]);
  const json: Record<string, JsonValue> = { driver: device.driver };
  if (device.id !== undefined) json['id'] = device.id;
  for (const [name, value] of Object.entries(device.props)) json[name] = value as JsonValue;
  return JSON.stringify(json);
}

function protocol(config: ProtocolConfig): [string, string | undefined][] {
  switch (config.driver) {
    case 'file':
      return [['file', config.filename]];
    case 'memory':
    case 'null-co':
      return [
        ['driver', config.driver],
        ['size', formatSize(config.size)],
      ];
  }
}

export function formatDrive(drive: DriveConfig): string {
  const cache = cacheModeName(drive.cache);
  const isFile = drive.protocol.driver === 'file';
  return opts(undefined, [
    ...protocol(drive.protocol),
    ['if', drive.interface === 'none' ? 'none' : undefined],
    ['id', drive.autoId ? undefined : drive.id],
    ['format', isFile ? drive.format : undefined],
    ['readonly', yes(drive.readOnly)],
    ['snapshot', drive.snapshot],
    ['cache', cache === 'writeback' ? undefined : cache],
    ['cache.writeback', cache === undefined ? drive.cache.writeback : undefined],
    ['cache.direct', cache === undefined ? drive.cache.direct : undefined],
    ['cache.no-flush', cache === undefined ? drive.cache.noFlush : undefined],
    ['aio', drive.aio === 'threads' ? undefined : drive.aio],
    ['discard', drive.discard === 'unmap' ? 'unmap' : undefined],
    ['detect-zeroes', drive.detectZeroes === 'off' ? undefined : drive.detectZeroes],
    ['werror', drive.werror],
    ['rerror', drive.rerror],
    ...Object.entries(drive.throttling).map(([name, value]) => [`throttling.${name}`, value] as const),
    ['throttling.group', drive.throttlingGroup],
  ]);
}

export function formatBlockdev(node: BlockNodeConfig): string {
  const own: [string, string | number | boolean | undefined][] = [];
  switch (node.driver) {
    case 'file':
      own.push(['filename', node.filename]);
      break;
    case 'memory':
      own.push(['size', formatSize(node.size)]);
      break;
    case 'null-co':
      own.push(
        ['size', formatSize(node.size)],
        ['latency-ns', node.latencyNs || undefined],
        ['read-zeroes', yes(node.readZeroes)],
      );
      break;
    case 'raw':
      own.push(['file', node.file], ['offset', node.offset || undefined], ['size', node.size]);
      break;
    case 'throttle':
      own.push(['file', node.file], ['throttle-group', node.throttleGroup]);
      break;
  }
  return opts(node.driver, [
    ['node-name', node.nodeName],
    ...own,
    ['read-only', yes(node.readOnly)],
    ['discard', node.discard === 'unmap' ? 'unmap' : undefined],
    ['cache.direct', yes(node.cache.direct)],
    ['cache.no-flush', yes(node.cache.noFlush)],
  ]);
}

function chardev(config: ChardevConfig): string {
  return opts(config.backend, [['id', config.id], ['mux', yes(config.mux)], ...backendParts(config)]);
}

function backendParts(backend: ChardevBackend): [string, string | number | boolean | undefined][] {
  switch (backend.backend) {
    case 'stdio':
      return [['signal', backend.signal ? undefined : false]];
    case 'vc':
    case 'null':
      return [];
    case 'ringbuf':
      return [['size', formatSize(backend.size)]];
    case 'socket':
      return [
        ...(backend.address.type === 'unix'
          ? [['path', backend.address.path] as [string, string]]
          : [
              ['host', backend.address.host] as [string, string],
              ['port', backend.address.port] as [string, number],
            ]),
        ['server', yes(backend.server)],
        ['wait', backend.wait ? undefined : false],
      ];
  }
}

function charTarget(target: CharTarget): string {
  if (target.kind === 'none') return 'none';
  if (target.kind === 'chardev') return `chardev:${target.id}`;
  const { backend } = target;
  return `${target.mux ? 'mon:' : ''}${backend.backend === 'socket' ? socket(backend) : backend.backend}`;
}

function socket(backend: SocketAddress): string {
  const { address } = backend;
  const where =
    address.type === 'unix' ? `unix:${escapeOpt(address.path)}` : `tcp:${address.host}:${address.port}`;
  return `${where}${backend.server ? ',server=on' : ''}${backend.wait ? '' : ',wait=off'}`;
}

function monitor(config: MonitorConfig): FormattedOption {
  if (config.target.kind === 'chardev')
    return [
      '-mon',
      opts(undefined, [
        ['chardev', config.target.id],
        ['mode', config.mode],
        ['pretty', yes(config.pretty)],
      ]),
    ];
  const option = config.mode === 'readline' ? '-monitor' : config.pretty ? '-qmp-pretty' : '-qmp';
  return [option, charTarget(config.target)];
}

function netdev(config: NetdevConfig, withId: boolean): [string, string | number | boolean | undefined][] {
  const id: [string, string | undefined] = ['id', withId ? config.id : undefined];
  switch (config.type) {
    case 'hubport':
      return [id, ['hubid', config.hubid]];
    case 'user':
      return [
        id,
        ['net', config.net],
        ['host', config.host],
        ['dns', config.dns],
        ['dhcpstart', config.dhcpStart],
        ['hostname', config.hostname],
        ['restrict', yes(config.restrict)],
        ...config.hostfwd.map((rule, index): [string, string] =>
          config.hostfwd.length === 1 ? ['hostfwd', rule] : [`hostfwd.${index}`, rule],
        ),
      ];
  }
}

function nic(config: NicConfig): string {
  if (config.kind === 'none') return 'none';
  const named = !/^__nic\d+$/.test(config.netdev.id);
  return opts(config.netdev.type, [
    ['model', config.model],
    ['mac', config.mac],
    ...netdev(config.netdev, named),
  ]);
}

function rtc(config: RtcConfig): string {
  const base =
    typeof config.base === 'string'
      ? config.base
      : new Date(config.base.epochSeconds * 1000).toISOString().slice(0, 19);
  return opts(undefined, [
    ['base', base === 'utc' ? undefined : base],
    ['clock', config.clock === 'host' ? undefined : config.clock],
  ]);
}

/** The options of a configuration in canonical order, each part written once and defaults left out. */
export function formatOptions(config: MachineConfig): readonly FormattedOption[] {
  const out: FormattedOption[] = [['-machine', config.machine.type]];
  const { boot } = config;
  if (!config.accel.jit) out.push(['-accel', 'tcg,jit=off']);
  const features = CPU_FEATURES.map((name) => [name, config.cpu.features[name]] as const);
  if (features.some(([, value]) => value !== undefined)) out.push(['-cpu', opts(config.cpu.model, features)]);
  if (config.smp !== 1) out.push(['-smp', String(config.smp)]);
  if (config.memoryBytes !== DEFAULT_CONFIG.memoryBytes) out.push(['-m', formatSize(config.memoryBytes)]);
  if (config.name !== undefined) out.push(['-name', `guest=${config.name}`]);
  for (const name of ['bios', 'kernel', 'initrd', 'dtb', 'append'] as const) {
    const value = boot[name];
    if (value !== undefined) out.push([`-${name}`, value]);
  }
  for (const object of config.objects) out.push(['-object', formatObject(object)]);
  for (const drive of config.drives) out.push(['-drive', formatDrive(drive)]);
  for (const node of config.blockdevs) out.push(['-blockdev', formatBlockdev(node)]);
  for (const character of config.chardevs) out.push(['-chardev', chardev(character)]);
  for (const network of config.netdevs) out.push(['-netdev', opts(network.type, netdev(network, true))]);
  for (const { driver, property, value } of config.globals) {
    const text = (DEVICE_TABLES[driver] as PropertyTable)[property]?.write(value);
    out.push(['-global', `${driver}.${property}=${typeof text === 'string' ? text : JSON.stringify(text)}`]);
  }
  for (const device of config.devices) out.push(['-device', formatDevice(device)]);
  for (const card of config.nics) out.push(['-nic', nic(card)]);
  for (const serial of config.serials) out.push(['-serial', charTarget(serial)]);
  for (const one of config.monitors) out.push(monitor(one));
  if (rtc(config.rtc) !== '') out.push(['-rtc', rtc(config.rtc)]);
  if (config.loadvm !== undefined) out.push(['-loadvm', config.loadvm]);
  for (const pattern of config.trace) out.push(['-trace', opts(undefined, [['enable', pattern]])]);
  const flags = [
    ['-snapshot', config.snapshot],
    ['-nodefaults', config.noDefaults],
    ['-no-reboot', config.noReboot],
    ['-no-shutdown', config.noShutdown],
    ['-S', config.paused],
  ] as const;
  for (const [option, set] of flags) if (set) out.push([option]);
  return out;
}

/** The command line that makes this configuration: `parseCommandLine` of it gives the configuration back. */
export const formatCommandLine = (config: MachineConfig): readonly string[] => formatOptions(config).flat();

/** As text for people, an option a line; `splitCommandLine` reads it back. */
export const formatCommandLineText = (config: MachineConfig): string =>
  formatOptions(config)
    .map((option) => option.map(quoteWord).join(' '))
    .join(' \\\n');

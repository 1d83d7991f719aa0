import { bool, oneOf, onlyBool, type PropertyDef, size, str, uint } from '../property.ts';
import { THROTTLE_LIMITS, type ThrottleLimitName } from '../types/object-types.ts';
import type { Bag } from './arg.ts';
import type { CacheMode, DriveConfig, ProtocolConfig, ThrottleLimits } from './config.ts';

/** `cache=`, as QEMU defines it. */
const CACHE_MODES: Readonly<Record<string, CacheMode>> = {
  writeback: { writeback: true, direct: false, noFlush: false },
  none: { writeback: true, direct: true, noFlush: false },
  writethrough: { writeback: false, direct: false, noFlush: false },
  directsync: { writeback: false, direct: true, noFlush: false },
  unsafe: { writeback: true, direct: false, noFlush: true },
};

/** Older names of the throttle limits. */
const LEGACY_LIMITS: Readonly<Record<string, ThrottleLimitName>> = {
  bps: 'bps-total',
  bps_rd: 'bps-read',
  bps_wr: 'bps-write',
  iops: 'iops-total',
  iops_rd: 'iops-read',
  iops_wr: 'iops-write',
  bps_max: 'bps-total-max',
  bps_rd_max: 'bps-read-max',
  bps_wr_max: 'bps-write-max',
  iops_max: 'iops-total-max',
  iops_rd_max: 'iops-read-max',
  iops_wr_max: 'iops-write-max',
  iops_size: 'iops-size',
};

const LIMIT_NAMES = Object.keys(THROTTLE_LIMITS) as ThrottleLimitName[];

/** What `-drive` takes, for its parser, its help and its completion. Throttle limits are beside it. */
export const DRIVE_OPTION = {
  file: str('image: a file (Node) or a disk of this site (page); null-co:// has no bytes', {
    default: undefined,
  }),
  if: oneOf('virtio: a disk comes with it; none: a -device names it', ['virtio', 'none'], {
    default: 'virtio',
  }),
  format: oneOf('image format', ['raw'], { default: 'raw' }),
  snapshot: bool('writes go to a temporary overlay', { default: false }),
  cache: oneOf('cache mode', ['writeback', 'none', 'writethrough', 'directsync', 'unsafe'], {
    default: 'writeback',
  }),
  aio: oneOf('accepted; requests run on the context or on I/O workers', ['threads', 'native', 'io_uring'], {
    default: 'threads',
  }),
  discard: oneOf('what a discard does', ['ignore', 'unmap', 'off', 'on'], { default: 'ignore' }),
  'detect-zeroes': oneOf('writes of zeroes', ['off', 'on', 'unmap'], { default: 'off' }),
  werror: oneOf('what a failed write does', ['report', 'ignore', 'enospc', 'stop'], { default: 'enospc' }),
  rerror: oneOf('what a failed read does', ['report', 'ignore', 'stop'], { default: 'report' }),
  readonly: bool('refuse writes', { default: false }),
  'read-only': bool('refuse writes', { default: false }),
  media: oneOf('what it is', ['disk'], { default: 'disk' }),
  index: uint('accepted; drives are numbered in order', { type: 'uint8', max: 255, default: undefined }),
  'copy-on-read': onlyBool('copy what is read into the overlay', false, 'images have no backing files'),
  'auto-read-only': bool('accepted', { default: false }),
  driver: oneOf('image format, or where the bytes are', ['raw', 'file', 'memory', 'null-co'], {
    default: 'raw',
  }),
  size: size('bytes of a memory or null-co drive', { default: undefined, min: 512 }),
} as const;

const FILE_OPTION = {
  driver: oneOf('where the bytes are', ['file', 'memory', 'null-co'], { default: 'file' }),
  filename: str('image', { default: undefined }),
  size: size('bytes of a memory or null-co drive', { default: undefined, min: 512 }),
} as const;
const CACHE_OPTION = {
  writeback: bool('the guest sees a write cache', { default: true }),
  direct: bool('no host cache', { default: false }),
  'no-flush': bool('flushes do nothing', { default: false }),
} as const;

/** Keys of the nested groups, for completion. */
export const DRIVE_NESTED: readonly string[] = [
  ...Object.keys(FILE_OPTION).map((key) => `file.${key}`),
  ...Object.keys(CACHE_OPTION).map((key) => `cache.${key}`),
  ...LIMIT_NAMES.map((key) => `throttling.${key}`),
  'throttling.group',
];

/** Reads a `-drive`. `autoId` is its id if it is given none. */
export function readDrive(bag: Bag, autoId: string): DriveConfig {
  const id = bag.id('id', false);
  const cacheGroup = bag.sub('cache')?.table(CACHE_OPTION, 'drive');
  const fileGroup = bag.sub('file');
  const { limits, group } = readThrottling(bag);
  bag.done([...Object.keys(DRIVE_OPTION), ...Object.keys(LEGACY_LIMITS)], 'drive');
  const readOnlyKeys = { readonly: bag.has('readonly'), 'read-only': bag.has('read-only') };
  checkInterface(bag);
  const given = bag.table(DRIVE_OPTION, 'drive');
  if (readOnlyKeys.readonly && readOnlyKeys['read-only'])
    bag.fail('readonly', "'read-only' and its alias 'readonly' can't be used at the same time");

  const base = CACHE_MODES[given.cache ?? 'writeback'] ?? { writeback: true, direct: false, noFlush: false };
  const cache: CacheMode = {
    writeback: cacheGroup?.writeback ?? base.writeback,
    direct: cacheGroup?.direct ?? base.direct,
    noFlush: cacheGroup?.['no-flush'] ?? base.noFlush,
  };
  const aio = given.aio ?? 'threads';
  if (aio === 'native' && !cache.direct)
    bag.fail(
      'aio',
      'aio=native was specified, but it requires cache.direct=on, which was not specified.',
      'Add cache=none.',
    );

  return {
    id: id ?? autoId,
    autoId: id === undefined,
    interface: given.if ?? 'virtio',
    protocol: readProtocol(bag, given, fileGroup),
    format: 'raw',
    readOnly: given.readonly ?? given['read-only'] ?? false,
    snapshot: given.snapshot,
    cache,
    aio,
    discard: given.discard === 'unmap' || given.discard === 'on' ? 'unmap' : 'ignore',
    detectZeroes: given['detect-zeroes'] ?? 'off',
    werror: given.werror,
    rerror: given.rerror,
    throttling: limits,
    throttlingGroup: group,
  };
}

type Given = {
  readonly file?: string | undefined;
  readonly driver?: string;
  readonly size?: number | undefined;
};

function readProtocol(bag: Bag, given: Given, fileGroup: Bag | undefined): ProtocolConfig {
  const nested = fileGroup?.table(FILE_OPTION, 'drive');
  const driver = nested?.driver ?? (given.driver === 'raw' ? undefined : given.driver) ?? 'file';
  const filename = nested?.filename ?? given.file;
  const bytes = nested?.size ?? given.size;
  if (filename !== undefined && /^null-(co|aio):\/\//.test(filename)) return nullProtocol(bytes);
  if (driver === 'null-co') return nullProtocol(bytes);
  if (driver === 'memory') {
    if (bytes === undefined)
      return bag.arg.fail("Parameter 'size' is missing: a memory drive needs one", 'For example size=64M.');
    return { driver: 'memory', size: bytes };
  }
  if (filename === undefined || filename === '')
    return bag.arg.fail(
      "Parameter 'file' is missing",
      'Name an image: file=disk.img, or driver=memory,size=64M for one without a file.',
    );
  if (bytes !== undefined)
    bag.fail('size', "'size' is for memory and null-co drives: a file has its own size");
  return { driver: 'file', filename };
}

const nullProtocol = (bytes: number | undefined): ProtocolConfig => ({
  driver: 'null-co',
  size: bytes ?? 2 ** 30,
  latencyNs: 0,
  readZeroes: true,
});

function readThrottling(bag: Bag): { limits: ThrottleLimits; group: string | undefined } {
  const limits: Record<string, number> = {};
  const nested = bag.sub('throttling');
  const group = nested?.string('group') ?? bag.string('group');
  nested?.done([...LIMIT_NAMES, 'group'], 'drive');
  for (const name of LIMIT_NAMES)
    take(limits, name, nested?.take(name, THROTTLE_LIMITS[name] as PropertyDef<number>));
  for (const [legacy, name] of Object.entries(LEGACY_LIMITS)) {
    if (bag.has(legacy) && limits[name] !== undefined)
      bag.fail(legacy, `'throttling.${name}' and its alias '${legacy}' can't be used at the same time`);
    take(limits, name, bag.take(legacy, THROTTLE_LIMITS[name] as PropertyDef<number>));
  }
  const problem = throttleProblem(limits);
  if (problem !== undefined) bag.arg.fail(problem.desc, problem.hint);
  return { limits, group };
}

const take = (limits: Record<string, number>, name: string, value: number | undefined): void => {
  if (value !== undefined && value !== 0) limits[name] = value;
};

/** A total excludes the separate limits of the same unit, and a burst needs its rate below it. */
export function throttleProblem(limits: ThrottleLimits): { desc: string; hint?: string } | undefined {
  for (const unit of ['bps', 'iops'] as const) {
    for (const suffix of ['', '-max'] as const) {
      if (
        limits[`${unit}-total${suffix}`] &&
        (limits[`${unit}-read${suffix}`] || limits[`${unit}-write${suffix}`])
      )
        return {
          desc: `${unit}-total${suffix} and ${unit}-read${suffix}/${unit}-write${suffix} cannot be used at the same time`,
        };
    }
    for (const direction of ['total', 'read', 'write'] as const) {
      const rate = limits[`${unit}-${direction}`] ?? 0;
      const burst = limits[`${unit}-${direction}-max`] ?? 0;
      if (burst > 0 && rate === 0)
        return {
          desc: `${unit}-${direction}-max requires ${unit}-${direction}`,
          hint: 'Give the rate as well as the burst.',
        };
      if (burst > 0 && burst < rate)
        return { desc: `${unit}-${direction}-max cannot be lower than ${unit}-${direction}` };
    }
  }
  return undefined;
}

/** The name of a cache mode, if it has one. */
export const cacheModeName = (mode: CacheMode): string | undefined =>
  Object.entries(CACHE_MODES).find(
    ([, known]) =>
      known.writeback === mode.writeback && known.direct === mode.direct && known.noFlush === mode.noFlush,
  )?.[0];

/** `if=` values of QEMU that this board has no hardware for get an answer of their own. */
function checkInterface(bag: Bag): void {
  const value = bag.peek('if');
  if (typeof value === 'string' && ['ide', 'scsi', 'sd', 'mtd', 'floppy', 'pflash', 'xen'].includes(value))
    bag.fail(
      'if',
      `unsupported bus type '${value}'`,
      `This board has no ${value} controller: use if=virtio, or if=none with a -device.`,
    );
}

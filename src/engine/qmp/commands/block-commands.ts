import { ok, userError } from '../../base/result.ts';
import type { BlockStatus } from '../../qom/machine-ops.ts';
import type { BlockEntry, DeviceEntry } from '../../qom/objects/entries.ts';
import type { CacheMode, ThrottleLimits } from '../../qom/options/config.ts';
import { boolean, integer, integers, optional, string } from '../arguments.ts';
import { type Command, command, type CommandContext, nothing } from '../command.ts';

/** An open backend with the device that uses it. */
export interface BlockView {
  readonly status: BlockStatus;
  readonly entry: BlockEntry;
  readonly user: DeviceEntry | undefined;
}

/** All open backends, in the order they were made. */
export async function blockViews({ model }: Pick<CommandContext, 'model'>): Promise<readonly BlockView[]> {
  const all = await model.ops.blocks();
  return [...model.blocks()].flatMap(([id, entry]) => {
    const status = all.find((block) => block.id === id);
    return status === undefined ? [] : [{ status, entry, user: model.blockUser(id) }];
  });
}

export const qdevOf = (user: DeviceEntry | undefined): string | undefined =>
  user === undefined ? undefined : (user.spec.id ?? user.spec.qomPath);

export function cacheOf(entry: BlockEntry): CacheMode {
  if (entry.kind === 'drive') return entry.config.cache;
  return { writeback: true, direct: entry.config.cache.direct, noFlush: entry.config.cache.noFlush };
}

const names = ({ status, entry }: BlockView) => ({
  device: entry.kind === 'drive' ? status.id : '',
  'node-name': status.id,
});

const limitFields = (limits: ThrottleLimits) => ({
  bps: limits['bps-total'] ?? 0,
  bps_rd: limits['bps-read'] ?? 0,
  bps_wr: limits['bps-write'] ?? 0,
  iops: limits['iops-total'] ?? 0,
  iops_rd: limits['iops-read'] ?? 0,
  iops_wr: limits['iops-write'] ?? 0,
  ...Object.fromEntries(
    (['bps', 'iops'] as const).flatMap((unit) =>
      (['total', 'read', 'write'] as const).flatMap((direction) => {
        const burst = limits[`${unit}-${direction}-max`];
        const suffix = { total: '', read: '_rd', write: '_wr' }[direction];
        return burst === undefined ? [] : [[`${unit}${suffix}_max`, burst]];
      }),
    ),
  ),
});

function blockInfo(view: BlockView) {
  const { status, entry, user } = view;
  const cache = cacheOf(entry);
  return {
    device: names(view).device,
    qdev: qdevOf(user),
    type: 'unknown',
    removable: false,
    locked: false,
    'io-status': status.ioStatus,
    inserted: {
      file: status.filename,
      'node-name': status.id,
      ro: status.readOnly,
      drv: 'raw',
      backing_file_depth: 0,
      encrypted: false,
      detect_zeroes: entry.kind === 'drive' ? entry.config.detectZeroes : 'off',
      write_threshold: 0,
      ...limitFields(entry.throttling),
      group: entry.throttlingGroup,
      image: { filename: status.filename, format: 'raw', 'virtual-size': status.bytes },
      cache: { writeback: cache.writeback, direct: cache.direct, 'no-flush': cache.noFlush },
    },
  };
}

const blockStatsInfo = (view: BlockView) => ({
  ...names(view),
  qdev: qdevOf(view.user),
  stats: view.status.stats,
});

const count = optional(integer);
const THROTTLE_ARGUMENTS = {
  device: optional(string),
  id: optional(string),
  bps: integer,
  bps_rd: integer,
  bps_wr: integer,
  iops: integer,
  iops_rd: integer,
  iops_wr: integer,
  bps_max: count,
  bps_rd_max: count,
  bps_wr_max: count,
  iops_max: count,
  iops_rd_max: count,
  iops_wr_max: count,
  bps_max_length: count,
  bps_rd_max_length: count,
  bps_wr_max_length: count,
  iops_max_length: count,
  iops_rd_max_length: count,
  iops_wr_max_length: count,
  iops_size: count,
  group: optional(string),
} as const;

/** Boundaries of a latency histogram must ascend. */
const ascending = (boundaries: readonly number[]): boolean =>
  boundaries.length > 0 && boundaries.every((value, index) => value > (boundaries[index - 1] ?? 0));

export const BLOCK_COMMANDS: readonly Command[] = [
  command('query-block', {}, async (context) => ok((await blockViews(context)).map(blockInfo))),
  command('query-named-block-nodes', { flat: optional(boolean) }, async (context) =>
    ok((await blockViews(context)).map((view) => blockInfo(view).inserted)),
  ),
  command('query-blockstats', { 'query-nodes': optional(boolean) }, async (context) =>
    ok((await blockViews(context)).map(blockStatsInfo)),
  ),
  command(
    'block_resize',
    { device: optional(string), 'node-name': optional(string), size: integer },
    async ({ model }, args) => {
      const name = args.device ?? args['node-name'];
      if (name === undefined || (args.device !== undefined && args['node-name'] !== undefined))
        return userError("Need exactly one of 'device' and 'node-name'");
      const block = model.findBlock(name);
      return block.ok ? nothing(await model.blockResize(block.value.id, args.size)) : block;
    },
  ),
  command('block_set_io_throttle', THROTTLE_ARGUMENTS, async ({ model }, args) => {
    const name = args.id ?? args.device;
    if (name === undefined || (args.id !== undefined && args.device !== undefined))
      return userError("Need exactly one of 'device' and 'id'");
    const negative = Object.entries(args).find(([, value]) => typeof value === 'number' && value < 0);
    if (negative !== undefined)
      return userError(`Parameter '${negative[0]}' expects a value that is not negative`);
    const length = Object.entries(args).find(
      ([key, value]) => key.endsWith('_length') && value !== undefined && value !== 1,
    );
    if (length !== undefined)
      return userError(`Parameter '${length[0]}' can only be 1: bursts last a second`);
    const block = model.findBlock(name);
    if (!block.ok) return block;
    const limits = {
      'bps-total': args.bps,
      'bps-read': args.bps_rd,
      'bps-write': args.bps_wr,
      'iops-total': args.iops,
      'iops-read': args.iops_rd,
      'iops-write': args.iops_wr,
      'bps-total-max': args.bps_max,
      'bps-read-max': args.bps_rd_max,
      'bps-write-max': args.bps_wr_max,
      'iops-total-max': args.iops_max,
      'iops-read-max': args.iops_rd_max,
      'iops-write-max': args.iops_wr_max,
      'iops-size': args.iops_size,
    };
    const set = Object.fromEntries(
      Object.entries(limits).filter(([, value]) => value !== undefined && value !== 0),
    );
    return nothing(await model.blockSetThrottle(block.value.id, set, args.group));
  }),
  command(
    'block-latency-histogram-set',
    {
      id: string,
      boundaries: optional(integers),
      'boundaries-read': optional(integers),
      'boundaries-write': optional(integers),
      'boundaries-flush': optional(integers),
    },
    async ({ model }, args) => {
      const block = model.findBlock(args.id);
      if (!block.ok) return block;
      for (const name of ['boundaries', 'boundaries-read', 'boundaries-write', 'boundaries-flush'] as const) {
        const given = args[name];
        if (given !== undefined && !ascending(given))
          return userError(`Parameter '${name}' expects ascending positive boundaries in ns`);
      }
      const set = await model.ops.blockSetLatencyHistogram(block.value.id, {
        read: args['boundaries-read'] ?? args.boundaries,
        write: args['boundaries-write'] ?? args.boundaries,
        flush: args['boundaries-flush'] ?? args.boundaries,
      });
      return nothing(set);
    },
  ),
];

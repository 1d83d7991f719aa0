import { bool, type PropertyDef, size, str, uint } from '../property.ts';
import { typeInfo } from './type-info.ts';

const limit = (description: string): PropertyDef<number> =>
  size(description, { default: 0, live: true, max: Number.MAX_SAFE_INTEGER });
const count = (description: string): PropertyDef<number> =>
  uint(description, { type: 'uint64', max: Number.MAX_SAFE_INTEGER, default: 0, live: true });

/**
 * The limits of one throttle group, under QEMU's names (`-drive throttling.bps-total=…`,
 * `-object throttle-group,x-bps-total=…`). 0 means no limit; `*-max` is the burst rate.
 */
export const THROTTLE_LIMITS = {
  'bps-total': limit('bytes per second, reads and writes'),
  'bps-read': limit('bytes per second, reads'),
  'bps-write': limit('bytes per second, writes'),
  'iops-total': count('requests per second, reads and writes'),
  'iops-read': count('requests per second, reads'),
  'iops-write': count('requests per second, writes'),
  'bps-total-max': limit('burst of bps-total'),
  'bps-read-max': limit('burst of bps-read'),
  'bps-write-max': limit('burst of bps-write'),
  'iops-total-max': count('burst of iops-total'),
  'iops-read-max': count('burst of iops-read'),
  'iops-write-max': count('burst of iops-write'),
  'iops-size': size('bytes that count as one request; 0: each request counts once', {
    default: 0,
    live: true,
  }),
} as const;

export type ThrottleLimitName = keyof typeof THROTTLE_LIMITS;

export const THROTTLE_GROUP = typeInfo(
  {
    name: 'throttle-group',
    parent: 'object',
    creatable: 'object',
    description: 'I/O limits shared by the block nodes that name it',
  },
  Object.fromEntries(Object.entries(THROTTLE_LIMITS).map(([name, property]) => [`x-${name}`, property])) as {
    readonly [K in ThrottleLimitName as `x-${K}`]: PropertyDef<number>;
  },
);

export const RNG_BACKEND = typeInfo(
  { name: 'rng-backend', parent: 'object', abstract: true, description: 'a source of random bytes' },
  {},
);
export const RNG_BUILTIN = typeInfo(
  {
    name: 'rng-builtin',
    parent: 'rng-backend',
    creatable: 'object',
    description: 'random bytes of the host (Web Crypto)',
  },
  {},
);
export const RNG_RANDOM = typeInfo(
  {
    name: 'rng-random',
    parent: 'rng-backend',
    creatable: 'object',
    description: 'as rng-builtin: in a page there is no /dev/urandom to read',
  },
  {
    filename: str('accepted, not read', { default: '/dev/urandom' }),
    opened: bool('legacy, accepted', { default: true }),
  },
);

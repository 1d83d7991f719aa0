import type { Result } from '../base/result.ts';
import { ok, userError } from '../base/result.ts';

/** One limit: a bucket that leaks `avg` units a second. QEMU's LeakyBucket. */
export interface ThrottleLimit {
  /** Units per second in the long run; 0: no limit. */
  readonly avg: number;
  /** Units per second in a burst; 0: bursts of a tenth of a second of `avg`. */
  readonly max: number;
  /** Seconds a burst at `max` may last. */
  readonly maxLength: number;
}

/** What is limited: bytes or requests; of reads, of writes, or of both together. */
export const THROTTLE_BUCKETS = [
  'bps-total',
  'bps-read',
  'bps-write',
  'iops-total',
  'iops-read',
  'iops-write',
] as const;
export type ThrottleBucketName = (typeof THROTTLE_BUCKETS)[number];

export interface ThrottleLimits {
  readonly buckets: Readonly<Record<ThrottleBucketName, ThrottleLimit>>;
  /** A request of more bytes counts as several for the iops limits; 0: as one. */
  readonly iopsSize: number;
}

/** Names as in `-drive throttling.NAME=` and `-object throttle-group,x-NAME=`; unset ones are 0. */
export type ThrottleOptions = Readonly<
  Partial<
    Record<
      ThrottleBucketName | `${ThrottleBucketName}-max` | `${ThrottleBucketName}-max-length` | 'iops-size',
      number
    >
  >
>;

const UNLIMITED: ThrottleLimit = { avg: 0, max: 0, maxLength: 1 };
/** QEMU's THROTTLE_VALUE_MAX. */
const VALUE_MAX = 1e15;

export const NO_THROTTLE: ThrottleLimits = {
  buckets: {
    'bps-total': UNLIMITED,
    'bps-read': UNLIMITED,
    'bps-write': UNLIMITED,
    'iops-total': UNLIMITED,
    'iops-read': UNLIMITED,
    'iops-write': UNLIMITED,
  },
  iopsSize: 0,
};

/** Checks options as QEMU does and puts them in order. */
export function throttleLimits(options: ThrottleOptions): Result<ThrottleLimits> {
  for (const [name, value] of Object.entries(options)) {
    if (!Number.isInteger(value) || value < 0 || value > VALUE_MAX) {
      return userError(`throttling.${name}: values must be whole numbers from 0 to ${VALUE_MAX}`);
    }
  }
  const buckets: Partial<Record<ThrottleBucketName, ThrottleLimit>> = {};
  for (const name of THROTTLE_BUCKETS) {
    const avg = options[name] ?? 0;
    const max = options[`${name}-max`] ?? 0;
    const maxLength = options[`${name}-max-length`] ?? 1;
    if (max > 0 && avg === 0) return userError(`throttling.${name}-max: needs ${name} as well`);
    if (max > 0 && max < avg) return userError(`throttling.${name}-max: must not be lower than ${name}`);
    if (maxLength === 0) return userError(`throttling.${name}-max-length: must be at least 1 second`);
    if (maxLength > 1 && max === 0)
      return userError(`throttling.${name}-max-length: needs ${name}-max as well`);
    buckets[name] = { avg, max, maxLength };
  }
  for (const unit of ['bps', 'iops'] as const) {
    const total = options[`${unit}-total`] ?? 0;
    const parts = (options[`${unit}-read`] ?? 0) + (options[`${unit}-write`] ?? 0);
    if (total > 0 && parts > 0) {
      return userError(`throttling: ${unit}-total and ${unit}-read or ${unit}-write exclude each other`);
    }
  }
  return ok({
    buckets: buckets as Record<ThrottleBucketName, ThrottleLimit>,
    iopsSize: options['iops-size'] ?? 0,
  });
}

/** Is anything limited at all? */
export const isThrottled = (limits: ThrottleLimits): boolean =>
  THROTTLE_BUCKETS.some((name) => limits.buckets[name].avg > 0);

import { bool, oneOf, size, str, uint } from '../property.ts';
import type { Bag } from './arg.ts';
import type { BlockNodeConfig } from './config.ts';
import { possible } from './suggest.ts';

const COMMON = {
  'read-only': bool('refuse writes', { default: false }),
  'auto-read-only': bool('accepted', { default: false }),
  'force-share': bool('accepted', { default: false }),
  discard: oneOf('what a discard does', ['ignore', 'unmap'], { default: 'ignore' }),
  'detect-zeroes': oneOf('accepted as off', ['off'], { default: 'off' }),
} as const;
const CACHE = {
  direct: bool('no host cache', { default: false }),
  'no-flush': bool('flushes do nothing', { default: false }),
} as const;

/** What each block driver takes beside the common properties. */
export const BLOCKDEV_DRIVERS = {
  file: {
    filename: str('image: a file (Node) or a disk of this site (page)', { default: '', required: true }),
    aio: oneOf('accepted', ['threads', 'native', 'io_uring'], { default: 'threads' }),
    locking: oneOf('accepted: an image is always open once', ['on', 'off', 'auto'], { default: 'auto' }),
  },
  memory: { size: size('bytes', { default: 0, min: 512, required: true }) },
  'null-co': {
    size: size('bytes', { default: 2 ** 30, min: 512 }),
    'latency-ns': uint('delay of each request, ns', {
      type: 'uint64',
      max: Number.MAX_SAFE_INTEGER,
      default: 0,
    }),
    'read-zeroes': bool('reads give zeroes', { default: false }),
  },
  raw: {
    offset: size('first byte of the file that is used', { default: 0 }),
    size: size('bytes of the file that are used', { default: undefined, min: 512 }),
  },
  throttle: { 'throttle-group': str('id of a throttle-group object', { default: '', required: true }) },
} as const;

/** All keys of a driver, for completion. */
export const blockdevKeys = (driver: keyof typeof BLOCKDEV_DRIVERS): readonly string[] => [
  'node-name',
  ...Object.keys(BLOCKDEV_DRIVERS[driver]),
  ...(driver === 'raw' || driver === 'throttle' ? ['file', 'file.driver', 'file.filename'] : []),
  ...Object.keys(COMMON),
  ...Object.keys(CACHE).map((key) => `cache.${key}`),
];

/** Reads a `-blockdev`: the node named, last, and its inline children before it. */
export function readBlockdev(bag: Bag): readonly BlockNodeConfig[] {
  return readNode(bag, bag.id('node-name', true));
}

function readNode(bag: Bag, nodeName: string): readonly BlockNodeConfig[] {
  const names = Object.keys(BLOCKDEV_DRIVERS);
  const span = bag.valueSpan('driver');
  const driver = bag.string('driver') ?? bag.arg.fail("Parameter 'driver' is missing", possible('', names));
  const children: BlockNodeConfig[] = [];
  const file = (): string => {
    const inline = bag.sub('file');
    if (inline === undefined)
      return (
        bag.string('file') ??
        bag.arg.fail(
          "Parameter 'file' is missing",
          'The node below: file=NODE or file.driver=file,file.filename=….',
        )
      );
    const name = inline.id('node-name', false) ?? `${nodeName}.file`;
    children.push(...readNode(inline, name));
    return name;
  };
  const common = () => {
    const cache = bag.sub('cache')?.table(CACHE, driver);
    return {
      nodeName,
      cache: { direct: cache?.direct ?? false, noFlush: cache?.['no-flush'] ?? false },
    };
  };
  switch (driver) {
    case 'file': {
      const base = common();
      const props = bag.table({ ...COMMON, ...BLOCKDEV_DRIVERS.file }, driver);
      return [{ ...base, ...shared(props), driver, filename: props.filename ?? '' }];
    }
    case 'memory': {
      const base = common();
      const props = bag.table({ ...COMMON, ...BLOCKDEV_DRIVERS.memory }, driver);
      return [{ ...base, ...shared(props), driver, size: props.size ?? 0 }];
    }
    case 'null-co': {
      const base = common();
      const props = bag.table({ ...COMMON, ...BLOCKDEV_DRIVERS['null-co'] }, driver);
      return [
        {
          ...base,
          ...shared(props),
          driver,
          size: props.size ?? 2 ** 30,
          latencyNs: props['latency-ns'] ?? 0,
          readZeroes: props['read-zeroes'] ?? false,
        },
      ];
    }
    case 'raw': {
      const base = common();
      const below = file();
      const props = bag.table({ ...COMMON, ...BLOCKDEV_DRIVERS.raw }, driver);
      return [
        ...children,
        { ...base, ...shared(props), driver, file: below, offset: props.offset ?? 0, size: props.size },
      ];
    }
    case 'throttle': {
      const base = common();
      const below = file();
      const props = bag.table({ ...COMMON, ...BLOCKDEV_DRIVERS.throttle }, driver);
      return [
        ...children,
        { ...base, ...shared(props), driver, file: below, throttleGroup: props['throttle-group'] ?? '' },
      ];
    }
    default:
      return bag.arg.fail(
        `Parameter 'driver' does not accept value '${driver}'`,
        possible(driver, names),
        span,
      );
  }
}

const shared = (props: { readonly 'read-only'?: boolean; readonly discard?: 'ignore' | 'unmap' }) => ({
  readOnly: props['read-only'] ?? false,
  discard: props.discard ?? ('ignore' as const),
});

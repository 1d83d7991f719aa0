import type { JsonValue } from '../property.ts';
import type { ThrottleLimitName } from '../types/object-types.ts';
import type { DeviceProps, DeviceType, ObjectProps, ObjectType } from '../types/type-registry.ts';

/**
 * A machine as its command line describes it: plain data, checked (every reference resolves, no id twice).
 * Only what was given is here; defaults are filled in by `resolve.ts`. It may be posted between threads.
 */
export interface MachineConfig {
  readonly machine: { readonly type: 'virt' };
  readonly name: string | undefined;
  readonly accel: { readonly type: 'tcg'; readonly jit: boolean };
  readonly cpu: CpuConfig;
  /** Number of harts. */
  readonly smp: number;
  /** Guest RAM in bytes. */
  readonly memoryBytes: number;
  /** File names, as given; undefined: none, `bios` undefined: the built-in SBI. */
  readonly boot: BootConfig;
  /** `-object` and `-context`, in the order given. */
  readonly objects: readonly ObjectConfig[];
  readonly blockdevs: readonly BlockNodeConfig[];
  readonly drives: readonly DriveConfig[];
  readonly chardevs: readonly ChardevConfig[];
  readonly netdevs: readonly NetdevConfig[];
  readonly devices: readonly DeviceConfig[];
  readonly nics: readonly NicConfig[];
  readonly serials: readonly CharTarget[];
  readonly monitors: readonly MonitorConfig[];
  readonly globals: readonly GlobalConfig[];
  /** Patterns given with `-trace`. */
  readonly trace: readonly string[];
  readonly rtc: RtcConfig;
  /** `-S`: stopped until `cont`. */
  readonly paused: boolean;
  /** `-loadvm`: tag of the snapshot the machine goes on from, instead of booting. */
  readonly loadvm: string | undefined;
  readonly noReboot: boolean;
  readonly noShutdown: boolean;
  /** `-snapshot`: writes of every drive go to a temporary overlay. */
  readonly snapshot: boolean;
  /** `-nodefaults`: no serial port, monitor or network that was not asked for. */
  readonly noDefaults: boolean;
  readonly display: 'none';
}

export interface CpuConfig {
  readonly model: 'rv64';
  readonly features: { readonly [name in CpuFeature]?: boolean };
}
export const CPU_FEATURES = ['sstc', 'svadu', 'sv48'] as const;
export type CpuFeature = (typeof CPU_FEATURES)[number];

export interface BootConfig {
  readonly bios: string | undefined;
  readonly kernel: string | undefined;
  readonly initrd: string | undefined;
  readonly dtb: string | undefined;
  readonly append: string | undefined;
}

/** An `-object`: `props` holds only what was given. */
export type ObjectConfig = {
  [T in ObjectType]: {
    readonly type: T;
    readonly id: string;
    readonly props: Partial<ObjectProps<T>>;
  };
}[ObjectType];

/** A `-device`: `props` holds only what was given, under QEMU's names. */
export type DeviceConfig = {
  [T in DeviceType]: {
    readonly driver: T;
    readonly id: string | undefined;
    readonly props: Partial<DeviceProps<T>>;
  };
}[DeviceType];

export interface GlobalConfig {
  readonly driver: DeviceType;
  readonly property: string;
  readonly value: JsonValue;
}

export interface CacheMode {
  readonly writeback: boolean;
  readonly direct: boolean;
  readonly noFlush: boolean;
}

export type ThrottleLimits = { readonly [K in ThrottleLimitName]?: number };
export type OnWriteError = 'report' | 'ignore' | 'enospc' | 'stop';
export type OnReadError = 'report' | 'ignore' | 'stop';

/** Where a block node's bytes are. */
export type ProtocolConfig =
  | { readonly driver: 'file'; readonly filename: string }
  | { readonly driver: 'memory'; readonly size: number }
  | {
      readonly driver: 'null-co';
      readonly size: number;
      readonly latencyNs: number;
      readonly readZeroes: boolean;
    };

/** A `-blockdev`. Children are names of other nodes; inline children were given names `<parent>.file`. */
export type BlockNodeConfig = {
  readonly nodeName: string;
  readonly readOnly: boolean;
  readonly discard: 'unmap' | 'ignore';
  readonly cache: { readonly direct: boolean; readonly noFlush: boolean };
} & (
  | ProtocolConfig
  | {
      readonly driver: 'raw';
      readonly file: string;
      readonly offset: number;
      readonly size: number | undefined;
    }
  | { readonly driver: 'throttle'; readonly file: string; readonly throttleGroup: string }
);

/** A `-drive`. With `interface: 'virtio'` a virtio-blk-device comes with it. */
export interface DriveConfig {
  readonly id: string;
  /** The id was made up (`virtio0`), not given. */
  readonly autoId: boolean;
  readonly interface: 'none' | 'virtio';
  readonly protocol: ProtocolConfig;
  readonly format: 'raw';
  readonly readOnly: boolean;
  /** Writes go to a temporary overlay; undefined: as `-snapshot` says. */
  readonly snapshot: boolean | undefined;
  readonly cache: CacheMode;
  readonly aio: 'threads' | 'native' | 'io_uring';
  readonly discard: 'unmap' | 'ignore';
  readonly detectZeroes: 'off' | 'on' | 'unmap';
  readonly werror: OnWriteError | undefined;
  readonly rerror: OnReadError | undefined;
  readonly throttling: ThrottleLimits;
  /** Drives with the same group share their limits. */
  readonly throttlingGroup: string | undefined;
}

export type ChardevConfig = { readonly id: string; readonly mux: boolean } & ChardevBackend;
export type ChardevBackend =
  | { readonly backend: 'stdio'; readonly signal: boolean }
  | { readonly backend: 'vc' }
  | { readonly backend: 'null' }
  | { readonly backend: 'ringbuf'; readonly size: number }
  | ({ readonly backend: 'socket' } & SocketAddress);

export interface SocketAddress {
  readonly address:
    | { readonly type: 'unix'; readonly path: string }
    | { readonly type: 'inet'; readonly host: string; readonly port: number };
  readonly server: boolean;
  readonly wait: boolean;
}

/** What `-serial` and `-monitor` name: a character device of their own, or one by id. */
export type CharTarget =
  | { readonly kind: 'none' }
  | { readonly kind: 'chardev'; readonly id: string }
  /** `mux`: shares it with the monitor (`mon:stdio`). */
  | { readonly kind: 'new'; readonly mux: boolean; readonly backend: ChardevBackend };

export interface MonitorConfig {
  readonly mode: 'readline' | 'control';
  readonly pretty: boolean;
  readonly target: CharTarget;
}

export type NetdevConfig =
  | {
      readonly type: 'user';
      readonly id: string;
      readonly net: string | undefined;
      readonly host: string | undefined;
      readonly dns: string | undefined;
      readonly dhcpStart: string | undefined;
      readonly hostname: string | undefined;
      readonly restrict: boolean;
      readonly hostfwd: readonly string[];
    }
  | { readonly type: 'hubport'; readonly id: string; readonly hubid: number };

/** A `-nic`: a netdev and its card in one. */
export type NicConfig =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'card';
      readonly model: 'virtio-net-device';
      readonly mac: string | undefined;
      readonly netdev: NetdevConfig;
    };

export interface RtcConfig {
  /** A date gives the seconds since 1970 at which the clock starts. */
  readonly base: 'utc' | 'localtime' | { readonly epochSeconds: number };
  readonly clock: 'host' | 'vm' | 'rt';
}

/** What QEMU's command line gives when it says nothing, in our sizes. */
export const DEFAULT_CONFIG: MachineConfig = {
  machine: { type: 'virt' },
  name: undefined,
  accel: { type: 'tcg', jit: true },
  cpu: { model: 'rv64', features: {} },
  smp: 1,
  memoryBytes: 256 * 2 ** 20,
  boot: { bios: undefined, kernel: undefined, initrd: undefined, dtb: undefined, append: undefined },
  objects: [],
  blockdevs: [],
  drives: [],
  chardevs: [],
  netdevs: [],
  devices: [],
  nics: [],
  serials: [],
  monitors: [],
  globals: [],
  trace: [],
  rtc: { base: 'utc', clock: 'host' },
  paused: false,
  loadvm: undefined,
  noReboot: false,
  noShutdown: false,
  snapshot: false,
  noDefaults: false,
  display: 'none',
};

import type { DeviceSpec, RealizedDevice } from '../machine-ops.ts';
import type { QomObject } from '../object.ts';
import type {
  BlockNodeConfig,
  ChardevConfig,
  DriveConfig,
  NetdevConfig,
  ObjectConfig,
  ThrottleLimits,
} from '../options/config.ts';
import type { PropertyTable } from '../property.ts';
import type { StoredProperties } from './stored-properties.ts';

/** A user-creatable object and where it is in its life. */
export interface ObjectEntry {
  readonly config: ObjectConfig;
  readonly object: QomObject;
  readonly properties: StoredProperties<PropertyTable>;
  /** References this object holds to others. */
  readonly held: (() => void)[];
}

/** A `-drive` or a `-blockdev` node. */
export type BlockEntry = {
  readonly object: QomObject;
  readonly held: (() => void)[];
  /** The machine has it open. A node below another is opened by the one above it. */
  open: boolean;
  /** Made inside the description of another node, and deleted with it. */
  readonly inline: boolean;
  /** As set last, by the configuration or by `block_set_io_throttle`. */
  throttling: ThrottleLimits;
  throttlingGroup: string | undefined;
} & (
  | { readonly kind: 'drive'; readonly config: DriveConfig }
  | { readonly kind: 'node'; readonly config: BlockNodeConfig }
);

export interface ChardevEntry {
  readonly config: ChardevConfig;
  readonly object: QomObject;
}
export interface NetdevEntry {
  readonly config: NetdevConfig;
  readonly object: QomObject;
}

export interface DeviceEntry {
  /** As realized; `placement` is kept up to date. */
  spec: DeviceSpec;
  readonly realized: RealizedDevice;
  readonly object: QomObject;
  readonly properties: StoredProperties<PropertyTable>;
  /** References to drives, netdevs and so on, for as long as it exists. */
  readonly held: (() => void)[];
  /** References to the event loops its queues are in now. */
  contextRefs: (() => void)[];
}

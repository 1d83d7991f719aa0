/** What a kind of device (blk, net, …) adds to the common control plane. Main context. */
export interface VirtioDeviceModel {
  /** `virtio-blk` */
  readonly name: string;
  readonly deviceId: number;
  readonly queues: readonly { readonly name: string; readonly sizeMax: number }[];
  /** Feature bits 0–23 and 50 up: those of the device type. */
  readonly features: bigint;
  /** The configuration space at reset. */
  readonly config: Uint8Array;
  /** The driver may not accept these bits together: false refuses FEATURES_OK. */
  acceptsFeatures?(features: bigint): boolean;
  /** FEATURES_OK was set; returns configuration bytes that follow from it. */
  featuresAccepted?(features: bigint): ConfigChange | undefined;
  /** The driver wrote configuration; returns what becomes of it, or undefined to ignore it. */
  configWritten?(offset: number, size: number, value: number, features: bigint): ConfigChange | undefined;
}

export interface ConfigChange {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/**
 * Network backends: QEMU's split into a front end (a NIC) and a peer (`-netdev`). Both belong to one
 * context; nothing here crosses threads. A frame is an Ethernet frame without checksum, at most
 * NET_FRAME_MAX bytes; whoever is handed one copies it before returning.
 */
export const NET_FRAME_MAX = 65_536;
/** Destination, source, type. */
export const NET_FRAME_MIN = 14;

export interface NetBackend {
  /** The id of the `-netdev`. */
  readonly id: string;
  /** `user`, `hubport`, … */
  readonly type: string;
  /** Is the cable plugged in? */
  readonly linkUp: boolean;
  /** A frame from the guest. False: no room; it was not taken, and `sendable` will be called. */
  send(frame: Uint8Array): boolean;
  /** Connects a NIC, or with `null` disconnects it. Frames that wait are delivered from inside. */
  setFrontEnd(frontEnd: NetFrontEnd | null): void;
  /** The NIC has buffers again, after a `receive` that was refused. */
  acceptFrames(): void;
  /** Lets go of whatever is behind it. */
  close(): void;
}

/** What a NIC gives to its backend. */
export interface NetFrontEnd {
  /** A frame towards the guest. False: no buffer; the backend keeps it until `acceptFrames`, or drops it. */
  receive(frame: Uint8Array): boolean;
  /** The backend takes frames again, after a `send` that was refused. */
  sendable(): void;
  /** `linkUp` has changed (`set_link`). */
  linkChanged(up: boolean): void;
}

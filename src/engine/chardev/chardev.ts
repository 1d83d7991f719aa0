/**
 * Character devices: QEMU's split into a front end (a serial port, a console port) and a back end (the
 * terminal, a ring buffer, nothing). Both belong to one context; nothing here crosses threads.
 *
 * Back-pressure runs in both directions and loses nothing:
 *  - towards the host, `write` says how much it took, and `writable` when it is worth trying again;
 *  - towards the guest, the back end asks `canReceive` first and keeps the rest until `acceptInput`.
 */
export interface CharBackend {
  /** The id of the `-chardev`, or the name of the default one (`serial0`). */
  readonly id: string;
  /** QEMU's backend type name: `null`, `ringbuf`, `stdio`, … */
  readonly type: string;
  /** Bytes from the guest; they are copied before it returns. Returns how many were taken. */
  write(bytes: Uint8Array): number;
  /** Connects a front end, or with `null` disconnects it. Input that waited is delivered from inside. */
  setFrontEnd(frontEnd: CharFrontEnd | null): void;
  /** The front end has room again. */
  acceptInput(): void;
  /** Lets go of whatever is behind it. */
  close(): void;
}

/** What a serial or console port gives to its back end. */
export interface CharFrontEnd {
  /** Bytes it can take now. */
  canReceive(): number;
  /** Bytes towards the guest, at most as many as `canReceive` said. Valid during the call only. */
  receive(bytes: Uint8Array): void;
  /** The back end takes bytes again, after a short `write`. */
  writable?(): void;
  /** Somebody opened or closed the other end (a console port tells the guest). */
  event?(event: 'opened' | 'closed'): void;
}

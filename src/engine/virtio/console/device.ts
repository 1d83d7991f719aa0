import type { ConfigChange, VirtioDeviceModel } from '../device.ts';
import { VIRTIO_ID_CONSOLE } from '../spec.ts';

// 5.3.3 Feature bits, 5.3.4 configuration: le16 cols, le16 rows, le32 max_nr_ports, le32 emerg_wr
export const VIRTIO_CONSOLE_F_SIZE = 1n << 0n;
export const VIRTIO_CONSOLE_F_EMERG_WRITE = 1n << 2n;
const EMERG_WR = 8;
/** 5.3.2: queues of port 0. */
export const CONSOLE_RECEIVEQ = 0;
export const CONSOLE_TRANSMITQ = 1;

export interface ConsoleSize {
  readonly cols: number;
  readonly rows: number;
}

/** The control plane of a virtio-console with one port (5.3): its size, and the emergency write. Main context. */
export class VirtioConsoleModel implements VirtioDeviceModel {
  readonly name = 'virtio-console';
  readonly deviceId = VIRTIO_ID_CONSOLE;
  readonly queues = [
    { name: 'receiveq', sizeMax: 128 },
    { name: 'transmitq', sizeMax: 128 },
  ] as const;
  readonly features = VIRTIO_CONSOLE_F_SIZE | VIRTIO_CONSOLE_F_EMERG_WRITE;
  readonly config = new Uint8Array(12);
  readonly #emergencyWrite: (byte: number) => void;

  /** @param emergencyWrite a byte written through configuration space, before any queue works (5.3.5) */
  constructor(size: ConsoleSize, emergencyWrite: (byte: number) => void) {
    this.config.set(sizeBytes(size));
    new DataView(this.config.buffer).setUint32(4, 1, true);
    this.#emergencyWrite = emergencyWrite;
  }

  /** The terminal was resized: what to pass to `VirtioDevice.changeConfig`. */
  sizeChange(size: ConsoleSize): ConfigChange {
    return { offset: 0, bytes: sizeBytes(size) };
  }

  configWritten(offset: number, _size: number, value: number): undefined {
    if (offset === EMERG_WR) this.#emergencyWrite(value & 0xff);
  }
}

function sizeBytes({ cols, rows }: ConsoleSize): Uint8Array {
  const bytes = new Uint8Array(4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, cols, true);
  view.setUint16(2, rows, true);
  return bytes;
}

import type { ConfigChange, VirtioDeviceModel } from '../device-model.ts';
import { VIRTIO_ID_CONSOLE } from '../spec.ts';

// 5.3.3 Feature bits, 5.3.4 configuration: le16 cols, le16 rows, le32 max_nr_ports, le32 emerg_wr
export const VIRTIO_CONSOLE_F_SIZE = 1n << 0n;
export const VIRTIO_CONSOLE_F_MULTIPORT = 1n << 1n;
export const VIRTIO_CONSOLE_F_EMERG_WRITE = 1n << 2n;
const EMERG_WR = 8;
/** 5.3.2: queues of port 0. */
export const CONSOLE_RECEIVEQ = 0;
export const CONSOLE_TRANSMITQ = 1;
/** With MULTIPORT: the control queues come behind port 0's, those of port 1 behind them. */
export const CONSOLE_CONTROL_RECEIVEQ = 2;
export const CONSOLE_CONTROL_TRANSMITQ = 3;

/** Which port a queue is for; undefined: a control queue. */
export function consolePortOf(queue: number): number | undefined {
  const pair = queue >> 1;
  return pair === 1 ? undefined : pair === 0 ? 0 : pair - 1;
}

/** Queues of a console with that many ports. */
export const consoleQueues = (ports: number): number => (ports === 1 ? 2 : 2 + 2 * ports);

export interface ConsoleSize {
  readonly cols: number;
  readonly rows: number;
}

export interface ConsoleOptions {
  /** One: without VIRTIO_CONSOLE_F_MULTIPORT and control queues. */
  readonly ports: number;
  readonly emergencyWrite: boolean;
}

/** What the device tells who composes it. */
export interface ConsoleEvents {
  /** A byte written through configuration space, before any queue works (5.3.5). */
  emergencyWrite(byte: number): void;
  /** The driver has said which features it uses; no queue is served yet. */
  featuresAccepted?(multiport: boolean): void;
}

/** The control plane of a virtio-console (5.3): its size, its ports, and the emergency write. Main context. */
export class VirtioConsoleModel implements VirtioDeviceModel {
  readonly name = 'virtio-console';
  readonly deviceId = VIRTIO_ID_CONSOLE;
  readonly queues: readonly { readonly name: string; readonly sizeMax: number }[];
  readonly features: bigint;
  readonly config = new Uint8Array(12);
  readonly #events: ConsoleEvents;

  constructor(size: ConsoleSize, events: ConsoleEvents, options: Partial<ConsoleOptions> = {}) {
    const { ports, emergencyWrite } = { ports: 1, emergencyWrite: true, ...options };
    this.config.set(sizeBytes(size));
    new DataView(this.config.buffer).setUint32(4, ports, true);
    this.#events = events;
    this.features =
      VIRTIO_CONSOLE_F_SIZE |
      (emergencyWrite ? VIRTIO_CONSOLE_F_EMERG_WRITE : 0n) |
      (ports > 1 ? VIRTIO_CONSOLE_F_MULTIPORT : 0n);
    this.queues = Array.from({ length: consoleQueues(ports) }, (_, queue) => {
      const port = consolePortOf(queue);
      const direction = queue % 2 === 0 ? 'receiveq' : 'transmitq';
      return { name: port === undefined ? `control-${direction}` : `${direction}${port}`, sizeMax: 128 };
    });
  }

  featuresAccepted(features: bigint): undefined {
    this.#events.featuresAccepted?.((features & VIRTIO_CONSOLE_F_MULTIPORT) !== 0n);
  }

  /** The terminal was resized: what to pass to `VirtioDevice.changeConfig`. */
  sizeChange(size: ConsoleSize): ConfigChange {
    return { offset: 0, bytes: sizeBytes(size) };
  }

  configWritten(offset: number, _size: number, value: number): undefined {
    if (offset === EMERG_WR) this.#events.emergencyWrite(value & 0xff);
  }
}

function sizeBytes({ cols, rows }: ConsoleSize): Uint8Array {
  const bytes = new Uint8Array(4);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, cols, true);
  view.setUint16(2, rows, true);
  return bytes;
}

import { type Result, ok, userError } from '../base/result.ts';
import type { DeviceSpec } from '../qom/machine-ops.ts';
import { VirtioConsoleModel } from '../virtio/console/device.ts';
import type { CharDevices } from './char-devices.ts';
import type { QueueWork } from './queue-plan.ts';

export type PortSpec = Extract<DeviceSpec, { driver: 'virtconsole' | 'virtserialport' }>;

/** What a terminal says of itself before anybody has asked it. */
const SIZE = { cols: 80, rows: 25 };

/**
 * A virtio-serial device on the board and what is plugged into it: one console port (the device without
 * VIRTIO_CONSOLE_F_MULTIPORT). Main context.
 */
export class SerialBus {
  readonly model: VirtioConsoleModel;
  #port: { readonly path: string; readonly wire: number } | undefined;

  /** @param emergencyWrite a byte for the chardev at the end of a wire */
  constructor(emergencyWrite: (wire: number, byte: number) => void) {
    this.model = new VirtioConsoleModel(SIZE, (byte) => {
      if (this.#port !== undefined) emergencyWrite(this.#port.wire, byte);
    });
  }

  work(): QueueWork {
    return { kind: 'console', wire: this.#port?.wire };
  }
  has(path: string): boolean {
    return this.#port?.path === path;
  }

  plug(spec: PortSpec, chars: CharDevices): Result<void> {
    const refused = (desc: string, hint: string) => userError(`-device ${spec.driver}: ${desc}`, { hint });
    if (spec.driver === 'virtserialport') {
      return refused('a virtio-serial bus here carries one console', 'Use -device virtconsole.');
    }
    if (this.#port !== undefined || (spec.props.nr ?? 0) !== 0) {
      return refused('a virtio-serial bus here carries one console, nr=0', 'Give each console its own bus.');
    }
    const wire = chars.connect(spec.props.chardev ?? '', spec.qomPath);
    if (!wire.ok) return wire;
    this.#port = { path: spec.qomPath, wire: wire.value };
    return ok(undefined);
  }

  /** Takes a port out; the wire it leaves, to be taken down once no handler uses it. */
  unplug(path: string): number | undefined {
    if (this.#port?.path !== path) return undefined;
    const { wire } = this.#port;
    this.#port = undefined;
    return wire;
  }
}

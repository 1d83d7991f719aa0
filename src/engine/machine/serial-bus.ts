import { type Result, ok, userError } from '../base/result.ts';
import { ascii } from '../net/bytes.ts';
import type { DeviceSpec } from '../qom/machine-ops.ts';
import { CONTROL_BYTES } from '../virtio/console/control.ts';
import { consolePortOf, VirtioConsoleModel } from '../virtio/console/device.ts';
import { QUEUES_MAX } from '../virtio/layout.ts';
import type { CharDevices } from './char-devices.ts';
import type { ControlEnd } from './control-link.ts';
import type { QueueWork } from './queue-plan.ts';

export type PortSpec = Extract<DeviceSpec, { driver: 'virtconsole' | 'virtserialport' }>;
export type BusSpec = Extract<DeviceSpec, { driver: 'virtio-serial-device' }>;

/** Ports a bus can have: each takes two queues, the control messages two more. */
const PORTS_MAX = (QUEUES_MAX - 2) / 2;
/** What a terminal says of itself before anybody has asked it. */
const SIZE = { cols: 80, rows: 25 };

// 5.3.6.2 Multiport device operation
const DEVICE_READY = 0;
const DEVICE_ADD = 1;
const DEVICE_REMOVE = 2;
const PORT_READY = 3;
const CONSOLE_PORT = 4;
const PORT_OPEN = 6;
const PORT_NAME = 7;

interface Port {
  readonly path: string;
  readonly wire: number;
  readonly chardev: string;
  readonly isConsole: boolean;
  readonly name: string | undefined;
}

/** What a bus remembers of its driver, for a snapshot; plain data. */
export interface SerialBusState {
  readonly multiport: boolean | null;
  readonly ready: boolean;
  /** Numbers of the ports the guest has open. */
  readonly open: readonly number[];
}

/**
 * A virtio-serial device on the board and the ports plugged into it: which queue leads to which chardev, and
 * the control messages about them (virtio 5.3.6.2). Main context; the messages come and go by a wire.
 *
 * A port's input waits in its chardev until the guest has opened the port; a driver without MULTIPORT has
 * port 0 open from the start.
 */
export class SerialBus {
  readonly model: VirtioConsoleModel;
  readonly #chars: CharDevices;
  readonly #max: number;
  readonly #ports = new Map<number, Port>();
  readonly #control: { readonly wire: number; readonly end: ControlEnd } | undefined;
  /** Does the driver use MULTIPORT? Undefined: it has not said. */
  #multiport: boolean | undefined;
  /** It has said DEVICE_READY. */
  #ready = false;
  readonly #open = new Set<number>();

  static create(spec: BusSpec, chars: CharDevices): Result<SerialBus> {
    const max = Math.min(spec.props.max_ports, PORTS_MAX);
    let bus: SerialBus | undefined;
    const control = max === 1 ? undefined : chars.connectControl((message) => bus?.receive(message));
    if (control?.ok === false) return control;
    bus = new SerialBus(chars, max, spec.props['emergency-write'], control?.value);
    return ok(bus);
  }

  private constructor(
    chars: CharDevices,
    max: number,
    emergencyWrite: boolean,
    control: { readonly wire: number; readonly end: ControlEnd } | undefined,
  ) {
    this.#chars = chars;
    this.#max = max;
    this.#control = control;
    this.model = new VirtioConsoleModel(
      SIZE,
      {
        emergencyWrite: (byte) => {
          const first = this.#ports.get(0);
          if (first !== undefined) chars.emergencyWrite(first.wire, byte);
        },
        featuresAccepted: (multiport) => this.#driverStarts(multiport),
      },
      { ports: max, emergencyWrite },
    );
  }

  work(queue: number): QueueWork {
    const port = consolePortOf(queue);
    if (port !== undefined) return { kind: 'console', port, wire: this.#ports.get(port)?.wire };
    return { kind: 'console-control', wire: this.#control?.wire ?? 0 };
  }
  has(path: string): boolean {
    return this.#numberOf(path) !== undefined;
  }
  #numberOf(path: string): number | undefined {
    return [...this.#ports].find(([, port]) => port.path === path)?.[0];
  }

  /** Connects a port to its chardev. `announce` it once its queues lead there. */
  plug(spec: PortSpec): Result<void> {
    const isConsole = spec.driver === 'virtconsole';
    const number = spec.props.nr ?? this.#freeNumber(isConsole);
    const refused = (desc: string, hint: string) => userError(`-device ${spec.driver}: ${desc}`, { hint });
    if (number === undefined || number >= this.#max) {
      return refused(
        `the bus has ports 0 to ${this.#max - 1}${number === undefined ? ', and all are taken' : ''}`,
        `A bus here has at most ${PORTS_MAX} ports (max_ports); a second -device virtio-serial is another bus.`,
      );
    }
    if (number === 0 && !isConsole) {
      return refused('port 0 is reserved for a virtconsole', 'Leave nr out, or give another number.');
    }
    if (this.#ports.has(number))
      return refused(`port ${number} is taken`, 'Leave nr out, or give another number.');
    const chardev = spec.props.chardev ?? '';
    const wire = this.#chars.connect(chardev, spec.qomPath);
    if (!wire.ok) return wire;
    this.#setOpen(number, wire.value, this.#multiport === false);
    const name = spec.driver === 'virtserialport' ? spec.props.name : undefined;
    this.#ports.set(number, { path: spec.qomPath, wire: wire.value, chardev, isConsole, name });
    return ok(undefined);
  }

  #freeNumber(isConsole: boolean): number | undefined {
    for (let number = isConsole ? 0 : 1; number < this.#max; number++)
      if (!this.#ports.has(number)) return number;
    return undefined;
  }

  /** Its ports and their chardevs, for people: `0 con0, 1 agent`. */
  describe(): string {
    return [...this.#ports]
      .toSorted(([a], [b]) => a - b)
      .map(([number, { chardev }]) => `${number} ${chardev}`)
      .join(', ');
  }

  /** Tells a driver that runs about a new port. */
  announce(path: string): void {
    const number = this.#numberOf(path);
    if (number !== undefined && this.#ready) this.#send(number, DEVICE_ADD, 1);
  }

  /** Takes a port out; the wire it leaves, to be taken down once no handler uses it. */
  unplug(path: string): number | undefined {
    const number = this.#numberOf(path);
    const port = number === undefined ? undefined : this.#ports.get(number);
    if (number === undefined || port === undefined) return undefined;
    this.#ports.delete(number);
    this.#open.delete(number);
    if (this.#ready) this.#send(number, DEVICE_REMOVE, 1);
    return port.wire;
  }

  /** The device leaves the board; it has no ports any more. */
  close(): void {
    if (this.#control !== undefined) this.#chars.disconnectControl(this.#control.wire);
  }

  #driverStarts(multiport: boolean): void {
    this.#ready = false;
    this.#multiport = multiport;
    this.#control?.end.clear();
    for (const [number, { wire }] of this.#ports) this.#setOpen(number, wire, !multiport);
  }

  #setOpen(number: number, wire: number, open: boolean): void {
    if (open) this.#open.add(number);
    else this.#open.delete(number);
    this.#chars.setOpen(wire, open);
  }

  get state(): SerialBusState {
    return { multiport: this.#multiport ?? null, ready: this.#ready, open: [...this.#open] };
  }

  /** The driver's state is a snapshot's now. */
  restore({ multiport, ready, open }: SerialBusState): void {
    this.#multiport = multiport ?? undefined;
    this.#ready = ready;
    this.#control?.end.clear();
    for (const [number, { wire }] of this.#ports) this.#setOpen(number, wire, open.includes(number));
  }

  /** A control message of the driver's: anything it can think of. */
  receive(message: Uint8Array): void {
    const view = new DataView(message.buffer, message.byteOffset, message.length);
    const number = view.getUint32(0, true);
    const event = view.getUint16(4, true);
    const value = view.getUint16(6, true);
    if (event === DEVICE_READY) {
      this.#ready = value === 1;
      if (this.#ready) for (const each of this.#ports.keys()) this.#send(each, DEVICE_ADD, 1);
      return;
    }
    const port = this.#ports.get(number);
    if (port === undefined) return;
    if (event === PORT_OPEN) this.#setOpen(number, port.wire, value === 1);
    if (event !== PORT_READY || value !== 1) return;
    if (port.isConsole) this.#send(number, CONSOLE_PORT, 1);
    if (port.name !== undefined) this.#send(number, PORT_NAME, 1, ascii(port.name.slice(0, 200)));
    this.#send(number, PORT_OPEN, 1);
  }

  #send(port: number, event: number, value: number, tail: Uint8Array = new Uint8Array(0)): void {
    const message = new Uint8Array(CONTROL_BYTES + tail.length);
    const view = new DataView(message.buffer);
    view.setUint32(0, port, true);
    view.setUint16(4, event, true);
    view.setUint16(6, value, true);
    message.set(tail, CONTROL_BYTES);
    this.#control?.end.send(message);
  }
}

import { type Result, ok, userError } from '../base/result.ts';
import { type DataFormat, decodeText, encodeBytes } from '../chardev/text-encoding.ts';
import type { CharTarget, ChardevConfig, MachineConfig } from '../qom/options/config.ts';
import { plannedSerials } from '../qom/options/resolve.ts';
import type { CharDevices } from './char-devices.ts';
import type { MainPlatform } from './main-platform.ts';

/** Character devices as the monitor operates them, and the one the board's UART is connected to. Main context. */
export class MachineChars {
  readonly #config: MachineConfig;
  readonly #chars: CharDevices;
  readonly #platform: MainPlatform;

  constructor(config: MachineConfig, chars: CharDevices, platform: MainPlatform) {
    this.#config = config;
    this.#chars = chars;
    this.#platform = platform;
  }

  add(spec: ChardevConfig): Result<void> {
    const added = this.#chars.add(spec.id, spec);
    if (!added.ok) return added;
    const serial = this.#serial;
    return serial.kind === 'chardev' && serial.id === spec.id ? this.#connectSerial(spec.id) : ok(undefined);
  }
  remove(id: string): Result<void> {
    return this.#chars.remove(id);
  }

  /** What `-serial` names for the board's one UART. */
  get #serial(): CharTarget {
    return plannedSerials(this.#config)[0] ?? { kind: 'none' };
  }

  /** Connects the UART to a chardev of its own, `serial0`, unless `-serial` names one by id. */
  addSerial(): Result<void> {
    const target = this.#serial;
    if (target.kind !== 'new') return ok(undefined);
    const added = this.#chars.add('serial0', target.backend);
    return added.ok ? this.#connectSerial('serial0') : added;
  }

  #connectSerial(id: string): Result<void> {
    const backend = this.#chars.claim(id, '-serial');
    if (!backend.ok) return backend;
    this.#platform.connectSerial(backend.value);
    return ok(undefined);
  }

  readRing(id: string, bytes: number, format: DataFormat): Result<string> {
    const ringbuf = this.#chars.ringbuf(id);
    return ringbuf.ok ? ok(encodeBytes(ringbuf.value.read(bytes), format)) : ringbuf;
  }
  writeRing(id: string, data: string, format: DataFormat): Result<void> {
    const ringbuf = this.#chars.ringbuf(id);
    if (!ringbuf.ok) return ringbuf;
    const bytes = decodeText(data, format);
    if (bytes === undefined) return userError(`Parameter 'data' is not ${format}`);
    ringbuf.value.send(bytes);
    return ok(undefined);
  }
}

import { assert } from '../base/assert.ts';
import { type Result, ok, userError } from '../base/result.ts';
import type { CharBackend } from '../chardev/chardev.ts';
import { NullChardev } from '../chardev/null-chardev.ts';
import { RingFrontEnd } from '../chardev/ring-front-end.ts';
import { RingbufChardev } from '../chardev/ringbuf-chardev.ts';
import { TerminalChardev } from '../chardev/terminal-chardev.ts';
import type { ChardevBackend } from '../qom/options/config.ts';
import { charWire } from './char-wires.ts';
import { ControlEnd } from './control-link.ts';
import type { ContextCore } from './context-core.ts';
import { MAX_CHAR_WIRES } from './notifier-table.ts';

interface Entry {
  /** Undefined: a socket, which only a monitor can use. */
  readonly backend: CharBackend | undefined;
  /** What it is connected to. */
  user: string | undefined;
}

/**
 * The machine's character devices, by id, and the wires from them to the ports of virtio-serial. Main context:
 * that is where their bytes come from and go to; the port at the other end of a wire may be in any.
 */
export class CharDevices {
  readonly #core: ContextCore;
  readonly #output: (id: string, bytes: Uint8Array<ArrayBuffer>) => void;
  readonly #entries = new Map<string, Entry>();
  /** By wire: the chardev, and its end of the wire. */
  readonly #wires = new Map<number, { readonly id: string; readonly end: RingFrontEnd }>();
  readonly #controls = new Map<number, ControlEnd>();

  /** @param output bytes for the terminal behind chardev `id`; acknowledged through `shown` */
  constructor(core: ContextCore, output: (id: string, bytes: Uint8Array<ArrayBuffer>) => void) {
    this.#core = core;
    this.#output = output;
  }

  add(id: string, spec: ChardevBackend): Result<void> {
    if (this.#entries.has(id)) return userError(`Chardev with id '${id}' already exists`);
    const backend = this.#make(id, spec);
    if (!backend.ok) return backend;
    this.#entries.set(id, { backend: backend.value, user: undefined });
    return ok(undefined);
  }

  #make(id: string, spec: ChardevBackend): Result<CharBackend | undefined> {
    switch (spec.backend) {
      case 'null':
        return ok(new NullChardev(id));
      case 'ringbuf':
        return RingbufChardev.create(id, spec.size);
      case 'stdio':
      case 'vc':
        return ok(new TerminalChardev(id, (bytes) => this.#output(id, bytes), { type: spec.backend }));
      case 'socket':
        return ok(undefined);
    }
  }

  remove(id: string): Result<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return userError(`Chardev '${id}' not found`);
    if (entry.user !== undefined) return userError(`Chardev '${id}' is busy: ${entry.user}`);
    entry.backend?.close();
    this.#entries.delete(id);
    return ok(undefined);
  }

  /** Those with a terminal at the façade. */
  terminals(): readonly string[] {
    return [...this.#entries].flatMap(([id, { backend }]) =>
      backend instanceof TerminalChardev ? [id] : [],
    );
  }

  /** Keys pressed at a terminal. */
  input(id: string, bytes: Uint8Array): void {
    this.#terminal(id)?.input(bytes);
  }
  /** A terminal has shown that many bytes. */
  shown(id: string, count: number): void {
    this.#terminal(id)?.acknowledge(count);
  }
  #terminal(id: string): TerminalChardev | undefined {
    const backend = this.#entries.get(id)?.backend;
    return backend instanceof TerminalChardev ? backend : undefined;
  }
  /** For `ringbuf-read` and `ringbuf-write`. */
  ringbuf(id: string): Result<RingbufChardev> {
    const entry = this.#entries.get(id);
    return entry?.backend instanceof RingbufChardev
      ? ok(entry.backend)
      : userError(entry === undefined ? `Device '${id}' not found` : `'${id}' is not a ring buffer`, {
          hint: `-chardev ringbuf,id=${id} makes one.`,
        });
  }

  /** Gives the chardev to a front end, named for messages. One at a time. */
  claim(id: string, user: string): Result<CharBackend> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return userError(`Chardev '${id}' not found`);
    if (entry.backend === undefined) {
      return userError(`Chardev '${id}' is a socket, which carries monitors only`, {
        hint: 'Devices and serial ports take stdio, vc, ringbuf or null.',
      });
    }
    if (entry.user !== undefined) {
      return userError(`Chardev '${id}' is already in use by ${entry.user}`, {
        hint: 'Two devices cannot share one, mux=on or not: a terminal shows one of them.',
      });
    }
    entry.user = user;
    return ok(entry.backend);
  }
  release(id: string): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) entry.user = undefined;
  }

  /** Joins a chardev to a wire, for a port in whichever context. */
  connect(id: string, user: string): Result<number> {
    const wire = this.#freeWire();
    if (wire === undefined) return noWire();
    const backend = this.claim(id, user);
    if (!backend.ok) return backend;
    const rings = charWire(this.#core, wire);
    rings.clear();
    const end = new RingFrontEnd(this.#core.aio, rings, backend.value, rings.notifiers, id);
    this.#wires.set(wire, { id, end });
    return ok(wire);
  }

  #freeWire(): number | undefined {
    return Array.from({ length: MAX_CHAR_WIRES }, (_, i) => i).find(
      (i) => !this.#wires.has(i) && !this.#controls.has(i),
    );
  }

  /** A wire for the control messages of a virtio-serial device: its number, and the main context's end. */
  connectControl(
    receive: (message: Uint8Array) => void,
  ): Result<{ readonly wire: number; readonly end: ControlEnd }> {
    const wire = this.#freeWire();
    if (wire === undefined) return noWire();
    const end = new ControlEnd(this.#core.aio, charWire(this.#core, wire), receive);
    end.clear();
    this.#controls.set(wire, end);
    return ok({ wire, end });
  }
  disconnectControl(wire: number): void {
    this.#controls.get(wire)?.close();
    this.#controls.delete(wire);
  }

  /** Lets input through to a port, or holds it back. */
  setOpen(wire: number, open: boolean): void {
    const joined = this.#wires.get(wire);
    if (joined !== undefined) joined.end.open = open;
  }

  /** Takes a wire down; no context serves its port any more. */
  disconnect(wire: number): void {
    const joined = this.#wires.get(wire);
    assert(joined !== undefined, `wire ${wire} is not connected`);
    joined.end.close();
    this.#wires.delete(wire);
    this.release(joined.id);
  }

  /** A byte the guest wrote past all queues (VIRTIO_CONSOLE_F_EMERG_WRITE). */
  emergencyWrite(wire: number, byte: number): void {
    const joined = this.#wires.get(wire);
    if (joined !== undefined) this.#entries.get(joined.id)?.backend?.write(Uint8Array.of(byte));
  }

  /** Machine reset: what was under way to and from the ports is gone, and none is open. No port is served. */
  reset(): void {
    for (const [wire, { end }] of this.#wires) {
      end.open = false;
      charWire(this.#core, wire).clear();
    }
  }

  close(): void {
    for (const { end } of this.#wires.values()) end.close();
    for (const end of this.#controls.values()) end.close();
    for (const { backend } of this.#entries.values()) backend?.close();
  }
}

const noWire = () =>
  userError(`no more ports: ${MAX_CHAR_WIRES} serve all virtio-serial buses and what is plugged into them`);

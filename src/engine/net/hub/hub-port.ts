import { ByteRing } from '../../base/byte-ring.ts';
import type { SharedMemory } from '../../base/shared-memory.ts';
import type { AioLoop, PollableNotifier } from '../../qcontext/aio-interface.ts';
import { read32, write32 } from '../bytes.ts';
import { NET_FRAME_MAX, type NetBackend, type NetFrontEnd } from '../net-backend.ts';
import { HUB_PORT_CAPACITY, HubPortLayout } from './layout.ts';

/** Each frame in a ring has its length before it. */
const LENGTH_BYTES = 4;

/** One thread's view of a machine's hubs: all ports, by number, with the notifier of each. */
export interface HubPorts {
  readonly mem: SharedMemory;
  readonly addrs: readonly number[];
  notifier(port: number): PollableNotifier;
}

const hubField = (ports: HubPorts, port: number): number =>
  (ports.addrs[port] as number) + HubPortLayout.at.hub;
const ringOf = ({ mem, addrs }: HubPorts, port: number): ByteRing =>
  new ByteRing(mem, (addrs[port] as number) + HubPortLayout.size, HUB_PORT_CAPACITY);

/** Main context: takes a free port and joins it to a hub; undefined if none is left. */
export function joinHub(ports: HubPorts, hubId: number): number | undefined {
  const port = ports.addrs.findIndex((_, i) => ports.mem.load32(hubField(ports, i)) === 0);
  if (port < 0) return undefined;
  clearHubPort(ports, port);
  ports.mem.store32(hubField(ports, port), hubId + 1);
  return port;
}
/** Main context: gives a port back. No card uses it. */
export function leaveHub(ports: HubPorts, port: number): void {
  ports.mem.store32(hubField(ports, port), 0);
}
/** Main context, while its card is not served: forgets the frames that wait. */
export function clearHubPort(ports: HubPorts, port: number): void {
  ringOf(ports, port).clear();
}

/**
 * `-netdev hubport`: a port of a hub, which repeats every frame to all its other ports. All of a hub is in
 * shared memory, so its cards may be in different contexts, and move.
 *
 *  - H1 frames from one port reach another in the order they were sent, each at most once.
 *  - H2 a port whose card does not take its frames holds 128 KiB of them; what comes then is dropped for that
 *    port, as on a wire, and counted. No port holds up another.
 */
export class HubPort implements NetBackend {
  readonly type = 'hubport';
  readonly id: string;
  readonly linkUp = true;
  readonly #aio: AioLoop;
  readonly #ports: HubPorts;
  readonly #port: number;
  readonly #ring: ByteRing;
  readonly #notifier: PollableNotifier;
  readonly #others: readonly { readonly port: number; readonly ring: ByteRing }[];
  readonly #frame = new Uint8Array(LENGTH_BYTES + NET_FRAME_MAX);
  readonly #outgoing = new Uint8Array(LENGTH_BYTES + NET_FRAME_MAX);
  #frontEnd: NetFrontEnd | null = null;

  constructor(id: string, aio: AioLoop, ports: HubPorts, port: number) {
    this.id = id;
    this.#aio = aio;
    this.#ports = ports;
    this.#port = port;
    this.#ring = ringOf(ports, port);
    this.#notifier = ports.notifier(port);
    this.#others = ports.addrs.flatMap((_, other) =>
      other === port ? [] : [{ port: other, ring: ringOf(ports, other) }],
    );
  }

  send(frame: Uint8Array): boolean {
    const record = this.#outgoing.subarray(0, LENGTH_BYTES + frame.length);
    write32(record, 0, frame.length);
    record.set(frame, LENGTH_BYTES);
    const { mem, addrs } = this.#ports;
    const hub = mem.load32(hubField(this.#ports, this.#port));
    for (const { port, ring } of this.#others) {
      if (mem.load32(hubField(this.#ports, port)) !== hub) continue;
      if (ring.putWhole(record)) this.#ports.notifier(port).set();
      else mem.add32((addrs[port] as number) + HubPortLayout.at.dropped, 1);
    }
    return true;
  }

  setFrontEnd(frontEnd: NetFrontEnd | null): void {
    this.#frontEnd = frontEnd;
    if (frontEnd === null) {
      this.#aio.setEventNotifier(this.#notifier, null);
      return;
    }
    const ioRead = (): void => {
      this.#notifier.testAndClear();
      this.acceptFrames();
    };
    this.#aio.setEventNotifier(this.#notifier, { ioRead }, this.id);
    // What came while nobody listened.
    this.acceptFrames();
  }

  acceptFrames(): void {
    while (this.#frontEnd !== null && this.#ring.peek(this.#frame.subarray(0, LENGTH_BYTES)) > 0) {
      const record = this.#frame.subarray(0, LENGTH_BYTES + read32(this.#frame, 0));
      this.#ring.peek(record);
      if (!this.#frontEnd.receive(record.subarray(LENGTH_BYTES))) return;
      this.#ring.skip(record.length);
    }
  }

  close(): void {
    this.setFrontEnd(null);
  }
}

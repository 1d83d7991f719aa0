import type { NetBackend, NetFrontEnd } from '../net-backend.ts';

/** One's-complement checksum by DataView, to check ours by another way. */
export function referenceSum(...parts: readonly (readonly number[])[]): number {
  const bytes = parts.flatMap((part) => (part.length % 2 === 0 ? part : [...part, 0]));
  const view = new DataView(Uint8Array.from(bytes).buffer);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) sum += view.getUint16(at);
  while (sum >>> 16 !== 0) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export const be16 = (value: number): number[] => [(value >>> 8) & 255, value & 255];
export const be32 = (value: number): number[] => [...be16(value >>> 16), ...be16(value & 0xffff)];
export const ip = (text: string): number[] => text.split('.').map(Number);
const ints = (bytes: Uint8Array): number[] => Array.from(bytes);

export const GUEST_MAC = [0x52, 0x54, 0, 0x12, 0x34, 0x56];
export const GATEWAY_MAC = [0x52, 0x55, 10, 0, 2, 2];
export const DNS_MAC = [0x52, 0x55, 10, 0, 2, 3];
export const BROADCAST_MAC = [255, 255, 255, 255, 255, 255];

/** A segment as the guest saw it. */
export interface Segment {
  readonly seq: number;
  readonly ack: number;
  readonly flags: string;
  readonly window: number;
  readonly data: string;
  readonly bytes: Uint8Array;
}

/**
 * A guest's network stack, by hand: builds packets from bytes and takes frames apart, checking every checksum
 * on the way. `buffers` is how many frames it takes before it has to be asked again.
 */
export class FakeGuest implements NetFrontEnd {
  readonly frames: number[][] = [];
  address = '10.0.2.15';
  buffers = Infinity;
  sendables = 0;
  #backend: NetBackend | undefined;

  connect(backend: NetBackend): void {
    this.#backend?.setFrontEnd(null);
    this.#backend = backend;
    backend.setFrontEnd(this);
  }
  receive(frame: Uint8Array): boolean {
    if (this.buffers === 0) return false;
    this.buffers -= 1;
    this.frames.push(ints(frame));
    return true;
  }
  sendable(): void {
    this.sendables += 1;
  }
  linkChanged(): void {}
  give(buffers: number): void {
    this.buffers += buffers;
    this.#backend?.acceptFrames();
  }

  send(to: readonly number[], type: number, payload: readonly number[], from = GUEST_MAC): boolean {
    return this.#backend?.send(Uint8Array.from([...to, ...from, ...be16(type), ...payload])) ?? false;
  }
  sendIp(
    destination: string,
    protocol: number,
    payload: readonly number[],
    { mac = GATEWAY_MAC, source = this.address, fragment = 0x4000 } = {},
  ): boolean {
    const head = (sum: number): number[] => [
      0x45,
      0,
      ...be16(20 + payload.length),
      0,
      7,
      ...be16(fragment),
      64,
      protocol,
      ...be16(sum),
      ...ip(source),
      ...ip(destination),
    ];
    return this.send(mac, 0x0800, [...head(referenceSum(head(0))), ...payload]);
  }
  sendUdp(
    destination: string,
    [sourcePort, destinationPort]: readonly [number, number],
    data: readonly number[],
    options: { mac?: number[]; source?: string } = {},
  ): boolean {
    const length = be16(8 + data.length);
    const pseudo = [...ip(options.source ?? this.address), ...ip(destination), 0, 17, ...length];
    const head = (sum: number): number[] => [
      ...be16(sourcePort),
      ...be16(destinationPort),
      ...length,
      ...be16(sum),
    ];
    return this.sendIp(destination, 17, [...head(referenceSum(pseudo, head(0), data)), ...data], options);
  }

  /** Sends a segment; `flags` by their first letters, as tcpdump has them (`S`, `.`, `P`, `F`, `R`). */
  sendTcp(
    [guestPort, hostPort]: readonly [number, number],
    segment: { seq: number; ack?: number; flags: string; window?: number; data?: string; options?: number[] },
    destination = '10.0.2.2',
  ): boolean {
    const { seq, ack = 0, flags, window = 65535, data = '', options = [] } = segment;
    const bits = [...flags].reduce((all, flag) => all | (1 << 'FSRP.'.indexOf(flag)), 0);
    const head = (sum: number): number[] => [
      ...be16(guestPort),
      ...be16(hostPort),
      ...be32(seq),
      ...be32(ack),
      ((20 + options.length) / 4) << 4,
      bits,
      ...be16(window),
      ...be16(sum),
      0,
      0,
      ...options,
    ];
    const body = Array.from(data, (char) => char.charCodeAt(0));
    const pseudo = [...ip(this.address), ...ip(destination), 0, 6];
    const sum = referenceSum([...pseudo, ...be16(head(0).length + body.length)], head(0), body);
    return this.sendIp(destination, 6, [...head(sum), ...body]);
  }

  /** The oldest frame not looked at: addresses, type, payload. */
  frame(): { to: number[]; from: number[]; type: number; payload: number[] } | undefined {
    const bytes = this.frames.shift();
    if (bytes === undefined) return undefined;
    if (bytes.length < 60) throw new Error(`a frame of ${bytes.length} bytes`);
    const type = ((bytes[12] as number) << 8) | (bytes[13] as number);
    return { to: bytes.slice(0, 6), from: bytes.slice(6, 12), type, payload: bytes.slice(14) };
  }

  /** The oldest packet, checked. */
  packet(): { source: string; destination: string; protocol: number; payload: number[] } | undefined {
    const frame = this.frame();
    if (frame === undefined) return undefined;
    if (frame.type !== 0x0800) throw new Error('not IPv4');
    const { payload: bytes } = frame;
    if (referenceSum(bytes.slice(0, 20)) !== 0) throw new Error('wrong IP checksum');
    const total = ((bytes[2] as number) << 8) | (bytes[3] as number);
    const source = bytes.slice(12, 16);
    const destination = bytes.slice(16, 20);
    const protocol = bytes[9] as number;
    const payload = bytes.slice(20, total);
    const pseudo = [...source, ...destination, 0, protocol, ...be16(payload.length)];
    if (referenceSum(...(protocol === 1 ? [payload] : [pseudo, payload])) !== 0) {
      throw new Error(`wrong checksum in protocol ${protocol}`);
    }
    return { source: source.join('.'), destination: destination.join('.'), protocol, payload };
  }

  /** The oldest datagram's ports and data. */
  datagram(): { ports: [number, number]; data: number[]; destination: string } | undefined {
    const packet = this.packet();
    if (packet === undefined) return undefined;
    const view = new DataView(Uint8Array.from(packet.payload).buffer);
    return {
      ports: [view.getUint16(0), view.getUint16(2)],
      data: packet.payload.slice(8),
      destination: packet.destination,
    };
  }

  segment(): Segment | undefined {
    const packet = this.packet();
    if (packet === undefined) return undefined;
    if (packet.protocol !== 6) throw new Error(`protocol ${packet.protocol}, not TCP`);
    const bytes = Uint8Array.from(packet.payload);
    const view = new DataView(bytes.buffer);
    const bits = view.getUint8(13);
    const body = bytes.subarray((view.getUint8(12) >> 4) * 4);
    return {
      seq: view.getUint32(4),
      ack: view.getUint32(8),
      flags: [...'FSRP.'].filter((_, bit) => (bits & (1 << bit)) !== 0).join(''),
      window: view.getUint16(14),
      data: String.fromCharCode(...body),
      bytes: body,
    };
  }
}

/** The guest's end of a connection that acknowledges what is in order, and nothing else. */
export class FakeConnection {
  readonly guest: FakeGuest;
  readonly ports: readonly [number, number];
  seq: number;
  ack = 0;
  window = 65535;
  received = '';
  ended = false;

  constructor(guest: FakeGuest, hostPort: number, guestPort = 40_000, seq = 0xffff_fff0) {
    this.guest = guest;
    this.ports = [guestPort, hostPort];
    this.seq = seq;
  }
  /** Three-way handshake; returns the SYN-ACK. */
  open(options: number[] = [2, 4, 0x05, 0xb4]): Segment | undefined {
    this.guest.sendTcp(this.ports, { seq: this.seq, flags: 'S', window: this.window, options });
    const answer = this.guest.segment();
    this.seq = (this.seq + 1) >>> 0;
    this.ack = ((answer?.seq ?? 0) + 1) >>> 0;
    if (answer?.flags === 'S.') this.#acknowledge();
    return answer;
  }
  #acknowledge(flags = '.'): void {
    const { seq, ack, window } = this;
    this.guest.sendTcp(this.ports, { seq, ack, flags, window });
  }
  send(data: string): void {
    const { seq, ack, window } = this;
    this.guest.sendTcp(this.ports, { seq, ack, flags: 'P.', window, data });
    this.seq = (this.seq + data.length) >>> 0;
  }
  close(): void {
    this.#acknowledge('F.');
    this.seq = (this.seq + 1) >>> 0;
  }
  /** Takes everything that has come, acknowledging each segment, until nothing more comes; how many there were. */
  run(limit = 10_000): number {
    for (let count = 0; count < limit; count++) {
      const segment = this.guest.segment();
      if (segment === undefined) return count;
      if (segment.seq !== this.ack) {
        this.#acknowledge();
        continue;
      }
      this.received += segment.data;
      this.ack = (this.ack + segment.bytes.length + (segment.flags.includes('F') ? 1 : 0)) >>> 0;
      this.ended ||= segment.flags.includes('F');
      if (segment.bytes.length > 0 || segment.flags.includes('F')) this.#acknowledge();
    }
    return limit;
  }
}

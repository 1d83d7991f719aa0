import { checksum, read16, sumWords, write16 } from './bytes.ts';
import { type Ipv4Packet, PROTOCOL_UDP, pseudoHeaderSum } from './ipv4.ts';

const HEADER_BYTES = 8;

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

/** The datagram in an IPv4 packet; undefined if it is damaged. */
export function parseUdp(packet: Ipv4Packet): UdpDatagram | undefined {
  const { payload } = packet;
  const length = read16(payload, 4);
  if (length < HEADER_BYTES || length > payload.length) return undefined;
  const datagram = payload.subarray(0, length);
  // A checksum of 0 says that there is none.
  if (read16(datagram, 6) !== 0 && checksum(sumWords(datagram, pseudoHeaderSum(packet, length))) !== 0) {
    return undefined;
  }
  return {
    sourcePort: read16(datagram, 0),
    destinationPort: read16(datagram, 2),
    payload: datagram.subarray(HEADER_BYTES),
  };
}

/** The payload of an IPv4 packet that carries a datagram. */
export function udpPayload(
  { source, destination }: Pick<Ipv4Packet, 'source' | 'destination'>,
  datagram: UdpDatagram,
): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + datagram.payload.length);
  write16(bytes, 0, datagram.sourcePort);
  write16(bytes, 2, datagram.destinationPort);
  write16(bytes, 4, bytes.length);
  bytes.set(datagram.payload, HEADER_BYTES);
  const sum = pseudoHeaderSum({ source, destination, protocol: PROTOCOL_UDP }, bytes.length);
  // A sum that comes out as 0 is sent as its other zero.
  write16(bytes, 6, checksum(sumWords(bytes, sum)) || 0xffff);
  return bytes;
}

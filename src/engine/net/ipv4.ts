import type { Ipv4Address } from './address.ts';
import { checksum, read16, read32, sumWords, write16, write32 } from './bytes.ts';

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
const HEADER_BYTES = 20;
const TTL = 64;
const MORE_FRAGMENTS_OR_OFFSET = 0x3fff;

export interface Ipv4Packet {
  readonly source: Ipv4Address;
  readonly destination: Ipv4Address;
  readonly protocol: number;
  /** A view, without the padding of a short frame. */
  readonly payload: Uint8Array;
}

/** Undefined: damaged, or a fragment, which we do not put together. Options are skipped. */
export function parseIpv4(packet: Uint8Array): Ipv4Packet | undefined {
  if (packet.length < HEADER_BYTES || (packet[0] as number) >> 4 !== 4) return undefined;
  const headerBytes = ((packet[0] as number) & 15) * 4;
  const total = read16(packet, 2);
  if (headerBytes < HEADER_BYTES || total < headerBytes || total > packet.length) return undefined;
  if (checksum(sumWords(packet.subarray(0, headerBytes))) !== 0) return undefined;
  if ((read16(packet, 6) & MORE_FRAGMENTS_OR_OFFSET) !== 0) return undefined;
  return {
    source: read32(packet, 12),
    destination: read32(packet, 16),
    protocol: packet[9] as number,
    payload: packet.subarray(headerBytes, total),
  };
}

export function ipv4Packet(packet: Ipv4Packet): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + packet.payload.length);
  bytes[0] = 0x45;
  write16(bytes, 2, bytes.length);
  write16(bytes, 6, 0x4000); // don't fragment: then the identification may be 0
  bytes[8] = TTL;
  bytes[9] = packet.protocol;
  write32(bytes, 12, packet.source);
  write32(bytes, 16, packet.destination);
  write16(bytes, 10, checksum(sumWords(bytes.subarray(0, HEADER_BYTES))));
  bytes.set(packet.payload, HEADER_BYTES);
  return bytes;
}

/** The sum of what TCP and UDP check beside their own bytes: addresses, protocol, length. */
export const pseudoHeaderSum = (
  { source, destination, protocol }: Omit<Ipv4Packet, 'payload'>,
  bytes: number,
): number =>
  (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + bytes;

import type { Ipv4Address, MacAddress } from './address.ts';
import { read16, read32, read48, write16, write32, write48 } from './bytes.ts';

export const ARP_REQUEST = 1;
export const ARP_REPLY = 2;
const ARP_BYTES = 28;

/** An ARP packet for IPv4 on Ethernet (RFC 826). */
export interface ArpPacket {
  readonly operation: number;
  readonly senderMac: MacAddress;
  readonly senderIp: Ipv4Address;
  readonly targetMac: MacAddress;
  readonly targetIp: Ipv4Address;
}

export function parseArp(packet: Uint8Array): ArpPacket | undefined {
  // Hardware type Ethernet, protocol type IPv4, lengths 6 and 4.
  if (packet.length < ARP_BYTES || read48(packet, 0) !== 0x0001_0800_0604) return undefined;
  return {
    operation: read16(packet, 6),
    senderMac: read48(packet, 8),
    senderIp: read32(packet, 14),
    targetMac: read48(packet, 18),
    targetIp: read32(packet, 24),
  };
}

export function arpPacket(arp: ArpPacket): Uint8Array {
  const bytes = new Uint8Array(ARP_BYTES);
  write48(bytes, 0, 0x0001_0800_0604);
  write16(bytes, 6, arp.operation);
  write48(bytes, 8, arp.senderMac);
  write32(bytes, 14, arp.senderIp);
  write48(bytes, 18, arp.targetMac);
  write32(bytes, 24, arp.targetIp);
  return bytes;
}

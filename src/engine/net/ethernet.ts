import { type MacAddress, isMulticast } from './address.ts';
import { read16, read48, write16, write48 } from './bytes.ts';
import { NET_FRAME_MIN } from './net-backend.ts';

export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_ARP = 0x0806;
/** Shorter frames are padded, as a wire wants them. */
const ETHERNET_MIN = 60;

export interface EthernetFrame {
  readonly destination: MacAddress;
  readonly source: MacAddress;
  readonly etherType: number;
  /** A view, padding included. */
  readonly payload: Uint8Array;
}

/** Undefined: no frame a station would have sent. */
export function parseEthernet(frame: Uint8Array): EthernetFrame | undefined {
  if (frame.length < NET_FRAME_MIN) return undefined;
  const source = read48(frame, 6);
  if (source === 0 || isMulticast(source)) return undefined;
  return {
    destination: read48(frame, 0),
    source,
    etherType: read16(frame, 12),
    payload: frame.subarray(NET_FRAME_MIN),
  };
}

export function ethernetFrame(frame: EthernetFrame): Uint8Array {
  const bytes = new Uint8Array(Math.max(ETHERNET_MIN, NET_FRAME_MIN + frame.payload.length));
  write48(bytes, 0, frame.destination);
  write48(bytes, 6, frame.source);
  write16(bytes, 12, frame.etherType);
  bytes.set(frame.payload, NET_FRAME_MIN);
  return bytes;
}

import { checksum, read16, read32, sumWords, write16, write32 } from './bytes.ts';
import { type Ipv4Packet, PROTOCOL_TCP, pseudoHeaderSum } from './ipv4.ts';

export const TCP_FIN = 1;
export const TCP_SYN = 2;
export const TCP_RST = 4;
export const TCP_PSH = 8;
export const TCP_ACK = 16;
const HEADER_BYTES = 20;
const OPTION_END = 0;
const OPTION_NOP = 1;
const OPTION_MSS = 2;
const OPTION_WINDOW_SCALE = 3;
/** RFC 7323: a greater shift counts as this one. */
const WINDOW_SCALE_MAX = 14;

export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly window: number;
  /** Options of a SYN. */
  readonly mss?: number | undefined;
  readonly windowScale?: number | undefined;
  readonly payload: Uint8Array;
}

/** The segment in an IPv4 packet; undefined if it is damaged. */
export function parseTcp(packet: Ipv4Packet): TcpSegment | undefined {
  const { payload: bytes } = packet;
  const headerBytes = ((bytes[12] ?? 0) >> 4) * 4;
  if (headerBytes < HEADER_BYTES || headerBytes > bytes.length) return undefined;
  if (checksum(sumWords(bytes, pseudoHeaderSum(packet, bytes.length))) !== 0) return undefined;
  const flags = (bytes[13] as number) & 0x3f;
  return {
    sourcePort: read16(bytes, 0),
    destinationPort: read16(bytes, 2),
    sequence: read32(bytes, 4),
    acknowledgment: read32(bytes, 8),
    flags,
    window: read16(bytes, 14),
    ...((flags & TCP_SYN) === 0 ? {} : synOptions(bytes.subarray(HEADER_BYTES, headerBytes))),
    payload: bytes.subarray(headerBytes),
  };
}

function synOptions(options: Uint8Array): Pick<TcpSegment, 'mss' | 'windowScale'> {
  let mss: number | undefined;
  let windowScale: number | undefined;
  for (let at = 0; at < options.length; ) {
    const kind = options[at] as number;
    if (kind === OPTION_END) break;
    if (kind === OPTION_NOP) {
      at += 1;
      continue;
    }
    const length = options[at + 1] ?? 0;
    if (length < 2 || at + length > options.length) break;
    if (kind === OPTION_MSS && length === 4) mss = read16(options, at + 2);
    if (kind === OPTION_WINDOW_SCALE && length === 3)
      windowScale = Math.min(WINDOW_SCALE_MAX, options[at + 2] as number);
    at += length;
  }
  return { mss, windowScale };
}

/** The payload of an IPv4 packet that carries a segment. */
export function tcpPayload(
  { source, destination }: Pick<Ipv4Packet, 'source' | 'destination'>,
  segment: TcpSegment,
): Uint8Array {
  const options = [
    ...(segment.mss === undefined ? [] : [OPTION_MSS, 4, segment.mss >> 8, segment.mss & 255]),
    ...(segment.windowScale === undefined ? [] : [OPTION_NOP, OPTION_WINDOW_SCALE, 3, segment.windowScale]),
  ];
  const headerBytes = HEADER_BYTES + options.length;
  const bytes = new Uint8Array(headerBytes + segment.payload.length);
  write16(bytes, 0, segment.sourcePort);
  write16(bytes, 2, segment.destinationPort);
  write32(bytes, 4, segment.sequence);
  write32(bytes, 8, segment.acknowledgment);
  bytes[12] = (headerBytes / 4) << 4;
  bytes[13] = segment.flags;
  write16(bytes, 14, segment.window);
  bytes.set(options, HEADER_BYTES);
  bytes.set(segment.payload, headerBytes);
  const sum = pseudoHeaderSum({ source, destination, protocol: PROTOCOL_TCP }, bytes.length);
  write16(bytes, 16, checksum(sumWords(bytes, sum)));
  return bytes;
}

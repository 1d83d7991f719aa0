import { checksum, sumWords, write16 } from './bytes.ts';
import type { Ipv4Packet } from './ipv4.ts';
import { ipv4Packet } from './ipv4.ts';

const ECHO_REPLY = 0;
const DESTINATION_UNREACHABLE = 3;
const ECHO_REQUEST = 8;
const HEADER_BYTES = 8;
/** RFC 792: an error carries the packet's header and 8 bytes of what it carried. */
const QUOTED_BYTES = 28;

export const UNREACHABLE_NETWORK = 0;
export const UNREACHABLE_PORT = 3;

/** The reply to an echo request; undefined for other messages and damaged ones. */
export function echoReply(message: Uint8Array): Uint8Array | undefined {
  if (message.length < HEADER_BYTES || message[0] !== ECHO_REQUEST || message[1] !== 0) return undefined;
  if (checksum(sumWords(message)) !== 0) return undefined;
  const reply = message.slice();
  reply[0] = ECHO_REPLY;
  write16(reply, 2, 0);
  write16(reply, 2, checksum(sumWords(reply)));
  return reply;
}

/** Says that a packet can't be delivered, and quotes it. */
export function destinationUnreachable(code: number, packet: Ipv4Packet): Uint8Array {
  const quoted = ipv4Packet(packet).subarray(0, QUOTED_BYTES);
  const message = new Uint8Array(HEADER_BYTES + quoted.length);
  message[0] = DESTINATION_UNREACHABLE;
  message[1] = code;
  message.set(quoted, HEADER_BYTES);
  write16(message, 2, checksum(sumWords(message)));
  return message;
}

import type { Ipv4Address } from '../address.ts';
import { read16, write16, write32 } from '../bytes.ts';
import type { UserNetConfig } from './config.ts';

export const DNS_PORT = 53;
const HEADER_BYTES = 12;
const NAME_BYTES_MAX = 255;
const LABEL_BYTES_MAX = 63;
const TYPE_A = 1;
const CLASS_IN = 1;
const FLAG_RESPONSE = 0x8000;
const FLAG_AUTHORITATIVE = 0x0400;
const FLAG_RECURSION_AVAILABLE = 0x0080;
/** What an answer keeps of the question's flags: opcode and "recursion desired". */
const KEPT_FLAGS = 0x7900;
const OPCODE = 0x7800;
const NOERROR = 0;
const FORMERR = 1;
const NXDOMAIN = 3;
const NOTIMP = 4;
const TTL_SECONDS = 60;
/** A name given as a pointer to the question. */
const POINTER_TO_QUESTION = 0xc000 | HEADER_BYTES;

/** The names this network knows; there is no way to ask the world outside. */
function lookUp(name: string, config: UserNetConfig): Ipv4Address | undefined {
  switch (name) {
    case 'host':
    case 'gateway':
      return config.host;
    case 'nameserver':
    case 'dns':
      return config.dns;
    default:
      return undefined;
  }
}

/** Answers a query (RFC 1035); undefined if it is none. */
export function dnsReply(query: Uint8Array, config: UserNetConfig): Uint8Array | undefined {
  if (query.length < HEADER_BYTES || (read16(query, 2) & FLAG_RESPONSE) !== 0) return undefined;
  if ((read16(query, 2) & OPCODE) !== 0) return answer(query, HEADER_BYTES, NOTIMP, undefined);
  const question = read16(query, 4) === 1 ? readName(query) : undefined;
  if (question === undefined || question.end + 4 > query.length) {
    return answer(query, HEADER_BYTES, FORMERR, undefined);
  }
  const end = question.end + 4;
  const address = lookUp(question.name, config);
  if (address === undefined) return answer(query, end, NXDOMAIN, undefined);
  const isAddress = read16(query, question.end) === TYPE_A && read16(query, question.end + 2) === CLASS_IN;
  // A name that exists has no other records: an empty answer without an error.
  return answer(query, end, NOERROR, isAddress ? address : undefined);
}

function readName(query: Uint8Array): { readonly name: string; readonly end: number } | undefined {
  const labels: string[] = [];
  for (let at = HEADER_BYTES; at < query.length && at < HEADER_BYTES + NAME_BYTES_MAX; ) {
    const length = query[at] as number;
    if (length === 0) return { name: labels.join('.').toLowerCase(), end: at + 1 };
    // A question has nothing before it to point to.
    if (length > LABEL_BYTES_MAX || at + 1 + length > query.length) return undefined;
    labels.push(String.fromCharCode(...query.subarray(at + 1, at + 1 + length)));
    at += 1 + length;
  }
  return undefined;
}

/** @param end of the question, which is given back; behind the header: none is */
function answer(query: Uint8Array, end: number, code: number, address: Ipv4Address | undefined): Uint8Array {
  const reply = new Uint8Array(end + (address === undefined ? 0 : 16));
  reply.set(query.subarray(0, end));
  const flags = FLAG_RESPONSE | FLAG_AUTHORITATIVE | FLAG_RECURSION_AVAILABLE;
  write16(reply, 2, flags | (read16(query, 2) & KEPT_FLAGS) | code);
  write16(reply, 4, end > HEADER_BYTES ? 1 : 0);
  write16(reply, 6, address === undefined ? 0 : 1);
  write32(reply, 8, 0); // no further sections
  if (address === undefined) return reply;
  write16(reply, end, POINTER_TO_QUESTION);
  write16(reply, end + 2, TYPE_A);
  write16(reply, end + 4, CLASS_IN);
  write32(reply, end + 6, TTL_SECONDS);
  write16(reply, end + 10, 4);
  write32(reply, end + 12, address);
  return reply;
}

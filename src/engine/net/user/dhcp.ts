import { IPV4_BROADCAST, type Ipv4Address, type MacAddress } from '../address.ts';
import { ascii, read16, read32, read48, write16, write32 } from '../bytes.ts';
import type { UserNetConfig } from './config.ts';

export const DHCP_SERVER_PORT = 67;
export const DHCP_CLIENT_PORT = 68;

const BOOTREQUEST = 1;
const BOOTREPLY = 2;
const FLAG_BROADCAST = 0x8000;
/** RFC 2131: everything up to the options; they begin behind the cookie. */
const COOKIE_AT = 236;
const COOKIE = 0x63825363;
const OPTIONS_AT = 240;
/** Shortest message old clients accept. */
const MESSAGE_MIN = 300;
const DISCOVER = 1;
const OFFER = 2;
const REQUEST = 3;
const ACK = 5;
const NAK = 6;
const INFORM = 8;
const LEASE_SECONDS = 86_400;
/** Guests that get an address at once. */
export const LEASES_MAX = 16;

const OPTION = {
  pad: 0,
  netmask: 1,
  router: 3,
  dns: 6,
  hostname: 12,
  requestedAddress: 50,
  leaseTime: 51,
  messageType: 53,
  serverId: 54,
  end: 255,
} as const;

/** Who has which address: the place in the list, counted from `dhcpStart`. Plain data. */
export type Leases = MacAddress[];

export interface DhcpReply {
  readonly destination: Ipv4Address;
  readonly message: Uint8Array;
}

/** Answers a client's message; undefined if it is none, or not for us. */
export function dhcpReply(request: Uint8Array, config: UserNetConfig, leases: Leases): DhcpReply | undefined {
  // Ethernet addresses, of 6 bytes.
  if (request.length < OPTIONS_AT || request[0] !== BOOTREQUEST || read16(request, 1) !== 0x0106) {
    return undefined;
  }
  if (read32(request, COOKIE_AT) !== COOKIE) return undefined;
  const options = readOptions(request.subarray(OPTIONS_AT));
  const type = options.get(OPTION.messageType)?.[0];
  const server = options.get(OPTION.serverId);
  if (server !== undefined && read32(server, 0) !== config.host) return undefined;
  const mac = read48(request, 28);
  const clientAddress = read32(request, 12);
  const broadcast = (read16(request, 10) & FLAG_BROADCAST) !== 0;
  const destination = broadcast || clientAddress === 0 ? IPV4_BROADCAST : clientAddress;
  if (type === INFORM) {
    return { destination: clientAddress, message: reply(request, config, ACK, 0) };
  }
  if (type !== DISCOVER && type !== REQUEST) return undefined;
  const address = lease(mac, config, leases);
  if (type === DISCOVER) {
    return address === undefined
      ? undefined
      : { destination, message: reply(request, config, OFFER, address) };
  }
  const requested = options.get(OPTION.requestedAddress);
  const wanted = requested === undefined ? clientAddress : read32(requested, 0);
  return wanted === address
    ? { destination, message: reply(request, config, ACK, address) }
    : { destination: IPV4_BROADCAST, message: reply(request, config, NAK, 0) };
}

/** The client's address: the one it had, or a new one. Undefined: all are given out. */
function lease(mac: MacAddress, config: UserNetConfig, leases: Leases): Ipv4Address | undefined {
  if (!leases.includes(mac)) {
    const next = config.dhcpStart + leases.length;
    const inside = (next & config.netmask) >>> 0 === config.network && ~(next | config.netmask) !== 0;
    if (leases.length === LEASES_MAX || !inside || next === config.host || next === config.dns) {
      return undefined;
    }
    leases.push(mac);
  }
  return config.dhcpStart + leases.indexOf(mac);
}

function readOptions(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length; ) {
    const code = bytes[at] as number;
    if (code === OPTION.end) break;
    if (code === OPTION.pad) {
      at += 1;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (at + 2 + length > bytes.length) break;
    options.set(code, bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return options;
}

function reply(request: Uint8Array, config: UserNetConfig, type: number, address: Ipv4Address): Uint8Array {
  const options: number[] = [];
  const option = (code: number, bytes: ArrayLike<number>): void =>
    void options.push(code, bytes.length, ...Array.from(bytes));
  const word = (value: number): Uint8Array => {
    const bytes = new Uint8Array(4);
    write32(bytes, 0, value);
    return bytes;
  };
  option(OPTION.messageType, [type]);
  option(OPTION.serverId, word(config.host));
  if (type !== NAK) {
    if (address !== 0) option(OPTION.leaseTime, word(LEASE_SECONDS));
    option(OPTION.netmask, word(config.netmask));
    option(OPTION.router, word(config.host));
    option(OPTION.dns, word(config.dns));
    if (config.hostname !== undefined) option(OPTION.hostname, ascii(config.hostname.slice(0, 255)));
  }
  options.push(OPTION.end);
  const message = new Uint8Array(Math.max(MESSAGE_MIN, OPTIONS_AT + options.length));
  // Transaction, flags, client address, relay and hardware address are the client's own.
  message.set(request.subarray(0, 44));
  message[0] = BOOTREPLY;
  message[3] = 0; // hops
  write16(message, 8, 0); // seconds
  write32(message, 16, address); // yiaddr
  write32(message, 20, config.host); // siaddr
  write32(message, COOKIE_AT, COOKIE);
  message.set(options, OPTIONS_AT);
  return message;
}

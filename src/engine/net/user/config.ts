import { type Result, ok, userError } from '../../base/result.ts';
import { type Ipv4Address, type MacAddress, formatIpv4Address, parseIpv4Address } from '../address.ts';

/** The guest network of a `-netdev user`; plain data. */
export interface UserNetConfig {
  readonly network: Ipv4Address;
  readonly netmask: Ipv4Address;
  /** The gateway, where the built-in services are. */
  readonly host: Ipv4Address;
  readonly dns: Ipv4Address;
  /** First address the DHCP server gives out. */
  readonly dhcpStart: Ipv4Address;
  /** Name the DHCP server gives to a guest. */
  readonly hostname: string | undefined;
}

/** What the user wrote; undefined: QEMU's default (10.0.2.0/24, .2, .3, .15). */
export interface UserNetOptions {
  readonly net: string | undefined;
  readonly host: string | undefined;
  readonly dns: string | undefined;
  readonly dhcpStart: string | undefined;
  readonly hostname: string | undefined;
}

/** Reads the options of a `-netdev user`. Every address must be in the network, and no two the same. */
export function userNetConfig(options: UserNetOptions): Result<UserNetConfig> {
  const [networkText = '', prefixText] = (options.net ?? '10.0.2.0/24').split('/');
  const address = parseIpv4Address(networkText);
  const prefix = prefixText === undefined ? 24 : Number(prefixText);
  if (address === undefined || !Number.isInteger(prefix) || prefix < 4 || prefix > 28) {
    return userError(`net=${options.net} is not an IPv4 network`, {
      hint: 'For example net=10.0.2.0/24, with a prefix from 4 to 28.',
    });
  }
  const netmask = (0xffffffff << (32 - prefix)) >>> 0;
  const network = (address & netmask) >>> 0;
  const broadcast = (network | ~netmask) >>> 0;
  const found: Ipv4Address[] = [];
  for (const [name, text, host] of [
    ['host', options.host, 2],
    ['dns', options.dns, 3],
    ['dhcpstart', options.dhcpStart, prefix > 27 ? 4 : 15],
  ] as const) {
    const given = text === undefined ? network + host : parseIpv4Address(text);
    if (
      given === undefined ||
      (given & netmask) >>> 0 !== network ||
      given === network ||
      given === broadcast
    ) {
      return userError(`${name}=${text} is not an address in ${formatIpv4Address(network)}/${prefix}`);
    }
    if (found.includes(given)) return userError(`${name}=${formatIpv4Address(given)} is taken already`);
    found.push(given);
  }
  const [host, dns, dhcpStart] = found as [Ipv4Address, Ipv4Address, Ipv4Address];
  return ok({ network, netmask, host, dns, dhcpStart, hostname: options.hostname });
}

/** The MAC address of a station of ours: 52:55 and its IPv4 address, as QEMU has it. */
export const stationMac = (address: Ipv4Address): MacAddress => 0x5255 * 2 ** 32 + address;

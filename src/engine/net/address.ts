/** An IPv4 address as an unsigned number. */
export type Ipv4Address = number;
/** A MAC address as a number below 2^48. */
export type MacAddress = number;

export const MAC_BROADCAST: MacAddress = 0xffffffffffff;
export const IPV4_BROADCAST: Ipv4Address = 0xffffffff;

/** `10.0.2.2`; undefined if it is none. */
export function parseIpv4Address(text: string): Ipv4Address | undefined {
  const parts = text.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) {
    return undefined;
  }
  return parts.reduce((address, part) => address * 256 + part, 0);
}

export const formatIpv4Address = (address: Ipv4Address): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');

/** `52:54:00:12:34:56` to its six bytes; undefined if it is none. */
export function parseMacAddress(text: string): readonly number[] | undefined {
  const parts = text.split(/[:-]/);
  if (parts.length !== 6 || parts.some((part) => !/^[0-9a-fA-F]{2}$/.test(part))) return undefined;
  return parts.map((part) => Number.parseInt(part, 16));
}

export const formatMacAddress = (mac: MacAddress): string =>
  (mac.toString(16).padStart(12, '0').match(/../g) ?? []).join(':');

/** Addressed to several (the group bit): a station never sends from such an address. */
export const isMulticast = (mac: MacAddress): boolean => (Math.floor(mac / 2 ** 40) & 1) === 1;

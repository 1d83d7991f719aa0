import { bool, str, uint } from '../property.ts';
import { VIRTIO_NET } from '../types/device-types.ts';
import type { Arg, Bag } from './arg.ts';
import type { NetdevConfig, NicConfig } from './config.ts';
import { deviceType } from './object-options.ts';
import { possible } from './suggest.ts';

const OCTET = String.raw`(?:25[0-5]|2[0-4]\d|1?\d?\d)`;
const QUAD = String.raw`${OCTET}(?:\.${OCTET}){3}`;
const IPV4 = new RegExp(`^${QUAD}$`);
const NETWORK = new RegExp(String.raw`^${QUAD}(?:/(?:3[0-2]|[12]?\d))?$`);
const address = (description: string) =>
  str(description, { default: undefined, pattern: IPV4, what: 'an IPv4 address' });

export const NETDEV_TYPES = {
  user: {
    net: str('the guest network, e.g. 10.0.2.0/24', {
      default: undefined,
      pattern: NETWORK,
      what: 'an IPv4 network',
    }),
    host: address("the host's address in it"),
    dns: address("the name server's address in it"),
    dhcpstart: address('first address given out'),
    hostname: str('name given to the guest', { default: undefined }),
    restrict: bool('no way out of the guest network', { default: false }),
    ipv6: bool('accepted: IPv4 only', { default: false }),
  },
  hubport: {
    hubid: uint('number of the hub', { type: 'int', max: 2 ** 31 - 1, default: 0, required: true }),
  },
} as const;

/** `-netdev type,id=…`. */
export function readNetdev(bag: Bag, autoId?: string): NetdevConfig {
  const span = bag.valueSpan('type');
  const names = Object.keys(NETDEV_TYPES);
  const type = bag.string('type') ?? bag.arg.fail("Parameter 'type' is missing", possible('', names));
  const id = bag.id('id', autoId === undefined) ?? autoId ?? '';
  switch (type) {
    case 'user': {
      const hostfwd = bag.raw('hostfwd');
      const props = bag.table(NETDEV_TYPES.user, 'user');
      return {
        type,
        id,
        net: props.net,
        host: props.host,
        dns: props.dns,
        dhcpStart: props.dhcpstart,
        hostname: props.hostname,
        restrict: props.restrict ?? false,
        hostfwd: forwards(bag, hostfwd),
      };
    }
    case 'hubport':
      return { type, id, hubid: bag.table(NETDEV_TYPES.hubport, 'hubport').hubid ?? 0 };
    default:
      return bag.arg.fail(
        `Parameter 'type' does not accept value '${type}'`,
        ['tap', 'bridge', 'vde', 'socket', 'stream', 'passt'].includes(type)
          ? `A page can't open a ${type} network: use user (a user-mode network) or hubport (machines joined by a hub).`
          : possible(type, names),
        span,
      );
  }
}

function forwards(bag: Bag, raw: unknown): readonly string[] {
  const rules =
    raw === undefined
      ? []
      : typeof raw === 'string'
        ? [raw]
        : Array.isArray(raw)
          ? (raw as unknown[])
          : [raw];
  return rules.map((rule) => {
    if (typeof rule !== 'string' || !/^(tcp|udp)?:[^:]*:\d+-[^:]*:\d+$/.test(rule))
      return bag.fail('hostfwd', 'hostfwd expects [tcp|udp]:[hostaddr]:hostport-[guestaddr]:guestport');
    return rule;
  });
}

/** `-nic user,model=…,mac=…` or `-nic none`. */
export function readNic(arg: Arg, autoId: string): NicConfig {
  if (arg.text === 'none') return { kind: 'none' };
  const bag = arg.bag('type');
  const modelSpan = bag.valueSpan('model');
  const model = bag.string('model');
  const driver =
    model === undefined || model === 'virtio' ? 'virtio-net-device' : deviceType(arg, model, modelSpan);
  if (driver !== 'virtio-net-device')
    return arg.fail(`'${model}' is not a network card`, 'Use model=virtio-net-device.', modelSpan);
  const mac = bag.take('mac', VIRTIO_NET.properties.mac);
  return { kind: 'card', model: driver, mac, netdev: readNetdev(bag, autoId) };
}

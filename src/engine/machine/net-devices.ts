import { type Result, ok, userError } from '../base/result.ts';
import { parseMacAddress } from '../net/address.ts';
import { clearHubPort, type HubPorts, joinHub, leaveHub } from '../net/hub/hub-port.ts';
import { userNetConfig } from '../net/user/config.ts';
import type { DeviceSpec } from '../qom/machine-ops.ts';
import type { NetdevConfig } from '../qom/options/config.ts';
import { VIRTIO_NET_DEFAULTS, type VirtioNetConfig } from '../virtio/net/device.ts';
import type { ContextCore } from './context-core.ts';
import { hubPorts } from './hub-ports.ts';
import { MAX_HUB_PORTS } from './notifier-table.ts';
import type { NetPeer } from './queue-plan.ts';

export type NetSpec = Extract<DeviceSpec, { driver: 'virtio-net-device' }>;

/** The machine's netdevs, by id: what is behind its network cards. Main context. */
export class NetDevices {
  readonly #hubs: HubPorts;
  readonly #peers = new Map<string, NetPeer>();
  #macs = 0;

  constructor(core: ContextCore) {
    this.#hubs = hubPorts(core);
  }

  add(spec: NetdevConfig): Result<void> {
    const peer = this.#peer(spec);
    if (!peer.ok) return peer;
    this.#peers.set(spec.id, peer.value);
    return ok(undefined);
  }

  #peer(spec: NetdevConfig): Result<NetPeer> {
    const { id } = spec;
    switch (spec.type) {
      case 'user': {
        if (spec.hostfwd.length > 0) {
          return userError('hostfwd needs a socket to listen on, and a page has none', {
            hint: 'Leave hostfwd out.',
          });
        }
        const config = userNetConfig(spec);
        return config.ok ? ok({ type: 'user', id, config: config.value }) : config;
      }
      case 'hubport': {
        const port = joinHub(this.#hubs, spec.hubid);
        return port === undefined
          ? userError(`-netdev hubport,id=${id}: a machine has at most ${MAX_HUB_PORTS} ports on hubs`)
          : ok({ type: 'hubport', id, port });
      }
    }
  }

  remove(id: string): void {
    const peer = this.#peers.get(id);
    if (peer?.type === 'hubport') leaveHub(this.#hubs, peer.port);
    this.#peers.delete(id);
  }

  /** Machine reset: frames under way are gone. No card is served. */
  reset(): void {
    for (const peer of this.#peers.values()) if (peer.type === 'hubport') clearHubPort(this.#hubs, peer.port);
  }

  /** What a card is connected to; without a netdev, nothing. */
  peer(id: string | undefined): NetPeer {
    return (id === undefined ? undefined : this.#peers.get(id)) ?? { type: 'none', id: 'none' };
  }

  /** A card's options; its address is the next of QEMU's range if none was given. */
  card({ props }: NetSpec): Result<VirtioNetConfig> {
    const mac =
      props.mac === undefined
        ? VIRTIO_NET_DEFAULTS.mac.with(5, ((VIRTIO_NET_DEFAULTS.mac[5] as number) + this.#macs) & 255)
        : parseMacAddress(props.mac);
    if (mac === undefined || ((mac[0] as number) & 1) !== 0 || mac.every((byte) => byte === 0)) {
      return userError(`-device virtio-net: mac=${props.mac} is not the address of one station`, {
        hint: 'Its first byte is even, for example 52:54:00:12:34:56.',
      });
    }
    if (props.csum) {
      return userError('-device virtio-net: csum=on is not possible here: there are no offloads', {
        hint: 'Leave csum out.',
      });
    }
    if (props.mac === undefined) this.#macs += 1;
    return ok({
      mac,
      mtu: props.host_mtu,
      rxQueueSize: props.rx_queue_size,
      txQueueSize: props.tx_queue_size,
      status: props.status,
    });
  }
}

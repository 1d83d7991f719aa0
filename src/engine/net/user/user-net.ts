import type { AioLoop, AioTimer } from '../../qcontext/aio-interface.ts';
import {
  formatIpv4Address,
  formatMacAddress,
  IPV4_BROADCAST,
  MAC_BROADCAST,
  type Ipv4Address,
  type MacAddress,
} from '../address.ts';
import { ARP_REPLY, ARP_REQUEST, arpPacket, parseArp } from '../arp.ts';
import { ETHERTYPE_ARP, ETHERTYPE_IPV4, ethernetFrame, parseEthernet } from '../ethernet.ts';
import { destinationUnreachable, echoReply, UNREACHABLE_NETWORK, UNREACHABLE_PORT } from '../icmp.ts';
import {
  type Ipv4Packet,
  ipv4Packet,
  parseIpv4,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../ipv4.ts';
import type { NetBackend, NetFrontEnd } from '../net-backend.ts';
import { parseTcp, tcpPayload } from '../tcp-segment.ts';
import { parseUdp, udpPayload } from '../udp.ts';
import { stationMac, type UserNetConfig } from './config.ts';
import { DHCP_CLIENT_PORT, DHCP_SERVER_PORT, dhcpReply, type Leases } from './dhcp.ts';
import { DNS_PORT, dnsReply } from './dns.ts';
import { asciiOnly } from './services.ts';
import { type TcpConnection, TcpServer } from './tcp.ts';

/** Frames towards the guest that wait for its buffers, beyond which the guest has to wait with its own. */
const QUEUE_FRAMES = 128;
/** TCP makes no more segments while that many wait. */
const CROWDED_FRAMES = 32;
/** The timer looks again after at least this long: while the machine is stopped its clock stands. */
const TIMER_MIN_NS = 50e6;

/** All a user-mode network remembers; plain data, so that it can go on in another context. */
export interface UserNetState {
  readonly leases: Leases;
  readonly connections: TcpConnection[];
  /** Frames the guest had no buffer for. */
  readonly waiting: Uint8Array[];
  framesFromGuest: number;
  framesToGuest: number;
}
export const newUserNetState = (): UserNetState => ({
  leases: [],
  connections: [],
  waiting: [],
  framesFromGuest: 0,
  framesToGuest: 0,
});

export interface UserNetEnv {
  readonly aio: AioLoop;
  /** Time that stands while the machine is stopped, ns. */
  readonly nowNs: () => number;
  /** Name of the context it is in, for the status page. */
  readonly place: string;
}

/**
 * `-netdev user`: a network of its own for one guest, with a gateway (DHCP server, built-in services), a name
 * server and nothing beyond: a page has no sockets. Connections to the world are refused, not ignored.
 *
 * Bound to the loop's thread. To move it, disconnect the front end, `close` it, and make another from its state.
 */
export class UserNet implements NetBackend {
  readonly type = 'user';
  readonly id: string;
  readonly linkUp = true;
  readonly state: UserNetState;
  readonly #config: UserNetConfig;
  readonly #env: UserNetEnv;
  readonly #tcp: TcpServer;
  readonly #timer: AioTimer;
  #frontEnd: NetFrontEnd | null = null;
  /** A frame of the guest's was refused. */
  #refused = false;
  #delivering = false;

  constructor(id: string, config: UserNetConfig, state: UserNetState, env: UserNetEnv) {
    this.id = id;
    this.#config = config;
    this.state = state;
    this.#env = env;
    this.#timer = env.aio.timerNew(`${id}/tcp`, () => this.#timeout());
    this.#tcp = new TcpServer(
      {
        nowNs: env.nowNs,
        send: ({ guestMac, guestIp, hostIp }, segment) => {
          const peers = { source: hostIp, destination: guestIp };
          this.#sendIp(guestMac, { ...peers, protocol: PROTOCOL_TCP, payload: tcpPayload(peers, segment) });
        },
        crowded: () => state.waiting.length >= CROWDED_FRAMES,
        page: () => this.#page(),
      },
      state.connections,
    );
  }

  // NetBackend ------------------------------------------------------------------------------------------

  send(frame: Uint8Array): boolean {
    if (this.state.waiting.length >= QUEUE_FRAMES) {
      this.#refused = true;
      return false;
    }
    this.state.framesFromGuest += 1;
    this.#receive(frame);
    this.#deliver();
    this.#arm();
    return true;
  }

  setFrontEnd(frontEnd: NetFrontEnd | null): void {
    this.#frontEnd = frontEnd;
    this.#deliver();
    this.#arm();
  }

  acceptFrames(): void {
    this.#deliver();
    this.#arm();
  }

  close(): void {
    this.#frontEnd = null;
    this.#timer.del();
  }

  // towards the guest -----------------------------------------------------------------------------------

  /** Delivers what waits, and what TCP makes of the room. Frames made meanwhile join the end of the queue. */
  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    const { waiting } = this.state;
    for (;;) {
      const frame = waiting[0];
      if (frame === undefined) {
        this.#tcp.resume();
        if (waiting.length === 0) break;
        continue;
      }
      if (this.#frontEnd?.receive(frame) !== true) break;
      waiting.shift();
      this.state.framesToGuest += 1;
    }
    this.#delivering = false;
    if (!this.#refused || waiting.length >= QUEUE_FRAMES / 2) return;
    this.#refused = false;
    this.#frontEnd?.sendable();
  }

  #sendFrame(destination: MacAddress, source: Ipv4Address, etherType: number, payload: Uint8Array): void {
    this.state.waiting.push(ethernetFrame({ destination, source: stationMac(source), etherType, payload }));
  }

  #sendIp(mac: MacAddress, packet: Ipv4Packet): void {
    // What comes from outside the network comes by way of the gateway.
    const station = packet.source === this.#config.dns ? this.#config.dns : this.#config.host;
    this.#sendFrame(mac, station, ETHERTYPE_IPV4, ipv4Packet(packet));
  }

  // from the guest --------------------------------------------------------------------------------------

  #isOurs(address: Ipv4Address): boolean {
    return address === this.#config.host || address === this.#config.dns;
  }

  #receive(bytes: Uint8Array): void {
    const frame = parseEthernet(bytes);
    if (frame === undefined) return;
    const { host, dns } = this.#config;
    const forUs =
      frame.destination === MAC_BROADCAST ||
      frame.destination === stationMac(host) ||
      frame.destination === stationMac(dns);
    if (!forUs) return;
    if (frame.etherType === ETHERTYPE_ARP) this.#arp(frame.payload);
    if (frame.etherType !== ETHERTYPE_IPV4) return;
    const packet = parseIpv4(frame.payload);
    if (packet !== undefined) this.#ip(frame.source, packet);
  }

  #arp(payload: Uint8Array): void {
    const request = parseArp(payload);
    if (request?.operation !== ARP_REQUEST || !this.#isOurs(request.targetIp)) return;
    const reply = arpPacket({
      operation: ARP_REPLY,
      senderMac: stationMac(request.targetIp),
      senderIp: request.targetIp,
      targetMac: request.senderMac,
      targetIp: request.senderIp,
    });
    this.#sendFrame(request.senderMac, request.targetIp, ETHERTYPE_ARP, reply);
  }

  #ip(mac: MacAddress, packet: Ipv4Packet): void {
    const { netmask, network } = this.#config;
    const broadcast =
      packet.destination === IPV4_BROADCAST || packet.destination === (network | ~netmask) >>> 0;
    if (packet.protocol === PROTOCOL_UDP && (broadcast || this.#isOurs(packet.destination))) {
      this.#udp(mac, packet, broadcast);
      return;
    }
    // Multicast and broadcast beyond that are nobody's business, and errors are not answered to them.
    if (broadcast || packet.destination >>> 28 >= 14 || packet.source === 0) return;
    const inside = this.#isOurs(packet.destination);
    if (packet.protocol === PROTOCOL_TCP) {
      const segment = parseTcp(packet);
      if (segment === undefined) return;
      const peers = { guestMac: mac, guestIp: packet.source, hostIp: packet.destination };
      if (packet.destination === this.#config.host) this.#tcp.receive(peers, segment);
      else this.#tcp.refuse(peers, segment);
      return;
    }
    if (!inside) {
      this.#unreachable(mac, packet, UNREACHABLE_NETWORK);
      return;
    }
    const reply = packet.protocol === PROTOCOL_ICMP ? echoReply(packet.payload) : undefined;
    if (reply !== undefined) this.#answer(mac, packet, packet.destination, reply);
  }

  #udp(mac: MacAddress, packet: Ipv4Packet, broadcast: boolean): void {
    const datagram = parseUdp(packet);
    if (datagram === undefined) return;
    const { host, dns } = this.#config;
    if (datagram.destinationPort === DHCP_SERVER_PORT && packet.destination !== dns) {
      const reply = dhcpReply(datagram.payload, this.#config, this.state.leases);
      if (reply === undefined) return;
      const peers = { source: host, destination: reply.destination };
      const ports = { sourcePort: DHCP_SERVER_PORT, destinationPort: DHCP_CLIENT_PORT };
      const payload = udpPayload(peers, { ...ports, payload: reply.message });
      this.#sendIp(mac, { ...peers, protocol: PROTOCOL_UDP, payload });
      return;
    }
    if (broadcast) return;
    const answer =
      datagram.destinationPort === DNS_PORT && packet.destination === dns
        ? dnsReply(datagram.payload, this.#config)
        : undefined;
    if (answer === undefined) {
      this.#unreachable(mac, packet, UNREACHABLE_PORT);
      return;
    }
    const peers = { source: packet.destination, destination: packet.source };
    const payload = udpPayload(peers, {
      sourcePort: datagram.destinationPort,
      destinationPort: datagram.sourcePort,
      payload: answer,
    });
    this.#sendIp(mac, { ...peers, protocol: PROTOCOL_UDP, payload });
  }

  #unreachable(mac: MacAddress, packet: Ipv4Packet, code: number): void {
    // RFC 1122: no error about an ICMP error; an echo request may have one.
    if (packet.protocol === PROTOCOL_ICMP && packet.payload[0] !== 8) return;
    const from = this.#isOurs(packet.destination) ? packet.destination : this.#config.host;
    this.#answer(mac, packet, from, destinationUnreachable(code, packet));
  }

  #answer(mac: MacAddress, packet: Ipv4Packet, source: Ipv4Address, payload: Uint8Array): void {
    this.#sendIp(mac, { source, destination: packet.source, protocol: PROTOCOL_ICMP, payload });
  }

  // time ------------------------------------------------------------------------------------------------

  #timeout(): void {
    this.#tcp.timeout();
    this.#deliver();
    this.#arm();
  }

  #arm(): void {
    const { deadlineNs } = this.#tcp;
    if (deadlineNs === 0 || this.#frontEnd === null) {
      this.#timer.del();
      return;
    }
    const wait = Math.max(TIMER_MIN_NS, deadlineNs - this.#env.nowNs());
    const due = this.#env.aio.nowNs() + wait;
    // Moved only when it matters: each frame pushes the deadline on.
    if (!this.#timer.pending || this.#timer.expireNs > due) this.#timer.modNs(due);
  }

  #page(): string {
    const { leases, connections, framesFromGuest, framesToGuest } = this.state;
    const { host, dns, dhcpStart } = this.#config;
    return [
      'QContext Playground: the user-mode network of this machine',
      '',
      `netdev        ${this.id}`,
      `context       ${this.#env.place}`,
      `gateway       ${formatIpv4Address(host)}  echo 7, discard 9, chargen 19, http 80 (/, /bytes/N)`,
      `name server   ${formatIpv4Address(dns)}  knows gateway, host, dns, nameserver`,
      ...leases.map(
        (mac, i) => `lease         ${formatIpv4Address(dhcpStart + i)}  ${formatMacAddress(mac)}`,
      ),
      `connections   ${connections.length}`,
      `frames        ${framesFromGuest} from the guest, ${framesToGuest} to it`,
      '',
      'There is nothing beyond: a page has no sockets, so connections to the world are refused.',
      '',
    ]
      .map(asciiOnly)
      .join('\n');
  }
}

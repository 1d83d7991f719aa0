import type { Ipv4Address, MacAddress } from '../address.ts';
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN, type TcpSegment } from '../tcp-segment.ts';
import {
  serviceAcknowledged,
  serviceAt,
  serviceAvailable,
  serviceEnded,
  serviceRead,
  serviceReceive,
  serviceRoom,
  type ServiceState,
  type StatusPage,
} from './services.ts';

/** Connections of one network at once; more are refused. */
const CONNECTIONS_MAX = 64;
/** Payload of a segment on an Ethernet of 1500 bytes, and what a peer that says nothing takes (RFC 9293). */
const MSS = 1460;
const MSS_DEFAULT = 536;
const MSS_MIN = 64;
const NS_PER_S = 1e9;
const RTO_NS = 1 * NS_PER_S;
const RTO_MAX_NS = 16 * NS_PER_S;
const RETRIES_MAX = 8;
/** A connection on which nothing happens is forgotten. */
const IDLE_NS = 300 * NS_PER_S;

/** Who talks to whom; the guest's side first. */
export interface TcpPeers {
  readonly guestMac: MacAddress;
  readonly guestIp: Ipv4Address;
  readonly hostIp: Ipv4Address;
}

/**
 * One connection a guest has opened; plain data. Our stream is counted in bytes from 0; byte n has sequence
 * number `iss + 1 + n`, and our FIN is the byte behind the last.
 */
export interface TcpConnection extends TcpPeers {
  readonly guestPort: number;
  readonly hostPort: number;
  readonly service: ServiceState;
  readonly iss: number;
  readonly mss: number;
  /** Undefined: neither side scales its window. */
  readonly windowScale: number | undefined;
  /** Our SYN has been acknowledged. */
  established: boolean;
  /** First byte not acknowledged, next to send, and one behind the last ever sent. */
  una: number;
  next: number;
  sent: number;
  /** What the guest takes, in bytes from `una`. */
  window: number;
  /** Length of our stream, once nothing can follow. */
  end: number | undefined;
  /** Next sequence number we expect, and how much from there on the guest was told we take. */
  rcvNext: number;
  rcvWindow: number;
  /** The guest's FIN has come. */
  peerEnded: boolean;
  /** Host ns at which what is not acknowledged is sent again; 0: nothing is. */
  deadlineNs: number;
  retries: number;
  lastNs: number;
}

/** What the TCP server asks of the network it is in. */
export interface TcpEnv {
  nowNs(): number;
  send(peers: TcpPeers, segment: TcpSegment): void;
  /** Are there so many frames under way that no more should be made? */
  crowded(): boolean;
  readonly page: StatusPage;
}

/** Signed distance from `b` to `a` in sequence space. */
const distance = (a: number, b: number): number => (a - b) | 0;
const NO_BYTES = new Uint8Array(0);

/**
 * The TCP of the built-in services: connections are opened by the guest only (RFC 9293, passive open). The way
 * to the guest loses nothing, so there is no congestion control; what the guest drops itself is sent again
 * after a timeout, from the first missing byte on.
 *
 *  - T1 all that is known of a connection is in `connections`, which is plain data: it may go on elsewhere.
 *  - T2 a segment is taken only if it is the next in order; anything else is answered with what is expected.
 */
export class TcpServer {
  readonly #env: TcpEnv;
  readonly #connections: TcpConnection[];

  constructor(env: TcpEnv, connections: TcpConnection[]) {
    this.#env = env;
    this.#connections = connections;
  }

  /** A segment for one of the host's own addresses. */
  receive(peers: TcpPeers, segment: TcpSegment): void {
    const found = this.#connections.find(
      (each) =>
        each.guestIp === peers.guestIp &&
        each.hostIp === peers.hostIp &&
        each.guestPort === segment.sourcePort &&
        each.hostPort === segment.destinationPort,
    );
    if (found === undefined) this.#open(peers, segment);
    else this.#segment(found, segment);
  }

  /** Nobody is there: a reset, as RFC 9293 (3.10.7.1) wants it. */
  refuse(peers: TcpPeers, segment: TcpSegment): void {
    if ((segment.flags & TCP_RST) !== 0) return;
    const acked = (segment.flags & TCP_ACK) !== 0;
    this.#env.send(peers, {
      sourcePort: segment.destinationPort,
      destinationPort: segment.sourcePort,
      sequence: acked ? segment.acknowledgment : 0,
      acknowledgment: acked ? 0 : (segment.sequence + lengthOf(segment)) >>> 0,
      flags: acked ? TCP_RST : TCP_RST | TCP_ACK,
      window: 0,
      payload: NO_BYTES,
    });
  }

  #open(peers: TcpPeers, segment: TcpSegment): void {
    if ((segment.flags & (TCP_SYN | TCP_ACK | TCP_RST)) !== TCP_SYN) {
      this.refuse(peers, segment);
      return;
    }
    const service = serviceAt(segment.destinationPort);
    if (service === undefined || this.#connections.length >= CONNECTIONS_MAX) {
      this.refuse(peers, segment);
      return;
    }
    const nowNs = this.#env.nowNs();
    const { guestMac, guestIp, hostIp } = peers;
    const connection: TcpConnection = {
      guestMac,
      guestIp,
      hostIp,
      guestPort: segment.sourcePort,
      hostPort: segment.destinationPort,
      service,
      // RFC 9293 3.4.1: the number moves on every 4 µs.
      iss: Math.floor(nowNs / 4000) >>> 0,
      mss: Math.max(MSS_MIN, Math.min(MSS, segment.mss ?? MSS_DEFAULT)),
      windowScale: segment.windowScale,
      established: false,
      una: 0,
      next: 0,
      sent: 0,
      window: segment.window,
      end: undefined,
      rcvNext: (segment.sequence + 1) >>> 0,
      rcvWindow: 0,
      peerEnded: false,
      deadlineNs: nowNs + RTO_NS,
      retries: 0,
      lastNs: nowNs,
    };
    this.#connections.push(connection);
    this.#synAck(connection);
  }

  #segment(connection: TcpConnection, segment: TcpSegment): void {
    const nowNs = this.#env.nowNs();
    connection.lastNs = nowNs;
    const { flags } = segment;
    const offset = distance(segment.sequence, connection.rcvNext);
    if ((flags & TCP_RST) !== 0) {
      if (offset === 0) this.#forget(connection);
      return;
    }
    if ((flags & TCP_SYN) !== 0) {
      this.#again(connection, segment);
      return;
    }
    if ((flags & TCP_ACK) === 0 || !this.#acknowledge(connection, segment, nowNs)) return;
    const owed = this.#take(connection, segment, offset);
    this.#output(connection, owed);
    // Both sides have closed, and both know.
    const { end, una, peerEnded } = connection;
    if (peerEnded && end !== undefined && una > end) this.#forget(connection);
  }

  /** A SYN on a connection we know: the first one sent again, or a guest that has forgotten the old one. */
  #again(connection: TcpConnection, segment: TcpSegment): void {
    if (!connection.established && distance(segment.sequence + 1, connection.rcvNext) === 0) {
      this.#synAck(connection);
      return;
    }
    if (!connection.established || distance(segment.sequence, connection.rcvNext) > 0) {
      this.#forget(connection);
      this.#open(connection, segment);
      return;
    }
    this.#acknowledgment(connection); // RFC 5961
  }

  /** Looks at what the segment acknowledges; false if that makes no sense. */
  #acknowledge(connection: TcpConnection, segment: TcpSegment, nowNs: number): boolean {
    const first = connection.iss + 1 + connection.una;
    const acked = connection.una + distance(segment.acknowledgment, first);
    if (acked > connection.sent || (!connection.established && acked < 0)) {
      if (connection.established) this.#acknowledgment(connection);
      else this.refuse(connection, segment);
      return false;
    }
    connection.established = true;
    if (acked > connection.una || connection.retries > 0) {
      connection.retries = 0;
      connection.deadlineNs = acked < connection.sent ? nowNs + RTO_NS : 0;
    }
    if (acked >= connection.una) {
      connection.una = acked;
      connection.next = Math.max(connection.next, acked);
      connection.window = segment.window * 2 ** (connection.windowScale ?? 0);
      serviceAcknowledged(connection.service, Math.min(acked, serviceAvailable(connection.service)));
      if (acked === connection.sent) connection.deadlineNs = 0;
    }
    return true;
  }

  /** Takes what the segment carries, if it is next in order; true if there was something to acknowledge. */
  #take(connection: TcpConnection, segment: TcpSegment, offset: number): boolean {
    const length = lengthOf(segment);
    // A window probe or a keep-alive is behind what we have; what lies ahead comes again.
    if (length === 0) return offset !== 0;
    if (offset > 0 || offset + length <= 0) return true;
    const bytes = segment.payload.subarray(-offset);
    const room = serviceRoom(connection.service);
    const taken = bytes.subarray(0, room);
    if (!connection.peerEnded) serviceReceive(connection.service, taken, this.#env.page);
    connection.rcvNext = (connection.rcvNext + taken.length) >>> 0;
    if ((segment.flags & TCP_FIN) !== 0 && taken.length === bytes.length && !connection.peerEnded) {
      connection.rcvNext = (connection.rcvNext + 1) >>> 0;
      connection.peerEnded = true;
    }
    return true;
  }

  /** How long our stream is, as far as it is known. */
  #available(connection: TcpConnection): number {
    if (connection.end !== undefined) return connection.end;
    const available = serviceAvailable(connection.service);
    if (!serviceEnded(connection.service, connection.peerEnded)) return available;
    // A service without an end of its own ends with the guest: what it has not said yet it won't.
    connection.end = available === Infinity ? connection.sent : available;
    return connection.end;
  }

  /** Sends what the guest takes; at least an acknowledgment if one is owed. */
  #output(connection: TcpConnection, owed: boolean): void {
    if (!connection.established) return;
    const available = this.#available(connection);
    const edge = connection.una + connection.window;
    const room = serviceRoom(connection.service);
    let acknowledge = owed || (connection.rcvWindow < connection.mss && room >= 2 * connection.mss);
    while (!this.#env.crowded()) {
      const bytes = Math.max(
        0,
        Math.min(connection.mss, available - connection.next, edge - connection.next),
      );
      // The FIN is a byte of its own behind the last; it travels with the last segment or alone.
      const fin = connection.end !== undefined && connection.next + bytes === connection.end;
      if (bytes === 0 && !fin) break;
      this.#data(connection, bytes, fin);
      acknowledge = false;
    }
    if (acknowledge) this.#acknowledgment(connection);
    const waiting = connection.next < available || connection.una < connection.sent;
    if (waiting && connection.deadlineNs === 0) connection.deadlineNs = this.#env.nowNs() + RTO_NS;
  }

  #data(connection: TcpConnection, bytes: number, fin: boolean): void {
    const payload = new Uint8Array(bytes);
    serviceRead(connection.service, connection.next, payload);
    const flags = TCP_ACK | (bytes > 0 ? TCP_PSH : 0) | (fin ? TCP_FIN : 0);
    this.#send(connection, connection.next, flags, payload);
    connection.next += bytes + (fin ? 1 : 0);
    connection.sent = Math.max(connection.sent, connection.next);
  }

  #acknowledgment(connection: TcpConnection): void {
    this.#send(connection, connection.next, TCP_ACK, NO_BYTES);
  }

  #synAck(connection: TcpConnection): void {
    const scale = connection.windowScale === undefined ? {} : { windowScale: 0 };
    this.#send(connection, -1, TCP_SYN | TCP_ACK, NO_BYTES, { mss: MSS, ...scale });
  }

  #send(
    connection: TcpConnection,
    offset: number,
    flags: number,
    payload: Uint8Array,
    options: Pick<TcpSegment, 'mss' | 'windowScale'> = {},
  ): void {
    connection.rcvWindow = Math.min(0xffff, serviceRoom(connection.service));
    this.#env.send(connection, {
      sourcePort: connection.hostPort,
      destinationPort: connection.guestPort,
      sequence: (connection.iss + 1 + offset) >>> 0,
      acknowledgment: connection.rcvNext,
      flags,
      window: connection.rcvWindow,
      ...options,
      payload,
    });
  }

  /** Frames have left: connections that had to wait go on. */
  resume(): void {
    for (const connection of Array.from(this.#connections)) {
      if (this.#env.crowded()) return;
      this.#output(connection, false);
    }
  }

  /** When `timeout` is due, host ns; 0: nothing waits. */
  get deadlineNs(): number {
    let deadline = Infinity;
    for (const { deadlineNs, lastNs } of this.#connections) {
      deadline = Math.min(deadline, lastNs + IDLE_NS, deadlineNs === 0 ? Infinity : deadlineNs);
    }
    return deadline === Infinity ? 0 : deadline;
  }

  /** Sends again what has not been acknowledged in time, and gives up on who does not answer. */
  timeout(): void {
    const nowNs = this.#env.nowNs();
    for (const connection of Array.from(this.#connections)) {
      if (nowNs - connection.lastNs >= IDLE_NS) this.#forget(connection);
      else if (connection.deadlineNs !== 0 && connection.deadlineNs <= nowNs) this.#late(connection, nowNs);
    }
  }

  #late(connection: TcpConnection, nowNs: number): void {
    connection.retries += 1;
    if (connection.retries > RETRIES_MAX) {
      this.#send(connection, connection.next, TCP_RST | TCP_ACK, NO_BYTES);
      this.#forget(connection);
      return;
    }
    connection.deadlineNs = nowNs + Math.min(RTO_MAX_NS, RTO_NS * 2 ** connection.retries);
    if (!connection.established) {
      this.#synAck(connection);
      return;
    }
    connection.next = connection.una;
    // A window that is shut is tried with one byte: its opening may have been lost.
    if (connection.window === 0 && connection.next < this.#available(connection)) {
      this.#data(connection, 1, false);
    } else {
      this.#output(connection, false);
    }
  }

  #forget(connection: TcpConnection): void {
    const at = this.#connections.indexOf(connection);
    if (at >= 0) this.#connections.splice(at, 1);
  }
}

/** What a segment takes up in sequence space. */
const lengthOf = ({ flags, payload }: TcpSegment): number =>
  payload.length + ((flags & TCP_SYN) !== 0 ? 1 : 0) + ((flags & TCP_FIN) !== 0 ? 1 : 0);

import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../base/clock.ts';
import { TestLoop, TestNotifiers } from '../../block/testing/test-loop.ts';
import {
  be16,
  be32,
  BROADCAST_MAC,
  DNS_MAC,
  FakeConnection,
  FakeGuest,
  GATEWAY_MAC,
  GUEST_MAC,
  ip,
  referenceSum,
} from '../testing/fake-guest.ts';
import { userNetConfig, type UserNetOptions } from './config.ts';
import { newUserNetState, UserNet } from './user-net.ts';

const DEFAULTS: UserNetOptions = {
  net: undefined,
  host: undefined,
  dns: undefined,
  dhcpStart: undefined,
  hostname: undefined,
};

function network(options: Partial<UserNetOptions> = {}) {
  const clock = new VirtualClock(5e9);
  const loop = new TestLoop('ctx0/aio', clock, new TestNotifiers());
  const config = userNetConfig({ ...DEFAULTS, ...options });
  if (!config.ok) throw new Error(config.error.desc);
  const make = (state = newUserNetState()) =>
    new UserNet('n0', config.value, state, { aio: loop.aio, nowNs: () => clock.nowNs(), place: 'ctx0' });
  const guest = new FakeGuest();
  let net = make();
  guest.connect(net);
  return {
    clock,
    loop,
    guest,
    net: () => net,
    /** To another context: plain data, copied as a message between threads is. */
    move: () => {
      net.setFrontEnd(null);
      net.close();
      net = make(structuredClone(net.state));
      guest.connect(net);
    },
    pass: (seconds: number) => {
      clock.advance(seconds * 1e9);
      loop.run();
    },
  };
}

/** A DHCP message with these options, from a client with this address. */
function dhcp(options: readonly number[], { mac = GUEST_MAC, ciaddr = '0.0.0.0', flags = 0 } = {}): number[] {
  const head = [1, 1, 6, 0, ...be32(0x1234_5678), 0, 3, ...be16(flags), ...ip(ciaddr)];
  const rest = [...Array<number>(12).fill(0), ...mac, ...Array<number>(10 + 192).fill(0)];
  return [...head, ...rest, 0x63, 0x82, 0x53, 0x63, ...options, 255];
}
const DHCP_PORTS = [68, 67] as const;
const broadcast = { mac: BROADCAST_MAC, source: '0.0.0.0' };

describe('a user-mode network', () => {
  it('answers ARP for the gateway and the name server, and for nobody else', () => {
    const { guest } = network();
    const ask = (address: string) => [
      0,
      1,
      8,
      0,
      6,
      4,
      0,
      1,
      ...GUEST_MAC,
      ...ip('10.0.2.15'),
      0,
      0,
      0,
      0,
      0,
      0,
      ...ip(address),
    ];
    guest.send(BROADCAST_MAC, 0x0806, ask('10.0.2.2'));
    const reply = guest.frame();
    expect(reply?.from).toEqual(GATEWAY_MAC);
    expect(reply?.to).toEqual(GUEST_MAC);
    expect(reply?.payload.slice(6, 28)).toEqual([
      0,
      2,
      ...GATEWAY_MAC,
      ...ip('10.0.2.2'),
      ...GUEST_MAC,
      ...ip('10.0.2.15'),
    ]);
    guest.send(BROADCAST_MAC, 0x0806, ask('10.0.2.3'));
    expect(guest.frame()?.from).toEqual(DNS_MAC);
    guest.send(BROADCAST_MAC, 0x0806, ask('10.0.2.15'));
    guest.send(BROADCAST_MAC, 0x0806, ask('10.0.2.99'));
    expect(guest.frames).toEqual([]);
  });

  it('gives out addresses by DHCP, the same one to the same card', () => {
    const { guest } = network({ hostname: 'guest' });
    const exchange = (options: number[], mac = GUEST_MAC) => {
      guest.sendUdp('255.255.255.255', DHCP_PORTS, dhcp(options, { mac }), broadcast);
      return guest.datagram();
    };
    const offer = exchange([53, 1, 1]);
    expect(offer?.ports).toEqual([67, 68]);
    expect(offer?.destination).toBe('255.255.255.255');
    expect(offer?.data.slice(4, 8)).toEqual(be32(0x1234_5678));
    expect(offer?.data.slice(16, 20)).toEqual([10, 0, 2, 15]);
    const text = offer?.data.slice(240).join(' ');
    for (const option of [
      '53 1 2',
      '54 4 10 0 2 2',
      '1 4 255 255 255 0',
      '3 4 10 0 2 2',
      '6 4 10 0 2 3',
      '12 5 103 117 101 115 116',
    ])
      expect(text).toContain(option);
    const ack = exchange([53, 1, 3, 54, 4, 10, 0, 2, 2, 50, 4, 10, 0, 2, 15]);
    expect(ack?.data.slice(240, 243)).toEqual([53, 1, 5]);
    expect(ack?.data.slice(16, 20)).toEqual([10, 0, 2, 15]);
    const other = [0x52, 0x54, 0, 1, 1, 1];
    expect(exchange([53, 1, 1], other)?.data.slice(16, 20)).toEqual([10, 0, 2, 16]);
    expect(exchange([53, 1, 3, 50, 4, 10, 0, 2, 15], other)?.data.slice(240, 243)).toEqual([53, 1, 6]);
    expect(exchange([53, 1, 1])?.data.slice(16, 20)).toEqual([10, 0, 2, 15]);
    // A request for another server is not ours to answer.
    expect(exchange([53, 1, 3, 54, 4, 10, 0, 2, 9, 50, 4, 10, 0, 2, 15])).toBeUndefined();
  });

  it('gives out sixteen addresses and then none', () => {
    const { guest } = network();
    for (let i = 0; i < 20; i++) {
      guest.sendUdp('255.255.255.255', DHCP_PORTS, dhcp([53, 1, 1], { mac: [2, 0, 0, 0, 0, i] }), broadcast);
      expect(guest.datagram()?.data[19], `client ${i}`).toBe(i < 16 ? 15 + i : undefined);
    }
  });

  it('knows a few names, and says of others that they do not exist', () => {
    const { guest } = network();
    const query = (name: string, type = 1) => {
      const labels = name
        .split('.')
        .flatMap((label) => [label.length, ...Array.from(label, (c) => c.charCodeAt(0))]);
      const question = [...labels, 0, 0, type, 0, 1];
      guest.sendUdp('10.0.2.3', [5000, 53], [0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, ...question], {
        mac: DNS_MAC,
      });
      const reply = guest.datagram();
      expect(reply?.ports).toEqual([53, 5000]);
      expect(reply?.data.slice(0, 2)).toEqual([0xab, 0xcd]);
      expect(reply?.data.slice(12, 12 + question.length)).toEqual(question);
      return { code: (reply?.data[3] ?? 0) & 15, answers: reply?.data[7], address: reply?.data.slice(-4) };
    };
    expect(query('GateWay')).toEqual({ code: 0, answers: 1, address: [10, 0, 2, 2] });
    expect(query('dns')).toEqual({ code: 0, answers: 1, address: [10, 0, 2, 3] });
    expect(query('host', 28)).toMatchObject({ code: 0, answers: 0 });
    expect(query('example.org')).toMatchObject({ code: 3, answers: 0 });
  });

  it('answers pings of its own addresses, and says that there is no way beyond', () => {
    const { guest } = network();
    const ping = [8, 0, 0, 0, 0, 1, 0, 2, 1, 2, 3];
    ping.splice(2, 2, ...be16(referenceSum(ping)));
    guest.sendIp('10.0.2.2', 1, ping);
    const pong = guest.packet();
    expect(pong?.source).toBe('10.0.2.2');
    expect(pong?.payload[0]).toBe(0);
    expect(pong?.payload.slice(4)).toEqual([0, 1, 0, 2, 1, 2, 3]);
    guest.sendIp('192.0.2.1', 1, ping);
    expect(guest.packet()?.payload.slice(0, 2)).toEqual([3, 0]);
    guest.sendUdp('192.0.2.1', [1, 2], [1]);
    expect(guest.packet()?.payload.slice(0, 2)).toEqual([3, 0]);
    guest.sendUdp('10.0.2.2', [1, 2], [1]);
    expect(guest.packet()?.payload.slice(0, 2)).toEqual([3, 3]);
    // Errors, broadcasts and multicasts are not answered.
    guest.sendIp('192.0.2.1', 1, [3, 0, ...be16(referenceSum([3, 0, 0, 0, 0, 0, 0, 0])), 0, 0, 0, 0]);
    guest.sendUdp('255.255.255.255', [1, 2], [1], { mac: BROADCAST_MAC });
    guest.sendUdp('224.0.0.251', [1, 2], [1], { mac: BROADCAST_MAC });
    expect(guest.frames).toEqual([]);
  });

  it('lets the guest wait rather than drop its frames', () => {
    const { guest } = network();
    guest.buffers = 0;
    const ping = [8, 0, 0xf7, 0xff, 0, 0, 0, 0];
    let sent = 0;
    while (guest.sendIp('10.0.2.2', 1, ping)) sent += 1;
    expect(sent).toBeGreaterThan(50);
    expect(guest.sendables).toBe(0);
    guest.give(1000);
    expect(guest.sendables).toBe(1);
    expect(guest.frames.length).toBe(sent);
  });

  it.each([
    ['net=10.0.2', { net: '10.0.2' }, /not an IPv4 network/],
    ['a prefix that leaves no room', { net: '10.0.2.0/30' }, /not an IPv4 network/],
    ['a gateway outside', { host: '10.0.3.2' }, /host=10.0.3.2 is not an address in 10.0.2.0\/24/],
    ['an address twice', { dns: '10.0.2.2' }, /taken/],
  ])('refuses %s', (_what, options, message) => {
    const config = userNetConfig({ ...DEFAULTS, ...options });
    expect(config.ok ? '' : config.error.desc).toMatch(message);
  });

  it('has the addresses it was given', () => {
    const config = userNetConfig({ ...DEFAULTS, net: '192.168.5.7/16', host: '192.168.9.1' });
    expect(config).toMatchObject({
      ok: true,
      value: { network: 0xc0a8_0000, netmask: 0xffff_0000, host: 0xc0a8_0901, dns: 0xc0a8_0003 },
    });
  });
});

describe('its TCP', () => {
  it('serves a page and closes', () => {
    const { guest, net } = network();
    const connection = new FakeConnection(guest, 80);
    expect(connection.open()?.flags).toBe('S.');
    connection.send('GET / HT');
    connection.send('TP/1.1\r\nHost: gateway\r\n\r\n');
    connection.run();
    expect(connection.received).toMatch(/^HTTP\/1\.0 200 OK\r\n/);
    expect(connection.received).toContain('context       ctx0\n');
    const [head, body] = connection.received.split('\r\n\r\n') as [string, string];
    expect(head).toContain(`Content-Length: ${body.length}`);
    expect(connection.ended).toBe(true);
    connection.close();
    expect(guest.segment()?.flags).toBe('.');
    expect(net().state.connections).toEqual([]);
  });

  it.each([
    ['GET /nothing HTTP/1.0', '404'],
    ['POST / HTTP/1.0', '405'],
    ['HELLO', '400'],
  ])('answers "%s" with %s', (request, status) => {
    const { guest } = network();
    const connection = new FakeConnection(guest, 80);
    connection.open();
    connection.send(`${request}\r\n\r\n`);
    connection.run();
    expect(connection.received).toContain(`HTTP/1.0 ${status} `);
  });

  it('refuses closed ports and the world outside with a reset that fits', () => {
    const { guest } = network();
    for (const destination of ['10.0.2.2', '10.0.2.3', '192.0.2.1']) {
      guest.sendTcp([40_000, 22], { seq: 100, flags: 'S' }, destination);
      expect(guest.segment()).toMatchObject({ seq: 0, ack: 101, flags: 'R.' });
    }
    guest.sendTcp([40_000, 80], { seq: 100, ack: 777, flags: '.' });
    expect(guest.segment()).toMatchObject({ seq: 777, flags: 'R' });
    guest.sendTcp([40_000, 80], { seq: 100, flags: 'R' });
    expect(guest.frames).toEqual([]);
  });

  it('T1 goes on in another context at any moment of a stream', () => {
    const { guest, move } = network();
    const connection = new FakeConnection(guest, 80);
    connection.open();
    connection.send('GET /bytes/500000 HTTP/1.0\r\n\r\n');
    for (let turn = 0; !connection.ended && turn < 10_000; turn++) {
      guest.buffers = turn % 7;
      guest.give(0);
      connection.run(turn % 5);
      move();
    }
    const body = connection.received.slice(connection.received.indexOf('\r\n\r\n') + 4);
    expect(body.length).toBe(500_000);
    expect(body.slice(0, 26)).toBe('abcdefghijklmnopqrstuvwxyz');
    expect(body.slice(64, 70)).toBe('nopqrs');
  });

  it('echoes more than it can hold, byte for byte, across the wrap of sequence numbers', () => {
    const { guest } = network();
    const connection = new FakeConnection(guest, 7, 40_001, 0xffff_f000);
    connection.open();
    const text = Array.from({ length: 100_000 }, (_, i) => String.fromCharCode(33 + ((i * i) % 91))).join('');
    for (let at = 0; at < text.length; at += 1000) {
      connection.send(text.slice(at, at + 1000));
      connection.run();
    }
    connection.close();
    connection.run();
    expect(connection.received === text).toBe(true);
    expect(connection.ended).toBe(true);
  });

  it('T2 takes what is next in order, once, and shuts its window when it is full', () => {
    const { guest } = network();
    const connection = new FakeConnection(guest, 7);
    connection.window = 0;
    connection.open();
    const start = connection.seq;
    const say = (seq: number, data: string) => {
      guest.sendTcp(connection.ports, { seq: seq >>> 0, ack: connection.ack, flags: 'P.', window: 0, data });
      return guest.segment();
    };
    expect(say(start + 3, 'def')?.ack).toBe(start);
    expect(say(start, 'abc')?.ack).toBe((start + 3) >>> 0);
    expect(say(start + 1, 'bcde')?.ack).toBe((start + 5) >>> 0);
    expect(say(start, 'abc')?.ack).toBe((start + 5) >>> 0);
    let last = { ack: (start + 5) >>> 0, window: 1 };
    for (let i = 0; i < 40 && last.window > 0; i++) last = say(last.ack, 'x'.repeat(1000)) ?? last;
    expect(last.window).toBe(0);
    expect((last.ack - start) >>> 0).toBe(32 * 1024);
  });

  it('sends again from the first missing byte, more and more seldom, and gives up', () => {
    const { guest, pass, net } = network();
    const connection = new FakeConnection(guest, 80);
    connection.open();
    connection.send('GET /bytes/2000 HTTP/1.0\r\n\r\n');
    const first = guest.segment();
    expect(first?.bytes.length).toBe(1460);
    guest.frames.length = 0; // all of it is lost
    pass(1.1);
    connection.run();
    expect(connection.received.startsWith(first?.data ?? '?')).toBe(true);
    expect(connection.ended).toBe(true);
    expect(connection.received.length - connection.received.indexOf('\r\n\r\n') - 4).toBe(2000);

    const deaf = new FakeConnection(guest, 80, 40_001);
    deaf.open();
    deaf.send('GET / HTTP/1.0\r\n\r\n');
    guest.frames.length = 0;
    const times: number[] = [];
    for (let second = 0; second < 120; second++) {
      pass(1);
      if (guest.frames.length > 0) times.push(second);
      if (guest.segment()?.flags.includes('R') === true) break;
    }
    expect(times.length).toBe(9);
    expect((times[8] ?? 0) - (times[7] ?? 0)).toBeGreaterThan(14);
    expect(net().state.connections.some(({ guestPort }) => guestPort === 40_001)).toBe(false);
  });

  it('keeps to the guest’s window, and finds out when it opens', () => {
    const { guest, pass } = network();
    const connection = new FakeConnection(guest, 19);
    connection.window = 1000;
    connection.open();
    expect(guest.segment()?.bytes.length).toBe(1000);
    expect(guest.frames).toEqual([]);
    const ack = (connection.ack + 1000) >>> 0;
    guest.sendTcp(connection.ports, { seq: connection.seq, ack, flags: '.', window: 0 });
    expect(guest.frames).toEqual([]);
    pass(1.1);
    expect(guest.segment()).toMatchObject({ seq: ack, bytes: { length: 1 } });
    guest.sendTcp(connection.ports, { seq: connection.seq, ack: (ack + 1) >>> 0, flags: '.', window: 500 });
    expect(guest.segment()?.bytes.length).toBe(500);
  });

  it('scales the window if the guest does', () => {
    const { guest } = network();
    const connection = new FakeConnection(guest, 80);
    connection.open([3, 3, 7, 0, 2, 4, 0x05, 0xb4]);
    connection.window = 1000;
    connection.send('GET /bytes/100000 HTTP/1.0\r\n\r\n');
    let bytes = 0;
    for (let segment = guest.segment(); segment !== undefined; segment = guest.segment())
      bytes += segment.bytes.length;
    expect(bytes).toBeGreaterThan(65_535);
  });

  it('ends chargen when the guest closes, and forgets the connection', () => {
    const { guest, net } = network();
    const connection = new FakeConnection(guest, 19);
    connection.window = 5000;
    connection.open();
    connection.run(20);
    expect(connection.received.slice(0, 76)).toMatch(/^ !"#[^]{68}\r\n!"$/);
    connection.close();
    connection.run();
    expect(connection.ended).toBe(true);
    expect(net().state.connections).toEqual([]);
  });

  it('does not mind nonsense: truncated, damaged and random packets, and too many connections', () => {
    const { guest, net } = network();
    let seed = 12_345;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return Math.floor((seed / 2 ** 32) * below);
    };
    for (let i = 0; i < 5000; i++) {
      const bytes = Array.from({ length: random(90) }, () => random(256));
      const kind = random(5);
      if (kind === 0) guest.send(GATEWAY_MAC, 0x0800, bytes);
      else if (kind === 1) guest.sendIp('10.0.2.2', [1, 6, 17][random(3)] as number, bytes);
      else if (kind === 2) guest.sendUdp('10.0.2.3', [1, 53], bytes, { mac: DNS_MAC });
      else if (kind === 3)
        guest.sendUdp('255.255.255.255', DHCP_PORTS, dhcp(bytes).slice(0, 230 + random(60)), broadcast);
      else
        guest.sendTcp([random(300), [7, 9, 19, 80][random(4)] as number], {
          seq: random(2 ** 32),
          ack: random(2 ** 32),
          flags: [...'FSRP.'].filter(() => random(2) === 0).join(''),
          window: random(65_536),
          data: String.fromCharCode(...bytes),
          options: Array.from({ length: random(10) * 4 }, () => random(256)),
        });
      guest.frames.length = 0;
    }
    expect(net().state.connections.length).toBeLessThanOrEqual(64);
    for (let port = 1000; port < 1100; port++) guest.sendTcp([port, 7], { seq: 1, flags: 'S' });
    expect(net().state.connections.length).toBe(64);
    expect(guest.frames.length).toBe(100);
  });
});

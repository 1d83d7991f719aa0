import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startMonitor } from '../src/engine/qmp/testing.ts';
import type { MonitorConfig, SocketAddress } from '../src/engine/qom/options/config.ts';
import { type MonitoredVm, type ServedMonitor, serveSocket, serveStreams } from './qmp-socket.ts';

const control: MonitorConfig = { mode: 'control', pretty: false, target: { kind: 'none' } };
const readline: MonitorConfig = { ...control, mode: 'readline' };

let dir: string;
let served: ServedMonitor | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'qmp-'));
});
afterEach(async () => {
  await served?.close();
  served = undefined;
  rmSync(dir, { recursive: true });
});

async function machine() {
  const { monitor, machine: fake } = await startMonitor();
  const vm: MonitoredVm = {
    qmp: (name, args) => monitor.qmp(name, args),
    hmp: (line) => monitor.hmp(line),
    completeHmp: async (line) => monitor.completeHmp(line),
    onEvent: (listener) => monitor.onEvent(listener),
  };
  return { vm, fake };
}

async function serve(config: MonitorConfig, address: SocketAddress['address'], vm: MonitoredVm) {
  const result = await serveSocket(config, { address, server: true, wait: false }, vm);
  if (!result.ok) throw new Error(result.error.desc);
  served = result.value;
  return result.value;
}

/** A client that keeps what it receives. */
function client(to: string | number) {
  const socket = typeof to === 'string' ? connect(to) : connect(to, '127.0.0.1');
  socket.setEncoding('utf8');
  let text = '';
  let wake = (): void => {};
  socket.on('data', (chunk) => {
    text += String(chunk);
    wake();
  });
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  /** Resolves when what came matches. */
  const until = async (pattern: RegExp): Promise<string> => {
    while (!pattern.test(text))
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    return text;
  };
  return { socket, until, closed, text: () => text };
}

describe('QMP on sockets', () => {
  it('unix: greeting, commands in pieces, several clients, events to all', async () => {
    const { vm, fake } = await machine();
    const path = join(dir, 'q.sock');
    const { address, connected } = await serve(control, { type: 'unix', path }, vm);
    expect(address).toBe(`unix:${path}`);
    const one = client(path);
    const two = client(path);
    await connected;
    await one.until(/"QMP".*\r\n/);
    for (const part of ['{"execute":"qmp_', 'capabilities"}{"execute":"query-na', 'me","id":"é"}\n']) {
      one.socket.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await one.until(/"id":"é","return":\{"name":"box"\}/);
    two.socket.write('{"execute":"qmp_capabilities"}');
    await two.until(/"return":\{\}/);
    fake.emit('STOP');
    await Promise.all([one.until(/"event":"STOP"/), two.until(/"event":"STOP"/)]);
    // A client that goes away abruptly harms nobody.
    one.socket.destroy();
    await one.closed;
    two.socket.write('{bad}\n{"execute":"query-name"}');
    await two.until(/JSON parse error[^]*"name":"box"/);
    two.socket.destroy();
  });

  it('tcp: a free port is chosen and told; quit is answered before the end', async () => {
    const { vm } = await machine();
    const { address, close } = await serve(control, { type: 'inet', host: '127.0.0.1', port: 0 }, vm);
    const { until, socket, closed } = client(Number(address.split(':').at(-1)));
    socket.write('{"execute":"qmp_capabilities"}{"execute":"quit","id":9}');
    await until(/"id":9,"return":\{\}/);
    await close();
    served = undefined;
    await closed;
  });

  it('a client connection instead of a server', async () => {
    const { vm } = await machine();
    const path = join(dir, 'c.sock');
    const got = new Promise<string>((resolve) => {
      const server = createServer((socket) => {
        socket.once('data', (chunk) => {
          resolve(String(chunk));
          socket.destroy();
          server.close();
        });
      });
      server.listen(path);
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const dialled = await serveSocket(
      control,
      { address: { type: 'unix', path }, server: false, wait: true },
      vm,
    );
    expect(dialled.ok).toBe(true);
    expect(await got).toContain('"QMP"');
  });

  it('what is in the way is told', async () => {
    const { vm } = await machine();
    const path = join(dir, 'file');
    writeFileSync(path, 'not a socket');
    const refused = await serveSocket(
      control,
      { address: { type: 'unix', path }, server: true, wait: false },
      vm,
    );
    expect(!refused.ok && refused.error.desc).toMatch(/^-qmp unix:.*Failed to bind socket/);
    const nobody = await serveSocket(
      readline,
      { address: { type: 'unix', path: join(dir, 'no') }, server: false, wait: false },
      vm,
    );
    expect(!nobody.ok && nobody.error.desc).toMatch(/^-monitor unix:.*Failed to connect/);
  });

  it('a monitor for people', async () => {
    const { vm } = await machine();
    const path = join(dir, 'm.sock');
    await serve(readline, { type: 'unix', path }, vm);
    const { until, socket } = client(path);
    await until(/\(vm\) $/);
    socket.write('info sta\tr\r');
    await until(/info status/);
    socket.write('\x15info status\r');
    await until(/VM status: running\r\n\(vm\) $/);
    socket.destroy();
  });

  it('on streams', async () => {
    const { vm } = await machine();
    const input = new PassThrough();
    const output = new PassThrough();
    let text = '';
    output.on('data', (chunk) => (text += String(chunk)));
    const monitor = serveStreams(control, input, output, vm);
    input.write('{"execute":"qmp_capabilities"}\n{"execute":"query-name"}\n');
    await expect.poll(() => text).toMatch(/"QMP"[^]*"name":"box"/);
    await monitor.close();
  });
});

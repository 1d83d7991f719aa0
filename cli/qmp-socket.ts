import { existsSync, lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { ok, type Result, userError } from '../src/engine/base/result.ts';
import { HmpConsole } from '../src/engine/qmp/hmp/console.ts';
import { QmpSession } from '../src/engine/qmp/session.ts';
import type { MonitorConfig, SocketAddress } from '../src/engine/qom/options/config.ts';
import type { Vm } from '../src/engine/vm.ts';

/** The part of a machine that monitors need. */
export type MonitoredVm = Pick<Vm, 'qmp' | 'hmp' | 'completeHmp' | 'onEvent'>;

/** A monitor that listens, or is connected. */
export interface ServedMonitor {
  /** Where it can be reached, `unix:/tmp/qmp.sock` or `tcp:127.0.0.1:4444`. */
  readonly address: string;
  /** Resolves when the first client is there; at once for what needs none. */
  readonly connected: Promise<void>;
  close(): Promise<void>;
}

/** A client that reads this much too slowly is cut off. */
const MAX_UNSENT = 16 * 1024 * 1024;

/** One end of a monitor connection, whatever carries it. */
interface Line {
  receive(text: string): Promise<void>;
  close(): void;
}

function open(config: MonitorConfig, vm: MonitoredVm, print: (text: string) => void): Line {
  if (config.mode === 'control') {
    const target = { execute: vm.qmp.bind(vm), onEvent: vm.onEvent.bind(vm) };
    return new QmpSession(target, print, config.pretty);
  }
  const console = new HmpConsole(vm, print);
  return { receive: (text) => console.receive(text), close: () => {} };
}

/** Joins a socket and a monitor until the socket closes. Reading waits for the answer: no queue grows. */
function attach(socket: Socket, config: MonitorConfig, vm: MonitoredVm): void {
  socket.setEncoding('utf8');
  const line = open(config, vm, (text) => {
    if (socket.writable) socket.write(text);
    if (socket.writableLength > MAX_UNSENT) socket.destroy();
  });
  socket.on('data', (chunk) => {
    socket.pause();
    const resume = () => socket.resume();
    // A bug in a command was answered with an error; the connection goes on.
    line.receive(String(chunk)).then(resume, resume);
  });
  socket.on('close', () => line.close());
  // An error is followed by 'close'.
  socket.on('error', () => {});
}

/**
 * Serves a monitor on a unix or TCP socket: any number of clients at once with `server=on`, else one
 * connection to whoever listens there.
 */
export function serveSocket(
  config: MonitorConfig,
  socketAddress: SocketAddress,
  vm: MonitoredVm,
): Promise<Result<ServedMonitor>> {
  return socketAddress.server ? listen(config, socketAddress, vm) : dial(config, socketAddress, vm);
}

const optionOf = (config: MonitorConfig): string => (config.mode === 'control' ? '-qmp' : '-monitor');

function listen(
  config: MonitorConfig,
  { address }: SocketAddress,
  vm: MonitoredVm,
): Promise<Result<ServedMonitor>> {
  const sockets = new Set<Socket>();
  let firstClient = (): void => {};
  const connected = new Promise<void>((resolve) => {
    firstClient = resolve;
  });
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    attach(socket, config, vm);
    firstClient();
  });
  if (address.type === 'unix') removeStale(address.path);
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(cannotListen(config, where(address), error)),
    );
    const listening = () => {
      const bound = server.address();
      const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
      resolve(
        ok({
          address: address.type === 'unix' ? where(address) : `tcp:${address.host}:${port}`,
          connected,
          close: () =>
            new Promise<void>((closed) => {
              server.close(() => closed());
              // What was written is sent before the end.
              for (const socket of sockets) socket.end(() => socket.destroy());
            }),
        }),
      );
    };
    if (address.type === 'unix') server.listen(address.path, listening);
    else server.listen(address.port, address.host, listening);
  });
}

const where = (address: SocketAddress['address']): string =>
  address.type === 'unix' ? `unix:${address.path}` : `tcp:${address.host}:${address.port}`;

const cannotListen = (config: MonitorConfig, place: string, error: NodeJS.ErrnoException) =>
  userError(`${optionOf(config)} ${place}: Failed to bind socket: ${error.message}`, {
    hint:
      error.code === 'EADDRINUSE'
        ? 'Another program listens there: choose another path or port.'
        : 'Choose a path or port you may use.',
  });

/** An old socket file is in the way and is removed, as QEMU does; any other file is not ours to remove. */
function removeStale(path: string): void {
  if (existsSync(path) && lstatSync(path).isSocket()) unlinkSync(path);
}

function dial(
  config: MonitorConfig,
  { address }: SocketAddress,
  vm: MonitoredVm,
): Promise<Result<ServedMonitor>> {
  const socket = address.type === 'unix' ? connect(address.path) : connect(address.port, address.host);
  return new Promise((resolve) => {
    const failed = (error: Error) =>
      resolve(
        userError(`${optionOf(config)} ${where(address)}: Failed to connect: ${error.message}`, {
          hint: 'Add server=on to listen instead.',
        }),
      );
    socket.once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed);
      attach(socket, config, vm);
      resolve(
        ok({
          address: where(address),
          connected: Promise.resolve(),
          close: () => new Promise<void>((closed) => socket.end(() => closed())),
        }),
      );
    });
  });
}

/** Serves a monitor on a pair of streams (stdio). For people the terminal is switched to raw. */
export function serveStreams(
  config: MonitorConfig,
  input: NodeJS.ReadableStream & { setRawMode?: (raw: boolean) => unknown },
  output: NodeJS.WritableStream,
  vm: MonitoredVm,
): ServedMonitor {
  const line = open(config, vm, (text) => output.write(text));
  const raw = config.mode === 'readline';
  if (raw) input.setRawMode?.(true);
  input.setEncoding('utf8');
  const onData = (chunk: string | Buffer) => {
    input.pause();
    const resume = () => input.resume();
    line.receive(String(chunk)).then(resume, resume);
  };
  input.on('data', onData);
  input.resume();
  return {
    address: 'stdio',
    connected: Promise.resolve(),
    close: async () => {
      input.off('data', onData);
      if (raw) input.setRawMode?.(false);
      input.pause();
      line.close();
    },
  };
}

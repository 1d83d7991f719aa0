import { ok, type Result, userError, type Vm } from '../src/engine/index.ts';
import type {
  CharTarget,
  ChardevBackend,
  MachineConfig,
  MonitorConfig,
} from '../src/engine/qom/options/config.ts';
import { type ServedMonitor, serveSocket, serveStreams } from './qmp-socket.ts';

function backendOf(target: CharTarget, config: MachineConfig): ChardevBackend | undefined {
  if (target.kind === 'new') return target.backend;
  if (target.kind === 'chardev') return config.chardevs.find(({ id }) => id === target.id);
  return undefined;
}

/** Does a monitor have stdin and stdout to itself? Then the serial port can't have them. */
export const monitorOnStdio = (config: MachineConfig): boolean =>
  config.monitors.some(
    ({ target }) => backendOf(target, config)?.backend === 'stdio' && !(target.kind === 'new' && target.mux),
  );

/** Must somebody connect before the guest may start (`server=on,wait=on`)? */
export const waitsForMonitor = (config: MachineConfig): boolean =>
  config.monitors.some(({ target }) => {
    const backend = backendOf(target, config);
    return backend?.backend === 'socket' && backend.server && backend.wait;
  });

async function serve(
  monitor: MonitorConfig,
  config: MachineConfig,
  vm: Vm,
): Promise<Result<ServedMonitor | undefined>> {
  const backend = backendOf(monitor.target, config);
  switch (backend?.backend) {
    case 'socket':
      return serveSocket(monitor, backend, vm);
    case 'stdio':
      // A multiplexed one shares the terminal with the serial port: terminal.ts.
      if (monitor.target.kind === 'new' && monitor.target.mux) return ok(undefined);
      return ok(serveStreams(monitor, process.stdin, process.stdout, vm));
    case 'null':
    case undefined:
      return ok(undefined);
    default:
      return userError(
        `${monitor.mode === 'control' ? '-qmp' : '-monitor'}: ${backend?.backend} carries no monitor here`,
        {
          hint: 'Use stdio, unix:PATH,server=on,wait=off or tcp:HOST:PORT,server=on,wait=off.',
        },
      );
  }
}

/** Serves every monitor the command line asks for. */
export async function serveMonitors(
  config: MachineConfig,
  vm: Vm,
): Promise<Result<readonly ServedMonitor[]>> {
  const served: ServedMonitor[] = [];
  for (const monitor of config.monitors) {
    const one = await serve(monitor, config, vm);
    if (!one.ok) {
      await Promise.all(served.map((each) => each.close()));
      return one;
    }
    if (one.value !== undefined) served.push(one.value);
  }
  return ok(served);
}

import { type Port, Rpc } from '../base/rpc.ts';
import { type Result, ok, userError } from '../base/result.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import type { Host } from '../host.ts';
import type { MachineConfig } from '../qom/options/config.ts';
import { blockdevSpec, contextSpec, deviceSpec, driveSpec, plannedDevices } from '../qom/options/resolve.ts';
import { initTraceMask } from '../trace/ring.ts';
import { BlockNodes } from './block-nodes.ts';
import { ContextCore } from './context-core.ts';
import { ContextDirectory } from './context-directory.ts';
import { GuestClock } from './guest-clock.ts';
import { HartPark } from './hart-park.ts';
import { Machine } from './machine.ts';
import { MainPlatform } from './main-platform.ts';
import type { BootPlan } from './platform/loader.ts';
import type { MainService, SupervisorService } from './protocol.ts';
import type { ContextReports } from './queue-plan.ts';
import type { RoleCommon } from './roles.ts';
import { VirtioBoard } from './virtio-board.ts';

/** Told to the worker that runs the context `main`. */
export interface MainRole extends RoleCommon {
  readonly role: 'main';
  readonly config: MachineConfig;
  readonly boot: BootPlan;
  /** To the supervising thread: it calls MainService, we call SupervisorService. */
  readonly port: Port;
}

/** Runs the main context: composes the machine, builds it from its configuration, and serves it to its end. */
export async function serveMain(role: MainRole, mem: SharedMemory, host: Host): Promise<void> {
  const { layout, config, boot, port } = role;
  initTraceMask(mem, layout.traceMask);
  const core = new ContextCore({ mem, layout, host, index: 0, name: 'main' });
  const guestClock = new GuestClock(mem, layout.guestClock, host.clock);
  let machine: Machine | undefined;

  const supervisor = new Rpc<SupervisorService>(
    port,
    {
      qmp: async (execute, args) =>
        machine === undefined ? userError('the machine is starting') : runQmp(machine, execute, args ?? {}),
      hmp: async (line) => `unknown command: '${line}'\n`,
      completeHmp: () => [],
      monitorOpen: () => {},
      monitorInput: () => {},
      monitorClose: () => {},
      serialInput: (_port, bytes) => platform.serial.input(bytes),
      serialShown: (_port, count) => platform.serial.acknowledge(count),
      contextStarted: (index, contextPort) => contexts.started(index, contextPort),
      threadFailed: (name, message) => host.log('error', `thread ${name} died: ${message}`),
    } satisfies MainService,
    { received: () => core.inbox.receive() },
  );
  const reports: ContextReports = {
    blockError: (report) => machine?.blockError(report),
    traceName: () => {},
  };
  const contexts = new ContextDirectory(core, supervisor, reports);
  const blocks = new BlockNodes(core, contexts);
  const board = new VirtioBoard(core, contexts, blocks, () => machine?.publish());
  const platform = new MainPlatform(core, guestClock, (bytes) => supervisor.send('serialOutput', 0, bytes));
  machine = new Machine({
    core,
    config,
    boot,
    contexts,
    blocks,
    board,
    harts: new HartPark(core, mem),
    platform,
    guestClock,
    onDirectory: (directory) => supervisor.send('directory', directory),
    onEnded: (end) => supervisor.send('ended', end),
  });
  machine.onEvent((event) => supervisor.send('event', event));

  const start = async (made: Machine): Promise<void> => {
    const built = await build(made, config);
    if (built.ok) {
      made.load();
      if (!config.paused) await made.cont();
    }
    made.publish();
    supervisor.send('ready', built);
  };
  core.spawn(() => start(machine as Machine));
  await core.run();
}

/** Carries out a configuration: contexts first, then block nodes, then devices. */
async function build(machine: Machine, config: MachineConfig): Promise<Result<void>> {
  for (const object of config.objects) {
    const spec = contextSpec(object);
    if (spec === undefined) continue;
    const made = await machine.createContext(spec);
    if (!made.ok) return made;
  }
  for (const drive of config.drives) {
    const added = await machine.blockAdd(driveSpec(drive, config.snapshot));
    if (!added.ok) return added;
  }
  for (const node of config.blockdevs) {
    if (!config.devices.some((device) => 'drive' in device.props && device.props.drive === node.nodeName))
      continue;
    const spec = blockdevSpec(config.blockdevs, node.nodeName, config.objects);
    if (spec === undefined) continue;
    const added = await machine.blockAdd(spec);
    if (!added.ok) return added;
  }
  for (const [index, { device }] of plannedDevices(config).entries()) {
    const spec = deviceSpec(device, index, config.globals, config.drives);
    if (!spec.ok) return userError(`-device ${device.driver}: ${spec.error.desc}`);
    const realized = await machine.realizeDevice(spec.value);
    if (!realized.ok) return realized;
  }
  return ok(undefined);
}

async function runQmp(
  machine: Machine,
  execute: string,
  args: Readonly<Record<string, unknown>>,
): Promise<Result<unknown>> {
  switch (execute) {
    case 'quit':
      return machine.quit();
    case 'stop':
      return machine.stop();
    case 'cont':
      return machine.cont();
    case 'system_reset':
      return machine.reset();
    case 'qom-set':
      return machine.moveDevice(String(args['path']), undefined, String(args['value']));
    default:
      return userError(`The command ${execute} has not been found`);
  }
}

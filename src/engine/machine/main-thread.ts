import { err, ok } from '../base/result.ts';
import { type Port, Rpc } from '../base/rpc.ts';
import type { SharedMemory } from '../base/shared-memory.ts';
import type { Host } from '../host.ts';
import type { MachineConfig } from '../qom/options/config.ts';
import { Monitor } from '../qmp/monitor.ts';
import { ObjectModel } from '../qom/object-model.ts';
import { initTraceMask, setTraceEnabled } from '../trace/ring.ts';
import { traceEventByName } from '../trace/schema.ts';
import { traceEventsMatching } from '../qom/options/machine-options.ts';
import { BlockNodes } from './block-nodes.ts';
import { Breakpoints } from './breakpoints.ts';
import { CharDevices } from './char-devices.ts';
import { ContextCore } from './context-core.ts';
import { ContextDirectory } from './context-directory.ts';
import { GuestClock } from './guest-clock.ts';
import { HartPark } from './hart-park.ts';
import { Holds } from './holds.ts';
import { Machine } from './machine.ts';
import { MainPlatform } from './main-platform.ts';
import { NetDevices } from './net-devices.ts';
import { PanicWatch } from './panic-watch.ts';
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
  for (const name of config.trace.flatMap(traceEventsMatching)) {
    const event = traceEventByName(name);
    if (event !== undefined) setTraceEnabled(mem, layout.traceMask, event.id, true);
  }
  const core = new ContextCore({ mem, layout, host, index: 0, name: 'main' });
  const guestClock = new GuestClock(mem, layout.guestClock, host.clock);

  const supervisor = new Rpc<SupervisorService>(
    port,
    {
      qmp: async (execute, args) => {
        const reply = await monitor.qmp(execute, args);
        // What a reply leaves to do is a function, and stays here.
        return reply.ok ? ok(reply.value) : err(reply.error);
      },
      hmp: (line) => monitor.hmp(line),
      completeHmp: (line) => monitor.completeHmp(line),
      serialInput: (id, bytes) => chars.input(id, bytes),
      serialShown: (id, count) => chars.shown(id, count),
      contextStarted: (index, contextPort) => contexts.started(index, contextPort),
      contextFailed: (index, message) => contexts.failed(index, message),
    } satisfies MainService,
    { received: () => core.inbox.receive() },
  );
  const reports: ContextReports = {
    blockError: (report) => machine.blockError(report),
    traceName: (thread, id, kind, name) => supervisor.send('traceName', thread, id, kind, name),
    breakHit: (context, hit) => machine.breakHit(context, hit),
  };
  const contexts = new ContextDirectory(core, supervisor, reports);
  const holds = new Holds(contexts, (...change) => machine.holdChanged(...change));
  const blocks = new BlockNodes(core, contexts);
  const panic = new PanicWatch((detail) => machine.guestPanicked(detail));
  const chars = new CharDevices(core, (id, bytes) => {
    panic.output(bytes);
    supervisor.send('serialOutput', id, bytes);
  });
  const nets = new NetDevices(core);
  const board = new VirtioBoard(core, contexts, holds, blocks, chars, nets, () => machine.publish());
  const platform = new MainPlatform(core, guestClock);
  const machine: Machine = new Machine({
    core,
    config,
    boot,
    contexts,
    holds,
    breakpoints: new Breakpoints(core, contexts, holds, board),
    blocks,
    chars,
    nets,
    board,
    harts: new HartPark(core, mem),
    platform,
    guestClock,
    exclusive: (change) => model.exclusive(change),
    onDirectory: (directory) => supervisor.send('directory', directory),
    onEnded: (end) => supervisor.send('ended', end),
  });
  const model: ObjectModel = new ObjectModel(machine, config);
  machine.onEvent(({ event }) => {
    if (event === 'RESET') panic.reset();
  });
  const monitor = new Monitor(model, () => host.wallClockNs());
  core.onTraceName((id, kind, name) => reports.traceName(0, id, kind, name));
  monitor.onEvent((event) => supervisor.send('event', event));

  // A throw ends the thread, which the supervisor tells whoever waits for `ready`.
  core.spawn(async () => {
    const serial = machine.addSerial();
    const built = serial.ok ? await model.populate() : serial;
    const started = built.ok ? await machine.start() : built;
    machine.publish();
    supervisor.send('ready', started);
  });
  await core.run();
}

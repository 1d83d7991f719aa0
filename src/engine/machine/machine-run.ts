import { CONTROL_QUIT } from '../base/wake-word.ts';
import { type Result, ok, userError } from '../base/result.ts';
import { TRACE } from '../trace/schema.ts';
import type { BlkErrorReport } from '../virtio/blk/data-plane.ts';
import type { RunState, VmEnd } from '../vm.ts';
import type { MachineEvents } from './machine-events.ts';
import type { MachineParts } from './machine-parts.ts';
import { NOTIFIER } from './notifier-table.ts';
import { loadRegions } from './platform/loader.ts';
import { POWER } from './run-control.ts';

/** What every change is answered with once the machine has ended. */
export const OVER = userError('the machine has shut down');

/**
 * The run state of a machine: starting, stopping and ending it, at the monitor's word or the guest's. Main
 * context only.
 *
 *     prelaunch ─cont─▶ running ◀─cont/stop─▶ paused        io-error ─cont─▶ running
 *                          └─ power-off, quit ─▶ shutdown (over)
 */
export class MachineRun {
  readonly #parts: MachineParts;
  readonly #events: MachineEvents;
  readonly #publish: () => void;
  #state: RunState = 'prelaunch';
  #over = false;
  #turn: Promise<unknown> = Promise.resolve();
  #fresh = true;

  /** @param publish told whenever the state has changed */
  constructor(parts: MachineParts, events: MachineEvents, publish: () => void) {
    this.#parts = parts;
    this.#events = events;
    this.#publish = publish;
    const { core } = parts;
    const harts = core.notifiers.get(NOTIFIER.harts);
    core.aio.setEventNotifier(
      harts,
      {
        ioRead: () => {
          harts.testAndClear();
          this.#serveHarts();
        },
      },
      'harts',
    );
    const power = core.notifiers.get(NOTIFIER.power);
    core.aio.setEventNotifier(
      power,
      {
        ioRead: () => {
          power.testAndClear();
          core.spawn(() => parts.exclusive(() => this.inTurn(() => this.#servePower())));
        },
      },
      'power',
    );
  }

  /** The machine has ended, or is about to. */
  get over(): boolean {
    return this.#over;
  }
  /** Nothing was loaded into RAM yet. */
  get fresh(): boolean {
    return this.#fresh;
  }

  status(): RunState {
    return this.#state;
  }

  /** Loads what the guest boots from and puts the harts at their reset vector. Paused. */
  load(): void {
    const { core, boot, harts } = this.#parts;
    this.#fresh = false;
    loadRegions(core.mem, core.layout.ramOffset, boot.regions);
    harts.reset(boot);
  }

  /**
   * Runs changes of the run state one after the other: each waits for harts, which must not be told two
   * things at once. Where `exclusive` is needed too, it comes first.
   */
  inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#turn.then(change);
    this.#turn = changed.catch(() => {});
    return changed;
  }

  stop(): Promise<Result<void>> {
    return this.inTurn(async () => {
      if (this.#state === 'running') await this.#pauseAs('paused');
      return ok(undefined);
    });
  }

  async #pauseAs(state: RunState): Promise<void> {
    const { harts, guestClock } = this.#parts;
    this.#enter(state);
    await harts.pause();
    guestClock.stop();
    this.#events.emit('STOP');
  }

  cont(): Promise<Result<void>> {
    return this.inTurn(() => this.#cont());
  }

  async #cont(): Promise<Result<void>> {
    if (this.#over || this.#state === 'shutdown')
      return userError('the machine has shut down', { hint: 'system_reset starts it anew.' });
    if (this.#state === 'running') return ok(undefined);
    const { contexts, blocks, harts, guestClock } = this.#parts;
    for (const node of blocks.all()) node.ioStatus = 'ok';
    guestClock.start();
    this.#enter('running');
    harts.run();
    await Promise.all(contexts.all().map(({ service }) => service.resumeParked()));
    this.#events.emit('RESUME');
    return ok(undefined);
  }

  reset(): Promise<Result<void>> {
    return this.inTurn(() => this.#reset(false));
  }

  async #reset(byGuest: boolean): Promise<Result<void>> {
    const { core, harts, board, chars, nets, platform, guestClock } = this.#parts;
    if (this.#over) return OVER;
    const goOn = this.#state === 'running' || this.#state === 'guest-panicked' || this.#state === 'shutdown';
    await harts.pause();
    guestClock.stop();
    await board.resetAll();
    chars.reset();
    nets.reset();
    platform.reset();
    core.tracer.emit(TRACE.system_reset);
    this.load();
    this.#events.emit('RESET', { guest: byGuest, reason: byGuest ? 'guest-reset' : 'host-qmp-system-reset' });
    if (goOn) {
      guestClock.start();
      harts.run();
      this.#enter('running');
    }
    return ok(undefined);
  }

  /** In turn: stops the guest for a snapshot; the function it resolves with lets it go on as it was. */
  async hold(): Promise<(restored: boolean) => Promise<void>> {
    const { harts, guestClock } = this.#parts;
    const before = this.#state;
    const executing = before === 'running' || before === 'guest-panicked';
    if (executing) await this.#pauseAs('paused');
    else await harts.pause();
    return async (restored) => {
      this.#fresh &&= !restored;
      if (this.#state === 'internal-error') return;
      if (before === 'running' || (restored && executing)) {
        await this.#cont();
      } else if (executing) {
        guestClock.start();
        harts.run();
        this.#enter(before);
      } else if (restored && before !== 'prelaunch') {
        this.#enter('paused');
      }
    };
  }

  async powerdown(): Promise<Result<void>> {
    // The virt board has no power button a guest would listen to; the event is all there is.
    this.#events.emit('POWERDOWN');
    return ok(undefined);
  }

  async quit(): Promise<Result<void>> {
    const shutdown = { guest: false, reason: 'host-qmp-quit' };
    // Before its turn: a change under way may wait for what a held context has taken.
    this.#parts.breakpoints.removeAll();
    this.#parts.holds.releaseAll('quit');
    await this.#parts.exclusive(() => this.inTurn(() => this.#end({ reason: 'host-quit' }, shutdown)));
    return ok(undefined);
  }

  async #end(end: VmEnd, shutdown: Readonly<Record<string, unknown>>): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    const { core, contexts, holds, breakpoints, blocks, harts, board, chars, platform, onEnded } =
      this.#parts;
    breakpoints.removeAll();
    holds.releaseAll('quit');
    this.#events.emit('SHUTDOWN', shutdown);
    this.#enter('shutdown');
    await harts.quit();
    // Moves end and queues stop; then disks close, ways to them first: a context flushes along its way.
    await board.resetAll();
    for (const { plan } of blocks.all()) await blocks.delete(plan.spec.id);
    for (const { id } of contexts.all()) if (id !== 'main') await contexts.delete(id);
    await contexts.get('main')?.service.quit();
    platform.close();
    chars.close();
    onEnded(end);
    core.wake.request(CONTROL_QUIT);
  }

  #enter(state: RunState): void {
    this.#state = state;
    this.#parts.core.tracer.emit(TRACE.vm_state_notify, state === 'running' ? 1 : 0);
    this.#publish();
  }

  #serveHarts(): void {
    const { harts, board } = this.#parts;
    for (const control of harts.controls) {
      const request = control.takeCall();
      if (request !== undefined) board.control(request, () => control.answerCall());
    }
    harts.stateChanged();
  }

  async #servePower(): Promise<void> {
    const { harts, config } = this.#parts;
    const asked = harts.controls.find((control) => control.get('power') !== POWER.none);
    if (asked === undefined) return;
    const power = asked.get('power');
    const exitCode = power === POWER.fail ? asked.get('powerCode') : 0;
    asked.set('power', POWER.none);
    if (power === POWER.reset && !config.noReboot) {
      await this.#reset(true);
      return;
    }
    const reason = power === POWER.reset ? 'guest-reset' : 'guest-shutdown';
    if (config.noShutdown) {
      this.#events.emit('SHUTDOWN', { guest: true, reason });
      await this.#pauseAs('shutdown');
      return;
    }
    await this.#end({ reason: 'guest-shutdown', exitCode }, { guest: true, reason });
  }

  /** A backend error in some context: QMP's BLOCK_IO_ERROR, and the machine stops if the policy says so. */
  blockError(report: BlkErrorReport): void {
    const { board, core } = this.#parts;
    const device = board.bySlot(report.dev);
    if (device?.block !== undefined && report.action === 'stop') {
      device.block.ioStatus = report.nospace ? 'nospace' : 'failed';
    }
    this.#events.emit('BLOCK_IO_ERROR', {
      device: device?.block?.plan.spec.id ?? '',
      'qom-path': device?.spec.qomPath ?? '',
      'node-name': device?.block?.plan.spec.id ?? '',
      operation: report.operation,
      action: report.action,
      nospace: report.nospace,
      reason: `errno ${report.errno}`,
    });
    if (report.action !== 'stop') return;
    core.spawn(() =>
      this.inTurn(async () => {
        if (this.#state === 'running') await this.#pauseAs('io-error');
      }),
    );
  }

  /** The guest's kernel has given up; seen in what it wrote to the console. */
  guestPanicked(detail: string): void {
    if (this.#state !== 'running') return;
    this.#events.emit('GUEST_PANICKED', { action: 'run', info: { type: 'console', detail } });
    this.#state = 'guest-panicked';
    this.#publish();
  }

  /** Runs `look` while no hart executes; the guest goes on as it was. */
  whileStill<T>(look: () => T): Promise<T> {
    return this.inTurn(async () => {
      const { harts } = this.#parts;
      const executes = this.#state === 'running' || this.#state === 'guest-panicked';
      if (executes) await harts.pause();
      const seen = look();
      if (executes) harts.run();
      return seen;
    });
  }

  /** The machine can no longer go on: a snapshot was read only in part. */
  broken(): void {
    this.#enter('internal-error');
  }
}

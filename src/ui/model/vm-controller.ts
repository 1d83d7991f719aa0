import { createStore, type StoreApi } from 'zustand/vanilla';
import type { QmpEvent, RunState, Vm, VmEnd } from '../../engine/vm.ts';
import { say, tell } from './announcer.ts';
import { splitArgv } from './argv.ts';
import type { MakeVm, UserError } from './engine-types.ts';
import { LiveBoard } from './live-board.ts';
import { SerialLog } from './serial-log.ts';
import type { PreparationStep, Prepare } from './preparation.ts';
import {
  messageOf,
  type Problem,
  ProblemError,
  panicProblem,
  problemFromEnd,
  problemFromUnknown,
  problemFromUserError,
} from './problem.ts';
import { timeOfDay, type WarmPlan, type WarmStart } from './warm-start/warm-start.ts';

/** Where the machine is in its life, as the page sees it. */
export type MachinePhase =
  | { readonly kind: 'off' }
  | { readonly kind: 'preparing'; readonly steps: readonly PreparationStep[] }
  | { readonly kind: 'building' }
  | { readonly kind: 'on'; readonly vm: Vm; readonly serial: SerialLog }
  | { readonly kind: 'stopping' };

/** How the machine that is on came to be where it is. */
export type Origin =
  /** `why`: there was a snapshot, and it could not be used. */
  | { readonly kind: 'booted'; readonly why: string | undefined }
  | { readonly kind: 'restored'; readonly savedAt: number };

export interface ControllerState {
  readonly phase: MachinePhase;
  /** Of the machine that runs or ran last. */
  readonly origin: Origin;
  /** The command line as the user has it in the editor. */
  readonly commandLine: string;
  /** The command line of the machine that runs or ran last. */
  readonly applied: string | undefined;
  /** The last one that gave a machine. */
  readonly lastGood: string | undefined;
  readonly problem: Problem | undefined;
  /** A device picked up by tap or click, to be put down on a lane. */
  readonly picked: string | undefined;
}

const BOOTED: Origin = { kind: 'booted', why: undefined };
/** So begins what the engine says of a snapshot that can't be loaded. */
const UNUSABLE = /^snapshot '[^']*' (?:cannot be loaded: |does not exist)/i;

/** Told of each new machine; what it returns runs when that machine is gone. */
export type VmListener = (vm: Vm, serial: SerialLog) => void | (() => void);

/** How the power is switched on. */
export interface PowerOn {
  readonly resume?: boolean;
  readonly keep?: boolean;
}

export interface ControllerOptions {
  readonly makeVm: MakeVm;
  readonly prepare: Prepare;
  /** Adds what a command line leaves to the page (the default guest). */
  readonly complete?: (argv: readonly string[]) => readonly string[];
  readonly commandLine: string;
  /** Keeps a snapshot for the next visit. */
  readonly warm?: WarmStart;
  /** Told of each command line that gave a machine. */
  readonly remember?: (commandLine: string) => void;
}

/**
 * Creates and destroys the one machine of the page and turns the user's commands into QMP. Holds
 * configuration and state of the page only; live data is in `board` and never passes through the store.
 */
export class VmController {
  readonly store: StoreApi<ControllerState>;
  readonly board = new LiveBoard();
  readonly #options: ControllerOptions;
  readonly #vmListeners = new Set<VmListener>();
  #vmCleanups: (() => void)[] = [];
  readonly #serials = new Map<string, SerialLog>();
  #aborter: AbortController | undefined;
  /** The page goes away. */
  #leaving = false;
  /** Serialises power on and off: the next waits for the one before. */
  #chain: Promise<void> = Promise.resolve();

  constructor(options: ControllerOptions) {
    this.#options = options;
    this.store = createStore<ControllerState>(() => ({
      phase: { kind: 'off' },
      origin: BOOTED,
      commandLine: options.commandLine,
      applied: undefined,
      lastGood: undefined,
      problem: undefined,
      picked: undefined,
    }));
  }

  get vm(): Vm | undefined {
    const { phase } = this.store.getState();
    return phase.kind === 'on' ? phase.vm : undefined;
  }

  /** Calls back with each new machine (and the present one); what it returns runs when that machine is gone. */
  onVm(listener: VmListener): () => void {
    this.#vmListeners.add(listener);
    const { phase } = this.store.getState();
    if (phase.kind === 'on') this.#tell(listener, phase.vm, phase.serial);
    return () => this.#vmListeners.delete(listener);
  }

  /** The log of another terminal of the machine, by its character device; begins when it is first asked for. */
  serialLog(id: string): SerialLog | undefined {
    const { vm } = this;
    if (vm === undefined || !vm.serialPortIds().includes(id)) return undefined;
    const known = this.#serials.get(id);
    if (known !== undefined) return known;
    const log = new SerialLog(vm.serialPort(id));
    this.#serials.set(id, log);
    this.#vmCleanups.push(() => log.close());
    return log;
  }

  setCommandLine(commandLine: string): void {
    this.store.setState({ commandLine });
  }

  /** A change that was made to the running machine is made to its command lines as well. */
  applyLive(edit: (commandLine: string) => string): void {
    this.store.setState(({ commandLine, applied, lastGood }) => ({
      commandLine: edit(commandLine),
      applied: applied === undefined ? undefined : edit(applied),
      lastGood: lastGood === undefined ? undefined : edit(lastGood),
    }));
  }

  dismissProblem(): void {
    this.store.setState({ problem: undefined });
  }

  showProblem(problem: Problem): void {
    this.store.setState({ problem });
  }

  get warm(): WarmStart | undefined {
    return this.#options.warm;
  }

  /**
   * Makes the machine the command line describes; a machine that runs is ended first. It boots, unless `resume`
   * asks for the snapshot of the last visit and there is one that fits. `keep`: a snapshot is kept of it for the
   * next visit.
   */
  powerOn({ resume = false, keep = true }: PowerOn = {}): Promise<void> {
    return this.#serially(async () => {
      const { commandLine } = this.store.getState();
      const split = splitArgv(commandLine);
      if (!split.ok) {
        this.store.setState({
          problem: {
            title: 'The command line can’t be read',
            detail: split.message,
            ways: ['edit-command-line', 'previous-command-line', 'default-command-line'],
          },
        });
        return;
      }
      await this.#end();
      const argv = split.tokens.map((token) => token.value);
      await this.#start(this.#options.complete?.(argv) ?? argv, commandLine, { resume, keep });
    });
  }

  /** Cuts the power: every thread ends, disks are closed first. */
  powerOff(): Promise<void> {
    this.#aborter?.abort();
    return this.#serially(async () => {
      await this.#end();
      // The next visit should not find the machine on again, as it was before.
      this.#options.warm?.forget();
      say('Power is off');
    });
  }

  /** The page goes away: disks must be closed before the next page can open them. */
  abandon(): void {
    const vm = this.vm;
    this.#leaving = true;
    if (vm !== undefined) void vm.dispose();
  }

  /** Runs a command that needs a machine and shows its refusal. */
  async command(execute: string, args?: Readonly<Record<string, unknown>>): Promise<UserError | undefined> {
    const vm = this.vm;
    if (vm === undefined) return { class: 'GenericError', desc: 'no machine is on' };
    const reply = await vm.qmp(execute, args);
    this.board.refresh();
    return reply.ok ? undefined : reply.error;
  }

  /**
   * Changes the running machine by QMP commands in order; what they lead to becomes the applied command line.
   * The first refusal stops, and is shown with what was done before it.
   */
  async applyCommands(
    commands: readonly { readonly execute: string; readonly arguments: Readonly<Record<string, unknown>> }[],
    commandLine: string,
  ): Promise<void> {
    for (const [done, { execute, arguments: args }] of commands.entries()) {
      const error = await this.command(execute, args);
      if (error === undefined) continue;
      const before = done === 0 ? 'Nothing was changed' : `The ${done} commands before it were carried out`;
      this.showProblem({
        title: 'The machine refused a change',
        detail: `${execute}: ${error.desc}`,
        hint: [error.hint, `${before}. A restart would apply all of it.`].filter(Boolean).join('\n'),
        ways: ['dismiss', 'power-on'],
      });
      return;
    }
    this.store.setState({ applied: commandLine, lastGood: commandLine });
    this.#options.remember?.(commandLine);
    tell(
      commands.length === 1 ? 'Applied, no restart' : `Applied by ${commands.length} commands, no restart`,
    );
  }

  async pause(): Promise<void> {
    this.#report(await this.command('stop'), 'Paused: every loop stands at a safe point');
  }
  async resume(): Promise<void> {
    this.#report(await this.command('cont'), 'Running');
  }
  async reset(): Promise<void> {
    this.#report(await this.command('system_reset'), 'Reset: the guest boots again');
  }
  async shutdownGuest(): Promise<void> {
    this.#report(await this.command('system_powerdown'), 'Asked the guest to shut down');
  }

  runState(): RunState | undefined {
    return this.vm === undefined ? undefined : this.board.shape()?.runState;
  }

  #report(error: UserError | undefined, success: string): void {
    if (error === undefined) say(success);
    else
      this.store.setState({
        problem: { ...problemFromUserError(error, 'The machine refused'), ways: ['dismiss'] },
      });
  }

  async #start(argv: readonly string[], commandLine: string, how: Required<PowerOn>): Promise<void> {
    const aborter = new AbortController();
    this.#aborter = aborter;
    this.store.setState({
      phase: { kind: 'preparing', steps: [] },
      problem: undefined,
      applied: commandLine,
    });
    try {
      await this.#options.prepare(
        argv,
        (steps) => this.store.setState({ phase: { kind: 'preparing', steps } }),
        aborter.signal,
      );
      if (aborter.signal.aborted) throw aborter.signal.reason;
      this.store.setState({ phase: { kind: 'building' } });
      const { vm, plan } = await this.#make(argv, how.resume);
      this.#adopt(vm, commandLine, plan);
      if (how.keep) this.#keep(vm, argv, plan);
    } catch (error) {
      const problem = aborter.signal.aborted
        ? undefined
        : problemFromUnknown(error, 'The machine could not be built', ['retry', 'edit-command-line']);
      this.store.setState({ phase: { kind: 'off' }, problem });
    }
  }

  /** From the last visit's snapshot if it is asked for and fits; else it boots. */
  async #make(
    argv: readonly string[],
    resume: boolean,
  ): Promise<{ readonly vm: Vm; readonly plan: WarmPlan | undefined }> {
    const { makeVm, warm } = this.#options;
    let plan = resume ? await warm?.plan(argv) : undefined;
    let made = await makeVm(plan === undefined ? argv : [...argv, ...plan.argv]);
    if (plan?.savedAt !== undefined && !made.ok && UNUSABLE.test(made.error.desc)) {
      const why = made.error.desc.replace(UNUSABLE, '') || 'the snapshot of the last visit is gone';
      plan = { argv: [], output: '', savedAt: undefined, why };
      made = await makeVm(argv);
    }
    if (!made.ok) throw new ProblemError(problemFromUserError(made.error));
    return { vm: made.value, plan };
  }

  #adopt(vm: Vm, commandLine: string, plan: WarmPlan | undefined): void {
    const serial = new SerialLog(vm.serial, plan?.output);
    this.#vmCleanups.push(() => serial.close());
    const origin: Origin =
      plan?.savedAt === undefined
        ? { kind: 'booted', why: plan?.why }
        : { kind: 'restored', savedAt: plan.savedAt };
    this.store.setState({ phase: { kind: 'on', vm, serial }, origin, lastGood: commandLine });
    this.#options.remember?.(commandLine);
    this.board.attach(vm);
    // All of them listen from the start, so that nothing is lost while another is shown.
    for (const id of vm.serialPortIds()) this.serialLog(id);
    this.#vmCleanups.push(vm.onEvent((event) => this.#onEvent(event)));
    for (const listener of this.#vmListeners) this.#tell(listener, vm, serial);
    say(
      origin.kind === 'restored'
        ? `The machine goes on from the snapshot of ${timeOfDay(origin.savedAt)}`
        : ['The machine is on', origin.why].filter(Boolean).join('; booted: '),
    );
    vm.ended.then(
      (end) => this.#ended(vm, end),
      (error: unknown) => this.#ended(vm, { reason: 'failed', detail: messageOf(error) }),
    );
  }

  #keep(vm: Vm, argv: readonly string[], plan: WarmPlan | undefined): void {
    const { phase } = this.store.getState();
    const { warm } = this.#options;
    if (warm === undefined || phase.kind !== 'on') return;
    this.#vmCleanups.push(warm.watch(vm, phase.serial, this.board, argv, plan));
  }

  /** What happens in the machine that the user must know at once. */
  #onEvent({ event, data }: QmpEvent): void {
    if (event === 'RESET') this.store.setState({ origin: BOOTED });
    if (event !== 'GUEST_PANICKED') return;
    const { info } = (data ?? {}) as { info?: { detail?: unknown } };
    this.showProblem(panicProblem(typeof info?.detail === 'string' ? info.detail : 'Its kernel gave up.'));
  }

  /** The guest or the machine ended by itself. */
  #ended(vm: Vm, end: VmEnd): void {
    if (this.vm !== vm) return;
    const problem = problemFromEnd(end);
    // A visit that is over leaves its snapshot to the next.
    if (this.#leaving) return;
    this.#options.warm?.forget();
    if (end.reason === 'guest-shutdown') say('The guest has shut down');
    this.store.setState({ problem });
    void this.#serially(() => this.#end());
  }

  async #end(): Promise<void> {
    const vm = this.vm;
    if (vm === undefined) return;
    this.store.setState({ phase: { kind: 'stopping' }, picked: undefined });
    this.board.detach();
    for (const cleanup of this.#vmCleanups.splice(0)) cleanup();
    this.#serials.clear();
    await vm.dispose();
    this.board.clear();
    this.store.setState({ phase: { kind: 'off' } });
  }

  #tell(listener: VmListener, vm: Vm, serial: SerialLog): void {
    const cleanup = listener(vm, serial);
    if (cleanup !== undefined) this.#vmCleanups.push(cleanup);
  }

  #serially(task: () => Promise<void>): Promise<void> {
    const run = this.#chain.then(task);
    this.#chain = run.catch(() => {});
    return run;
  }
}

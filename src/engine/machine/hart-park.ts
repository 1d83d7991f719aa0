import type { SharedMemory } from '../base/shared-memory.ts';
import { PRIV_M, PRIV_S } from '../cpu/layout.ts';
import type { ContextCore } from './context-core.ts';
import { HartWires } from './hart-wires.ts';
import type { BootPlan } from './platform/loader.ts';
import { HSM_STARTED, HSM_STOPPED } from './platform/sbi.ts';
import { HART_COMMAND, HART_STATE, HartControl } from './run-control.ts';

/** The harts as the main context commands them. */
export class HartPark {
  readonly controls: readonly HartControl[];
  readonly #core: ContextCore;
  readonly #wires: HartWires;
  readonly #waiting = new Set<{ readonly reached: () => boolean; resolve(): void }>();

  constructor(core: ContextCore, mem: SharedMemory) {
    this.#core = core;
    this.#wires = new HartWires(mem, core.layout.harts);
    this.controls = core.layout.hartControls.map((addr) => new HartControl(mem, addr));
  }

  /** Lets all harts execute. */
  run(): void {
    this.#command(HART_COMMAND.run);
  }

  /** Stops all harts between two instructions; resolves when none executes any more. */
  async pause(): Promise<void> {
    this.#command(HART_COMMAND.pause);
    await this.#until((control) => isPaused(control) || control.get('state') === HART_STATE.gone);
  }

  /** Ends the harts' threads; resolves when they have let go. */
  async quit(): Promise<void> {
    this.#command(HART_COMMAND.quit);
    await this.#until((control) => control.get('state') === HART_STATE.gone);
  }

  /** While paused: the reset vector. With the built-in SBI hart 0 starts, and the guest starts the others. */
  reset(plan: BootPlan): void {
    for (const [hart, control] of this.controls.entries()) {
      control.set64('resetPc', BigInt(plan.pc));
      control.set64('resetA0', BigInt(hart));
      control.set64('resetA1', BigInt(plan.a1));
      control.set64('resetA2', BigInt(plan.a2));
      control.set('resetPriv', plan.mode === 'S' ? PRIV_S : PRIV_M);
      control.set('hsm', plan.mode === 'S' && hart > 0 ? HSM_STOPPED : HSM_STARTED);
      control.set('power', 0);
      control.set('resetRequest', control.get('resetRequest') + 1);
      this.#wires.interrupt(hart);
    }
  }

  /** While paused: the harts' areas and RAM have been replaced; resolves when no hart remembers what was. */
  async restore(): Promise<void> {
    for (const [hart, control] of this.controls.entries()) {
      control.set('restoreRequest', control.get('restoreRequest') + 1);
      this.#wires.interrupt(hart);
    }
    await this.settled();
  }

  /** While paused: resolves when the harts have carried out what they were asked for. */
  async settled(): Promise<void> {
    await this.#until(isPaused);
  }

  /** A hart has told that its state changed: see whether that is what somebody waits for. */
  stateChanged(): void {
    for (const waiting of [...this.#waiting]) {
      if (!waiting.reached()) continue;
      this.#waiting.delete(waiting);
      waiting.resolve();
    }
  }

  #command(command: number): void {
    for (const [hart, control] of this.controls.entries()) {
      control.set('command', command);
      this.#wires.interrupt(hart);
    }
  }

  /** Resolves when `reached` holds for every hart; looked at whenever a hart tells of a change. */
  async #until(reached: (control: HartControl) => boolean): Promise<void> {
    const all = this.#core.deferred<void>();
    this.#waiting.add({ reached: () => this.controls.every(reached), resolve: () => all.resolve() });
    this.stateChanged();
    await all.promise;
  }
}

/** Executes nothing, and has nothing left to do before it sleeps. */
const isPaused = (control: HartControl): boolean =>
  control.get('state') === HART_STATE.paused &&
  control.get('resetRequest') === control.get('resetDone') &&
  control.get('restoreRequest') === control.get('restoreDone');

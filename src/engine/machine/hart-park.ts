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
  readonly #waiting = new Set<{ readonly states: ReadonlySet<number>; resolve(): void }>();

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
    await this.#reach(new Set([HART_STATE.paused, HART_STATE.gone]));
  }

  /** Ends the harts' threads; resolves when they have let go. */
  async quit(): Promise<void> {
    this.#command(HART_COMMAND.quit);
    await this.#reach(new Set([HART_STATE.gone]));
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

  /** A hart has told that its state changed: see whether that is what somebody waits for. */
  stateChanged(): void {
    for (const waiting of [...this.#waiting]) {
      if (!this.#all(waiting.states)) continue;
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

  #all(states: ReadonlySet<number>): boolean {
    return this.controls.every((control) => states.has(control.get('state')));
  }

  async #reach(states: ReadonlySet<number>): Promise<void> {
    const reached = this.#core.deferred<void>();
    this.#waiting.add({ states, resolve: () => reached.resolve() });
    this.stateChanged();
    await reached.promise;
  }
}

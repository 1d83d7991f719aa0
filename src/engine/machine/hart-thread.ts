import type { SharedMemory } from '../base/shared-memory.ts';
import { Hart, type Privilege } from '../cpu/hart.ts';
import { ATTENTION_IRQ } from '../cpu/layout.ts';
import type { Host } from '../host.ts';
import { TRACE } from '../trace/schema.ts';
import { TraceRingWriter } from '../trace/ring.ts';
import type { Tracer } from '../trace/tracer.ts';
import { awakeThreads } from './awake-threads.ts';
import { BreakWatch } from './break-watch.ts';
import { MAX_CONTEXTS } from './context-block.ts';
import { GuestClock } from './guest-clock.ts';
import { SpinBackoff } from '../base/spin-backoff.ts';
import { HaltPoll } from './halt-poll.ts';
import { HartBoard } from './hart-board.ts';
import { HartWires } from './hart-wires.ts';
import { NS_PER_TICK } from './platform/memory-map.ts';
import type { MachineLayout } from './shared-layout.ts';
import type { RoleCommon } from './roles.ts';
import { HSM_START_PENDING, HSM_STARTED } from './platform/sbi.ts';
import { HART_COMMAND, HART_STATE, HartControl } from './run-control.ts';

/** Told to the worker that becomes a hart. */
export interface HartRole extends RoleCommon {
  readonly role: 'hart';
  readonly hart: number;
  readonly interpreter: WebAssembly.Module;
  /** Answer ECALLs from S mode ourselves; false when firmware was given. */
  readonly builtInSbi: boolean;
  /** Translate hot guest code (`-accel tcg,jit=on`). */
  readonly jit: boolean;
  /** Contents of the boot ROM. */
  readonly rom: Uint8Array;
}

/** Instructions between two looks at the timer; about a millisecond of interpreted code. */
const SLICE = 100_000;

/** Longest sleep in WFI: the host's clock may drift from what the deadline assumed. */
const WFI_MAX_NS = 10e9;

/** Runs one hart until told to quit. Blocks its worker: a hart never yields. */
export function serveHart(role: HartRole, mem: SharedMemory, host: Host): void {
  new HartThread(role, mem, host).serve();
}

class HartThread {
  readonly #index: number;
  readonly #control: HartControl;
  readonly #wires: HartWires;
  readonly #clock: GuestClock;
  readonly #host: Host;
  readonly #tracer: Tracer;
  readonly #hart: Hart;
  readonly #board: HartBoard;
  readonly #backoff = new SpinBackoff();
  readonly #haltPoll = new HaltPoll();
  readonly #mem: SharedMemory;
  readonly #layout: MachineLayout;

  constructor(role: HartRole, mem: SharedMemory, host: Host) {
    const { layout } = role;
    this.#index = role.hart;
    this.#host = host;
    this.#mem = mem;
    this.#layout = layout;
    this.#control = new HartControl(mem, layout.hartControls[role.hart] as number);
    this.#wires = new HartWires(mem, layout.harts);
    this.#clock = new GuestClock(mem, layout.guestClock, host.clock);
    this.#tracer = new TraceRingWriter(mem, {
      ring: layout.traceRings[MAX_CONTEXTS + role.hart] as number,
      capacity: layout.traceRecords,
      mask: layout.traceMask,
      bell: layout.traceBell,
      follow: layout.traceFollow,
      thread: MAX_CONTEXTS + role.hart,
      clock: host.clock,
      breaks: new BreakWatch(mem, layout, MAX_CONTEXTS + role.hart, () => {}),
    });
    this.#board = new HartBoard({
      mem,
      layout,
      host,
      tracer: this.#tracer,
      hart: role.hart,
      wires: this.#wires,
      guestClock: this.#clock,
      control: this.#control,
      rom: role.rom,
    });
    this.#hart = new Hart({
      module: role.interpreter,
      memory: role.memory,
      hartBase: layout.harts[role.hart] as number,
      ramOffset: layout.ramOffset,
      ramBytes: layout.ramBytes,
      hartId: role.hart,
      bus: this.#board.bus,
      timeTicks: () => this.#clock.ticks(),
      builtInSbi: role.builtInSbi,
      jit: role.jit,
      compiler: { queue: layout.compileQueues[role.hart] as number, compiler: layout.compiler },
    });
    this.#board.bindHart(this.#hart);
  }

  serve(): void {
    for (;;) {
      switch (this.#control.get('command')) {
        case HART_COMMAND.quit:
          this.#enter(HART_STATE.gone);
          return;
        case HART_COMMAND.pause:
          this.#pause();
          break;
        default:
          this.#run();
      }
    }
  }

  /** Publishes a state the main context may be waiting for. */
  #enter(state: number): void {
    this.#control.set('state', state);
    this.#board.notifyMain();
  }

  /** Sleeps until a command other than pause comes. */
  #pause(): void {
    this.#takeReset();
    this.#takeRestore();
    this.#enter(HART_STATE.paused);
    const paused = (): boolean =>
      this.#control.get('command') === HART_COMMAND.pause &&
      this.#control.get('resetRequest') === this.#control.get('resetDone') &&
      this.#control.get('restoreRequest') === this.#control.get('restoreDone');
    while (paused()) this.#idle(() => !paused());
  }

  /** Carries out a reset asked for by the main context or by SBI hart_start. */
  #takeReset(): void {
    const asked = this.#control.get('resetRequest');
    if (asked === this.#control.get('resetDone')) return;
    this.#hart.reset(
      this.#control.get64('resetPc'),
      this.#control.get64('resetA0'),
      this.#control.get64('resetA1'),
      this.#control.get('resetPriv') as Privilege,
    );
    this.#hart.setX(12, this.#control.get64('resetA2'));
    this.#hart.flush();
    this.#control.cas('hsm', HSM_START_PENDING, HSM_STARTED);
    this.#control.set('resetDone', asked);
  }

  /** The main context has put a snapshot's state into the hart's area, and another RAM around it. */
  #takeRestore(): void {
    const asked = this.#control.get('restoreRequest');
    if (asked === this.#control.get('restoreDone')) return;
    this.#hart.flush();
    this.#control.set('restoreDone', asked);
  }

  /** Sleeps outside `run`, serving remote fences meanwhile. */
  #idle(ready: () => boolean): void {
    this.#hart.serveFences();
    this.#wires.sleep(this.#index, Infinity, ready);
  }

  /** Executes guest code until the command changes. */
  #run(): void {
    this.#takeReset();
    this.#wires.attend(this.#index, ATTENTION_IRQ);
    const running = (): boolean => this.#control.get('command') === HART_COMMAND.run;
    while (running()) {
      if (this.#control.get('hsm') !== HSM_STARTED) {
        this.#stoppedByGuest(running);
        continue;
      }
      this.#control.set('state', HART_STATE.running);
      const exit = this.#hart.run(SLICE);
      switch (exit.kind) {
        case 'budget':
        case 'attention':
          break;
        case 'wfi':
          this.#waitForInterrupt(exit.deadlineTicks);
          break;
        case 'sbi':
          if (this.#board.sbiCall() && !this.#board.interruptPending)
            this.#waitForInterrupt(this.#board.timerTicks);
          break;
      }
    }
  }

  #waitForInterrupt(deadlineTicks: number): void {
    const waitNs = Math.min((deadlineTicks - this.#clock.ticks()) * NS_PER_TICK, WFI_MAX_NS);
    if (waitNs <= 0) return;
    const began = this.#host.clock.nowNs();
    this.#control.setNs('wfiSince', began);
    this.#control.set('state', HART_STATE.wfi);
    this.#tracer.emit(TRACE.hart_wfi_begin, this.#index);
    const spinNs = Math.min(this.#haltPoll.ns, waitNs);
    if (spinNs === 0 || !this.#backoff.maySpin(began) || !this.#spin(began + spinNs))
      this.#wires.sleep(this.#index, waitNs - spinNs);
    this.#tracer.emit(TRACE.hart_wfi_end, this.#index);
    const waitedNs = this.#host.clock.nowNs() - began;
    this.#haltPoll.waited(waitedNs);
    this.#control.setNs('idleNs', this.#control.getNs('idleNs') + waitedNs);
  }

  /** Spins in WFI where that takes no core from anybody; true if there is attention. */
  #spin(untilNs: number): boolean {
    this.#control.set('polling', 1);
    const may = awakeThreads(this.#mem, this.#layout) <= this.#host.cores;
    const found = may && this.#wires.spin(this.#index, this.#host.clock, untilNs);
    if (may) this.#backoff.spun(found, untilNs);
    this.#control.set('polling', 0);
    return found;
  }

  /** HSM: waits for another hart's hart_start. */
  #stoppedByGuest(running: () => boolean): void {
    this.#control.set('state', HART_STATE.stopped);
    // The hart that starts this one makes the state `start pending` first and asks for the reset last.
    const waiting = (): boolean =>
      running() && this.#control.get('resetRequest') === this.#control.get('resetDone');
    while (waiting()) this.#idle(() => !waiting());
    if (running()) this.#takeReset();
  }
}

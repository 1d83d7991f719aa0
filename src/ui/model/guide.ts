import { createStore, type StoreApi } from 'zustand/vanilla';
import type { BoardSnapshot, DeviceSnapshot } from '../../engine/vm.ts';
import { layout } from './layout.ts';
import { type BoardFrame, contextIn } from './live-board.ts';
import type { Moves } from './moves.ts';
import { FIRST_STEPS, scenarioById } from './scenarios/catalog.ts';
import type { Fact, Hands, Scenario, Step } from './scenarios/scenario.ts';
import { timeEcho } from './scenarios/time-echo.ts';
import type { SerialLog } from './serial-log.ts';
import { loadSettings, saveSettings } from './settings.ts';
import type { ContextRecords } from './trace/context-records.ts';
import type { VmController } from './vm-controller.ts';

export interface GuideState {
  readonly shown: boolean;
  readonly scenario: Scenario;
  /** Index of the present step. */
  readonly at: number;
  /** The step's button was pressed; its effect is awaited. */
  readonly waiting: boolean;
  /** What the last step showed, in one sentence. */
  readonly finding: string;
  /** What had to be said of the link that was opened; stays until somebody does something. */
  readonly notice: string;
  /** Where the disk is and where the guide suggests to move it. */
  readonly from: string;
  readonly to: string;
}

/** What was recorded of each context since then, host ns; undefined where nothing is traced. */
export type CountRecords = (since: number) => Promise<readonly ContextRecords[] | undefined>;

/** A shell that waits for a command: its prompt is the last thing on the line. */
const PROMPT = /[#$] $/;
const LETTERS = 'abcdefghijklmnopqrst';

/** Leads through a scenario. Each step is done when the machine shows it. */
export class Guide {
  readonly store: StoreApi<GuideState>;
  readonly #controller: VmController;
  readonly #moves: Moves;
  readonly #standard: string;
  readonly #countRecords: CountRecords;
  readonly #facts = new Map<string, Fact>();
  #serial: SerialLog | undefined;
  #since: BoardSnapshot | undefined;
  /** The last move when the step's button was pressed: only a later one is its effect. */
  #moveBefore = 0;
  #tail = '';
  /** A link's step, to go to once the guest is at its prompt. */
  #resumeAt: number | undefined;

  /**
   * @param standard the page's default command line, from which scenarios make theirs
   * @param countRecords asks the trace
   */
  constructor(controller: VmController, moves: Moves, standard: string, countRecords: CountRecords) {
    this.#controller = controller;
    this.#moves = moves;
    this.#standard = standard;
    this.#countRecords = countRecords;
    this.store = createStore<GuideState>(() => ({
      shown: !loadSettings().guideDone,
      scenario: FIRST_STEPS,
      at: 0,
      waiting: false,
      finding: '',
      notice: '',
      from: 'main',
      to: 'ctx0',
    }));
    controller.onVm((_vm, serial) => {
      this.#serial = serial;
      this.#tail = '';
      this.#restart();
      const decoder = new TextDecoder();
      const off = serial.onData((bytes) => {
        this.#tail = (this.#tail + decoder.decode(bytes, { stream: true })).slice(-200);
      });
      return () => {
        off();
        this.#serial = undefined;
      };
    });
    controller.board.onNumbers((frame) => this.#look(frame));
  }

  /** The present step; undefined never, as long as scenarios have steps. */
  get step(): Step | undefined {
    const { scenario, at } = this.store.getState();
    return scenario.steps[at];
  }

  /** Does the machine that runs have the configuration this scenario asks for? */
  needsRestart(scenario: Scenario): boolean {
    const { applied } = this.#controller.store.getState();
    return scenario.commandLine !== undefined && scenario.commandLine(this.#standard) !== applied;
  }

  /** Begins a scenario, on a machine made for it where it needs another configuration. */
  begin(scenario: Scenario): void {
    const restart = this.needsRestart(scenario);
    this.#resumeAt = undefined;
    this.store.setState({ scenario, shown: true, notice: '' });
    this.#restart();
    if (!restart || scenario.commandLine === undefined) return;
    this.#controller.setCommandLine(scenario.commandLine(this.#standard));
    void this.#controller.powerOn();
  }

  /**
   * Takes up what a link names: scenario and step. The steps before were done on another machine, so it goes on with the
   * step as soon as the guest can be typed to. An unknown scenario is said, and nothing else changes.
   */
  resume(scenarioId: string, stepId: string | undefined): void {
    const scenario = scenarioById(scenarioId);
    if (scenario === undefined) {
      this.store.setState({
        shown: true,
        notice: `This link names the scenario “${scenarioId.slice(0, 40)}”, which this version does not have. The rest of it is as shared.`,
      });
      return;
    }
    const at = scenario.steps.findIndex(({ id }) => id === stepId);
    this.#resumeAt = at > 0 ? at : undefined;
    this.store.setState({ scenario, shown: true, at: 0, finding: '' });
  }

  /** Does what the present step suggests. */
  act(): void {
    const { waiting, from, to } = this.store.getState();
    const { step } = this;
    const since = this.#controller.board.frame()?.now;
    if (waiting || this.#disk() === undefined || since === undefined || step?.act === undefined) return;
    this.#since = since;
    this.#moveBefore = this.#moves.store.getState().last?.id ?? 0;
    this.store.setState({ waiting: true, notice: '' });
    if (step.show !== undefined) layout.setState({ inspector: step.show });
    step.act(this.#hands(), { from, to });
  }

  hide(): void {
    saveSettings({ guideDone: true });
    this.store.setState({ shown: false });
  }

  show(): void {
    saveSettings({ guideDone: false });
    this.store.setState({ shown: true });
  }

  #restart(): void {
    this.#facts.clear();
    this.#since = undefined;
    this.store.setState({ at: 0, waiting: false, finding: '' });
  }

  #hands(): Hands {
    return {
      type: (command) => this.#serial?.write(`${command}\r`),
      timeTyping: (fact) => {
        const serial = this.#serial;
        if (serial === undefined) return;
        void timeEcho(serial, LETTERS).then((times) => this.#facts.set(fact, times));
      },
      move: (to, queue) => {
        const device = this.#disk();
        if (device !== undefined) void this.#moves.move(device.qomPath, to, queue);
      },
      qmp: (fact, execute, args) => {
        void this.#controller.vm
          ?.qmp(execute, args)
          .then((reply) =>
            reply.ok ? this.#facts.set(fact, 'done') : this.#facts.set(`${fact} error`, reply.error.desc),
          );
      },
      countRecords: (fact, seconds) => void this.#countLater(fact, seconds),
      moveAndBack: (fact, from, to, queue, seconds) => {
        const device = this.#disk();
        if (device === undefined) return;
        void this.#moves
          .move(device.qomPath, to, queue)
          .then(() => this.#moves.move(device.qomPath, from, queue))
          .then(() => this.#countLater(fact, seconds));
      },
    };
  }

  /** Counts from the press of the button until then. */
  async #countLater(fact: string, seconds: number): Promise<void> {
    const since = this.#since;
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const records = since === undefined ? undefined : await this.#countRecords(since.timeNs);
    // Another step, or another machine, has begun meanwhile.
    if (records !== undefined && since === this.#since) this.#facts.set(fact, { records });
  }

  /** The first disk that can be moved. */
  #disk(): DeviceSnapshot | undefined {
    return this.#controller.board
      .frame()
      ?.now.devices.find((device) => device.movable && device.type.startsWith('virtio-blk'));
  }

  #look(frame: BoardFrame): void {
    const { shown, waiting } = this.store.getState();
    const disk = this.#disk();
    const { step } = this;
    if (!shown || disk === undefined) return;
    if (!waiting) this.#placement(frame.now, disk);
    if (step?.done === undefined || (step.act !== undefined && !waiting)) return;
    const { last } = this.#moves.store.getState();
    const { from, to } = this.store.getState();
    const finding = step.done({
      frame,
      since: this.#since ?? frame.now,
      disk,
      move:
        last !== undefined && last.id > this.#moveBefore && last.qomPath === disk.qomPath ? last : undefined,
      atPrompt: PROMPT.test(this.#tail),
      place: { from, to },
      facts: this.#facts,
    });
    if (finding !== undefined) this.#next(finding);
  }

  #placement(board: BoardSnapshot, device: DeviceSnapshot): void {
    const { from, to } = this.store.getState();
    const here = contextIn(board, device.queues[0]?.context ?? 0)?.id ?? 'main';
    const elsewhere = board.contexts.filter(({ id, state }) => id !== here && state !== 'gone');
    // From the main loop to a thread; from a thread to the main loop, or where there are two queues, to the other thread.
    const threads = elsewhere.filter(({ threaded, index }) => threaded && index > 0);
    const other = (here === 'main' || device.queues.length > 1 ? threads[0] : undefined)?.id ?? 'main';
    if (other === here) return;
    if (here !== from || other !== to) this.store.setState({ from: here, to: other });
  }

  #next(finding: string): void {
    const { at, scenario } = this.store.getState();
    const next = Math.min(scenario.steps.length - 1, this.#resumeAt ?? at + 1);
    this.#resumeAt = undefined;
    this.store.setState({ at: next, finding, waiting: false });
  }
}

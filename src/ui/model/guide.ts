import { createStore, type StoreApi } from 'zustand/vanilla';
import type { BoardSnapshot, DeviceSnapshot } from '../../engine/vm.ts';
import { count, duration } from './format.ts';
import { type BoardFrame, contextIn, queueRate, queueSum } from './live-board.ts';
import type { Moves } from './moves.ts';
import type { SerialLog } from './serial-log.ts';
import { loadSettings, saveSettings } from './settings.ts';
import type { VmController } from './vm-controller.ts';

/** The steps of a first visit, in order. Each is done when the machine shows it, not when a button was pressed. */
export const GUIDE_STEPS = ['prompt', 'read', 'load', 'move', 'explore'] as const;
export type GuideStep = (typeof GUIDE_STEPS)[number];

export interface GuideState {
  readonly shown: boolean;
  readonly step: GuideStep;
  /** The step's button was pressed; its effect is awaited. */
  readonly waiting: boolean;
  /** What the last step showed, in one sentence. */
  readonly finding: string;
  /** Where the disk is and where the guide suggests to move it. */
  readonly from: string;
  readonly to: string;
}

/** A shell that waits for a command: its prompt is the last thing on the line. */
const PROMPT = /[#$] $/;
/** Requests per second that count as load. */
const LOADED = 200;
/** Seconds of "after" before the comparison is called done. */
const COMPARE_SECONDS = 5;

const READ_ONE = 'dd if=/dev/vda of=/dev/null bs=4k count=1 iflag=direct\r';
const LOAD =
  'if command -v fio >/dev/null; then fio --name=load --filename=/dev/vda --readonly --rw=randread --bs=4k --direct=1' +
  ' --ioengine=libaio --iodepth=8 --time_based --runtime=60 >/dev/null; else while :; do' +
  ' dd if=/dev/vda of=/dev/null bs=4k count=4096 iflag=direct; done; fi 2>/dev/null &\r';

/** Leads through the first minute: one request, load, a move, what it changed. */
export class Guide {
  readonly store: StoreApi<GuideState>;
  readonly #controller: VmController;
  readonly #moves: Moves;
  #serial: SerialLog | undefined;
  #before: BoardSnapshot | undefined;
  #tail = '';

  constructor(controller: VmController, moves: Moves) {
    this.#controller = controller;
    this.#moves = moves;
    this.store = createStore<GuideState>(() => ({
      shown: !loadSettings().guideDone,
      step: 'prompt',
      waiting: false,
      finding: '',
      from: 'main',
      to: 'ctx0',
    }));
    controller.onVm((_vm, serial) => {
      this.#serial = serial;
      this.#tail = '';
      this.store.setState({ step: 'prompt', waiting: false, finding: '' });
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

  /** Does what the present step suggests. */
  act(): void {
    const { step, waiting, to } = this.store.getState();
    const device = this.#disk();
    if (waiting || device === undefined) return;
    this.#before = this.#controller.board.frame()?.now;
    this.store.setState({ waiting: true });
    if (step === 'read') this.#serial?.write(READ_ONE);
    else if (step === 'load') this.#serial?.write(LOAD);
    else if (step === 'move') void this.#moves.move(device.qomPath, to);
  }

  hide(): void {
    saveSettings({ guideDone: true });
    this.store.setState({ shown: false });
  }

  show(): void {
    saveSettings({ guideDone: false });
    this.store.setState({ shown: true });
  }

  /** The first disk that can be moved. */
  #disk(): DeviceSnapshot | undefined {
    return this.#controller.board
      .frame()
      ?.now.devices.find((device) => device.movable && device.type.startsWith('virtio-blk'));
  }

  #look(frame: BoardFrame): void {
    const { shown, step, waiting } = this.store.getState();
    const device = this.#disk();
    if (!shown || device === undefined) return;
    const queues = device.queues.map((queue) => queue.index);
    const grown = (read: Parameters<typeof queueSum>[3]): number =>
      queueSum(frame.now, device.qomPath, queues, read) -
      queueSum(this.#before, device.qomPath, queues, read);
    this.#placement(frame.now, device);
    if (step === 'prompt') {
      if (PROMPT.test(this.#tail)) this.#next('read', '');
    } else if (step === 'read' && waiting && this.#before !== undefined) {
      const requests = grown((queue) => queue.completions);
      if (requests > 0) {
        const kicks = grown((queue) => queue.kicks);
        const interrupts = grown((queue) => queue.interrupts);
        this.#next(
          'load',
          `${plural(requests, 'request')} crossed the ring: ${plural(kicks, 'kick')}, ${plural(interrupts, 'interrupt')}.`,
        );
      }
    } else if (step === 'load' && waiting) {
      const perSecond = queueRate(frame, device.qomPath, queues, (queue) => queue.completions);
      if (perSecond > LOADED)
        this.#next('move', `The guest now makes ${count(perSecond)} requests a second.`);
    } else if (step === 'move' && waiting) {
      const { last } = this.#moves.store.getState();
      if (last === undefined || last.qomPath !== device.qomPath) return;
      if (last.state === 'refused') this.#next('explore', `The move was refused: ${last.refusal ?? ''}`);
      else if (last.after !== undefined && last.after.seconds >= COMPARE_SECONDS) {
        const [before, after] = [last.before?.latency.p50, last.after.latency.p50];
        this.#next(
          'explore',
          before === undefined || after === undefined
            ? `${device.id} moved to ${last.to}.`
            : `Median latency was ${duration(before)} on ${last.from} and is ${duration(after)} on ${last.to}.`,
        );
      }
    }
  }

  #placement(board: BoardSnapshot, device: DeviceSnapshot): void {
    const { step, waiting, from, to } = this.store.getState();
    if (step === 'move' && waiting) return;
    const here = contextIn(board, device.queues[0]?.context ?? 0)?.id ?? 'main';
    const other =
      here === 'main' ? board.contexts.find((context) => context.threaded && context.index > 0)?.id : 'main';
    if (here !== from || (other ?? to) !== to) this.store.setState({ from: here, to: other ?? to });
  }

  #next(step: GuideStep, finding: string): void {
    this.store.setState({ step, finding, waiting: false });
  }
}

const plural = (n: number, word: string): string => `${count(n)} ${word}${n === 1 ? '' : 's'}`;

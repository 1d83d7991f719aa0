import { createStore, type StoreApi } from 'zustand/vanilla';
import type { BoardSnapshot } from '../../../engine/vm.ts';
import { KIND_GLYPHS, type Kind, type ThemeName } from '../../tokens.ts';
import { say } from '../announcer.ts';
import { pageFrames } from '../frame-queue.ts';
import type { VmController } from '../vm-controller.ts';
import type { HeatCommand } from './heat-view.ts';
import type { TraceBoard } from './labels.ts';
import type {
  Answers,
  CanvasKind,
  FromAggregator,
  HeatStatus,
  Question,
  Summary,
  TimelineStatus,
  ToAggregator,
} from './protocol.ts';
import type { TimelineCommand } from './timeline-view.ts';

/** A part of the trace to be shown. Host ns. */
export interface TimelineWish {
  readonly from: number;
  readonly to: number;
  /** A search, as a person would type it. */
  readonly filter: string;
}

/** A summary is told to so many in one frame. */
const LISTENERS_PER_FRAME = 12;
/** The aggregator is told at most this often that somebody is at work (ms). */
const WAKE_MS = 1000;

/** What a view holds of the canvas it handed to the aggregator. */
export interface TraceCanvas<Command, Status> {
  readonly id: number;
  command(command: Command): void;
  resize(width: number, height: number, scale: number, theme: ThemeName): void;
  /** Told the present status, then four times a second while the picture moves, and at once after a command. Stable. */
  readonly onStatus: (listener: (status: Status) => void) => () => void;
  close(): void;
}

/**
 * The page's end of the aggregator: one worker for the life of the page, started with the first machine. What passes
 * here are commands, statistics and answers; records stay in the worker.
 */
export class TraceClient {
  /** The display holds while the machine runs. */
  readonly store: StoreApi<{ readonly frozen: boolean; readonly followsEvery: boolean }> = createStore(
    () => ({ frozen: false, followsEvery: false }),
  );
  /** What the timeline is asked to show, until it has been shown. */
  readonly timeline: StoreApi<{ readonly wish: TimelineWish | undefined }> = createStore(() => ({
    wish: undefined,
  }));
  readonly #controller: VmController;
  #worker: Worker | undefined;
  #ticket = 0;
  #canvas = 0;
  readonly #asked = new Map<number, (answer: unknown) => void>();
  readonly #summaryListeners = new Set<(summary: Summary) => void>();
  readonly #statusListeners = new Map<number, (status: TimelineStatus | HeatStatus) => void>();
  #summary: Summary | undefined;
  #crowded = false;
  #boardKey = '';
  #wokenAt = 0;

  constructor(controller: VmController) {
    this.#controller = controller;
    controller.onVm((vm) => {
      const attachment = vm.trace.attach();
      if (attachment === undefined) return;
      this.#post({ type: 'machine', attachment });
      this.#post({ type: 'freeze', frozen: this.store.getState().frozen });
      const forgetNames = vm.trace.onName((name) => this.#post({ type: 'name', name }));
      this.#boardKey = '';
      const tellBoard = (): void => this.#tellBoard(controller.board.shape(), attachment.firstHart);
      tellBoard();
      const forgetBoard = controller.board.subscribeShape(tellBoard);
      const forgetCrowd = controller.board.onFrame(() => this.#tellCrowd(controller.board.crowded));
      const forgetWake = controller.board.onWake(() => this.#tellWake());
      return () => {
        forgetNames();
        forgetBoard();
        forgetWake();
        forgetCrowd();
        controller.board.flooded = false;
        this.#post({ type: 'machine-gone' });
      };
    });
  }

  /** Holds the display; what comes meanwhile is counted and not kept. */
  freeze(frozen: boolean): void {
    if (frozen === this.store.getState().frozen) return;
    this.store.setState({ frozen });
    this.#post({ type: 'freeze', frozen });
    say(frozen ? 'View frozen; the machine runs on' : 'View live');
  }

  /** Follows every request, whatever it costs the machine; or as many as can be. */
  followEvery(followsEvery: boolean): void {
    this.store.setState({ followsEvery });
    this.#post({ type: 'follow', every: followsEvery });
  }

  /** Calls back four times a second while anybody listens. A stable function, as LiveText wants. */
  readonly summaries = (listener: (summary: Summary) => void): (() => void) => {
    this.#summaryListeners.add(listener);
    if (this.#summaryListeners.size === 1) this.#post({ type: 'summaries', wanted: true });
    if (this.#summary !== undefined) listener(this.#summary);
    return () => {
      this.#summaryListeners.delete(listener);
      if (this.#summaryListeners.size === 0) this.#post({ type: 'summaries', wanted: false });
    };
  };

  summary(): Summary | undefined {
    return this.#summary;
  }

  /** Asks the aggregator; undefined while it knows nothing. */
  ask<A extends Question['ask']>(
    question: Extract<Question, { readonly ask: A }>,
  ): Promise<Answers[A] | undefined> {
    const ticket = this.#ticket++;
    return new Promise((resolve) => {
      this.#asked.set(ticket, resolve as (answer: unknown) => void);
      this.#post({ type: 'ask', ticket, question });
    });
  }

  /** Hands a canvas to the aggregator, which draws it from now on. A canvas can be handed over once. */
  readonly openTimeline = (canvas: HTMLCanvasElement): TraceCanvas<TimelineCommand, TimelineStatus> =>
    this.#open('timeline', canvas) as TraceCanvas<TimelineCommand, TimelineStatus>;
  readonly openHeat = (canvas: HTMLCanvasElement): TraceCanvas<HeatCommand, HeatStatus> =>
    this.#open('heat', canvas) as TraceCanvas<HeatCommand, HeatStatus>;

  #open(kind: CanvasKind, canvas: HTMLCanvasElement): TraceCanvas<TimelineCommand | HeatCommand, never> {
    const id = this.#canvas++;
    const offscreen = canvas.transferControlToOffscreen();
    this.#post({ type: 'canvas', id, kind, canvas: offscreen }, [offscreen]);
    const listeners = new Set<(status: TimelineStatus | HeatStatus) => void>();
    let last: TimelineStatus | HeatStatus | undefined;
    this.#statusListeners.set(id, (status) => {
      last = status;
      for (const listener of listeners) listener(status);
    });
    return {
      id,
      command: (command) => this.#post({ type: kind, id, command } as ToAggregator),
      resize: (width, height, scale, theme) =>
        this.#post({ type: 'canvas-size', id, width, height, scale, theme }),
      onStatus: (listener) => {
        const told = listener as (status: TimelineStatus | HeatStatus) => void;
        listeners.add(told);
        if (last !== undefined) told(last);
        return () => void listeners.delete(told);
      },
      close: () => {
        this.#statusListeners.delete(id);
        this.#post({ type: 'canvas-gone', id });
      },
    };
  }

  #post(message: ToAggregator, transfer: Transferable[] = []): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message, transfer);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./aggregator.worker.ts', import.meta.url), {
      type: 'module',
      name: 'trace-aggregator',
    });
    document.addEventListener('visibilitychange', () =>
      this.#post({ type: 'visible', visible: document.visibilityState === 'visible' }),
    );
    worker.onmessage = (event: MessageEvent<FromAggregator>) => this.#receive(event.data);
    worker.onerror = (event) =>
      this.#controller.showProblem({
        title: 'The trace can’t be shown',
        detail: event.message || 'the aggregator’s worker could not be loaded',
        hint: 'The machine runs on. Reload the page to see its trace again.',
        ways: ['dismiss', 'reload'],
      });
    return worker;
  }

  #receive(message: FromAggregator): void {
    switch (message.type) {
      case 'summary':
        this.#summary = message.summary;
        this.#controller.board.flooded = message.summary.followOneOf > 1;
        this.#tellSummary(message.summary);
        return;
      case 'timeline-status':
      case 'heat-status':
        pageFrames.soon(`status ${message.id}`, () =>
          this.#statusListeners.get(message.id)?.(message.status),
        );
        return;
      case 'answer':
        this.#asked.get(message.ticket)?.(message.answer);
        this.#asked.delete(message.ticket);
        return;
    }
  }

  /** A few listeners a frame: all at once would be a long one. */
  #tellSummary(summary: Summary): void {
    const listeners = [...this.#summaryListeners];
    for (let from = 0; from < listeners.length; from += LISTENERS_PER_FRAME)
      pageFrames.add(`summary ${from}`, () => {
        for (const listener of listeners.slice(from, from + LISTENERS_PER_FRAME))
          if (this.#summaryListeners.has(listener)) listener(summary);
      });
  }

  /** A wheel or a typist wakes many times a second. */
  #tellWake(): void {
    const now = performance.now();
    if (now - this.#wokenAt < WAKE_MS) return;
    this.#wokenAt = now;
    this.#post({ type: 'wake' });
  }

  #tellCrowd(crowded: boolean): void {
    if (crowded === this.#crowded) return;
    this.#crowded = crowded;
    this.#post({ type: 'crowded', crowded });
  }

  #tellBoard(shape: BoardSnapshot | undefined, firstHart: number): void {
    if (shape === undefined) return;
    const board = traceBoard(shape, firstHart);
    const key = JSON.stringify(board);
    if (key === this.#boardKey) return;
    this.#boardKey = key;
    this.#post({ type: 'board', board });
  }
}

const isKind = (kind: string): kind is Kind => kind in KIND_GLYPHS;

/** What the aggregator needs of the board: names for numbers. */
function traceBoard(shape: BoardSnapshot, firstHart: number): TraceBoard {
  return {
    lanes: [
      ...shape.contexts
        .filter((context) => context.state !== 'gone')
        .map((context) => ({ thread: context.index, label: context.id })),
      ...shape.harts.map((hart) => ({ thread: firstHart + hart.index, label: `hart ${hart.index}` })),
    ],
    sources: shape.contexts.flatMap((context) =>
      context.sources.map((source) => ({
        context: context.index,
        name: source.name,
        kind: isKind(source.kind) ? source.kind : 'custom',
      })),
    ),
    devices: shape.devices.flatMap((device) =>
      device.slot === undefined
        ? []
        : [
            {
              slot: device.slot,
              id: device.id,
              queues: device.queues.map(({ index, name, packed }) => ({ index, name, packed })),
            },
          ],
    ),
  };
}

import { createStore, type StoreApi } from 'zustand/vanilla';
import type { BoardSnapshot, ContextSnapshot, Vm } from '../../engine/vm.ts';
import { say } from './announcer.ts';
import { count, duration } from './format.ts';
import type { VmController } from './vm-controller.ts';

/** What a held context is let do: one callback, or one iteration of its loop. */
export type StepUnit = 'dispatch' | 'iteration' | 'request';

export interface HoldsState {
  /** By context: what its last step, or the end of its hold, was. */
  readonly said: ReadonlyMap<string, string>;
  /** By context: its last step. */
  readonly steps: ReadonlyMap<string, LastStep>;
}

/** A step that was made, to be looked up in the trace. */
export interface LastStep {
  /** Counts the steps of the page. */
  readonly number: number;
  /** Host ns at or before its end, and after the end of the one before. */
  readonly sinceNs: number;
}

/** Holds one context while the machine runs, and steps it. Every way to do so ends here, and is said in one sentence. */
export class Holds {
  readonly store: StoreApi<HoldsState>;
  readonly #controller: VmController;
  #steps = 1;

  constructor(controller: VmController) {
    this.#controller = controller;
    this.store = createStore<HoldsState>(() => ({ said: new Map(), steps: new Map() }));
    controller.onVm((vm) => this.#watch(vm));
  }

  /** Holds a context, or lets it go on. A refusal is shown. */
  async hold(id: string, enable: boolean): Promise<void> {
    const controller = this.#controller;
    const before = this.#find(id);
    const error = await controller.command('x-context-hold', { id, enable });
    if (error !== undefined) {
      return controller.showProblem({
        title: `${id} was not ${enable ? 'held' : 'released'}`,
        detail: error.desc,
        hint: error.hint,
        ways: ['dismiss'],
      });
    }
    if (enable) this.#say(id, `${id} is held: it dispatches nothing until released`);
    else if (before?.heldNs !== undefined)
      this.#say(
        id,
        `${id} goes on after ${duration(before.heldNs)}: ${waitingInWords(controller.board.frame()?.now, before)}`,
      );
  }

  /** Holds it if it runs, lets it go on if it is held. */
  toggle(id: string): Promise<void> {
    return this.hold(id, this.#find(id)?.heldNs === undefined);
  }

  /** Lets a context go on to the next stage of one request, whichever it was stopped for; holds it first if it runs. */
  async follow(id: string, request: number): Promise<void> {
    if (this.#find(id)?.heldNs === undefined) await this.hold(id, true);
    await this.step(id, 'request', request);
  }

  /**
   * Lets a held context dispatch one callback, or make one iteration, and says what that was.
   * @param request for the unit `request`: the one to follow, else that it was stopped for
   */
  async step(id: string, unit: StepUnit, request?: number): Promise<void> {
    const { vm, board } = this.#controller;
    if (vm === undefined) return;
    const sinceNs = vm.board().timeNs;
    const reply = await vm.qmp('x-context-step', { id, unit, ...(request === undefined ? {} : { request }) });
    board.refresh();
    if (!reply.ok) return this.#say(id, `${id}: ${reply.error.desc}`);
    // Where it stopped is said when it has (CONTEXT_HELD).
    if (unit === 'request') return;
    this.#stepped(id, sinceNs);
    this.#say(id, stepInWords(id, reply.value));
  }

  /** Lets a held context run until a trace event happens in it. */
  async stepUntil(id: string, event: string): Promise<void> {
    const { vm, board } = this.#controller;
    if (vm === undefined) return;
    const reply = await vm.qmp('x-context-step', { id, unit: 'until', event });
    board.refresh();
    this.#say(id, reply.ok ? `${id} runs until ${event}` : `${id}: ${reply.error.desc}`);
  }

  #find(id: string): ContextSnapshot | undefined {
    return this.#controller.board.frame()?.now.contexts.find((context) => context.id === id);
  }

  #stepped(id: string, sinceNs: number): void {
    this.store.setState(({ steps }) => ({
      steps: new Map(steps).set(id, { number: this.#steps++, sinceNs }),
    }));
  }

  #say(id: string, sentence: string): void {
    this.store.setState(({ said }) => ({ said: new Map(said).set(id, sentence) }));
    say(sentence);
  }

  /** When its present hold began, a little early: the trace's record of it is a moment older. */
  #heldNs(vm: Vm, id: string): number | undefined {
    const { timeNs, contexts } = vm.board();
    const heldNs = contexts.find((context) => context.id === id)?.heldNs;
    return heldNs === undefined ? undefined : timeNs - heldNs - HOLD_SLACK_NS;
  }

  /** What others do: a monitor, or the machine, which lets go of a context that it needs. */
  #watch(vm: Vm): () => void {
    this.store.setState({ said: new Map(), steps: new Map() });
    return vm.onEvent(({ event, data }) => {
      if (event !== 'CONTEXT_HELD' && event !== 'CONTEXT_RELEASED') return;
      this.#controller.board.refresh();
      const id = String(data?.['id']);
      const why = RELEASES[String(data?.['reason'])];
      if (event === 'CONTEXT_HELD' && data?.['event'] !== undefined) {
        this.#say(id, stopInWords(id, data));
        // Before a kick it has dispatched nothing that the stop is about.
        const heldNs = this.#heldNs(vm, id);
        if (data['event'] !== 'virtio_queue_notify' && heldNs !== undefined) this.#stepped(id, heldNs);
      }
      if (event === 'CONTEXT_RELEASED' && why !== undefined) this.#say(id, `${id} goes on: ${why}`);
    });
  }
}

/** Less than it takes to step twice. */
const HOLD_SLACK_NS = 1e6;

/** Why the machine itself ends a hold. */
const RELEASES: Readonly<Record<string, string>> = {
  reset: 'a device it serves is reset, and that can’t wait',
  move: 'a device it serves is moved, and that can’t wait',
};

/** Can the context be held? Not `main`, where the monitor runs, nor a loop without a thread. */
export const canBeHeld = (context: ContextSnapshot): boolean => context.index !== 0 && context.threaded;

/** Buffers that wait in the rings of the queues a context serves, by device. */
export function waitingByDevice(
  board: BoardSnapshot | undefined,
  context: ContextSnapshot,
): readonly (readonly [device: string, waiting: number])[] {
  return (board?.devices ?? []).flatMap((device) => {
    const waiting = device.queues
      .filter((queue) => queue.context === context.index)
      .reduce((sum, queue) => sum + (queue.waiting ?? 0), 0);
    return waiting === 0 ? [] : [[device.id, waiting] as const];
  });
}

/** "disk0 has 14 requests in its ring", or that nothing waits. */
export function waitingInWords(board: BoardSnapshot | undefined, context: ContextSnapshot): string {
  const waiting = waitingByDevice(board, context);
  if (waiting.length === 0) return 'nothing waits';
  return waiting
    .map(([device, n]) => `${count(n)} wait${n === 1 ? 's' : ''} in the ring of ${device}`)
    .join(', ');
}

/** Where a breakpoint or a step stopped a context: "ctx0 stopped before the kick of disk0 queue 0". */
export function stopInWords(id: string, at: Readonly<Record<string, unknown>>): string {
  const text = (key: string, label: string): string =>
    at[key] === undefined ? '' : `${label}${String(at[key])}`;
  const about = `${text('device', '')}${text('queue', ' queue ')}`;
  // The kick is told by the hart, before the context sees it; everything else happened in a dispatch.
  if (at['event'] === 'virtio_queue_notify') return `${id} stopped before the kick of ${about}`;
  const what = [text('request', 'request #'), about].filter(Boolean).join(' of ');
  return `${id} stopped after the dispatch with ${String(at['event'])}${what === '' ? '' : `: ${what}`}`;
}

interface Dispatched {
  readonly name: string;
  readonly kind: string;
  readonly ns: number;
  readonly device?: string;
  readonly driver?: string;
  readonly queue?: number;
}

const KINDS: Readonly<Record<string, string>> = {
  source: 'source',
  fd: 'handler',
  bh: 'bottom half',
  timer: 'timer',
};

/** What a step did, in one sentence: "ctx0 dispatched virtio-blk kick (disk0 queue 0), 38.0 µs". */
export function stepInWords(id: string, reply: unknown): string {
  const { dispatched = [], stopped } = (reply ?? {}) as {
    readonly dispatched?: readonly Dispatched[];
    readonly stopped?: Readonly<Record<string, unknown>>;
  };
  if (dispatched.length === 0) return `${id} dispatched nothing: nothing was ready`;
  const each = dispatched.map(({ name, kind, ns, device, driver, queue }) => {
    const what =
      device === undefined
        ? `${KINDS[kind] ?? kind} ${name}`
        : `${String(driver)} kick (${device} queue ${String(queue)})`;
    return `${what}, ${duration(ns)}`;
  });
  const hit = stopped === undefined ? '' : ` · ${stopInWords(id, stopped)}`;
  return `${id} dispatched ${each.join('; ')}${hit}`;
}

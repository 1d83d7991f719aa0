import { createStore, type StoreApi } from 'zustand/vanilla';
import { say, tell } from './announcer.ts';
import type { VmController } from './vm-controller.ts';

/** A trace event that holds the context it happens in; what is left out may be anything. */
export interface BreakpointSpec {
  readonly event: string;
  readonly context?: string;
  readonly device?: string;
  readonly queue?: number;
  readonly request?: number;
}

/** A monitor sets and removes breakpoints too, and they are hit: the machine is asked for them this often, while it is awake. */
const REFRESH_MS = 2000;

export interface Breakpoint extends BreakpointSpec {
  readonly id: number;
  /** Events that matched. */
  readonly hits: number;
}

/** The machine's breakpoints, as the page shows and changes them. */
export class Breakpoints {
  readonly store: StoreApi<{ readonly all: readonly Breakpoint[] }>;
  readonly #controller: VmController;

  constructor(controller: VmController) {
    this.#controller = controller;
    this.store = createStore<{ readonly all: readonly Breakpoint[] }>(() => ({ all: [] }));
    controller.onVm((vm) => {
      const off = vm.onEvent(({ event }) => {
        if (event === 'CONTEXT_HELD') void this.refresh();
      });
      return () => {
        off();
        this.store.setState({ all: [] });
      };
    });
  }

  /** The one set on just this, if there is one. */
  find(spec: BreakpointSpec): Breakpoint | undefined {
    return this.store.getState().all.find((one) => same(one, spec));
  }

  /** Sets it, or removes it if it is set. A refusal is shown. */
  async toggle(spec: BreakpointSpec): Promise<void> {
    const found = this.find(spec);
    if (found !== undefined) return this.remove(found.id);
    const error = await this.#controller.command('x-breakpoint-add', { ...spec });
    if (error !== undefined) {
      return this.#controller.showProblem({
        title: 'The breakpoint was not set',
        detail: error.desc,
        hint: error.hint,
        ways: ['dismiss'],
      });
    }
    await this.refresh();
    say(`Breakpoint set: ${breakpointInWords(spec)}`);
  }

  async remove(id: number): Promise<void> {
    const found = this.store.getState().all.find((one) => one.id === id);
    await this.#controller.command('x-breakpoint-remove', { id });
    await this.refresh();
    if (found !== undefined) say(`Breakpoint removed: ${breakpointInWords(found)}`);
  }

  async removeAll(): Promise<void> {
    for (const { id } of this.store.getState().all)
      await this.#controller.command('x-breakpoint-remove', { id });
    await this.refresh();
    tell('All breakpoints are removed');
  }

  /** Keeps the list fresh until the returned function is called. A machine that sleeps changes none, and is left asleep. */
  follow(): () => void {
    const { board } = this.#controller;
    let asked = Number.NEGATIVE_INFINITY;
    return board.onFrame(({ now }) => {
      if (board.asleep || now.timeNs - asked < REFRESH_MS * 1e6) return;
      asked = now.timeNs;
      void this.refresh();
    });
  }

  /** Asks the machine: a monitor sets and removes them too. */
  async refresh(): Promise<void> {
    const reply = await this.#controller.vm?.qmp('x-query-breakpoints');
    if (reply?.ok !== true || !Array.isArray(reply.value)) return;
    const all = reply.value as readonly Breakpoint[];
    if (JSON.stringify(all) !== JSON.stringify(this.store.getState().all)) this.store.setState({ all });
  }
}

export const same = (one: BreakpointSpec, other: BreakpointSpec): boolean =>
  (['event', 'context', 'device', 'queue', 'request'] as const).every((key) => one[key] === other[key]);

/** "virtqueue_pop of disk0 queue 0". */
export function breakpointInWords({ event, context, device, queue, request }: BreakpointSpec): string {
  const about = [device, queue === undefined ? undefined : `queue ${queue}`].filter(Boolean).join(' ');
  return [
    event,
    about === '' ? '' : ` of ${about}`,
    request === undefined ? '' : `, request #${request}`,
    context === undefined ? '' : ` in ${context}`,
  ].join('');
}

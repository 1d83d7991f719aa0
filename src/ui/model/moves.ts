import { createStore, type StoreApi } from 'zustand/vanilla';
import type { BoardSnapshot, MoveReport, Percentiles } from '../../engine/vm.ts';
import { say } from './announcer.ts';
import { withContext } from './argv.ts';
import { duration } from './format.ts';
import { contextIn, deviceIn, queueSum } from './live-board.ts';
import { histogramDelta, histogramSum, percentilesOf } from './percentiles.ts';
import type { VmController } from './vm-controller.ts';

/** How a device did over a stretch of time that ended. */
export interface WindowStats {
  readonly seconds: number;
  readonly latency: Percentiles;
  readonly requestsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** One change of context, from the user's wish to its effect. */
export interface Move {
  readonly id: number;
  readonly qomPath: string;
  readonly device: string;
  /** The one virtqueue that moved; undefined: all of them. */
  readonly queue: number | undefined;
  readonly from: string;
  readonly to: string;
  readonly state: 'draining' | 'done' | 'refused';
  /** Requests in flight when it began. */
  readonly inFlight: number;
  readonly report: MoveReport | undefined;
  readonly refusal: string | undefined;
  /** The same change as a command line and as QMP. */
  readonly argvBefore: string | undefined;
  readonly argvAfter: string | undefined;
  readonly qmp: string;
  readonly before: WindowStats | undefined;
  readonly after: WindowStats | undefined;
}

/** Seconds before and after a move over which percentiles are taken. */
export const WINDOW_SECONDS = 10;

/** Moves devices and keeps the last move for its card. Every way to move a device ends in `move()`. */
export class Moves {
  readonly store: StoreApi<{ readonly last: Move | undefined }>;
  readonly #controller: VmController;
  #next = 1;
  #focus: string | undefined;

  constructor(controller: VmController) {
    this.#controller = controller;
    this.store = createStore<{ readonly last: Move | undefined }>(() => ({ last: undefined }));
    controller.onVm(() => () => this.dismiss());
  }

  dismiss(): void {
    this.store.setState({ last: undefined });
  }

  /** True once after each move, for the card that stands where the device went. */
  claimFocus(qomPath: string): boolean {
    if (this.#focus !== qomPath) return false;
    this.#focus = undefined;
    return true;
  }

  /** Back to where the last move came from. */
  async undo(): Promise<void> {
    const { last } = this.store.getState();
    if (last?.state === 'done') await this.move(last.qomPath, last.from, last.queue);
  }

  /** Moves a device, or one virtqueue of it, to the context with that id. Resolves when it is done or refused. */
  async move(qomPath: string, to: string, queue?: number): Promise<void> {
    const controller = this.#controller;
    const { vm } = controller;
    const board = controller.board.frame()?.now;
    const device = deviceIn(board, qomPath);
    if (vm === undefined || board === undefined || device === undefined) return;
    const moving = device.queues.filter((one) => queue === undefined || one.index === queue);
    const queues = moving.map((one) => one.index);
    const from = contextIn(board, moving[0]?.context ?? 0)?.id ?? 'main';
    controller.store.setState({ picked: undefined });
    if (moving.every((one) => contextIn(board, one.context)?.id === to)) return;

    const path = queue === undefined ? qomPath : `${qomPath}/virtqueue[${queue}]`;
    const edit =
      queue === undefined ? withContext(controller.store.getState().commandLine, device.id, to) : undefined;
    const inFlight = queueSum(board, qomPath, queues, (one) => one.inFlight);
    const id = this.#next++;
    const draft: Move = {
      id,
      qomPath,
      device: device.id,
      queue,
      from,
      to,
      state: 'draining',
      inFlight,
      report: undefined,
      refusal: undefined,
      argvBefore: edit?.before,
      argvAfter: edit?.after,
      qmp: JSON.stringify({
        execute: 'qom-set',
        arguments: { path, property: 'context', value: to },
      }),
      before: windowStats(controller.board.since(WINDOW_SECONDS), board, qomPath, queues),
      after: undefined,
    };
    this.store.setState({ last: draft });
    say(`Moving ${device.id} to ${to}: draining ${inFlight} requests`);

    this.#focus = qomPath;
    const reply = await vm.qmp('qom-set', { path, property: 'context', value: to });
    controller.board.refresh();
    if (!reply.ok) {
      this.#focus = undefined;
      const { desc, hint } = reply.error;
      const refusal = hint === undefined ? desc : `${desc}. ${hint}`;
      this.#update(id, { state: 'refused', refusal });
      say(`Moving ${device.id} was refused: ${refusal}`);
      return;
    }
    const report = asMoveReport(reply.value);
    this.#update(id, { state: 'done', report });
    const took = report === undefined ? '' : `, ${duration(report.downtimeNs)} without service`;
    say(`${device.id} now runs on ${to}${took}`);
    this.#watch(id, qomPath, queues);
  }

  /** Fills in the "after" until its window is full. */
  #watch(id: number, qomPath: string, queues: readonly number[]): void {
    const start = this.#controller.board.frame()?.now;
    let off = (): void => {};
    off = this.#controller.board.onNumbers(({ now }) => {
      if (this.store.getState().last?.id !== id || start === undefined) return off();
      const after = windowStats(start, now, qomPath, queues);
      if (after === undefined) return;
      this.#update(id, { after });
      if (after.seconds >= WINDOW_SECONDS) off();
    });
  }

  #update(id: number, change: Partial<Move>): void {
    const { last } = this.store.getState();
    if (last?.id === id) this.store.setState({ last: { ...last, ...change } });
  }
}

/** Statistics of a device between two snapshots; undefined when they are too close to say anything. */
export function windowStats(
  earlier: BoardSnapshot | undefined,
  later: BoardSnapshot,
  qomPath: string,
  queues: readonly number[],
): WindowStats | undefined {
  const seconds = earlier === undefined ? 0 : (later.timeNs - earlier.timeNs) / 1e9;
  if (earlier === undefined || seconds < 0.5) return undefined;
  const grown = (read: Parameters<typeof queueSum>[3]): number =>
    queueSum(later, qomPath, queues, read) - queueSum(earlier, qomPath, queues, read);
  const histogramAt = (board: BoardSnapshot) =>
    histogramSum(
      (deviceIn(board, qomPath)?.queues ?? [])
        .filter((queue) => queues.includes(queue.index))
        .flatMap((queue) => queue.latencyHistogram ?? []),
    );
  const now = histogramAt(later);
  const delta = now === undefined ? undefined : histogramDelta(now, histogramAt(earlier));
  return {
    seconds,
    latency:
      delta === undefined
        ? { n: grown((queue) => queue.completions), p50: undefined, p99: undefined }
        : percentilesOf(delta),
    requestsPerSecond: grown((queue) => queue.completions) / seconds,
    bytesPerSecond: grown((queue) => queue.bytesRead + queue.bytesWritten) / seconds,
  };
}

/** The reply of a moving command is checked, not trusted: it may come from another version. */
function asMoveReport(value: unknown): MoveReport | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const report = value as Partial<MoveReport>;
  return typeof report.downtimeNs === 'number' ? (value as MoveReport) : undefined;
}

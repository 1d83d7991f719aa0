import type { ReactNode } from 'react';
import type {
  ContextSnapshot,
  DeviceSnapshot,
  HartSnapshot,
  QueueSnapshot,
  SourceSnapshot,
} from '../../../engine/vm.ts';
import { bytes, count, duration, percent, percentile } from '../../model/format.ts';
import { type BoardFrame, contextIn, contextShares, deviceIn } from '../../model/live-board.ts';
import { useBoardShape, usePlayground } from '../../model/playground.ts';
import { type Column, DataTable } from '../../widgets/DataTable.tsx';
import { LiveText } from '../../widgets/LiveText.tsx';
import { Pane } from '../../widgets/Pane.tsx';

interface QueueRow {
  readonly device: DeviceSnapshot;
  readonly queue: QueueSnapshot;
}
interface SourceRow {
  readonly context: ContextSnapshot;
  readonly source: SourceSnapshot;
}

/** Everything the board draws, exactly and in full, as tables. */
export default function TablesView(): ReactNode {
  const board = useBoardShape();
  const { numbers } = usePlayground();
  if (board === undefined) return <Pane>The numbers of the machine appear here when it is on.</Pane>;
  const live = (read: (frame: BoardFrame) => string | undefined): ReactNode => (
    <LiveText feed={numbers} read={(frame) => read(frame) ?? '–'} />
  );
  const name = (index: number): string => contextIn(board, index)?.id ?? `#${index}`;

  const ofContext =
    (read: (context: ContextSnapshot, frame: BoardFrame) => string) =>
    (row: ContextSnapshot): ReactNode =>
      live((frame) => {
        const context = contextIn(frame.now, row.index);
        return context === undefined ? undefined : read(context, frame);
      });
  const share =
    (read: (shares: NonNullable<ReturnType<typeof contextShares>>) => number) =>
    (row: ContextSnapshot): ReactNode =>
      live((frame) => {
        const shares = contextShares(frame, row.index);
        return shares === undefined ? undefined : percent(read(shares));
      });
  const contexts: readonly Column<ContextSnapshot>[] = [
    { id: 'id', label: 'context', cell: (row) => row.id },
    { id: 'worker', label: 'worker', cell: (row) => row.worker },
    { id: 'state', label: 'state', cell: ofContext((context) => context.state) },
    { id: 'busy', label: 'busy', numeric: true, cell: share((shares) => shares.busy) },
    { id: 'polling', label: 'polling', numeric: true, cell: share((shares) => shares.polling) },
    { id: 'blocked', label: 'blocked', numeric: true, cell: share((shares) => shares.blocked) },
    {
      id: 'iterations',
      label: 'iterations',
      numeric: true,
      cell: ofContext((context) => count(context.iterations)),
    },
    { id: 'wakes', label: 'wakes', numeric: true, cell: ofContext((context) => count(context.wakes)) },
    { id: 'sources', label: 'sources', numeric: true, cell: (row) => row.sources.length },
  ];

  const ofSource =
    (read: (source: SourceSnapshot, frame: BoardFrame) => string) =>
    ({ context, source }: SourceRow): ReactNode =>
      live((frame) => {
        const found = contextIn(frame.now, context.index)?.sources.find((other) => other.id === source.id);
        return found === undefined ? undefined : read(found, frame);
      });
  const sources: readonly Column<SourceRow>[] = [
    { id: 'name', label: 'source', cell: ({ source }) => source.name },
    { id: 'kind', label: 'kind', cell: ({ source }) => source.kind },
    { id: 'context', label: 'context', cell: ({ context }) => context.id },
    { id: 'priority', label: 'priority', numeric: true, cell: ({ source }) => source.priority },
    {
      id: 'dispatches',
      label: 'dispatches',
      numeric: true,
      cell: ofSource((source) => count(source.dispatches)),
    },
    {
      id: 'last',
      label: 'last dispatch',
      numeric: true,
      cell: ofSource((source, { now }) =>
        source.lastDispatchNs === undefined
          ? 'never'
          : `${duration(Math.max(0, now.timeNs - source.lastDispatchNs))} ago`,
      ),
    },
    {
      id: 'p50',
      label: 'wake to dispatch p50',
      numeric: true,
      cell: ofSource((s) => percentile(s.wakeToDispatch.p50)),
    },
    { id: 'p99', label: 'p99', numeric: true, cell: ofSource((s) => percentile(s.wakeToDispatch.p99)) },
    { id: 'n', label: 'n', numeric: true, cell: ofSource((s) => count(s.wakeToDispatch.n)) },
  ];

  const ofQueue =
    (read: (queue: QueueSnapshot) => string) =>
    ({ device, queue }: QueueRow): ReactNode =>
      live((frame) => {
        const found = deviceIn(frame.now, device.qomPath)?.queues.find(
          (other) => other.index === queue.index,
        );
        return found === undefined ? undefined : read(found);
      });
  const number = (
    id: string,
    label: string,
    explain: string,
    read: (queue: QueueSnapshot) => number,
  ): Column<QueueRow> => ({
    id,
    label,
    explain,
    numeric: true,
    cell: ofQueue((queue) => count(read(queue))),
  });
  const queueName: Column<QueueRow> = {
    id: 'queue',
    label: 'virtqueue',
    cell: ({ device, queue }) => `${device.id} ${queue.name}`,
  };
  const traffic: readonly Column<QueueRow>[] = [
    queueName,
    { id: 'context', label: 'served by', cell: ({ queue }) => name(queue.context) },
    {
      id: 'configured',
      label: 'configured',
      explain: 'Where the command line, or a move, wants it',
      cell: ({ queue }) => name(queue.configuredContext),
    },
    number('inFlight', 'in flight', 'Taken by the device and not given back', (queue) => queue.inFlight),
    number('requests', 'requests', 'Taken by the device since the start', (queue) => queue.requests),
    number('completions', 'completions', 'Given back to the guest', (queue) => queue.completions),
    { id: 'read', label: 'read', numeric: true, cell: ofQueue((queue) => bytes(queue.bytesRead)) },
    { id: 'written', label: 'written', numeric: true, cell: ofQueue((queue) => bytes(queue.bytesWritten)) },
    number('errors', 'errors', 'Completions with a status other than OK', (queue) => queue.errors),
  ];
  const signals: readonly Column<QueueRow>[] = [
    queueName,
    number('kicks', 'kicks', 'Notifications from the driver to the device', (queue) => queue.kicks),
    number('interrupts', 'interrupts', 'From the device to the guest', (queue) => queue.interrupts),
    number(
      'suppressed',
      'suppressed',
      'Interrupts the driver said it need not have',
      (queue) => queue.interruptsSuppressed,
    ),
    {
      id: 'p50',
      label: 'latency p50',
      explain: 'From taken to given back',
      numeric: true,
      cell: ofQueue((queue) => percentile(queue.latency.p50)),
    },
    { id: 'p99', label: 'p99', numeric: true, cell: ofQueue((queue) => percentile(queue.latency.p99)) },
    number('n', 'n', 'Requests the percentiles are of', (queue) => queue.latency.n),
  ];
  const queueRows = board.devices.flatMap((device) => device.queues.map((queue) => ({ device, queue })));
  const queueKey = ({ device, queue }: QueueRow): string => `${device.qomPath} ${queue.index}`;

  const harts: readonly Column<HartSnapshot>[] = [
    { id: 'hart', label: 'hart', cell: (row) => row.index },
    {
      id: 'state',
      label: 'state',
      cell: (row) => live(({ now }) => now.harts.find((h) => h.index === row.index)?.state),
    },
    {
      id: 'instructions',
      label: 'instructions',
      numeric: true,
      cell: (row) =>
        live(({ now }) => count(now.harts.find((h) => h.index === row.index)?.instructions ?? 0)),
    },
    {
      id: 'mips',
      label: 'MIPS',
      explain: 'Million guest instructions per second of the last second',
      numeric: true,
      cell: (row) =>
        live(({ now, before, seconds }) => {
          const instructions = (at: typeof before): number =>
            at?.harts.find((h) => h.index === row.index)?.instructions ?? 0;
          return before === undefined || seconds === 0
            ? undefined
            : ((instructions(now) - instructions(before)) / seconds / 1e6).toFixed(1);
        }),
    },
    {
      id: 'interrupts',
      label: 'interrupts',
      numeric: true,
      cell: (row) => live(({ now }) => count(now.harts.find((h) => h.index === row.index)?.interrupts ?? 0)),
    },
  ];

  return (
    <Pane about="the board in numbers, twice a second; – where too few samples make a percentile worth nothing">
      <DataTable
        caption="Contexts"
        note="Event loops, and the thread each runs in. Busy: dispatching; polling: looking without sleeping; blocked: asleep until woken. Shares of the last second."
        columns={contexts}
        rows={board.contexts}
        rowKey={(row) => row.index}
      />
      <DataTable
        caption="Virtqueues: requests"
        note="The rings between the guest’s drivers and its devices, which context serves each, and what went through since the start."
        columns={traffic}
        rows={queueRows}
        rowKey={queueKey}
        empty="no device with queues"
      />
      <DataTable
        caption="Virtqueues: notifications and latency"
        note="How often the guest and the device had to wake each other for that, and what a request took."
        columns={signals}
        rows={queueRows}
        rowKey={queueKey}
        empty="no device with queues"
      />
      <DataTable
        caption="Sources"
        note="What can make a context run: each is dispatched when it is ready, lower priority numbers first."
        columns={sources}
        rows={board.contexts.flatMap((context) => context.sources.map((source) => ({ context, source })))}
        rowKey={({ context, source }) => `${context.index} ${source.id}`}
      />
      <DataTable
        caption="Harts"
        note="The guest’s processors, each in a thread of its own."
        columns={harts}
        rows={board.harts}
        rowKey={(row) => row.index}
      />
    </Pane>
  );
}

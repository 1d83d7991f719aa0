import { AlignLeft } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useEffect, useEffectEvent, useState } from 'react';
import { say, tell } from '../../model/announcer.ts';
import { count, duration } from '../../model/format.ts';
import { usePlayground } from '../../model/playground.ts';
import type { HeatRow, HeatStatus } from '../../model/trace/protocol.ts';
import { METRICS } from '../../model/trace/stages.ts';
import { useDiskQueues } from '../../model/trace/use-disk-queues.ts';
import { useFollowed } from '../../model/trace/use-followed.ts';
import { useTraceCanvas } from '../../model/trace/use-trace-canvas.ts';
import type { ThemeName } from '../../tokens.ts';
import { Button } from '../../widgets/Button.tsx';
import { type Column, DataTable } from '../../widgets/DataTable.tsx';
import { Pane } from '../../widgets/Pane.tsx';
import { Select } from '../../widgets/Select.tsx';
import styles from './HeatMapView.module.css';

const SPANS = [
  { id: '60', label: '15 s' },
  { id: '120', label: '30 s' },
  { id: '240', label: '1 min' },
  { id: '480', label: '2 min' },
];
const TABLE_MS = 1000;
const COLUMNS: readonly Column<HeatRow>[] = [
  { id: 'from', label: 'from', numeric: true, cell: (row) => (row.from === 0 ? '0' : duration(row.from)) },
  { id: 'to', label: 'to', numeric: true, cell: (row) => (row.to === Infinity ? '∞' : duration(row.to)) },
  { id: 'n', label: 'n', numeric: true, cell: (row) => count(row.n) },
];
const LATENCIES = METRICS.map(({ id, label }) => ({ id, label }));

/** When requests took how long: every request that is followed is in a cell, and every cell that has one can be seen. */
export default function HeatMapView({ theme }: { readonly theme: ThemeName }): ReactNode {
  const { trace, requests } = usePlayground();
  const { queues, chosen, choose } = useDiskQueues();
  const followed = useFollowed();
  const [metric, setMetric] = useState('total');
  const [columns, setColumns] = useState('240');
  const [status, setStatus] = useState<HeatStatus>({ cursor: undefined, n: 0 });
  const [host, opened] = useTraceCanvas(trace.openHeat, theme, (next: HeatStatus) =>
    setStatus((old) => (old.cursor === next.cursor && old.n === next.n ? old : next)),
  );
  const canvas = opened?.canvas;

  // The numbers, not the object: a command is answered with a status, and a status renders.
  const { dev, queue } = chosen ?? {};
  useEffect(() => {
    if (dev === undefined || queue === undefined) return;
    const index = METRICS.findIndex(({ id }) => id === metric);
    canvas?.command({ do: 'show', dev, queue, metric: index });
  }, [canvas, dev, queue, metric]);
  useEffect(() => canvas?.command({ do: 'columns', count: Number(columns) }), [canvas, columns]);

  useEffect(() => {
    if (status.cursor !== undefined) say(status.cursor);
  }, [status.cursor]);

  const openSlowest = async (): Promise<void> => {
    if (canvas === undefined) return;
    const request = await trace.ask({ ask: 'heat-request', id: canvas.id });
    if (request === undefined) tell('No request of this cell is kept');
    else requests.inWaterfall(request);
  };
  const key = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (step !== undefined) canvas?.command({ do: 'move', columns: step[0] ?? 0, rows: step[1] ?? 0 });
    else if (event.key === 'Enter') void openSlowest();
    else if (event.key === 'Escape') canvas?.command({ do: 'clear' });
    else return;
    event.preventDefault();
  };
  return (
    <Pane
      about={
        status.cursor ?? `columns of 250 ms, four rows to the octave; click or use the arrow keys${followed}`
      }
      actions={
        <>
          <Select label="Latency" value={metric} choices={LATENCIES} onChange={setMetric} />
          <Select label="Time shown" value={columns} choices={SPANS} onChange={setColumns} />
          {chosen === undefined ? null : (
            <Select label="Virtqueue" value={chosen.id} choices={queues} onChange={choose} />
          )}
        </>
      }
      flush
    >
      <div className={styles['split']}>
        <div
          ref={host}
          className={styles['canvas']}
          role="application"
          tabIndex={0}
          aria-label="Heat map of latencies over time. Arrow keys move from cell to cell, Enter opens the slowest request of the cell in the waterfall, Escape clears; the table beside it has the same counts."
          onKeyDown={key}
          onClick={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            canvas?.command({ do: 'point', x: event.clientX - box.left, y: event.clientY - box.top });
          }}
        />
        <div className={styles['table']} role="region" aria-label="Latencies in numbers" tabIndex={0}>
          {status.cursor === undefined ? null : (
            <Button
              size="small"
              isDisabled={status.n === 0}
              icon={<AlignLeft aria-hidden="true" />}
              tip="The slowest request of the marked cell, in the waterfall (Enter)"
              onPress={() => void openSlowest()}
            >
              Slowest in the cell
            </Button>
          )}
          <HeatTable id={canvas?.id} marked={status.cursor !== undefined} />
        </div>
      </div>
    </Pane>
  );
}

/** The same counts as a table, renewed once a second; apart, so that only it is rendered then. */
function HeatTable({
  id,
  marked,
}: {
  /** The canvas whose counts these are. */
  readonly id: number | undefined;
  readonly marked: boolean;
}): ReactNode {
  const { trace } = usePlayground();
  const [rows, setRows] = useState<readonly HeatRow[] | undefined>(undefined);
  const refresh = useEffectEvent(async () => {
    if (id === undefined) return;
    const answer = await trace.ask({ ask: 'heat-table', id });
    if (answer !== undefined) setRows(answer);
  });
  useEffect(() => {
    const timer = setInterval(() => void refresh(), TABLE_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <DataTable
      caption={marked ? 'In the marked column' : 'All in view'}
      columns={COLUMNS}
      rows={rows ?? []}
      rowKey={(row) => row.from}
      empty={rows === undefined ? 'counting…' : marked ? 'none' : 'no request yet'}
    />
  );
}

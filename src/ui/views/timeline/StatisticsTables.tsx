import { X } from 'lucide-react';
import type { ReactNode } from 'react';
import { count, duration, percent } from '../../model/format.ts';
import { momentText } from '../../model/trace/format-time.ts';
import type { LaneStatistics, RecordRow, SourceStatistics, Statistics } from '../../model/trace/protocol.ts';
import { Button } from '../../widgets/Button.tsx';
import { type Column, DataTable } from '../../widgets/DataTable.tsx';
import styles from './TimelineView.module.css';

/** Sources listed: those that took longest. */
const SOURCES = 30;

/** The selection (or what is in view) in numbers, and its newest records one by one. */
export function StatisticsTables({
  statistics,
  records,
  selected,
  onClear,
  onGo,
  onRequest,
}: {
  readonly statistics: Statistics | undefined;
  readonly records: readonly RecordRow[];
  readonly selected: boolean;
  readonly onClear: () => void;
  readonly onGo: (from: number, to: number) => void;
  readonly onRequest: (req: number) => void;
}): ReactNode {
  if (statistics === undefined) return <div className={styles['tables']}>Counting…</div>;
  const span = statistics.to - statistics.from;
  const share = (ns: number): string => percent(ns / span);
  const longest = (row: SourceStatistics): ReactNode => (
    <Button
      size="small"
      variant="quiet"
      aria-label={`Show the longest of ${row.source}`}
      onPress={() => onGo(row.longestAt, row.longestAt + Math.max(row.longest, 20e3))}
    >
      {duration(row.longest)}
    </Button>
  );
  const opened = ({ request }: RecordRow): ReactNode =>
    request === undefined ? null : (
      <Button
        size="small"
        variant="quiet"
        aria-label={`Request ${request} in the waterfall`}
        onPress={() => onRequest(request)}
      >
        #{request}
      </Button>
    );
  const sources: readonly Column<SourceStatistics>[] = [
    { id: 'source', label: 'source', cell: (row) => row.source },
    { id: 'lane', label: 'ran on', cell: (row) => row.lane },
    { id: 'n', label: 'n', numeric: true, cell: (row) => count(row.n) },
    { id: 'total', label: 'total', numeric: true, cell: (row) => duration(row.total) },
    { id: 'share', label: 'share', numeric: true, cell: (row) => percent(row.share) },
    {
      id: 'longest',
      label: 'longest',
      numeric: true,
      cell: longest,
    },
  ];
  const lanes: readonly Column<LaneStatistics>[] = [
    { id: 'lane', label: 'lane', cell: (row) => row.lane },
    { id: 'awake', label: 'awake', numeric: true, cell: (row) => share(row.awake) },
    { id: 'polling', label: 'busy polling', numeric: true, cell: (row) => share(row.polling) },
    { id: 'blocked', label: 'blocked', numeric: true, cell: (row) => share(row.blocked) },
    { id: 'lost', label: 'events lost', numeric: true, cell: (row) => count(row.lost) },
  ];
  return (
    <section className={styles['tables']} aria-label="Statistics" tabIndex={0}>
      <header className={styles['head']}>
        <h3 className={styles['title']}>
          {selected ? 'Selection' : 'In view'}: {duration(span)} from {momentText(statistics.from)}
        </h3>
        <Button
          size="small"
          variant="quiet"
          icon={<X aria-hidden="true" />}
          tip="Close (Esc in the timeline)"
          onPress={onClear}
        />
      </header>
      <div className={styles['beside']}>
        <DataTable
          caption={
            statistics.sources.length > SOURCES
              ? `Dispatches, ${SOURCES} of ${statistics.sources.length} sources`
              : 'Dispatches'
          }
          columns={sources}
          rows={statistics.sources.slice(0, SOURCES)}
          rowKey={(row) => `${row.lane} ${row.source}`}
          empty="no dispatch here"
        />
        <div>
          <DataTable caption="Lanes" columns={lanes} rows={statistics.lanes} rowKey={(row) => row.lane} />
          <DataTable
            caption={`Events: ${count(statistics.records)}`}
            columns={[
              { id: 'event', label: 'event', mono: true, cell: (row) => row.event },
              { id: 'n', label: 'n', numeric: true, cell: (row) => count(row.n) },
            ]}
            rows={statistics.events}
            rowKey={(row) => row.event}
            empty="no event here"
          />
        </div>
      </div>
      <DataTable
        caption={
          records.length < statistics.records
            ? `The last ${records.length} of ${count(statistics.records)} records`
            : 'Records'
        }
        columns={[
          { id: 'time', label: 'time', numeric: true, cell: (row) => momentText(row.time) },
          { id: 'lane', label: 'lane', cell: (row) => row.lane },
          { id: 'text', label: 'record', mono: true, cell: (row) => row.text },
          {
            id: 'request',
            label: 'request',
            explain: 'Opens its stages in the waterfall',
            cell: opened,
          },
        ]}
        rows={records}
        rowKey={(row) => row.record}
        empty="no record here"
      />
      <p className={styles['note']}>
        In the picture: where dispatches are narrower than a pixel, a column is filled by its busy share, and
        its dot stands as high as its longest dispatch was long, from 1 µs to 1 s. The strip below is filled
        while the thread is awake, lighter while it polls. Hatched: events were lost.
      </p>
    </section>
  );
}

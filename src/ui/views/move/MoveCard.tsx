import { Undo2, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { useStore } from 'zustand';
import { bytes, compact, duration, percentile, rate } from '../../model/format.ts';
import { type Move, WINDOW_SECONDS, type WindowStats } from '../../model/moves.ts';
import { P99_MIN_N } from '../../model/percentiles.ts';
import { usePlayground } from '../../model/playground.ts';
import { Button } from '../../widgets/Button.tsx';
import styles from './MoveCard.module.css';

/** The last move: its steps, how to undo it, the same as command line and QMP, and what it changed. */
export function MoveCard(): ReactNode {
  const { moves } = usePlayground();
  const move = useStore(moves.store, (state) => state.last);
  if (move === undefined) return null;
  return (
    <section className={styles['card']} aria-label="Last move" data-testid="move-card">
      <header className={styles['head']}>
        <h3 className={styles['title']}>
          {move.device}
          {move.queue === undefined ? '' : ` queue ${move.queue}`}: {move.from} → {move.to}
        </h3>
        <Steps move={move} />
        {move.state === 'done' ? (
          <Button size="small" icon={<Undo2 />} onPress={() => void moves.undo()}>
            Undo
          </Button>
        ) : null}
        <Button size="small" variant="quiet" icon={<X />} tip="Close" onPress={() => moves.dismiss()} />
      </header>
      {move.state === 'refused' ? null : (
        <details className={styles['same']}>
          <summary>{inShort(move)}</summary>
          <BeforeAfter move={move} />
          <Equivalent move={move} />
        </details>
      )}
    </section>
  );
}

function Steps({ move }: { readonly move: Move }): ReactNode {
  const drained = move.report?.inFlight ?? move.inFlight;
  const requests = drained === 1 ? '1 request' : `${drained} requests`;
  return (
    <ol className={styles['steps']}>
      <li data-state={move.state === 'draining' ? 'now' : 'done'}>
        {move.state === 'draining' ? `draining ${requests}…` : `drained ${requests}`}
      </li>
      {move.state === 'refused' ? (
        <li data-state="refused">refused, all is as before: {move.refusal}</li>
      ) : (
        <>
          <li data-state={move.state === 'draining' ? 'next' : 'done'}>rebound to {move.to}</li>
          <li data-state={move.state === 'draining' ? 'next' : 'done'}>
            {move.report === undefined
              ? 'serving again'
              : `serving again after ${duration(move.report.downtimeNs)}`}
          </li>
        </>
      )}
    </ol>
  );
}

const COLUMNS: readonly (readonly [string, (stats: WindowStats) => string])[] = [
  ['p50', (stats) => percentile(stats.latency.p50)],
  ['p99', (stats) => (stats.latency.n < P99_MIN_N ? `n < ${P99_MIN_N}` : percentile(stats.latency.p99))],
  ['requests/s', (stats) => rate(stats.requestsPerSecond)],
  ['bytes/s', (stats) => bytes(stats.bytesPerSecond)],
  ['n', (stats) => compact(stats.latency.n)],
];

function BeforeAfter({ move }: { readonly move: Move }): ReactNode {
  const seconds = Math.min(WINDOW_SECONDS, Math.floor(move.after?.seconds ?? 0));
  const rows = [
    {
      label: `before, ${move.from}`,
      stats: move.before,
      window: move.before === undefined ? '–' : `${Math.round(move.before.seconds)} s`,
    },
    { label: `after, ${move.to}`, stats: move.after, window: `${seconds} of ${WINDOW_SECONDS} s` },
  ];
  return (
    <table className={styles['table']}>
      <caption className="visually-hidden">Latency and rates before and after the move</caption>
      <thead>
        <tr>
          <td />
          {COLUMNS.map(([label]) => (
            <th key={label} scope="col">
              {label}
            </th>
          ))}
          <th scope="col">over</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.label}>
            <th scope="row">{row.label}</th>
            {COLUMNS.map(([label, read]) => (
              <td key={label}>{row.stats === undefined ? '–' : read(row.stats)}</td>
            ))}
            <td>{row.window}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The effect in one line; the table below says the rest. */
function inShort({ before, after }: Move): string {
  if (after === undefined) return 'measuring…';
  const pair = (label: string, read: (stats: WindowStats) => string): string =>
    `${label} ${before === undefined ? '–' : read(before)} → ${read(after)}`;
  const seconds = Math.min(WINDOW_SECONDS, Math.floor(after.seconds));
  return [
    ...COLUMNS.slice(0, 3).map(([label, read]) => pair(label, read)),
    seconds < WINDOW_SECONDS ? `${seconds} of ${WINDOW_SECONDS} s` : `over ${WINDOW_SECONDS} s`,
  ].join(' · ');
}

/** The same change as a command line and as QMP. */
function Equivalent({ move }: { readonly move: Move }): ReactNode {
  return (
    <>
      {move.argvBefore === undefined || move.argvAfter === undefined ? null : (
        <Diff before={move.argvBefore} after={move.argvAfter} />
      )}
      <pre className={styles['diff']}>{move.qmp}</pre>
    </>
  );
}

/** Two options that differ in one place: what they share is quiet, what differs stands out. */
function Diff({ before, after }: { readonly before: string; readonly after: string }): ReactNode {
  let same = 0;
  while (same < before.length && before[same] === after[same]) same++;
  // Whole properties, not letters: back to the comma.
  same = before.lastIndexOf(',', same - 1) + 1;
  return (
    <pre className={styles['diff']}>
      {before.slice(0, same)}
      {'\n'}
      <del>{`- ${before.slice(same)}`}</del>
      {'\n'}
      <ins>{`+ ${after.slice(same)}`}</ins>
    </pre>
  );
}

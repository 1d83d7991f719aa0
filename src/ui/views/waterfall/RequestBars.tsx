import type { ReactNode } from 'react';
import { bytes, CLOCK_FLOOR_NS, count, duration } from '../../model/format.ts';
import { momentText } from '../../model/trace/format-time.ts';
import type { ListedRequest } from '../../model/trace/protocol.ts';
import { KINDS } from '../../model/trace/request-log.ts';
import { firstTime, METRIC_TOTAL, metricOf, P, POINT_EVENTS, STAGES } from '../../model/trace/stages.ts';
import styles from './WaterfallView.module.css';

/** Stages of one request under one another: what waits is hatched, what works is solid. */
export function RequestBars({
  request,
  longest,
  against,
  actions,
}: {
  readonly request: ListedRequest;
  /** Length in ns that fills the width. */
  readonly longest: number;
  /** Another request: how much longer or shorter each stage is than its. */
  readonly against?: ListedRequest | undefined;
  readonly actions: ReactNode;
}): ReactNode {
  const { times } = request;
  const begin = firstTime(times);
  const percent = (ns: number): string => `${Math.max(0, Math.min(100, (ns / Math.max(1, longest)) * 100))}%`;
  return (
    <section className={styles['request']} aria-label={`Request ${request.req}`}>
      <header className={styles['head']}>
        <h2 className={styles['title']}>
          #{request.req} {KINDS[request.kind]}
          {request.sector >= 0 ? ` ${bytes(request.bytes)} at sector ${count(request.sector)}` : ''}
        </h2>
      </header>
      {actions}
      <p className={styles['facts']}>
        {request.queueLabel}, head {request.head}, taken by {request.popLane}, disk by {request.diskLane}
        {request.leader === 0
          ? ''
          : request.leader === request.req
            ? ', leads a merge'
            : `, merged into #${request.leader}`}
        {request.status === 0 ? '' : `, status ${request.status}`}; {lengthInWords(request)}; began at{' '}
        {momentText(begin)}
      </p>
      <table className={styles['stages']}>
        <colgroup>
          <col className={styles['stage']} />
          <col />
          <col className={styles['took']} />
        </colgroup>
        <thead className="visually-hidden">
          <tr>
            <th scope="col">stage</th>
            <th scope="col">waits or works</th>
            <th scope="col">took</th>
          </tr>
        </thead>
        <tbody>
          {STAGES.map((stage, i) => {
            const ns = metricOf(times, 0, i + 1);
            const known = !Number.isNaN(ns);
            const to = (times[P[stage.to]] as number) - begin;
            return (
              <tr
                key={stage.id}
                title={`${POINT_EVENTS[stage.from]} → ${POINT_EVENTS[stage.to]}: ${stage.explain}`}
              >
                <th scope="row">{stage.label}</th>
                <td className={styles['track']}>
                  <span className="visually-hidden">{stage.waiting ? 'waits' : 'works'}</span>
                  {known ? (
                    <span
                      className={stage.waiting ? styles['waiting'] : styles['working']}
                      style={{ left: percent(to - ns), width: percent(ns) }}
                    />
                  ) : null}
                </td>
                <td>
                  {known ? duration(ns) : reason(request, stage.id)}
                  {against === undefined ? null : (
                    <span className={styles['difference']}>
                      {difference(ns, metricOf(against.times, 0, i + 1))}
                    </span>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function lengthInWords({ times, isOver }: ListedRequest): string {
  const ns = metricOf(times, 0, METRIC_TOTAL);
  const from = Number.isNaN(times[P.kick]) ? 'pop' : 'kick';
  if (!Number.isNaN(ns)) return `${duration(ns)} from ${from} to used`;
  return isOver ? 'its end was not seen' : 'under way';
}

/** "+1.20 ms": how much more this one took; differences the clock can't tell are none. */
function difference(ns: number, other: number): string {
  const more = ns - other;
  if (Number.isNaN(more)) return '';
  if (Math.abs(more) < CLOCK_FLOOR_NS) return '±0';
  return `${more > 0 ? '+' : '−'}${duration(Math.abs(more))}`;
}

/** Why a stage has no length. */
function reason(request: ListedRequest, stage: string): string {
  if (stage === 'wake' && Number.isNaN(request.times[P.kick])) return 'no kick needed';
  if (request.suppressed && (stage === 'deliver' || stage === 'guest')) return 'interrupt suppressed';
  return request.isOver ? 'not seen' : 'not yet';
}

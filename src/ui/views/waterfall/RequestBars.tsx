import type { ReactNode } from 'react';
import { bytes, count, duration } from '../../model/format.ts';
import { momentText } from '../../model/trace/format-time.ts';
import type { ListedRequest } from '../../model/trace/protocol.ts';
import { KINDS } from '../../model/trace/request-log.ts';
import { firstTime, METRIC_TOTAL, metricOf, P, POINT_EVENTS, STAGES } from '../../model/trace/stages.ts';
import styles from './WaterfallView.module.css';

/** Stages of one request under one another: what waits is hatched, what works is solid. */
export function RequestBars({
  request,
  longest,
  actions,
}: {
  readonly request: ListedRequest;
  /** Length in ns that fills the width. */
  readonly longest: number;
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
        {actions}
      </header>
      <p className={styles['facts']}>
        {request.queueLabel}, head {request.head}, taken by {request.popLane}, disk by {request.diskLane}
        {request.leader === 0
          ? ''
          : request.leader === request.req
            ? ', leads a merge'
            : `, merged into #${request.leader}`}
        {request.status === 0 ? '' : `, status ${request.status}`};{' '}
        {duration(metricOf(times, 0, METRIC_TOTAL))} from {Number.isNaN(times[P.kick]) ? 'pop' : 'kick'} to
        used
      </p>
      <table className={styles['stages']}>
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
                <td className={styles['took']}>{known ? duration(ns) : reason(request, stage.id)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <p className={styles['facts']}>
        began {momentText(begin)}; hatched waits, solid works; the clock steps by 5 µs or more, so stages
        under 10 µs are only known to be short
      </p>
    </section>
  );
}

/** Why a stage has no length. */
function reason(request: ListedRequest, stage: string): string {
  if (stage === 'wake' && Number.isNaN(request.times[P.kick])) return 'no kick needed';
  if (request.suppressed && (stage === 'deliver' || stage === 'guest')) return 'interrupt suppressed';
  return 'not seen';
}

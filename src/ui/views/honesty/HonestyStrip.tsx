import type { ReactNode } from 'react';
import { compact, count } from '../../model/format.ts';
import { usePlayground } from '../../model/playground.ts';
import type { Summary } from '../../model/trace/protocol.ts';
import { LiveText } from '../../widgets/LiveText.tsx';
import styles from './HonestyStrip.module.css';

/** What a small screen shows without a swipe. */
const FIRST: ReadonlySet<string> = new Set(['events seen', 'lost', 'tracing costs']);

/** What the page's numbers rest on: always there, never hidden. */
export function HonestyStrip(): ReactNode {
  const { trace } = usePlayground();
  const fact = (label: string, explain: string, read: (summary: Summary) => string): ReactNode => (
    <div className={styles['fact']} title={explain} data-later={!FIRST.has(label) || undefined}>
      <dt>{label}</dt>
      <dd>
        <LiveText feed={trace.summaries} read={read} />
      </dd>
    </div>
  );
  return (
    <footer aria-label="What the numbers rest on">
      <div className={styles['scroller']} role="group" aria-label="Counts of the trace" tabIndex={0}>
        <dl className={styles['strip']}>
          {fact('events seen', 'Written by the machine’s threads, and lost ones, since the start', (s) =>
            count(s.written + s.lost),
          )}
          {fact(
            'counted',
            'Every event that was not lost is counted; a few are on their way through the rings',
            (s) => count(s.binned),
          )}
          {fact('lost', 'Dropped because a thread’s ring was full; hatched in the timeline', (s) =>
            count(s.lost),
          )}
          {fact(
            'requests followed',
            'Of the others every event is counted, and none recorded: when the machine wants the cores itself and has more requests than anyone can look at. “Events” has a switch',
            ({ followOneOf }) => (followOneOf === 1 ? 'every one' : `1 of ${followOneOf}`),
          )}
          {fact('kept to draw', 'The newest; older ones are counted and no longer drawn', (s) =>
            compact(s.retained),
          )}
          {fact('events/s', 'Counted in the last second', (s) => compact(s.perSecond))}
          {fact(
            'fullest ring',
            'Largest share of a trace ring in use in the last second; at 100 % events are lost',
            (s) => share(s.fill),
          )}
          {fact(
            'clock step',
            'Smallest difference between two times seen: nothing shorter can be told',
            (s) => (s.clockStep === undefined ? '–' : `${(s.clockStep / 1000).toPrecision(2)} µs`),
          )}
          {fact(
            'tracing costs',
            'Events per second × the time one takes to record or to count, measured in this browser; spread over the machine’s threads',
            ({ cost, eventCost }) =>
              cost === undefined || eventCost === undefined
                ? '–'
                : `${share(cost)} of a core, ${Math.round(eventCost.written)} ns each`,
          )}
          {fact('aggregator', 'Share of its own thread the reader of the trace uses', (s) => share(s.load))}
          {fact('drawing', 'Share of that thread that goes into the timeline and the heat map', (s) =>
            share(s.drawing),
          )}
        </dl>
      </div>
    </footer>
  );
}

const share = (x: number): string => (x > 0 && x < 0.001 ? '<0.1 %' : `${(x * 100).toFixed(1)} %`);

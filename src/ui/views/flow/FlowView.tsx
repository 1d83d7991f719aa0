import { type CSSProperties, type ReactNode, useCallback, useEffect, useEffectEvent, useRef } from 'react';
import { useStore } from 'zustand';
import { same } from '../../model/breakpoints.ts';
import { bytes, count, percentile, rate } from '../../model/format.ts';
import { usePlayground } from '../../model/playground.ts';
import type { ListedRequest, QueueSummary, Summary } from '../../model/trace/protocol.ts';
import { METRICS, STAGES } from '../../model/trace/stages.ts';
import { type DiskQueue, useDiskQueues } from '../../model/trace/use-disk-queues.ts';
import { useFollowed } from '../../model/trace/use-followed.ts';
import { BreakButton } from '../../widgets/BreakButton.tsx';
import { type Column, DataTable } from '../../widgets/DataTable.tsx';
import { LiveText } from '../../widgets/LiveText.tsx';
import { Pane } from '../../widgets/Pane.tsx';
import { Select } from '../../widgets/Select.tsx';
import { FlowRequest } from './FlowRequest.tsx';
import styles from './FlowView.module.css';
import { moments, sendTokens } from './one-by-one.ts';

/** One of the six places a request passes. */
interface Station {
  readonly id: string;
  readonly label: string;
  readonly explain: string;
  /** The trace event a breakpoint here is on, and what it says it is about; the avail ring has none: the guest writes it. */
  readonly breaks?: { readonly event: string; readonly scope: 'device' | 'queue' };
  /** How often per second something passes here. */
  readonly rate: (queue: QueueSummary) => number;
  readonly unit: string;
  /** Requests standing here. */
  readonly standing: (queue: QueueSummary, ring: number | undefined) => number | undefined;
  readonly standingLabel: string;
  /** Metric (index into METRICS) said below, if there is one that ends here. */
  readonly metric: number | undefined;
  readonly note: (queue: QueueSummary) => string;
}

const metric = (id: string): number => METRICS.findIndex((one) => one.id === id);

const STATIONS: readonly Station[] = [
  {
    id: 'driver',
    breaks: { event: 'virtio_interrupt_ack', scope: 'device' },
    label: 'Guest driver',
    explain: 'The guest acknowledges the interrupt and makes new requests',
    rate: ({ rates }) => rates.pops,
    unit: 'requests/s',
    standing: ({ unacknowledged }) => unacknowledged,
    standingLabel: 'to ack',
    metric: metric('guest'),
    note: ({ rates }) => `${rate(rates.acks)}/s acked`,
  },
  {
    id: 'avail',
    label: 'Avail ring',
    explain: 'Made available by the driver, not yet taken by the device',
    rate: ({ rates }) => rates.pops,
    unit: 'requests/s',
    standing: (_queue, ring) => ring,
    standingLabel: 'waiting',
    metric: undefined,
    note: ({ rates }) => `${rate(rates.withoutKick)}/s no kick`,
  },
  {
    id: 'kick',
    breaks: { event: 'virtio_queue_notify', scope: 'queue' },
    label: 'Kick',
    explain: 'The driver’s notification; from there until the context dispatches',
    rate: ({ rates }) => rates.kicks,
    unit: 'kicks/s',
    standing: () => undefined,
    standingLabel: '',
    metric: metric('wake'),
    note: ({ rates }) => (rates.kicks > 0 ? `${(rates.pops / rates.kicks).toFixed(1)} per kick` : ''),
  },
  {
    id: 'dispatch',
    breaks: { event: 'virtqueue_pop', scope: 'queue' },
    label: 'Dispatch',
    explain: 'The context runs the queue’s handler: requests are taken, parsed and merged',
    rate: ({ rates }) => rates.dispatches,
    unit: 'dispatches/s',
    standing: ({ taken }) => taken,
    standingLabel: 'taken',
    metric: metric('prepare'),
    note: ({ rates }) =>
      rates.dispatches > 0 ? `${(rates.pops / rates.dispatches).toFixed(1)} at a time` : '',
  },
  {
    id: 'disk',
    breaks: { event: 'virtio_blk_submit_multireq', scope: 'device' },
    label: 'Disk',
    explain: 'The block layer and the file behind it',
    rate: ({ rates }) => rates.submits,
    unit: 'requests/s',
    standing: ({ disk }) => disk,
    standingLabel: 'at the disk',
    metric: metric('disk'),
    note: ({ rates }) => `${bytes(rates.bytes)}/s`,
  },
  {
    id: 'used',
    breaks: { event: 'virtqueue_flush', scope: 'queue' },
    label: 'Used, IRQ',
    explain: 'Published in the used ring; the interrupt waits for a hart',
    rate: ({ rates }) => rates.interrupts,
    unit: 'interrupts/s',
    standing: ({ done }) => done,
    standingLabel: 'to publish',
    metric: metric('deliver'),
    note: ({ rates }) => `${rate(rates.suppressed)}/s suppr.`,
  },
];

/** Widest link, px, and the rate at which it is reached; narrower ones by decades. */
const WIDEST = 18;
const FULL_RATE = 1e5;
const linkWidth = (perSecond: number): number =>
  perSecond <= 0 ? 1 : Math.max(2, (WIDEST * Math.log10(1 + perSecond)) / Math.log10(1 + FULL_RATE));

/** Where a disk's requests are, and where their time goes. */
export default function FlowView(): ReactNode {
  const { queues, chosen, choose } = useDiskQueues();
  const followed = useFollowed();
  if (chosen === undefined)
    return <Pane>The way of a disk’s requests appears here when the machine is on.</Pane>;
  return (
    <Pane
      about={`rates of the last second (widths are logarithmic), times of the last 10 s; up to 8 requests/s one by one, in slow motion${followed}`}
      actions={<Select label="Virtqueue" value={chosen.id} choices={queues} onChange={choose} />}
    >
      <Stations key={chosen.id} chosen={chosen} />
      <FlowTable chosen={chosen} />
    </Pane>
  );
}

const queueIn = ({ queues }: Summary, { dev, queue }: DiskQueue): QueueSummary | undefined =>
  queues.find((one) => one.dev === dev && one.queue === queue);

function Stations({ chosen }: { readonly chosen: DiskQueue }): ReactNode {
  const { trace, controller, breakpoints, requests } = usePlayground();
  const looked = useStore(requests.store);
  /** The one request that is shown at the stations, if one is. */
  const told =
    looked.inFlow && looked.request?.dev === chosen.dev && looked.request.queue === chosen.queue
      ? looked.request
      : undefined;
  const broken = useStore(breakpoints.store, (state) => state.all);
  const list = useRef<HTMLOListElement>(null);

  // Widths four times a second, without React.
  useEffect(
    () =>
      trace.summaries((summary) => {
        const queue = queueIn(summary, chosen);
        if (list.current !== null && told === undefined)
          sendTokens(list.current, queue?.recent ?? [], styles['token'] ?? '');
        for (const [i, station] of STATIONS.entries()) {
          const item = list.current?.children[i];
          if (item instanceof HTMLElement)
            item.style.setProperty('--link', `${linkWidth(queue === undefined ? 0 : station.rate(queue))}px`);
        }
      }),
    [trace, chosen, told],
  );
  const send = (request: ListedRequest | undefined): void => {
    if (list.current !== null && request !== undefined)
      sendTokens(list.current, [request], styles['token'] ?? '');
  };
  const sendFirst = useEffectEvent(send);
  useEffect(() => sendFirst(told), [told]);

  const breakHere = ({ breaks, label }: Station): ReactNode => {
    if (breaks === undefined) return null;
    const { event, scope } = breaks;
    const spec = { event, device: chosen.device, ...(scope === 'queue' ? { queue: chosen.queue } : {}) };
    return (
      <div className={styles['break']}>
        <BreakButton
          label={`Break here: ${label}`}
          isSet={broken.some((one) => same(one, spec))}
          onPress={() => void breakpoints.toggle(spec)}
        >
          Break
        </BreakButton>
      </div>
    );
  };

  /** Requests in the avail ring the device has not taken; split rings only. */
  const waiting = (): number | undefined => {
    // Both indexes of one moment: the board's picture may be a tenth of a second old.
    const device = controller.vm?.board().devices.find(({ qomPath }) => qomPath === chosen.qomPath);
    const queue = device?.queues.find(({ index }) => index === chosen.queue);
    if (queue === undefined || queue.packed || !queue.ready) return undefined;
    const index = controller.vm?.readGuest(queue.driver + 2, 2);
    if (index === undefined) return undefined;
    return ((index[0] ?? 0) + ((index[1] ?? 0) << 8) - queue.lastAvail) & 0xffff;
  };
  const live = (read: (queue: QueueSummary) => string, className?: string): ReactNode => (
    <LiveText
      feed={trace.summaries}
      className={className}
      read={(summary) => {
        const queue = queueIn(summary, chosen);
        return queue === undefined ? '–' : read(queue);
      }}
    />
  );
  /** The chosen request; else the last one, while each can be told apart: what is said stays until the next one. */
  const single = useCallback(
    (listener: (said: readonly string[] | undefined) => void) => {
      if (told !== undefined) {
        listener(moments(told));
        return () => {};
      }
      return trace.summaries((summary) => {
        const { recent } = queueIn(summary, chosen) ?? {};
        const last = recent?.at(-1);
        if (recent === undefined) listener(undefined);
        else if (last !== undefined) listener(moments(last));
      });
    },
    [trace, chosen, told],
  );
  return (
    <div className={styles['way']}>
      <ol className={styles['flow']} ref={list} aria-label="The way of a request">
        {STATIONS.map((station, i) => (
          <li key={station.id} className={styles['station']} style={{ '--link': '1px' } as CSSProperties}>
            <div className={styles['box']} title={station.explain}>
              <h2 className={styles['name']}>{station.label}</h2>
              <p className={styles['rate']}>
                {live((queue) => rate(station.rate(queue)), styles['number'])}
                <span className={styles['unit']}>{station.unit}</span>
              </p>
              <p className={styles['line']}>
                {station.standingLabel === ''
                  ? '\u00a0'
                  : live((queue) => {
                      const n = station.standing(queue, waiting());
                      return `${n === undefined ? '–' : count(n)} ${station.standingLabel}`;
                    })}
              </p>
              <p className={styles['line']}>{live(station.note)}</p>
              {breakHere(station)}
            </div>
            <p className={styles['times']}>
              {station.metric === undefined
                ? '\u00a0'
                : live((queue) => {
                    const { p50, p99 } = queue.metrics[station.metric ?? 0] ?? {};
                    return `p50 ${percentile(p50)}\np99 ${percentile(p99)}`;
                  })}
            </p>
            <p className={styles['moment']}>
              <LiveText feed={single} read={(said) => said?.[i] ?? (i === 0 ? 'aggregated' : '\u00a0')} />
            </p>
          </li>
        ))}
      </ol>
      <FlowRequest chosen={chosen} request={told} onAgain={() => send(told)} />
    </div>
  );
}

interface MetricRow {
  readonly index: number;
  readonly label: string;
  readonly what: string;
}

const ROWS: readonly MetricRow[] = METRICS.map(({ label }, index) => {
  const stage = STAGES[index - 1];
  const what = stage === undefined ? 'the whole, as the device sees it' : stage.explain;
  return { index, label, what };
});

/** The same in numbers: every stage with how many were measured. */
function FlowTable({ chosen }: { readonly chosen: DiskQueue }): ReactNode {
  const { trace } = usePlayground();
  const cell =
    (read: (queue: QueueSummary, row: MetricRow) => string) =>
    (row: MetricRow): ReactNode => (
      <LiveText
        feed={trace.summaries}
        read={(summary) => {
          const queue = queueIn(summary, chosen);
          return queue === undefined ? '–' : read(queue, row);
        }}
      />
    );
  const columns: readonly Column<MetricRow>[] = [
    { id: 'stage', label: 'stage', cell: ({ label }) => label },
    {
      id: 'p50',
      label: 'p50',
      numeric: true,
      cell: cell((queue, { index }) => percentile(queue.metrics[index]?.p50)),
    },
    {
      id: 'p99',
      label: 'p99',
      explain: 'Said from 1000 requests on',
      numeric: true,
      cell: cell((queue, { index }) => percentile(queue.metrics[index]?.p99)),
    },
    {
      id: 'n',
      label: 'n',
      numeric: true,
      cell: cell((queue, { index }) => count(queue.metrics[index]?.n ?? 0)),
    },
    { id: 'what', label: 'what happens', cell: ({ what }) => what },
  ];
  return (
    <DataTable
      caption="Stages, last 10 s; p99 from 1000 requests on"
      columns={columns}
      rows={ROWS}
      rowKey={({ index }) => index}
    />
  );
}

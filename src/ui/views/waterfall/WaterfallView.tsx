import { RefreshCw, Search } from 'lucide-react';
import { type ReactNode, useEffect, useEffectEvent, useState } from 'react';
import { ListBox, ListBoxItem } from 'react-aria-components';
import { useStore } from 'zustand';
import { bytes, count, duration } from '../../model/format.ts';
import { usePlayground } from '../../model/playground.ts';
import { momentText } from '../../model/trace/format-time.ts';
import type { ListedRequest, RequestList } from '../../model/trace/protocol.ts';
import { KINDS } from '../../model/trace/request-log.ts';
import { extentOf, firstTime, METRIC_TOTAL, metricOf } from '../../model/trace/stages.ts';
import { useDiskQueues } from '../../model/trace/use-disk-queues.ts';
import { Button } from '../../widgets/Button.tsx';
import { Pane } from '../../widgets/Pane.tsx';
import { Select } from '../../widgets/Select.tsx';
import { TextInput } from '../../widgets/TextInput.tsx';
import { RequestActions } from './RequestActions.tsx';
import { RequestBars } from './RequestBars.tsx';
import styles from './WaterfallView.module.css';

const ORDERS = [
  { id: 'newest', label: 'Newest' },
  { id: 'slowest', label: 'Slowest' },
  { id: 'sample', label: 'Sample' },
  { id: 'under-way', label: 'Under way' },
] as const;
type Order = (typeof ORDERS)[number]['id'];
const LISTED = 60;
const LOOK_MS = 500;

/** One request's way through the machine, beside another one if pinned. */
export default function WaterfallView(): ReactNode {
  const { trace, requests: links } = usePlayground();
  const { queues, chosen, choose } = useDiskQueues();
  const { order, request: picked } = useStore(links.store);
  const [loaded, setLoaded] = useState<{ readonly of: string; readonly list: RequestList } | undefined>(
    undefined,
  );
  const [pinned, setPinned] = useState<ListedRequest | undefined>(undefined);
  const [wanted, setWanted] = useState('');
  const [missing, setMissing] = useState<string | undefined>(undefined);

  /** What is listed: of another queue, or in another order, it is another list. */
  const of = chosen === undefined ? undefined : `${chosen.id} ${order}`;
  const list = loaded?.of === of ? loaded?.list : undefined;
  const pick = (request: ListedRequest | undefined): void => links.store.setState({ request });
  const load = useEffectEvent(async () => {
    if (chosen === undefined || of === undefined) return;
    const { dev, queue } = chosen;
    const answer = await trace.ask({ ask: 'requests', dev, queue, order, limit: LISTED });
    if (answer === undefined) return;
    setLoaded({ of, list: answer });
    if (links.store.getState().request === undefined) pick(answer.requests[0]);
  });
  // Fills itself while there is nothing to look at; after that the list holds still until asked, but for what is under way.
  const moves = (list?.requests.length ?? 0) === 0 || order === 'under-way';
  useEffect(() => {
    if (!moves || of === undefined) return;
    const first = setTimeout(() => void load());
    const timer = setInterval(() => void load(), LOOK_MS);
    return () => {
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [moves, of]);
  // One that is looked at is looked after until it is over.
  const unfinished = picked?.isOver === false ? picked.req : undefined;
  useEffect(() => {
    if (unfinished === undefined) return;
    const timer = setInterval(() => {
      void trace.ask({ ask: 'request', req: unfinished }).then((now) => {
        if (now !== undefined && links.store.getState().request?.req === now.req)
          links.store.setState({ request: now });
      });
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [trace, links, unfinished]);

  const show = (next: { order?: Order; queue?: string }): void => {
    if (next.queue !== undefined) choose(next.queue);
    if (next.order !== undefined) links.store.setState({ order: next.order });
    pick(undefined);
  };
  const find = async (): Promise<void> => {
    const req = Number(wanted.replace('#', '').trim());
    const found = Number.isInteger(req) && req > 0 ? await trace.ask({ ask: 'request', req }) : undefined;
    setMissing(found === undefined ? 'not among the requests that are kept or under way' : undefined);
    if (found !== undefined) pick(found);
  };

  if (chosen === undefined) return <Pane>Requests appear here when the machine is on.</Pane>;
  const requests = list?.requests ?? [];
  const both =
    picked === undefined
      ? []
      : pinned === undefined || pinned.index === picked.index
        ? [picked]
        : [picked, pinned];
  return (
    <Pane
      about={aboutList(list, order)}
      actions={
        <>
          <Select
            label="Order"
            value={order}
            choices={ORDERS}
            onChange={(next) => show({ order: ORDERS.find((one) => one.id === next)?.id ?? 'newest' })}
          />
          {queues.length > 1 ? (
            <Select
              label="Virtqueue"
              value={chosen.id}
              choices={queues}
              onChange={(next) => show({ queue: next })}
            />
          ) : null}
          <Button
            size="small"
            variant="quiet"
            icon={<RefreshCw aria-hidden="true" />}
            tip="Look again"
            onPress={() => void load()}
          />
        </>
      }
      flush
    >
      <div className={styles['split']}>
        <div className={styles['side']}>
          <form
            className={styles['find']}
            onSubmit={(event) => {
              event.preventDefault();
              void find();
            }}
          >
            <TextInput
              label="Request id"
              hideLabel
              placeholder="#request id"
              value={wanted}
              onChange={setWanted}
              error={missing}
            />
            <Button
              type="submit"
              variant="quiet"
              icon={<Search aria-hidden="true" />}
              tip="Find this request"
            />
          </form>
          <p className={styles['columns']} aria-hidden="true">
            <span>took</span>
            <span>request</span>
            <span>began at</span>
          </p>
          <ListBox
            aria-label="Requests"
            className={styles['list'] ?? ''}
            selectionMode="single"
            selectedKeys={picked === undefined ? [] : [String(picked.index)]}
            onSelectionChange={(keys) => {
              const key = keys === 'all' ? undefined : [...keys][0];
              const next = requests.find(({ index }) => String(index) === key);
              if (next !== undefined) pick(next);
            }}
            renderEmptyState={() => (
              <p className={styles['empty']}>
                {order === 'under-way'
                  ? 'Nothing is under way. A disk that answers at once finishes what it takes within one dispatch; hold its context, or throttle it, to see requests wait.'
                  : 'Nothing yet: let the guest read or write.'}
              </p>
            )}
          >
            {requests.map((request) => (
              <ListBoxItem
                key={request.index}
                id={String(request.index)}
                textValue={describe(request)}
                className={styles['item'] ?? ''}
              >
                <span className={styles['total']}>{totalOf(request)}</span>
                <span>
                  {KINDS[request.kind]} {request.bytes > 0 ? bytes(request.bytes) : ''}
                </span>
                <span className={styles['when']}>{momentText(firstTime(request.times))}</span>
              </ListBoxItem>
            ))}
          </ListBox>
        </div>
        <div className={styles['main']} role="region" aria-label="Stages of the request" tabIndex={0}>
          {picked === undefined ? null : (
            <>
              {both.map((request) => (
                <RequestBars
                  key={request.index}
                  request={request}
                  longest={Math.max(...both.map(lengthOf))}
                  against={both.length > 1 && request === picked ? pinned : undefined}
                  actions={
                    <RequestActions
                      request={request}
                      chosen={chosen}
                      pinned={pinned?.index === request.index}
                      onPin={() => setPinned(pinned?.index === request.index ? undefined : request)}
                    />
                  }
                />
              ))}
              <p className={styles['facts']}>
                Hatched waits, solid works. The clock steps by 5 µs or more, so stages under 10 µs are only
                known to be short.
                {pinned === undefined
                  ? ' Pin a request and pick another: both are then drawn on one scale.'
                  : ''}
              </p>
            </>
          )}
        </div>
      </div>
    </Pane>
  );
}

function aboutList(list: RequestList | undefined, order: Order): string {
  if (list === undefined) return 'no complete request yet';
  if (order === 'under-way')
    return `${count(list.retained + list.notFollowed)} under way${
      list.notFollowed > 0 ? `, ${count(list.retained)} of them followed` : ''
    }, the oldest first; ${count(list.total)} complete`;
  return `examples: ${list.requests.length} of ${count(list.total)} complete, ${count(list.retained)} kept`;
}

const totalOf = ({ times }: ListedRequest): string => {
  const ns = metricOf(times, 0, METRIC_TOTAL);
  return Number.isNaN(ns) ? '…' : duration(ns);
};

const describe = (request: ListedRequest): string =>
  `${KINDS[request.kind]} #${request.req}, ${bytes(request.bytes)}, ${totalOf(request)}`;

/** ns. */
function lengthOf({ times }: ListedRequest): number {
  const [from, to] = extentOf(times);
  return to - from;
}

import { Pin, RefreshCw, Search } from 'lucide-react';
import { type ReactNode, useEffect, useEffectEvent, useState } from 'react';
import { ListBox, ListBoxItem } from 'react-aria-components';
import { bytes, count, duration } from '../../model/format.ts';
import { usePlayground } from '../../model/playground.ts';
import { momentText } from '../../model/trace/format-time.ts';
import type { ListedRequest, RequestList } from '../../model/trace/protocol.ts';
import { KINDS } from '../../model/trace/request-log.ts';
import { firstTime, METRIC_TOTAL, metricOf } from '../../model/trace/stages.ts';
import { useDiskQueues } from '../../model/trace/use-disk-queues.ts';
import { Button } from '../../widgets/Button.tsx';
import { Pane } from '../../widgets/Pane.tsx';
import { Select } from '../../widgets/Select.tsx';
import { TextInput } from '../../widgets/TextInput.tsx';
import { RequestBars } from './RequestBars.tsx';
import styles from './WaterfallView.module.css';

const ORDERS = [
  { id: 'newest', label: 'Newest' },
  { id: 'slowest', label: 'Slowest' },
  { id: 'sample', label: 'Sample' },
] as const;
type Order = (typeof ORDERS)[number]['id'];
const LISTED = 60;
const FIRST_LOOK_MS = 500;

/** One request's way through the machine, beside another one if pinned. */
export default function WaterfallView(): ReactNode {
  const { trace } = usePlayground();
  const { queues, chosen, choose } = useDiskQueues();
  const [order, setOrder] = useState<Order>('slowest');
  const [list, setList] = useState<RequestList | undefined>(undefined);
  const [picked, setPicked] = useState<ListedRequest | undefined>(undefined);
  const [pinned, setPinned] = useState<ListedRequest | undefined>(undefined);
  const [wanted, setWanted] = useState('');
  const [missing, setMissing] = useState<string | undefined>(undefined);

  const load = useEffectEvent(async () => {
    if (chosen === undefined) return;
    const { dev, queue } = chosen;
    const answer = await trace.ask({ ask: 'requests', dev, queue, order, limit: LISTED });
    if (answer === undefined) return;
    setList(answer);
    setPicked((old) => old ?? answer.requests[0]);
  });
  const id = chosen?.id;
  // Fills itself while there is nothing to look at; after that the list holds still until asked.
  const empty = (list?.requests.length ?? 0) === 0;
  useEffect(() => {
    if (!empty || id === undefined) return;
    const timer = setInterval(() => void load(), FIRST_LOOK_MS);
    return () => clearInterval(timer);
  }, [empty, id]);

  const show = (next: { order?: Order; queue?: string }): void => {
    if (next.order !== undefined) setOrder(next.order);
    if (next.queue !== undefined) choose(next.queue);
    // An empty list fills itself, in the order that is now chosen.
    setList(undefined);
    setPicked(undefined);
  };
  const find = async (): Promise<void> => {
    const req = Number(wanted.replace('#', '').trim());
    const found = Number.isInteger(req) && req > 0 ? await trace.ask({ ask: 'request', req }) : undefined;
    setMissing(found === undefined ? 'not among the requests that are kept' : undefined);
    if (found !== undefined) setPicked(found);
  };

  if (chosen === undefined) return <Pane>Requests appear here when the machine is on.</Pane>;
  const requests = list?.requests ?? [];
  return (
    <Pane
      about={
        list === undefined
          ? 'no complete request yet'
          : `examples: ${requests.length} of ${count(list.total)} complete, ${count(list.retained)} kept`
      }
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
          <ListBox
            aria-label="Requests"
            className={styles['list'] ?? ''}
            selectionMode="single"
            selectedKeys={picked === undefined ? [] : [String(picked.index)]}
            onSelectionChange={(keys) => {
              const key = keys === 'all' ? undefined : [...keys][0];
              const next = requests.find(({ index }) => String(index) === key);
              if (next !== undefined) setPicked(next);
            }}
            renderEmptyState={() => (
              <p className={styles['empty']}>Nothing yet: let the guest read or write.</p>
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
              <RequestBars
                request={picked}
                longest={Math.max(lengthOf(picked), pinned === undefined ? 0 : lengthOf(pinned))}
                actions={
                  <Button
                    size="small"
                    variant={pinned?.index === picked.index ? 'plain' : 'quiet'}
                    icon={<Pin aria-hidden="true" />}
                    aria-pressed={pinned?.index === picked.index}
                    onPress={() => setPinned(pinned?.index === picked.index ? undefined : picked)}
                  >
                    {pinned?.index === picked.index ? 'Pinned' : 'Pin'}
                  </Button>
                }
              />
              {pinned === undefined || pinned.index === picked.index ? null : (
                <RequestBars
                  request={pinned}
                  longest={Math.max(lengthOf(picked), lengthOf(pinned))}
                  actions={
                    <Button
                      size="small"
                      icon={<Pin aria-hidden="true" />}
                      aria-pressed={true}
                      onPress={() => setPinned(undefined)}
                    >
                      Pinned
                    </Button>
                  }
                />
              )}
            </>
          )}
        </div>
      </div>
    </Pane>
  );
}

const totalOf = ({ times }: ListedRequest): string => duration(metricOf(times, 0, METRIC_TOTAL));

const describe = (request: ListedRequest): string =>
  `${KINDS[request.kind]} #${request.req}, ${bytes(request.bytes)}, ${totalOf(request)}`;

/** From its first known moment to its last, ns. */
function lengthOf({ times }: ListedRequest): number {
  let last = 0;
  for (const time of times) if (!Number.isNaN(time)) last = Math.max(last, time);
  return last - firstTime(times);
}

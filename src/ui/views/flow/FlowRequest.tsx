import { RotateCw, Timer, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { duration } from '../../model/format.ts';
import { usePlayground } from '../../model/playground.ts';
import type { ListedRequest } from '../../model/trace/protocol.ts';
import { KINDS } from '../../model/trace/request-log.ts';
import { METRIC_TOTAL, metricOf } from '../../model/trace/stages.ts';
import type { DiskQueue } from '../../model/trace/use-disk-queues.ts';
import { Button } from '../../widgets/Button.tsx';
import { RequestButton } from '../../widgets/RequestButton.tsx';
import styles from './FlowView.module.css';

/** Below the stations: the one request that is shown at them and where else it can be seen, or the way to such a request. */
export function FlowRequest({
  chosen,
  request,
  onAgain,
}: {
  readonly chosen: DiskQueue;
  readonly request: ListedRequest | undefined;
  readonly onAgain: () => void;
}): ReactNode {
  const { requests, trace } = usePlayground();
  const newest = async (): Promise<void> => {
    const { dev, queue } = chosen;
    const list = await trace.ask({ ask: 'requests', dev, queue, order: 'newest', limit: 1 });
    const [last] = list?.requests ?? [];
    if (last === undefined) requests.listInWaterfall(dev, queue, 'newest');
    else requests.inFlow(last);
  };
  if (request === undefined)
    return (
      <div className={styles['one']} role="group" aria-label="Single requests">
        <Button
          size="small"
          variant="quiet"
          icon={<RotateCw aria-hidden="true" />}
          onPress={() => void newest()}
        >
          Show the newest request here
        </Button>
        <Button
          size="small"
          variant="quiet"
          icon={<Timer aria-hidden="true" />}
          onPress={() => requests.listInWaterfall(chosen.dev, chosen.queue, 'slowest')}
        >
          Slowest in the waterfall
        </Button>
      </div>
    );
  const total = metricOf(request.times, 0, METRIC_TOTAL);
  return (
    <div className={styles['one']} role="group" aria-label={`Request ${request.req}`}>
      <p className={styles['which']}>
        <b>#{request.req}</b> {KINDS[request.kind]}
        {Number.isNaN(total) ? '' : `, ${duration(total)}`}, in slow motion
      </p>
      <Button size="small" variant="quiet" icon={<RotateCw aria-hidden="true" />} onPress={onAgain}>
        Again
      </Button>
      <RequestButton view="waterfall" onPress={() => requests.inWaterfall(request)} />
      <RequestButton view="timeline" onPress={() => requests.inTimeline(request)} />
      <Button
        size="small"
        variant="quiet"
        icon={<X aria-hidden="true" />}
        tip="Show those that pass now"
        onPress={() => requests.store.setState({ inFlow: false })}
      />
    </div>
  );
}

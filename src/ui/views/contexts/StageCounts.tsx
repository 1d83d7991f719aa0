import type { ReactNode } from 'react';
import type { DeviceSnapshot, QueueSnapshot } from '../../../engine/vm.ts';
import { bytes, compact, count, percentile, rate } from '../../model/format.ts';
import { type BoardFrame, deviceIn, queueRate, queueSum } from '../../model/live-board.ts';
import { usePlayground } from '../../model/playground.ts';
import { LiveText } from '../../widgets/LiveText.tsx';
import styles from './StageCounts.module.css';

interface Stage {
  readonly label: string;
  readonly explain: string;
  readonly main: (frame: BoardFrame) => string;
  readonly sub: (frame: BoardFrame) => string;
  /** Which of several queues the numbers are of. */
  readonly which?: (frame: BoardFrame) => string;
}

/** The stations a request passes, with what passes per second and what passed since the start. */
export function StageCounts({
  device,
  queues,
}: {
  readonly device: DeviceSnapshot;
  readonly queues: readonly number[];
}): ReactNode {
  const { numbers } = usePlayground();
  const counter = (label: string, explain: string, read: (queue: QueueSnapshot) => number): Stage => ({
    label,
    explain,
    main: (frame) => `${rate(queueRate(frame, device.qomPath, queues, read))}/s`,
    sub: (frame) => count(queueSum(frame.now, device.qomPath, queues, read)),
  });
  const moved = (queue: QueueSnapshot): number => queue.bytesRead + queue.bytesWritten;
  const stages: readonly Stage[] = [
    counter('Kicks', 'Times the guest notified a queue', (queue) => queue.kicks),
    counter('Requests', 'Requests taken from the rings', (queue) => queue.requests),
    {
      label: 'Bytes',
      explain: 'Bytes read and written',
      main: (frame) => `${bytes(queueRate(frame, device.qomPath, queues, moved))}/s`,
      sub: (frame) => bytes(queueSum(frame.now, device.qomPath, queues, moved)),
    },
    counter('Completions', 'Requests given back to the guest', (queue) => queue.completions),
    {
      label: 'Interrupts',
      explain: 'Interrupts raised; in brackets those that EVENT_IDX or the guest’s flags suppressed',
      main: (frame) => `${rate(queueRate(frame, device.qomPath, queues, (queue) => queue.interrupts))}/s`,
      sub: (frame) => {
        const raised = queueSum(frame.now, device.qomPath, queues, (queue) => queue.interrupts);
        const suppressed = queueSum(frame.now, device.qomPath, queues, (queue) => queue.interruptsSuppressed);
        return `${compact(raised)} (${compact(suppressed)} suppr.)`;
      },
    },
    {
      label: 'Latency p50',
      explain: 'From the ring to the interrupt; p99 is said from 1000 requests on',
      main: (frame) => percentile(slowestQueue(frame, device.qomPath, queues)?.latency.p50),
      sub: (frame) => {
        const slowest = slowestQueue(frame, device.qomPath, queues);
        return `p99 ${percentile(slowest?.latency.p99)}, n ${compact(slowest?.latency.n ?? 0)}`;
      },
      ...(queues.length > 1
        ? { which: (frame: BoardFrame) => slowestQueue(frame, device.qomPath, queues)?.name ?? '' }
        : {}),
    },
  ];
  return (
    <dl className={styles['stages']}>
      {stages.map((stage) => (
        <div key={stage.label} className={styles['stage']} title={stage.explain}>
          <dt className={styles['label']}>{stage.label}</dt>
          <dd className={styles['values']}>
            <span>
              <LiveText feed={numbers} className={styles['main']} read={stage.main} />
              {stage.which === undefined ? null : (
                <LiveText feed={numbers} className={styles['which']} read={stage.which} />
              )}
            </span>
            <LiveText feed={numbers} className={styles['sub']} read={stage.sub} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Percentiles of several queues can't be added: the worst one is shown, by name. */
function slowestQueue(
  frame: BoardFrame,
  qomPath: string,
  queues: readonly number[],
): QueueSnapshot | undefined {
  const mine = deviceIn(frame.now, qomPath)?.queues.filter((queue) => queues.includes(queue.index)) ?? [];
  return mine.reduce<QueueSnapshot | undefined>(
    (worst, queue) => ((queue.latency.p50 ?? -1) > (worst?.latency.p50 ?? -2) ? queue : worst),
    undefined,
  );
}

import type { ReactNode } from 'react';
import type { DeviceSnapshot } from '../../../engine/vm.ts';
import { deviceIn } from '../../model/live-board.ts';
import { usePlayground } from '../../model/playground.ts';
import { LiveText } from '../../widgets/LiveText.tsx';
import styles from './DeviceCard.module.css';

/** A chip per virtqueue: its ring and what is in flight in it. */
export function QueueChips({
  device,
  queues,
}: {
  readonly device: DeviceSnapshot;
  readonly queues: readonly number[];
}): ReactNode {
  const { numbers } = usePlayground();
  return (
    <ul className={styles['queues']} aria-label={`Virtqueues of ${device.id}`}>
      {device.queues
        .filter((queue) => queues.includes(queue.index))
        .map((queue) => (
          <li key={queue.index} className={styles['queue']}>
            <span>{queue.name}</span>
            <span className={styles['quiet']}>
              {queue.ready
                ? `${queue.packed ? 'packed' : 'split'}, ${queue.size} entries`
                : 'not set up by the guest'}
            </span>
            <LiveText
              feed={numbers}
              className={styles['inFlight']}
              read={({ now }) =>
                `${deviceIn(now, device.qomPath)?.queues.find((q) => q.index === queue.index)?.inFlight ?? 0} in flight`
              }
            />
          </li>
        ))}
    </ul>
  );
}

import type { ReactNode } from 'react';
import { useDrag } from 'react-aria-components';
import type { BoardSnapshot, DeviceSnapshot, QueueSnapshot } from '../../../engine/vm.ts';
import { deviceIn } from '../../model/live-board.ts';
import { usePlayground } from '../../model/playground.ts';
import { ActionMenu } from '../../widgets/ActionMenu.tsx';
import { Button } from '../../widgets/Button.tsx';
import { LiveText } from '../../widgets/LiveText.tsx';
import styles from './DeviceCard.module.css';
import { dragItem } from './drag.ts';

/** A chip per virtqueue: its ring and what is in flight in it. With several, each can move on its own. */
export function QueueChips({
  device,
  queues,
  board,
}: {
  readonly device: DeviceSnapshot;
  readonly queues: readonly number[];
  readonly board: BoardSnapshot;
}): ReactNode {
  return (
    <ul className={styles['queues']} aria-label={`Virtqueues of ${device.id}`}>
      {device.queues
        .filter((queue) => queues.includes(queue.index))
        .map((queue) => (
          <QueueChip key={queue.index} device={device} queue={queue} board={board} />
        ))}
    </ul>
  );
}

function QueueChip({
  device,
  queue,
  board,
}: {
  readonly device: DeviceSnapshot;
  readonly queue: QueueSnapshot;
  readonly board: BoardSnapshot;
}): ReactNode {
  const { numbers, moves } = usePlayground();
  const alone = device.queues.length === 1 || !device.movable;
  const { dragProps } = useDrag({
    isDisabled: alone || device.moving,
    getItems: () => [dragItem({ qomPath: device.qomPath, queue: queue.index }, `${device.id} ${queue.name}`)],
    getAllowedDropOperations: () => ['move'],
  });
  const {
    role: _role,
    tabIndex: _tabIndex,
    ...pointerProps
  } = dragProps as typeof dragProps & { role?: string };
  return (
    <li
      className={styles['queue']}
      {...(alone ? {} : pointerProps)}
      // The chip is dragged on its own, not with its card.
      onDragStart={(event) => {
        if (alone) return;
        event.stopPropagation();
        pointerProps.onDragStart?.(event);
      }}
    >
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
      {alone ? null : (
        <ActionMenu
          title={`Move ${queue.name} of ${device.id} to`}
          trigger={
            <Button
              size="small"
              variant="quiet"
              aria-label={`Move ${device.id} ${queue.name}`}
              isDisabled={device.moving}
            >
              →
            </Button>
          }
          actions={board.contexts.map((context) => ({
            id: context.id,
            label: context.id,
            note: context.index === queue.context ? 'it is here' : context.worker,
            disabled: context.index === queue.context,
          }))}
          onAction={(id) => void moves.move(device.qomPath, id, queue.index)}
        />
      )}
    </li>
  );
}

import { GripVertical, MoveRight } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { Button as AriaButton, useDrag } from 'react-aria-components';
import type { BoardSnapshot, ContextSnapshot, DeviceSnapshot } from '../../../engine/vm.ts';
import { contextIn } from '../../model/live-board.ts';
import { useController, usePlayground } from '../../model/playground.ts';
import { ActionMenu } from '../../widgets/ActionMenu.tsx';
import { Button } from '../../widgets/Button.tsx';
import styles from './DeviceCard.module.css';
import { dragItem } from './drag.ts';
import { QueueChips } from './QueueChips.tsx';
import { StageCounts } from './StageCounts.tsx';

/**
 * A device in the lane of the context that serves it. It moves by mouse drag, by its Move menu, by keyboard
 * (the grip: Enter, Tab to a lane, Enter), and by taps (the grip, then a lane).
 */
export function DeviceCard({
  device,
  queues,
  here,
  board,
}: {
  readonly device: DeviceSnapshot;
  readonly queues: readonly number[];
  readonly here: ContextSnapshot;
  readonly board: BoardSnapshot;
}): ReactNode {
  const { controller, moves } = usePlayground();
  const picked = useController((state) => state.picked === device.qomPath);
  const { dragProps, dragButtonProps, isDragging } = useDrag({
    hasDragButton: true,
    isDisabled: !device.movable || device.moving,
    getItems: () => [dragItem({ qomPath: device.qomPath }, device.id)],
    getAllowedDropOperations: () => ['move'],
  });
  const grip = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    // The card of a device that moved is a new element in another lane: the focus comes along.
    if (moves.claimFocus(device.qomPath)) grip.current?.focus({ preventScroll: true });
  }, [moves, device.qomPath]);
  const configured = contextIn(board, device.queues[0]?.configuredContext ?? here.index)?.id;
  const strayed = device.queues.some(
    (queue) => queues.includes(queue.index) && queue.configuredContext !== queue.context,
  );
  const together = device.queues.length > 1 && queues.length === device.queues.length;
  const partial = queues.length < device.queues.length;
  return (
    <article
      {...dragProps}
      className={styles['card']}
      data-dragging={isDragging || undefined}
      data-picked={picked || undefined}
      data-moving={device.moving || undefined}
      data-device={device.id}
      aria-label={`Device ${device.id}`}
    >
      <header className={styles['head']} data-several={device.queues.length > 1 || undefined}>
        {device.movable ? (
          <AriaButton
            {...dragButtonProps}
            ref={grip}
            className={styles['grip'] ?? ''}
            aria-label={`Drag ${device.id}`}
            onPress={(press) => {
              // Keyboards and screen readers start a drag here; a tap or click picks the card up instead.
              if (press.pointerType === 'keyboard' || press.pointerType === 'virtual')
                dragButtonProps.onPress?.(press);
              else controller.store.setState({ picked: picked ? undefined : device.qomPath });
            }}
          >
            <GripVertical aria-hidden="true" />
          </AriaButton>
        ) : null}
        <h4 className={styles['name']}>{device.id}</h4>
        <span className={styles['type']}>
          {device.type}
          {partial ? `, ${queues.length} of ${device.queues.length} queues` : ''}
        </span>
        {queues.length === 0 ? null : <QueueChips device={device} queues={queues} board={board} />}
        <span className={styles['status']}>{device.moving ? 'draining…' : ''}</span>
        {device.movable ? (
          <ActionMenu
            title={`Move ${device.id} to`}
            trigger={
              <Button
                size="small"
                variant="quiet"
                icon={<MoveRight />}
                aria-label={`Move ${device.id}`}
                isDisabled={device.moving}
              >
                Move
              </Button>
            }
            actions={[
              ...board.contexts.map((context) => ({
                id: context.id,
                label: context.id,
                note: context.index === here.index && !partial ? 'it is here' : context.worker,
                disabled: context.index === here.index && !partial,
              })),
              { id: PICK, label: 'Pick up, then choose a lane' },
            ]}
            onAction={(id) => {
              if (id === PICK) controller.store.setState({ picked: device.qomPath });
              else void moves.move(device.qomPath, id);
            }}
          />
        ) : null}
      </header>
      {strayed ? (
        <p className={styles['strayed']}>
          Configured for <b>{configured}</b>, served by <b>{here.id}</b>.
        </p>
      ) : null}
      {together ? (
        <p className={styles['strayed']}>
          {device.queues.length === 2 ? 'Both' : `All ${device.queues.length}`} queues share this one event
          loop; each can be moved on its own.
        </p>
      ) : null}
      {queues.length === 0 ? null : <StageCounts device={device} queues={queues} />}
    </article>
  );
}

/** Menu key that can't be a context's id. */
const PICK = '\0pick';

import { Ellipsis } from 'lucide-react';
import { type KeyboardEvent, type ReactNode, useRef } from 'react';
import { useDrop } from 'react-aria-components';
import type { BoardSnapshot, ContextSnapshot, DeviceSnapshot } from '../../../engine/vm.ts';
import { deleteContext } from '../../model/contexts.ts';
import { compact, percent } from '../../model/format.ts';
import { canBeHeld } from '../../model/holds.ts';
import { type BoardFrame, contextIn, contextShares, deviceIn } from '../../model/live-board.ts';
import { useController, usePlayground } from '../../model/playground.ts';
import { ActionMenu } from '../../widgets/ActionMenu.tsx';
import { Button } from '../../widgets/Button.tsx';
import { LiveText } from '../../widgets/LiveText.tsx';
import { ShareBar } from '../../widgets/ShareBar.tsx';
import styles from './ContextsBoard.module.css';
import { DeviceCard } from './DeviceCard.tsx';
import { DRAG_TYPE, readDragged } from './drag.ts';
import { HoldButton, StepRow } from './HoldControls.tsx';
import { SourceChips } from './SourceChips.tsx';
import { stateInWords } from './words.ts';

/** The queues of a device that a context serves now; devices without queues stand with `main`. */
function servedHere(device: DeviceSnapshot, context: ContextSnapshot): readonly number[] | undefined {
  if (device.queues.length === 0) return context.index === 0 ? [] : undefined;
  const queues = device.queues.filter((queue) => queue.context === context.index).map((queue) => queue.index);
  return queues.length === 0 ? undefined : queues;
}

/** One context: who runs it, what it is doing, what it serves. Devices can be dropped on it. */
export function Lane({
  context,
  board,
}: {
  readonly context: ContextSnapshot;
  readonly board: BoardSnapshot;
}): ReactNode {
  const { controller, numbers, moves, holds } = usePlayground();
  const picked = useController((state) => state.picked);
  const ref = useRef<HTMLLIElement>(null);
  const { dropProps, isDropTarget } = useDrop({
    ref,
    getDropOperation: (types, allowed) =>
      types.has(DRAG_TYPE) && allowed.includes('move') ? 'move' : 'cancel',
    onDrop: ({ items }) => {
      for (const item of items) {
        if (item.kind === 'text' && item.types.has(DRAG_TYPE)) {
          void item.getText(DRAG_TYPE).then((text) => {
            const dragged = readDragged(text);
            return dragged === undefined ? undefined : moves.move(dragged.qomPath, context.id, dragged.queue);
          });
        }
      }
    },
  });
  const devices = board.devices.flatMap((device) => {
    const queues = servedHere(device, context);
    return queues === undefined ? [] : [{ device, queues }];
  });
  const pickedDevice = picked === undefined ? undefined : deviceIn(board, picked);
  const takes =
    pickedDevice !== undefined && pickedDevice.queues.some((queue) => queue.context !== context.index);
  const held = context.heldNs !== undefined;
  /** H holds and releases, S, I and N step: while the focus is in the lane. */
  const shortcut = (event: KeyboardEvent): void => {
    const { key, altKey, ctrlKey, metaKey } = event;
    // Keys typed into a menu of the lane come here as well: it is the lane's child, but not inside it.
    const inside = event.target instanceof Node && ref.current?.contains(event.target) === true;
    if (!inside || altKey || ctrlKey || metaKey || event.defaultPrevented || !canBeHeld(context)) return;
    if (key === 'h') void holds.toggle(context.id);
    else if (key === 's' && held) void holds.step(context.id, 'dispatch');
    else if (key === 'i' && held) void holds.step(context.id, 'iteration');
    else if (key === 'n' && held) void holds.step(context.id, 'request');
  };
  const here = (frame: BoardFrame): ContextSnapshot | undefined => contextIn(frame.now, context.index);

  return (
    <li
      ref={ref}
      {...dropProps}
      // A drag by keyboard takes the focus from lane to lane.
      tabIndex={-1}
      className={styles['lane']}
      data-drop={isDropTarget || undefined}
      data-takes={takes || undefined}
      data-context={context.id}
      data-held={held || undefined}
      onKeyDown={shortcut}
      aria-label={`Context ${context.id}`}
    >
      <div className={styles['head']}>
        <h3 className={styles['name']}>{context.id}</h3>
        <span className={styles['worker']}>
          {context.index === 0 ? 'main loop' : context.threaded ? 'own thread' : 'iterated by the main loop'}{' '}
          · {context.worker}
        </span>
        <LiveText
          feed={numbers}
          className={styles['state']}
          read={(frame) => {
            const now = here(frame);
            return now === undefined ? '' : stateInWords(now, frame.now);
          }}
        />
        {takes ? (
          <Button
            size="small"
            variant="primary"
            onPress={() => void moves.move(pickedDevice.qomPath, context.id)}
          >
            Put {pickedDevice.id} here
          </Button>
        ) : null}
        {canBeHeld(context) ? <HoldButton context={context} /> : null}
        {context.index === 0 ? null : (
          <ActionMenu
            trigger={
              <Button
                size="small"
                variant="quiet"
                icon={<Ellipsis />}
                aria-label={`Actions for ${context.id}`}
              />
            }
            actions={[
              {
                id: 'delete',
                label: `Delete ${context.id}`,
                note: devices.length > 0 ? 'it serves devices: move them first' : 'ends its thread',
                disabled: devices.length > 0,
              },
            ]}
            onAction={() => void deleteContext(controller, context.id)}
          />
        )}
      </div>
      {held ? <StepRow context={context} /> : null}
      <div className={styles['load']}>
        <ShareBar feed={numbers} read={(frame) => contextShares(frame, context.index)} />
        <LiveText
          feed={numbers}
          className={styles['shares']}
          read={(frame) => {
            const shares = contextShares(frame, context.index);
            if (shares === undefined) return 'busy – · polling – · blocked –';
            const rest = here(frame)?.heldNs === undefined ? 'blocked' : 'held';
            return `busy ${percent(shares.busy)} · polling ${percent(shares.polling)} · ${rest} ${percent(shares.blocked)}`;
          }}
        />
        <LiveText
          feed={numbers}
          className={styles['wakes']}
          title="Times the loop was woken from its sleep, per second"
          read={(frame) => {
            const before = contextIn(frame.before, context.index);
            const now = here(frame);
            if (now === undefined || before === undefined || frame.seconds === 0) return '– wakes/s';
            return `${compact((now.wakes - before.wakes) / frame.seconds)} wakes/s`;
          }}
        />
      </div>
      {devices.length === 0 ? null : (
        <div className={styles['cards']}>
          {devices.map(({ device, queues }) => (
            <DeviceCard key={device.qomPath} device={device} queues={queues} here={context} board={board} />
          ))}
        </div>
      )}
      <SourceChips context={context} idle={devices.length === 0} />
    </li>
  );
}

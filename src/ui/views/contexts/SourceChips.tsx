import type { ReactNode } from 'react';
import type { ContextSnapshot, SourceSnapshot } from '../../../engine/vm.ts';
import { rate } from '../../model/format.ts';
import { type BoardFrame, contextIn } from '../../model/live-board.ts';
import { usePlayground } from '../../model/playground.ts';
import { KindChip } from '../../widgets/KindChip.tsx';
import { LiveText } from '../../widgets/LiveText.tsx';
import styles from './ContextsBoard.module.css';

/** More than this many would bury the lane; the rest are counted here and listed under Tables. */
const SHOWN = 4;

const find = (context: ContextSnapshot | undefined, id: number): SourceSnapshot | undefined =>
  context?.sources.find((source) => source.id === id);

/** The sources attached to a context, each with how often it is dispatched. */
export function SourceChips({
  context,
  idle,
}: {
  readonly context: ContextSnapshot;
  /** It serves no device: say so, and how that changes. */
  readonly idle: boolean;
}): ReactNode {
  const { numbers } = usePlayground();
  if (context.sources.length === 0 && !idle) return null;
  const shown = idle ? SHOWN - 1 : SHOWN;
  const perSecond = (frame: BoardFrame, id: number): string => {
    const now = find(contextIn(frame.now, context.index), id);
    const before = find(contextIn(frame.before, context.index), id);
    if (now === undefined || before === undefined || frame.seconds === 0) return '–/s';
    // A handler that was registered anew meanwhile, as with a reset of its queue, counts from 0.
    return `${rate(Math.max(0, now.dispatches - before.dispatches) / frame.seconds)}/s`;
  };
  return (
    <ul className={styles['sources']} aria-label={`Sources of ${context.id}`}>
      {idle ? (
        <li className={styles['idle']} title="Drop a device here, or use its Move menu">
          serves no device
        </li>
      ) : null}
      {context.sources.slice(0, shown).map((source) => (
        <li key={source.id}>
          <KindChip kind={source.kind} name={source.name}>
            {source.priority === 0 ? null : (
              <span className={styles['quiet']} title="Priority: lower goes first">
                p{source.priority}
              </span>
            )}
            <LiveText
              feed={numbers}
              className={styles['chipRate']}
              read={(frame) => perSecond(frame, source.id)}
            />
          </KindChip>
        </li>
      ))}
      {context.sources.length > shown ? (
        <li className={styles['quiet']}>+{context.sources.length - shown} more</li>
      ) : null}
    </ul>
  );
}

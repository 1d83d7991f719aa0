import type { ReactNode } from 'react';
import type { ContextSnapshot, SourceSnapshot } from '../../../engine/vm.ts';
import { rate } from '../../model/format.ts';
import { type BoardFrame, contextIn } from '../../model/live-board.ts';
import { usePlayground } from '../../model/playground.ts';
import { KindChip } from '../../widgets/KindChip.tsx';
import { LiveText } from '../../widgets/LiveText.tsx';
import styles from './ContextsBoard.module.css';

/** More than this many would bury the lane; the rest are counted. */
const SHOWN = 8;

const find = (context: ContextSnapshot | undefined, id: number): SourceSnapshot | undefined =>
  context?.sources.find((source) => source.id === id);

/** The sources attached to a context, each with how often it is dispatched. */
export function SourceChips({ context }: { readonly context: ContextSnapshot }): ReactNode {
  const { numbers } = usePlayground();
  if (context.sources.length === 0) return null;
  const perSecond = (frame: BoardFrame, id: number): string => {
    const now = find(contextIn(frame.now, context.index), id);
    const before = find(contextIn(frame.before, context.index), id);
    if (now === undefined || before === undefined || frame.seconds === 0) return '–/s';
    return `${rate((now.dispatches - before.dispatches) / frame.seconds)}/s`;
  };
  return (
    <ul className={styles['sources']} aria-label={`Sources of ${context.id}`}>
      {context.sources.slice(0, SHOWN).map((source) => (
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
      {context.sources.length > SHOWN ? (
        <li className={styles['quiet']}>and {context.sources.length - SHOWN} more</li>
      ) : null}
    </ul>
  );
}

import { Plus } from 'lucide-react';
import type { ReactNode } from 'react';
import { createContext } from '../../model/contexts.ts';
import { Button } from '../../widgets/Button.tsx';
import { usePlayground, useBoardShape, useController } from '../../model/playground.ts';
import { count } from '../../model/format.ts';
import { LiveText } from '../../widgets/LiveText.tsx';
import { Panel } from '../../widgets/Panel.tsx';
import { BreakpointRow } from './BreakpointRow.tsx';
import styles from './ContextsBoard.module.css';
import { Lane } from './Lane.tsx';
import { LanesWhileOff } from './LanesWhileOff.tsx';

/** Which thread runs what: a lane per context, with its sources and the devices it serves. */
export function ContextsBoard({
  footer,
  message,
}: {
  readonly footer: ReactNode;
  /** Progress or a problem: instead of lanes while there are none, else above them. */
  readonly message: ReactNode;
}): ReactNode {
  const { controller, numbers } = usePlayground();
  const board = useBoardShape();
  const phase = useController((state) => state.phase.kind);
  const wrong = useController((state) => state.problem !== undefined);
  return (
    <Panel
      title="Contexts"
      footer={footer}
      banner={board === undefined ? null : message}
      actions={
        board === undefined ? null : (
          <Button
            size="small"
            variant="quiet"
            icon={<Plus />}
            tip="Create a context: an event loop on a thread of its own"
            onPress={() => void createContext(controller)}
          />
        )
      }
      aside={
        board === undefined ? null : (
          <>
            {board.contexts.length === 1
              ? 'one event loop, one thread'
              : `${board.contexts.length} event loops, each its own thread`}
            <LiveText
              className={styles['iterations']}
              feed={numbers}
              read={({ now }) =>
                ` · ${count(now.contexts.reduce((sum, c) => sum + c.iterations, 0))} iterations`
              }
            />
          </>
        )
      }
    >
      {board === undefined ? (
        <LanesWhileOff message={message}>
          {wrong
            ? null
            : phase === 'off'
              ? 'Each context of the machine will be a lane here: an event loop on a thread of its own, with the devices it serves.'
              : 'The lanes appear when the machine is built.'}
        </LanesWhileOff>
      ) : (
        <>
          <BreakpointRow />
          <ul className={styles['lanes']}>
            {board.contexts.map((context) => (
              <Lane key={context.index} context={context} board={board} />
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}

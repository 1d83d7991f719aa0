import type { ReactNode } from 'react';
import styles from './ContextsBoard.module.css';

/** What the board shows before there is a machine: what is under way or wrong, and what will be here. */
export function LanesWhileOff({
  message,
  children,
}: {
  readonly message: ReactNode;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div className={styles['off']}>
      {message}
      {children === null ? null : <p>{children}</p>}
    </div>
  );
}

import type { ReactNode } from 'react';
import styles from './Pane.module.css';

/** Content of a tab: a line with what it is about and its actions, and the rest. A sentence alone stands in the middle. */
export function Pane({
  about,
  actions,
  flush = false,
  children,
}: {
  readonly about?: ReactNode;
  readonly actions?: ReactNode;
  /** Children reach the edges and scroll by themselves. */
  readonly flush?: boolean;
  readonly children: ReactNode;
}): ReactNode {
  if (about === undefined && actions === undefined && typeof children === 'string')
    return (
      <div className={styles['empty']}>
        <p>{children}</p>
      </div>
    );
  return (
    <div className={styles['pane']}>
      <div className={styles['bar']}>
        <div className={styles['about']}>{about}</div>
        <div className={styles['actions']}>{actions}</div>
      </div>
      <div className={flush ? styles['flush'] : styles['body']}>{children}</div>
    </div>
  );
}

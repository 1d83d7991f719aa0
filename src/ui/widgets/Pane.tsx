import type { ReactNode } from 'react';
import styles from './Pane.module.css';

/** Content of a tab: a line with what it is about and its actions, and the rest. */
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

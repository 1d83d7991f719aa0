import type { ReactNode } from 'react';
import styles from './ContextsBoard.module.css';

/** What the board says before there is a machine. */
export function LanesWhileOff({ starting }: { readonly starting: boolean }): ReactNode {
  return (
    <div className={styles['off']}>
      <p>
        {starting
          ? 'The lanes appear when the machine is built.'
          : 'The power is off. Each context of the machine will be a lane here: an event loop on a thread of its own, with the devices it serves.'}
      </p>
    </div>
  );
}

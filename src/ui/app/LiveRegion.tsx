import { type ReactNode, useEffect } from 'react';
import { useStore } from 'zustand';
import { announcements } from '../model/announcer.ts';
import styles from './LiveRegion.module.css';

/** How long a note stands, ms: long enough to look up from the terminal and read two lines. */
const STANDS_MS = 6000;

/** The page's one polite live region, and for the eye a note of what would else not be seen. */
export function LiveRegion(): ReactNode {
  const { text, note } = useStore(announcements);
  useEffect(() => {
    if (note === undefined) return;
    const timer = setTimeout(() => announcements.setState({ note: undefined }), STANDS_MS);
    return () => clearTimeout(timer);
  }, [note]);
  return (
    <>
      <div className="visually-hidden" role="status" aria-live="polite" data-testid="announcer">
        {text}
      </div>
      {note === undefined ? null : (
        // The region above has said it.
        <div className={styles['note']} aria-hidden="true" data-testid="note">
          {note.text}
        </div>
      )}
    </>
  );
}

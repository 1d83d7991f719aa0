import type { ReactNode } from 'react';
import { useStore } from 'zustand';
import { announcements } from '../model/announcer.ts';

/** The page's one polite live region. */
export function LiveRegion(): ReactNode {
  const text = useStore(announcements, (state) => state.text);
  return (
    <div className="visually-hidden" role="status" aria-live="polite" data-testid="announcer">
      {text}
    </div>
  );
}

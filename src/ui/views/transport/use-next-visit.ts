import { useState } from 'react';
import { useStore } from 'zustand';
import { createStore } from 'zustand/vanilla';
import { usePlayground } from '../../model/playground.ts';
import { loadSettings, saveSettings } from '../../model/settings.ts';
import { type NextVisit, timeOfDay } from '../../model/warm-start/warm-start.ts';

/** Where nothing is kept for the next visit (the page's parts on their own). */
const NOTHING = createStore<{ readonly next: NextVisit }>(() => ({ next: { kind: 'boots' } }));

function inWords(next: NextVisit): string {
  switch (next.kind) {
    case 'boots':
      return next.why ?? 'No snapshot yet: one is made when the guest rests at its prompt';
    case 'saving':
      return 'A snapshot is being written';
    case 'resumes':
      return `Next visit goes on from ${timeOfDay(next.savedAt)}`;
  }
}

/** The switch between going on and booting at the next visit, and what is kept for it, in words. */
export function useNextVisit(): {
  readonly label: string;
  readonly note: string;
  readonly change: () => void;
} {
  const { warm } = usePlayground().controller;
  const next = useStore(warm?.store ?? NOTHING, (state) => state.next);
  const [wanted, setWanted] = useState(() => loadSettings().warmStart);
  return {
    label: wanted ? 'Boot at the next visit' : 'Go on at the next visit',
    note: wanted ? inWords(next) : 'The next visit boots',
    change: () => {
      saveSettings({ warmStart: !wanted });
      setWanted(!wanted);
      if (wanted) warm?.forget();
    },
  };
}

import { createStore } from 'zustand/vanilla';

/** What the page's polite live region says: the outcome of what the user did. */
export const announcements = createStore<{ readonly text: string }>(() => ({ text: '' }));

/** Tells a screen reader, without moving the focus. */
export function say(text: string): void {
  // The same sentence twice must be heard twice: a trailing no-break space makes it a change.
  announcements.setState((old) => ({ text: old.text === text ? `${text}\u00a0` : text }));
}

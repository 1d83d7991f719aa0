import { createStore } from 'zustand/vanilla';

interface Announcements {
  /** What the page's polite live region says: the outcome of what the user did. */
  readonly text: string;
  /** The same for the eye, where nothing else on the page would show it; each time another object. */
  readonly note: { readonly text: string } | undefined;
}

export const announcements = createStore<Announcements>(() => ({ text: '', note: undefined }));

/** Tells a screen reader, without moving the focus: for what can be seen anyway. */
export function say(text: string): void {
  // The same sentence twice must be heard twice: a trailing no-break space makes it a change.
  announcements.setState((old) => ({ text: old.text === text ? `${text}\u00a0` : text }));
}

/** Tells everybody, for a few seconds: for what nothing else on the page shows. */
export function tell(text: string): void {
  say(text);
  announcements.setState({ note: { text } });
}

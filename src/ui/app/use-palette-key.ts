import { useEffect } from 'react';

/** Calls back on ⌘K and Ctrl+K; Ctrl+K belongs to the shell and the editor while they have the focus. */
export function usePaletteKey(open: () => void): void {
  useEffect(() => {
    const keyDown = (event: KeyboardEvent): void => {
      const inText = event.target instanceof Element && event.target.closest('.xterm, .cm-editor') !== null;
      const wanted = event.metaKey || (event.ctrlKey && !inText);
      if (event.key.toLowerCase() !== 'k' || event.altKey || event.shiftKey || !wanted) return;
      event.preventDefault();
      open();
    };
    addEventListener('keydown', keyDown);
    return () => removeEventListener('keydown', keyDown);
  }, [open]);
}

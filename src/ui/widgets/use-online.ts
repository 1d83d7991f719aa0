import { useSyncExternalStore } from 'react';

function subscribe(changed: () => void): () => void {
  addEventListener('online', changed);
  addEventListener('offline', changed);
  return () => {
    removeEventListener('online', changed);
    removeEventListener('offline', changed);
  };
}

/** Whether the browser says it has a network. True may still be wrong; false is not. */
export const useOnline = (): boolean => useSyncExternalStore(subscribe, () => navigator.onLine);

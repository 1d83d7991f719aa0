/** Where `localStorage` has the record of the kept snapshot (warm-record.ts). */
export const WARM_KEY = 'qcontext-playground.warm-start';

/**
 * Whether this visit will probably go on from a snapshot: something is recorded. A wrong yes costs threads that are
 * ended unused. Page thread.
 */
export function mayGoOn(): boolean {
  try {
    return localStorage.getItem(WARM_KEY) !== null;
  } catch {
    // Reading it throws where the user has blocked it.
    return false;
  }
}

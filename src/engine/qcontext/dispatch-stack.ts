import type { QSource } from './qsource.ts';

let depth = 0;
let current: QSource | null = null;

/** How many dispatches are nested on this thread, over all contexts; 0 outside of any. */
export function mainDepth(): number {
  return depth;
}

/** The source that is being dispatched on this thread, or null. */
export function currentSource(): QSource | null {
  return current;
}

/** @internal Begins a dispatch and returns what to hand to `leaveDispatch`. */
export function enterDispatch(source: QSource): QSource | null {
  const outer = current;
  current = source;
  depth++;
  return outer;
}

/** @internal */
export function leaveDispatch(outer: QSource | null): void {
  current = outer;
  depth--;
}

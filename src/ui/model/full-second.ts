/**
 * What a sleeping page still does, it does once a second, all of it at the full second: one frame to lay out, paint and
 * composite, not one for the board, one for the counts and one for the timeline.
 */

/** The aggregator tells and paints at the full second, and the page shows all of it so long after (ms). */
export const PAGE_AFTER_MS = 8;

/**
 * Milliseconds until the next full second, or so long after it.
 *
 * @param nowMs `performance.timeOrigin + performance.now()`, as all threads of a page have it
 */
export function msToFullSecond(nowMs: number, afterMs = 0): number {
  // A timer may fire a little early: then the second is the next one.
  const left = 1000 - ((nowMs - afterMs) % 1000);
  return left < 20 ? left + 1000 : left;
}

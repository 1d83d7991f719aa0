/**
 * Drives a level from inputs that other threads change at any moment: computes it, sets it, and computes it
 * again until the answer is what was set.
 *
 * A thread that changes an input does so before it calls this. Then of all threads that set the level, the
 * one that does it last has looked at the inputs after that, so a level is never left wrong, whichever way
 * the threads interleave. `set` must be atomic and idempotent.
 */
export function settleLevel(compute: () => boolean, set: (level: boolean) => void): void {
  let level = compute();
  for (;;) {
    set(level);
    const now = compute();
    if (now === level) return;
    level = now;
  }
}

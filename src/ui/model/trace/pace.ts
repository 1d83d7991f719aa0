import { msToFullSecond } from '../full-second.ts';

/** Rings are emptied this often; sooner where one would be fuller than AIM by then. */
const TICK_MS = 50;
const TICK_LEAST_MS = 6;
/** So full may a ring get: as much again comes when the thread has to wait for a core, and nothing is lost. */
const AIM = 0.3;
/** Fuller than this, and it is not quiet though the second is not over. */
const FULL = 0.2;
/** A machine with fewer events a second is quiet: read and painted less often. */
const QUIET_PER_SECOND = 1000;
const TICK_QUIET_MS = 100;
/**
 * It sleeps when it was quiet for so long and nobody was at work: then the rings are read, and all that is told is told,
 * at full seconds only. A burst that would fill a ring before that rings the bell.
 */
const SLEEP_AFTER_MS = 4000;
/** Where there is no bell to be heard. */
const TICK_ASLEEP_DEAF_MS = 250;
/** More records than this in one reading, and it is awake. */
const WAKING = QUIET_PER_SECOND;
/** A turn is late by this much at most without waiting for the next second. */
const LATE_MS = 100;

/** What a turn of the aggregator has found. */
export interface Found {
  /** Records taken out of the rings in this turn. */
  readonly records: number;
  /** Records in the last second. */
  readonly perSecond: number;
  /** Share of the fullest ring in use, 0..1: in this turn, and the largest of this second. */
  readonly fill: number;
  readonly fillNow: number;
}

/** How often the aggregator turns, and when it may paint and tell. Times are ms since 1970, all threads' the same. */
export class Pace {
  #awakeAt = 0;
  #quiet = true;
  #asleep = false;
  /** When the rings were read last, and in how many ms the fullest is as full as it may be. */
  #readAt = Number.NEGATIVE_INFINITY;
  #aimMs = TICK_MS;

  /** Few events, the page's pictures need not move often. */
  get quiet(): boolean {
    return this.#quiet;
  }

  /** Somebody is at work, or a machine starts. */
  wake(nowMs: number): void {
    this.#awakeAt = nowMs;
  }

  /** A turn has read the rings. */
  found(nowMs: number, { records, perSecond, fill, fillNow }: Found): void {
    this.#quiet = perSecond < QUIET_PER_SECOND && fillNow < FULL;
    const sinceMs = Math.min(nowMs - this.#readAt, TICK_MS);
    this.#readAt = nowMs;
    this.#aimMs = fill > 0 ? Math.max(TICK_LEAST_MS, (sinceMs * AIM) / fill) : TICK_MS;
    if (!this.#quiet || records > WAKING) this.#awakeAt = nowMs;
    this.#asleep = nowMs - this.#awakeAt > SLEEP_AFTER_MS;
  }

  /** May something be painted or told in a turn at this time? Asleep only at the full second. */
  tells(nowMs: number): boolean {
    return !this.#asleep || nowMs % 1000 < LATE_MS;
  }

  /**
   * In how many ms the next turn is due.
   * @param alive there is a machine that writes records
   * @param bellIsHeard a ring that fills ends the wait
   */
  wait(nowMs: number, alive: boolean, bellIsHeard = true): number {
    if (this.#asleep) {
      const longest = alive && !bellIsHeard ? TICK_ASLEEP_DEAF_MS : Infinity;
      return Math.min(longest, msToFullSecond(nowMs));
    }
    if (this.#quiet) return TICK_QUIET_MS;
    return alive ? Math.min(TICK_MS, this.#aimMs) : TICK_MS;
  }
}

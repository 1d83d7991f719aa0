import type { AioLoop, AioTimer, PollableNotifier } from '../../qcontext/aio-interface.ts';
import type { GoldfishRtc } from './goldfish-rtc.ts';

/**
 * The context's half of the RTC: a timer that fires the alarm. Belongs to the loop's home thread.
 * The wall clock may be set while the alarm waits, so the delay is looked up again when the timer expires.
 */
export class RtcAlarm {
  readonly #rtc: GoldfishRtc;
  readonly #aio: AioLoop;
  readonly #changed: PollableNotifier;
  readonly #timer: AioTimer;

  constructor(aio: AioLoop, rtc: GoldfishRtc, changed: PollableNotifier) {
    this.#rtc = rtc;
    this.#aio = aio;
    this.#changed = changed;
    this.#timer = aio.timerNew('rtc-alarm', () => this.#rearm());
    aio.setEventNotifier(
      changed,
      {
        ioRead: () => {
          if (changed.testAndClear()) this.#rearm();
        },
      },
      'rtc-alarm',
    );
    this.#rearm();
  }

  /** Lets go of the loop. */
  close(): void {
    this.#aio.setEventNotifier(this.#changed, null);
    this.#timer.del();
  }

  #rearm(): void {
    const delay = this.#rtc.alarmDelayNs();
    if (delay === undefined) {
      this.#timer.del();
    } else if (delay <= 0) {
      this.#rtc.alarmFired();
    } else {
      this.#timer.modNs(this.#aio.nowNs() + delay);
    }
  }
}

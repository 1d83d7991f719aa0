import type { PollableNotifier } from '../../qcontext/aio-interface.ts';
import type { SharedMemory } from '../../base/shared-memory.ts';
import { struct } from '../../base/struct.ts';
import type { IrqLine } from './hart-lines.ts';
import type { MmioDevice, MmioSize } from './mmio.ts';
import { settleLevel } from './settle-level.ts';

export const GoldfishRtcLayout = struct(
  'GoldfishRtc',
  {
    /** Signed ns the guest's clock is ahead of the host's. */
    offset: 'u64',
    /** Guest time (ns) of the alarm. */
    alarm: 'u64',
    timeHigh: 'u32',
    alarmHigh: 'u32',
    alarmRunning: 'u32',
    irqPending: 'u32',
    irqEnabled: 'u32',
  },
  64,
);

// Registers of Android's goldfish real-time clock; times are ns since 1970.
const TIME_LOW = 0x00;
const TIME_HIGH = 0x04;
const ALARM_LOW = 0x08;
const ALARM_HIGH = 0x0c;
const IRQ_ENABLED = 0x10;
const CLEAR_ALARM = 0x14;
const ALARM_STATUS = 0x18;
const CLEAR_INTERRUPT = 0x1c;

/**
 * The goldfish RTC: wall-clock time in ns and one alarm. Registers run in the hart's thread; the alarm is a
 * timer of a context, which is told through a notifier that it has to look at `alarmDelayNs` again
 * (rtc-alarm.ts).
 *
 * Rules: RTC1 reading TIME_LOW latches TIME_HIGH. RTC2 an alarm in the past fires at once. RTC3 the line is up
 * while an interrupt is pending and enabled.
 */
export class GoldfishRtc implements MmioDevice {
  readonly accessSizes = 4 | 8;
  readonly #mem: SharedMemory;
  readonly #base: number;
  readonly #irq: IrqLine;
  readonly #alarmChanged: PollableNotifier;
  readonly #wallClockNs: () => bigint;

  /** @param base `GoldfishRtcLayout.size` bytes of shared memory */
  constructor(
    mem: SharedMemory,
    base: number,
    irq: IrqLine,
    alarmChanged: PollableNotifier,
    wallClockNs: () => bigint,
  ) {
    this.#mem = mem;
    this.#base = base;
    this.#irq = irq;
    this.#alarmChanged = alarmChanged;
    this.#wallClockNs = wallClockNs;
  }

  /** Board reset: the time the guest has set stays, as a battery would keep it. */
  reset(): void {
    for (const field of ['timeHigh', 'alarmHigh', 'alarmRunning', 'irqPending', 'irqEnabled'] as const) {
      this.#store(field, 0);
    }
    this.#mem.store64(this.#base + GoldfishRtcLayout.at.alarm, 0n);
    this.#updateIrq();
    this.#alarmChanged.set();
  }

  /** Any thread: ns until the alarm is due, undefined while none is running. */
  alarmDelayNs(): number | undefined {
    if (this.#load('alarmRunning') === 0) return undefined;
    return Number(this.#mem.load64(this.#base + GoldfishRtcLayout.at.alarm) - this.#now());
  }

  /** The alarm's context, when `alarmDelayNs` has come down to 0. */
  alarmFired(): void {
    if (this.#mem.exchange32(this.#base + GoldfishRtcLayout.at.alarmRunning, 0) === 0) return;
    this.#store('irqPending', 1);
    this.#updateIrq();
  }

  read(offset: number, _size: MmioSize): number {
    switch (offset) {
      case TIME_LOW: {
        const now = BigInt.asUintN(64, this.#now());
        this.#store('timeHigh', Number(now >> 32n)); // RTC1
        return Number(now & 0xffff_ffffn);
      }
      case TIME_HIGH:
        return this.#load('timeHigh');
      case ALARM_LOW:
        return Number(BigInt.asUintN(32, this.#mem.load64(this.#base + GoldfishRtcLayout.at.alarm)));
      case ALARM_HIGH:
        return Number(BigInt.asUintN(32, this.#mem.load64(this.#base + GoldfishRtcLayout.at.alarm) >> 32n));
      case IRQ_ENABLED:
        return this.#load('irqEnabled');
      case ALARM_STATUS:
        return this.#load('alarmRunning');
      default:
        return 0;
    }
  }

  write(offset: number, _size: MmioSize, value: number): void {
    switch (offset) {
      case TIME_LOW: {
        const set = BigInt.asIntN(64, (BigInt(this.#load('timeHigh')) << 32n) | BigInt(value));
        this.#mem.store64(this.#base + GoldfishRtcLayout.at.offset, set - this.#wallClockNs());
        this.#alarmChanged.set();
        return;
      }
      case TIME_HIGH:
        this.#store('timeHigh', value);
        return;
      case ALARM_LOW: {
        const alarm = BigInt.asIntN(64, (BigInt(this.#load('alarmHigh')) << 32n) | BigInt(value));
        this.#mem.store64(this.#base + GoldfishRtcLayout.at.alarm, alarm);
        this.#store('alarmRunning', 1);
        if (alarm <= this.#now()) this.alarmFired(); // RTC2
        this.#alarmChanged.set();
        return;
      }
      case ALARM_HIGH:
        this.#store('alarmHigh', value);
        return;
      case IRQ_ENABLED:
        this.#store('irqEnabled', value & 1);
        this.#updateIrq();
        return;
      case CLEAR_ALARM:
        this.#store('alarmRunning', 0);
        this.#alarmChanged.set();
        return;
      case CLEAR_INTERRUPT:
        this.#store('irqPending', 0);
        this.#updateIrq();
        return;
    }
  }

  #now(): bigint {
    return this.#wallClockNs() + this.#mem.load64(this.#base + GoldfishRtcLayout.at.offset);
  }

  /** RTC3 */
  #updateIrq(): void {
    settleLevel(
      () => (this.#load('irqPending') & this.#load('irqEnabled')) !== 0,
      (level) => this.#irq.set(level),
    );
  }
  #load(field: keyof (typeof GoldfishRtcLayout)['at']): number {
    return this.#mem.load32(this.#base + GoldfishRtcLayout.at[field]);
  }
  #store(field: keyof (typeof GoldfishRtcLayout)['at'], value: number): void {
    this.#mem.store32(this.#base + GoldfishRtcLayout.at[field], value);
  }
}

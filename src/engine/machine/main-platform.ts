import type { CharBackend } from '../chardev/chardev.ts';
import { NullChardev } from '../chardev/null-chardev.ts';
import { RingFrontEnd } from '../chardev/ring-front-end.ts';
import { ATTENTION_IRQ, HART_MTIMECMP } from '../cpu/layout.ts';
import type { ContextCore } from './context-core.ts';
import type { GuestClock } from './guest-clock.ts';
import { HartWires } from './hart-wires.ts';
import { NOTIFIER } from './notifier-table.ts';
import { Aclint } from './platform/aclint.ts';
import { GoldfishRtc } from './platform/goldfish-rtc.ts';
import { VIRT_RTC, VIRT_UART0 } from './platform/memory-map.ts';
import { Plic } from './platform/plic.ts';
import { RtcAlarm } from './platform/rtc-alarm.ts';
import { Uart16550 } from './platform/uart16550.ts';

/**
 * The main context's half of the board's own devices: what drains the UART and fires the RTC's alarm, and
 * the reset of them all. Their registers run in the harts' threads (hart-board.ts).
 */
export class MainPlatform {
  readonly #core: ContextCore;
  readonly #plic: Plic;
  readonly #aclint: Aclint;
  readonly #uart: Uart16550;
  readonly #rtc: GoldfishRtc;
  #serial: RingFrontEnd;
  readonly #rtcAlarm: RtcAlarm;

  constructor(core: ContextCore, guestClock: GuestClock) {
    this.#core = core;
    const { mem, layout, tracer, host, notifiers } = core;
    const wires = new HartWires(mem, layout.harts);
    const harts = layout.harts.length;
    this.#plic = new Plic(mem, layout.plic, harts, wires, tracer);
    this.#aclint = new Aclint(mem, layout.aclint, {
      count: harts,
      lines: wires,
      timeTicks: () => guestClock.ticks(),
      mtimecmpAddr: (hart) => (layout.harts[hart] as number) + HART_MTIMECMP,
      timerChanged: (hart) => wires.attend(hart, ATTENTION_IRQ),
    });
    const uartNotifiers = {
      txReady: notifiers.get(NOTIFIER.uartTx),
      rxSpace: notifiers.get(NOTIFIER.uartRxSpace),
    };
    this.#uart = new Uart16550(mem, layout.uart, this.#plic.line(VIRT_UART0.irq), uartNotifiers, tracer);
    const alarm = notifiers.get(NOTIFIER.rtcAlarm);
    this.#rtc = new GoldfishRtc(mem, layout.rtc, this.#plic.line(VIRT_RTC.irq), alarm, () =>
      host.wallClockNs(),
    );
    this.reset();
    // Nobody listens until somebody is connected: then the guest's output goes nowhere, and it need not wait.
    this.#serial = this.#frontEnd(new NullChardev('serial0'));
    this.#rtcAlarm = new RtcAlarm(core.aio, this.#rtc, alarm);
  }

  /** Connects a character device to the UART, instead of the one before. */
  connectSerial(backend: CharBackend): void {
    this.#serial.close();
    this.#serial = this.#frontEnd(backend);
  }
  #frontEnd(backend: CharBackend): RingFrontEnd {
    const { aio, notifiers } = this.#core;
    const ends = { txReady: notifiers.get(NOTIFIER.uartTx), rxSpace: notifiers.get(NOTIFIER.uartRxSpace) };
    return new RingFrontEnd(aio, this.#uart, backend, ends);
  }

  /** Board reset. No hart is running. */
  reset(): void {
    this.#aclint.reset();
    this.#uart.reset();
    this.#rtc.reset();
    this.#plic.reset();
  }

  close(): void {
    this.#serial.close();
    this.#rtcAlarm.close();
  }
}

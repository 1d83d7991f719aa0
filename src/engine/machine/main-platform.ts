import { TerminalChardev } from '../chardev/terminal-chardev.ts';
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
import { UartChardev } from './platform/uart-chardev.ts';

/**
 * The main context's half of the board's own devices: what drains the UART and fires the RTC's alarm, and
 * the reset of them all. Their registers run in the harts' threads (hart-board.ts).
 */
export class MainPlatform {
  /** The terminal behind the UART. */
  readonly serial: TerminalChardev;
  readonly #plic: Plic;
  readonly #aclint: Aclint;
  readonly #uart: Uart16550;
  readonly #rtc: GoldfishRtc;
  readonly #uartChardev: UartChardev;
  readonly #rtcAlarm: RtcAlarm;

  /** @param onSerial bytes the guest wrote; acknowledged through `serial.acknowledge` */
  constructor(core: ContextCore, guestClock: GuestClock, onSerial: (bytes: Uint8Array) => void) {
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
    this.serial = new TerminalChardev('serial0', onSerial);
    this.#uartChardev = new UartChardev(core.aio, this.#uart, this.serial, uartNotifiers);
    this.#rtcAlarm = new RtcAlarm(core.aio, this.#rtc, alarm);
  }

  /** Board reset. No hart is running. */
  reset(): void {
    this.#aclint.reset();
    this.#uart.reset();
    this.#rtc.reset();
    this.#plic.reset();
  }

  close(): void {
    this.#uartChardev.close();
    this.#rtcAlarm.close();
  }
}

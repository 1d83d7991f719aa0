import type { SharedMemory } from '../base/shared-memory.ts';
import { guestAddr, memAddr } from '../base/brands.ts';
import { GuestRam } from '../base/guest-ram.ts';
import type { Hart } from '../cpu/hart.ts';
import {
  ATTENTION_IRQ,
  FENCE_I,
  FENCE_VMA,
  HART_MTIMECMP,
  HART_STIMECMP,
  MIP_SSIP,
  PRIV_S,
} from '../cpu/layout.ts';
import type { Host } from '../host.ts';
import type { Tracer } from '../trace/tracer.ts';
import { TRACE } from '../trace/schema.ts';
import { QUEUES_MAX } from '../virtio/layout.ts';
import { VirtioMmioFront } from '../virtio/transport/mmio.ts';
import type { GuestClock } from './guest-clock.ts';
import type { HartWires } from './hart-wires.ts';
import { NOTIFIER, NotifierTable } from './notifier-table.ts';
import { BootRom } from './platform/boot-rom.ts';
import { Aclint } from './platform/aclint.ts';
import { GoldfishRtc } from './platform/goldfish-rtc.ts';
import {
  VIRT_CLINT,
  VIRT_DRAM,
  VIRT_MROM,
  VIRT_PLIC,
  VIRT_RTC,
  VIRT_TEST,
  VIRT_UART0,
  VIRT_VIRTIO,
  virtioSlotAddr,
  virtioSlotIrq,
} from './platform/memory-map.ts';
import { MmioBus } from './platform/mmio.ts';
import { Plic } from './platform/plic.ts';
import { HSM_START_PENDING, HSM_STOPPED, type HsmState, Sbi, type SbiMachine } from './platform/sbi.ts';
import { TestFinisher } from './platform/test-finisher.ts';
import { Uart16550 } from './platform/uart16550.ts';
import { HART_COMMAND, HartControl, POWER } from './run-control.ts';
import type { MachineLayout } from './shared-layout.ts';

const CSR_MIE = 0x304;
const CSR_MIP = 0x344;

export interface HartBoardOptions {
  readonly mem: SharedMemory;
  readonly layout: MachineLayout;
  readonly host: Host;
  readonly tracer: Tracer;
  readonly hart: number;
  readonly wires: HartWires;
  readonly guestClock: GuestClock;
  readonly control: HartControl;
  /** Contents of the boot ROM. */
  readonly rom: Uint8Array;
}

/**
 * The board as one hart's thread reaches it: the bus with every device's registers, and the built-in
 * firmware. Devices keep their state in shared memory, so each hart has a board of its own over the same.
 */
export class HartBoard implements SbiMachine {
  readonly bus = new MmioBus();
  readonly hartCount: number;
  readonly #options: HartBoardOptions;
  readonly #notifiers: NotifierTable;
  readonly #ram: GuestRam;
  readonly #uart: Uart16550;
  readonly #sbi: Sbi;
  #hart: Hart | undefined;

  constructor(options: HartBoardOptions) {
    const { mem, layout, host, tracer, wires, guestClock } = options;
    this.#options = options;
    this.hartCount = layout.harts.length;
    this.#notifiers = new NotifierTable(mem, host.clock, layout.notifiers);
    this.#ram = new GuestRam({
      base: VIRT_DRAM.base,
      bytes: layout.ramBytes,
      offset: memAddr(layout.ramOffset),
    });
    this.#sbi = new Sbi(this);
    const notifier = (fd: number) => this.#notifiers.get(fd);

    const plic = new Plic(mem, layout.plic, this.hartCount, wires, tracer);
    this.#uart = new Uart16550(
      mem,
      layout.uart,
      plic.line(VIRT_UART0.irq),
      { txReady: notifier(NOTIFIER.uartTx), rxSpace: notifier(NOTIFIER.uartRxSpace) },
      tracer,
    );
    const aclint = new Aclint(mem, layout.aclint, {
      count: this.hartCount,
      lines: wires,
      timeTicks: () => guestClock.ticks(),
      mtimecmpAddr: (hart) => (layout.harts[hart] as number) + HART_MTIMECMP,
      timerChanged: (hart) => wires.attend(hart, ATTENTION_IRQ),
    });
    const rtc = new GoldfishRtc(mem, layout.rtc, plic.line(VIRT_RTC.irq), notifier(NOTIFIER.rtcAlarm), () =>
      host.wallClockNs(),
    );
    // The boot plan is posted with the role; its ROM is read-only and the same for every hart.
    this.bus.map(VIRT_MROM.base, VIRT_MROM.size, new BootRom(options.rom));
    this.bus.map(VIRT_TEST.base, VIRT_TEST.size, new TestFinisher((request) => this.#power(request)));
    this.bus.map(VIRT_RTC.base, VIRT_RTC.size, rtc);
    this.bus.map(VIRT_CLINT.base, VIRT_CLINT.size, aclint);
    this.bus.map(VIRT_PLIC.base, VIRT_PLIC.size, plic);
    this.bus.map(VIRT_UART0.base, VIRT_UART0.size, this.#uart);
    for (let slot = 0; slot < VIRT_VIRTIO.count; slot++) {
      const line = plic.line(virtioSlotIrq(slot));
      const front = new VirtioMmioFront(
        {
          mem,
          ram: this.#ram,
          clock: host.clock,
          tracer,
          slotAddr: layout.virtioSlots[slot] as number,
          dev: slot,
          irq: { raise: () => line.set(true), lower: () => line.set(false) },
        },
        Array.from({ length: QUEUES_MAX }, (_, queue) => notifier(NOTIFIER.queue(slot, queue))),
        (request) => options.control.call(request, () => this.notifyMain()),
      );
      this.bus.map(virtioSlotAddr(slot), VIRT_VIRTIO.size, {
        accessSizes: 1 | 2 | 4,
        read: (offset, size) => front.read(offset, size),
        write: (offset, size, value) => front.write(offset, size, value),
      });
    }
  }

  /** Gives the board its hart, once, before it runs. */
  bindHart(hart: Hart): void {
    this.#hart = hart;
  }

  /** Makes the main context look at the hart control blocks. */
  notifyMain(): void {
    this.#notifiers.get(NOTIFIER.harts).set();
  }

  /** Tick at which this hart's supervisor timer is due; Infinity if it is not armed. */
  get timerTicks(): number {
    const { mem, layout, hart } = this.#options;
    const ticks = BigInt.asUintN(64, mem.load64((layout.harts[hart] as number) + HART_STIMECMP));
    return ticks === (1n << 64n) - 1n ? Infinity : Number(ticks);
  }

  /** Is an interrupt pending that the hart has enabled, whether or not its mode lets it be taken? */
  get interruptPending(): boolean {
    const bits = (csr: number): bigint => this.#bound.readCsr(csr) ?? 0n;
    return (bits(CSR_MIP) & bits(CSR_MIE)) !== 0n;
  }

  /** Serves the ECALL the hart stopped at. True: the hart waits for an interrupt as in WFI. */
  sbiCall(): boolean {
    const { control, tracer, hart } = this.#options;
    const cpu = this.#bound;
    if (tracer.enabled(TRACE.sbi_call)) {
      tracer.emit(
        TRACE.sbi_call,
        hart,
        Number(cpu.getX(17) & 0xffff_ffffn),
        Number(cpu.getX(16) & 0xffff_ffffn),
      );
    }
    switch (this.#sbi.handle(cpu)) {
      case 'return':
        return false;
      case 'suspend':
        return true;
      case 'stop':
        control.set('hsm', HSM_STOPPED);
        return false;
      case 'reset':
        this.#waitForTheEnd();
        return false;
    }
  }

  get #bound(): Hart {
    if (this.#hart === undefined) throw new Error('the board has no hart yet');
    return this.#hart;
  }

  /** What the guest asked for cannot be undone: nothing more is executed until the main context acts. */
  #waitForTheEnd(): void {
    this.#options.control.set('hsm', HSM_STOPPED);
  }

  #power(request: { kind: 'poweroff' } | { kind: 'fail'; code: number } | { kind: 'reset' }): void {
    const { control, wires, hart } = this.#options;
    control.set('powerCode', request.kind === 'fail' ? request.code : 0);
    control.set('power', POWER[request.kind]);
    this.#waitForTheEnd();
    wires.interrupt(hart);
    this.#notifiers.get(NOTIFIER.power).set();
  }

  // SbiMachine ------------------------------------------------------------------------------------------

  setTimer(_hart: unknown, ticks: bigint): void {
    this.#bound.setTimer(ticks);
  }

  sendIpi(target: number): void {
    this.#options.tracer.emit(TRACE.hart_ipi, this.#options.hart, target);
    this.#options.wires.set(target, MIP_SSIP, true);
  }

  clearIpi(): void {
    this.#options.wires.set(this.#options.hart, MIP_SSIP, false);
  }

  remoteFence(_hart: unknown, kind: 'fence.i' | 'sfence.vma', targets: readonly number[]): void {
    const { wires, hart, control } = this.#options;
    const bits = kind === 'fence.i' ? FENCE_I : FENCE_VMA;
    const tickets = new Map<number, number>();
    for (const target of targets) {
      // Our own is served when `run` goes on, before the next instruction.
      if (this.hartStatus(target) !== HSM_STOPPED) tickets.set(target, wires.requestFence(target, bits));
    }
    for (const [target, ticket] of tickets) {
      if (target === hart) continue;
      while (!wires.fenceDone(target, ticket)) {
        // A hart that stopped has nothing to fence; after `quit` some answer no more.
        if (this.hartStatus(target) === HSM_STOPPED || control.get('command') === HART_COMMAND.quit) break;
        // Two harts may wait for each other: each answers while it waits.
        this.#bound.serveFences();
        wires.waitFence(target);
      }
    }
  }

  hartStatus(target: number): HsmState {
    return this.#controlOf(target).get('hsm') as HsmState;
  }

  hartStart(target: number, addr: bigint, opaque: bigint): boolean {
    const control = this.#controlOf(target);
    // Only one hart gets past this; the target waits for `resetRequest`, which comes last.
    if (!control.cas('hsm', HSM_STOPPED, HSM_START_PENDING)) return false;
    control.set64('resetPc', addr);
    control.set64('resetA0', BigInt(target));
    control.set64('resetA1', opaque);
    control.set64('resetA2', 0n);
    control.set('resetPriv', PRIV_S);
    control.set('resetRequest', control.get('resetRequest') + 1);
    this.#options.wires.interrupt(target);
    return true;
  }

  systemReset(kind: 'shutdown' | 'reboot', failure: boolean): void {
    if (kind === 'reboot') this.#power({ kind: 'reset' });
    else this.#power(failure ? { kind: 'fail', code: 1 } : { kind: 'poweroff' });
  }

  guestBytes(addr: number, bytes: number): Uint8Array | undefined {
    const offset = this.#ram.offsetOf(guestAddr(addr), bytes);
    return offset < 0 ? undefined : this.#options.mem.bytes(offset, bytes);
  }

  consoleWrite(bytes: Uint8Array): number {
    const taken = this.#uart.tx.put(bytes);
    if (taken > 0) this.#notifiers.get(NOTIFIER.uartTx).set();
    return taken;
  }

  consoleRead(into: Uint8Array): number {
    let count = 0;
    for (; count < into.length; count++) {
      const value = this.#uart.rx.takeByte();
      if (value === undefined) break;
      into[count] = value;
    }
    return count;
  }

  #controlOf(hart: number): HartControl {
    const { mem, layout } = this.#options;
    return new HartControl(mem, layout.hartControls[hart] as number);
  }
}

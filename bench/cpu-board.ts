import type { PollableNotifier } from '../src/engine/qcontext/aio-interface.ts';
import { SharedMemory } from '../src/engine/base/shared-memory.ts';
import { Hart, type HartOptions } from '../src/engine/cpu/hart.ts';
import {
  HART_AREA_BYTES,
  HART_MTIMECMP,
  HART_STIMECMP,
  MIP_SSIP,
  PRIV_M,
  PRIV_S,
} from '../src/engine/cpu/layout.ts';
import { HartWires } from '../src/engine/machine/hart-wires.ts';
import { Aclint, aclintBytes } from '../src/engine/machine/platform/aclint.ts';
import { identifyKernel } from '../src/engine/machine/platform/kernel-image.ts';
import { loadRegions, planBoot } from '../src/engine/machine/platform/loader.ts';
import {
  VIRT_CLINT,
  VIRT_DRAM,
  VIRT_PLIC,
  VIRT_RTC,
  VIRT_TEST,
  VIRT_UART0,
  VIRT_VIRTIO,
} from '../src/engine/machine/platform/memory-map.ts';
import { MmioBus, type MmioDevice } from '../src/engine/machine/platform/mmio.ts';
import { Plic, plicBytes } from '../src/engine/machine/platform/plic.ts';
import { HSM_STARTED, Sbi, type SbiMachine } from '../src/engine/machine/platform/sbi.ts';
import { TestFinisher } from '../src/engine/machine/platform/test-finisher.ts';
import { UART16550_BYTES, Uart16550 } from '../src/engine/machine/platform/uart16550.ts';

export interface CpuBoardOptions {
  /** build/wasm/interp.wasm */
  readonly interpreter: WebAssembly.Module;
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array;
  readonly append?: string;
  readonly ramBytes: number;
  readonly jit: NonNullable<HartOptions['jit']>;
  /**
   * Guest time in ticks of 10 MHz; left away it is made of the instructions executed, the same in every
   * run: it stands still during a slice, and waiting takes no time.
   */
  readonly timeTicks?: () => number;
}

/** Registers of devices that are not there: all zero. */
const SILENT: MmioDevice = { accessSizes: 1 | 2 | 4, read: () => 0, write: () => {} };
/** Instructions of virtual time in a tick: a processor of 1000 MIPS. */
const INSTRUCTIONS_PER_TICK = 100;
const STEPS_BETWEEN_POLLS = 1;

/**
 * One hart and the devices a console needs, without threads and without disks: what measuring and checking
 * the processor takes. Everything happens in `slice`.
 */
export class CpuBoard {
  readonly hart: Hart;
  readonly mem: SharedMemory;
  readonly ramOffset: number;
  readonly ramBytes: number;
  /** Everything the guest has written to its console. */
  output = '';
  /** The guest has powered the machine off or reset it. */
  ended = false;
  readonly #uart: Uart16550;
  readonly #sbi: Sbi;
  readonly #stimecmp: number;
  readonly #virtual: boolean;
  #ticks = 0;
  /** Ticks skipped by waiting. */
  #skipped = 0;

  constructor(options: CpuBoardOptions) {
    let next = 0x1_0000;
    const take = (bytes: number): number => {
      const at = next;
      next += Math.ceil(bytes / 64) * 64;
      return at;
    };
    const hartBase = take(HART_AREA_BYTES);
    const plicAt = take(plicBytes(1));
    const aclintAt = take(aclintBytes(1));
    const uartAt = take(UART16550_BYTES);
    this.ramOffset = Math.ceil(next / 0x10_0000) * 0x10_0000;
    this.ramBytes = options.ramBytes;
    const pages = (this.ramOffset + options.ramBytes) / 65536;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.mem = new SharedMemory(memory as unknown as ConstructorParameters<typeof SharedMemory>[0]);
    this.#stimecmp = hartBase + HART_STIMECMP;
    this.#virtual = options.timeTicks === undefined;
    const timeTicks = options.timeTicks ?? (() => this.#ticks);

    const wires = new HartWires(this.mem, [hartBase]);
    const plic = new Plic(this.mem, plicAt, 1, wires);
    const nobody = new Nobody();
    this.#uart = new Uart16550(this.mem, uartAt, plic.line(VIRT_UART0.irq), {
      txReady: nobody,
      rxSpace: nobody,
    });
    const bus = new MmioBus();
    bus.map(VIRT_TEST.base, VIRT_TEST.size, new TestFinisher(() => void (this.ended = true)));
    bus.map(VIRT_PLIC.base, VIRT_PLIC.size, plic);
    bus.map(VIRT_RTC.base, VIRT_RTC.size, SILENT);
    bus.map(VIRT_VIRTIO.base, VIRT_VIRTIO.size * VIRT_VIRTIO.count, SILENT);
    bus.map(VIRT_UART0.base, VIRT_UART0.size, this.#uart);
    bus.map(
      VIRT_CLINT.base,
      VIRT_CLINT.size,
      new Aclint(this.mem, aclintAt, {
        count: 1,
        lines: wires,
        timeTicks,
        mtimecmpAddr: () => hartBase + HART_MTIMECMP,
        timerChanged: () => {},
      }),
    );
    this.hart = new Hart({
      module: options.interpreter,
      memory: memory as unknown as HartOptions['memory'],
      hartBase,
      ramOffset: this.ramOffset,
      ramBytes: options.ramBytes,
      hartId: 0,
      bus,
      timeTicks,
      builtInSbi: true,
      jit: options.jit,
    });
    this.#sbi = new Sbi(this.#firmware(wires));
    this.#boot(options);
  }

  #firmware(wires: HartWires): SbiMachine {
    return {
      hartCount: 1,
      setTimer: (_hart, ticks) => this.hart.setTimer(ticks),
      sendIpi: () => wires.set(0, MIP_SSIP, true),
      clearIpi: () => wires.set(0, MIP_SSIP, false),
      remoteFence: () => this.hart.flush(),
      hartStatus: () => HSM_STARTED,
      hartStart: () => false,
      systemReset: () => void (this.ended = true),
      guestBytes: (addr, bytes) => {
        const offset = addr - VIRT_DRAM.base;
        if (offset < 0 || offset + bytes > this.ramBytes) return undefined;
        return this.mem.bytes(this.ramOffset + offset, bytes);
      },
      consoleWrite: (bytes) => {
        this.output += String.fromCharCode(...bytes);
        return bytes.length;
      },
      consoleRead: () => 0,
    };
  }

  #boot({ kernel, initrd, append, ramBytes }: CpuBoardOptions): void {
    const image = identifyKernel(kernel, '-kernel');
    if (!image.ok) throw new Error(image.error.desc);
    const plan = planBoot({
      firmware: { kind: 'built-in' },
      kernel: image.value,
      ...(initrd === undefined ? {} : { initrd }),
      tree: {
        ramBytes,
        harts: 1,
        isaExtensions: ['m', 'a', 'f', 'd', 'c', 'zicntr', 'zicsr', 'zifencei', 'sstc'],
        mmu: 'sv48',
        rngSeed: new Uint8Array(32).fill(7),
        ...(append === undefined ? {} : { bootargs: append }),
      },
    });
    if (!plan.ok) throw new Error(plan.error.desc);
    loadRegions(this.mem, this.ramOffset, plan.value.regions);
    const { pc, a1, mode } = plan.value;
    this.hart.reset(BigInt(pc), 0n, BigInt(a1), mode === 'S' ? PRIV_S : PRIV_M);
    this.hart.flush();
  }

  /** Types on the console. */
  type(text: string): void {
    this.#uart.rx.put(Uint8Array.from(text, (c) => c.charCodeAt(0)));
    this.#uart.rxArrived();
  }

  /** Executes at most `instructions`, fewer if the guest waits or calls its firmware; serves what it asked for. */
  slice(instructions: number): void {
    if (this.#virtual)
      this.#ticks = Math.floor(Number(this.hart.executed) / INSTRUCTIONS_PER_TICK) + this.#skipped;
    const exit = this.hart.run(instructions);
    if (exit.kind === 'sbi') this.#sbi.handle(this.hart);
    if (exit.kind === 'wfi' && this.#virtual) {
      const wait =
        Math.min(exit.deadlineTicks, Number(BigInt.asUintN(64, this.mem.load64(this.#stimecmp)))) -
        this.#ticks;
      if (Number.isFinite(wait) && wait > 0) this.#skipped += Math.ceil(wait);
    }
    this.#drain();
  }

  #drain(): void {
    for (let i = 0; i < STEPS_BETWEEN_POLLS; i++) {
      let byte = this.#uart.tx.takeByte();
      if (byte === undefined) return;
      for (; byte !== undefined; byte = this.#uart.tx.takeByte()) this.output += String.fromCharCode(byte);
      this.#uart.txDrained();
    }
  }

  /** Runs slices until the console shows `text`; throws after `limit` instructions. */
  runUntil(text: string, sliceInstructions: number, limit: number): void {
    const from = this.output.length;
    const end = Number(this.hart.executed) + limit;
    while (!this.output.includes(text, from)) {
      if (this.ended) throw new Error(`the machine ended before it said ${JSON.stringify(text)}`);
      if (Number(this.hart.executed) > end)
        throw new Error(`no ${JSON.stringify(text)}: ${this.output.slice(-500)}`);
      this.slice(sliceInstructions);
    }
  }
}

/** Nobody waits for this device: `slice` looks after it. */
class Nobody implements PollableNotifier {
  readonly fd = 0;
  set(): void {}
  testAndClear(): boolean {
    return false;
  }
  isSet(): boolean {
    return false;
  }
}

/**
 * One RISC-V hart: the TypeScript face of the interpreter module.
 *
 * All state lives in the machine's shared memory at `hartBase` (layout.ts); this class owns the
 * WebAssembly instance that works on it and is bound to the thread that runs the hart. Other threads
 * reach the hart through the shared words of layout.ts only.
 */
import {
  EXIT_ATTENTION,
  EXIT_BUDGET,
  EXIT_SBI,
  EXIT_WFI,
  HART_AREA_BYTES,
  HART_COUNT_BUS_READS,
  HART_COUNT_BUS_WRITES,
  HART_COUNT_FENCE_IS,
  HART_COUNT_INTERRUPTS,
  HART_COUNT_PAGES_DECODED,
  HART_COUNT_SFENCES,
  HART_COUNT_TLB_REFILLS,
  HART_COUNT_TRAPS,
  PRIV_M,
  PRIV_S,
  PRIV_U,
} from './layout.ts';
import { SharedMemory } from '../base/shared-memory.ts';
import type { TranslatorExports } from './jit/abi.ts';
import type { CompileQueueAddrs } from './jit/compile-queue.ts';
import { Translator, type TranslatorStatistics, type TranslatorTuning } from './jit/translator.ts';

/** Privilege modes by their encoding. */
export type Privilege = typeof PRIV_U | typeof PRIV_S | typeof PRIV_M;

/** Access size in bytes. */
export type BusAccessSize = 1 | 2 | 4 | 8;

/**
 * Everything physical that is not RAM. Called in the hart's thread, in the middle of an instruction:
 * must not run the hart again. Addresses are physical and below 2^53; a misaligned access is passed
 * on as it is. `undefined`/`false` means that nothing answers there: the hart takes an access fault.
 */
export interface HartBus {
  /** Reads `size` bytes, little-endian, zero-extended. */
  read(addr: number, size: BusAccessSize): bigint | number | undefined;
  /** Writes the low `size` bytes: `lo` is the low word (unsigned), `hi` the high word of 8 bytes. */
  write(addr: number, size: BusAccessSize, lo: number, hi: number): boolean;
}

export interface HartOptions {
  /** The compiled interpreter, `build/wasm/interp.wasm`; one module serves all harts. */
  readonly module: WebAssembly.Module;
  /** The machine's shared memory, allocated whole. */
  readonly memory: WebAssembly.Memory;
  /** Byte address of this hart's area of HART_AREA_BYTES; 64-byte aligned, zeroed or used before. */
  readonly hartBase: number;
  /** Byte address of guest RAM in the memory; page aligned. */
  readonly ramOffset: number;
  /** Physical address of guest RAM; 0x8000_0000 unless told. */
  readonly ramBase?: number;
  readonly ramBytes: number;
  readonly hartId: number;
  readonly bus: HartBus;
  /** Time CSR in ticks of the timebase (10 MHz); monotonic, the same clock for all harts. */
  timeTicks(): number;
  /** ECALL from S mode leaves `run` with `sbi` instead of trapping. Default false. */
  readonly builtInSbi?: boolean;
  /** Translate hot code to WebAssembly. Default false: interpret everything. */
  readonly jit?: boolean | TranslatorTuning;
  /** Where a thread that translates may be asked; without it this hart's thread translates. */
  readonly compiler?: CompileQueueAddrs | undefined;
}

/** Why `run` came back. The hart can be run on after any of them. */
export type HartExit =
  /** The instruction budget is used up. */
  | { readonly kind: 'budget' }
  /** WFI: sleep on HART_WAKE until `deadlineTicks` (Infinity: no timer is armed), then run on. */
  | { readonly kind: 'wfi'; readonly deadlineTicks: number }
  /** An SBI call waits in a0…a7; answer in a0, a1 and run on. */
  | { readonly kind: 'sbi' }
  /** Another thread asked for the hart's thread (ATTENTION_EXIT). */
  | { readonly kind: 'attention' };

/** What the hart has been doing, for the inspector. */
export interface HartCounters {
  /** Exceptions taken, without interrupts. */
  readonly traps: number;
  readonly interrupts: number;
  /** Pages entered into a data TLB. */
  readonly tlbRefills: number;
  readonly busReads: number;
  readonly busWrites: number;
  readonly pagesDecoded: number;
  readonly sfences: number;
  readonly fenceIs: number;
}

/** Exports of interp/assembly/index.ts. Addresses are unsigned but come back as signed i32. */
interface InterpExports {
  init(hartBase: number, ramOffset: number, ramBaseLo: number, ramBaseHi: number, ramBytes: number): void;
  reset(hartId: number, pc: bigint, a0: bigint, a1: bigint, priv: number, sbi: number): void;
  run(budget: number): number;
  flush(): void;
  getX(index: number): bigint;
  setX(index: number, value: bigint): void;
  getF(index: number): bigint;
  setF(index: number, value: bigint): void;
  getPc(): bigint;
  setPc(value: bigint): void;
  getPriv(): number;
  setPriv(value: number): void;
  csrExists(csr: number): number;
  peekCsr(csr: number): bigint;
  pokeCsr(csr: number, value: bigint): void;
  executed(): bigint;
  counter(offset: number): bigint;
  wfiDeadline(): number;
  setIrqLines(mask: number, level: number): void;
  setStimecmp(ticks: bigint): void;
  setBusHi(hi: number): void;
  setBusFault(): void;
  debugTranslate(va: bigint): bigint;
  expandCompressed(halfword: number): number;
}

const BUDGET: HartExit = { kind: 'budget' };
const SBI: HartExit = { kind: 'sbi' };
const ATTENTION: HartExit = { kind: 'attention' };

/** Bound to the thread that constructs it, except where a method says otherwise. */
export class Hart {
  readonly id: number;
  readonly #interp: InterpExports;
  readonly #builtInSbi: boolean;
  readonly #translator: Translator | undefined;

  constructor(options: HartOptions) {
    const { bus } = options;
    this.id = options.hartId;
    this.#builtInSbi = options.builtInSbi ?? false;
    const read = (addrLo: number, addrHi: number, size: number): number => {
      const value = bus.read((addrHi >>> 0) * 2 ** 32 + (addrLo >>> 0), size as BusAccessSize);
      if (value === undefined) {
        this.#interp.setBusFault();
        return 0;
      }
      if (typeof value === 'number') {
        if (size === 8) this.#interp.setBusHi(Math.floor(value / 2 ** 32));
        return value | 0;
      }
      if (size === 8) this.#interp.setBusHi(Number(value >> 32n));
      return Number(BigInt.asIntN(32, value));
    };
    const write = (addrLo: number, addrHi: number, size: number, lo: number, hi: number): void => {
      const addr = (addrHi >>> 0) * 2 ** 32 + (addrLo >>> 0);
      if (!bus.write(addr, size as BusAccessSize, lo >>> 0, hi >>> 0)) this.#interp.setBusFault();
    };
    const instance = new WebAssembly.Instance(options.module, {
      env: { memory: options.memory },
      host: { time_ticks: options.timeTicks, mmio_read: read, mmio_write: write },
    });
    this.#interp = instance.exports as unknown as InterpExports;
    if (options.jit !== undefined && options.jit !== false) {
      this.#translator = new Translator({
        memory: new SharedMemory(options.memory),
        hartBase: options.hartBase,
        exports: instance.exports as unknown as TranslatorExports & WebAssembly.Exports,
        compiler: options.compiler,
        ...(options.jit === true ? {} : options.jit),
      });
    }
    const ramBase = options.ramBase ?? 0x8000_0000;
    this.#interp.init(
      options.hartBase,
      options.ramOffset,
      ramBase | 0,
      Math.floor(ramBase / 2 ** 32),
      options.ramBytes,
    );
  }

  /** Bytes a hart needs in the shared memory. */
  static readonly AREA_BYTES = HART_AREA_BYTES;

  /**
   * Puts the hart into its reset state, at `pc` with the boot arguments in a0 and a1. Reset to S or U
   * mode leaves the machine-level CSRs as firmware would: traps delegated, all memory open (PMP entry
   * 0), counters readable, Sstc on.
   */
  reset(pc: bigint, a0: bigint, a1: bigint, priv: Privilege): void {
    this.#interp.reset(this.id, pc, a0, a1, priv, this.#builtInSbi ? 1 : 0);
  }

  /**
   * Executes at most `budgetInstructions` (trapping ones count too) and says why it stopped. The
   * count is exact: a budget of 1 is a single step. State is precise at every return.
   */
  run(budgetInstructions: number): HartExit {
    const reason = this.#interp.run(budgetInstructions);
    this.#translator?.service();
    switch (reason) {
      case EXIT_BUDGET:
        return BUDGET;
      case EXIT_WFI:
        return { kind: 'wfi', deadlineTicks: this.#interp.wfiDeadline() };
      case EXIT_SBI:
        return SBI;
      case EXIT_ATTENTION:
        return ATTENTION;
      default:
        throw new Error(`interpreter returned exit reason ${reason}`);
    }
  }

  /**
   * Answers remote fences (H3) without executing anything, for a hart's thread that waits outside `run`.
   * Takes the attention bits, ATTENTION_EXIT included: whoever set it has changed something before.
   */
  serveFences(): void {
    this.#interp.run(0);
  }

  /** Drops all translations and decoded pages: after RAM or state was replaced from outside. */
  flush(): void {
    this.#interp.flush();
  }

  /** x register, 0…31, as an unsigned 64-bit value. */
  getX(index: number): bigint {
    return BigInt.asUintN(64, this.#interp.getX(index));
  }

  setX(index: number, value: bigint): void {
    this.#interp.setX(index, value);
  }

  /** f register's raw bits, 0…31. */
  getF(index: number): bigint {
    return BigInt.asUintN(64, this.#interp.getF(index));
  }

  setF(index: number, value: bigint): void {
    this.#interp.setF(index, value);
  }

  get pc(): bigint {
    return BigInt.asUintN(64, this.#interp.getPc());
  }

  set pc(value: bigint) {
    this.#interp.setPc(value);
  }

  get privilege(): Privilege {
    const priv = this.#interp.getPriv();
    return priv === PRIV_U ? PRIV_U : priv === PRIV_S ? PRIV_S : PRIV_M;
  }

  set privilege(value: Privilege) {
    this.#interp.setPriv(value);
  }

  /** A CSR by number as M mode reads it, without side effects; undefined if there is none. */
  readCsr(csr: number): bigint | undefined {
    return this.#interp.csrExists(csr) === 0 ? undefined : BigInt.asUintN(64, this.#interp.peekCsr(csr));
  }

  /** Writes a CSR as M mode would, WARL rules included. */
  writeCsr(csr: number, value: bigint): void {
    this.#interp.pokeCsr(csr, value);
  }

  /** Instructions executed since reset, trapping ones included. */
  get executed(): bigint {
    return BigInt.asUintN(64, this.#interp.executed());
  }

  /** What has been translated, if the JIT is on. */
  get translations(): TranslatorStatistics | undefined {
    return this.#translator?.statistics;
  }

  /** Event counts since the area was first zeroed. */
  get counters(): HartCounters {
    const count = (offset: number): number => Number(this.#interp.counter(offset));
    return {
      traps: count(HART_COUNT_TRAPS),
      interrupts: count(HART_COUNT_INTERRUPTS),
      tlbRefills: count(HART_COUNT_TLB_REFILLS),
      busReads: count(HART_COUNT_BUS_READS),
      busWrites: count(HART_COUNT_BUS_WRITES),
      pagesDecoded: count(HART_COUNT_PAGES_DECODED),
      sfences: count(HART_COUNT_SFENCES),
      fenceIs: count(HART_COUNT_FENCE_IS),
    };
  }

  /**
   * Raises or lowers interrupt lines (MIP_ bits) and asks for attention. Other threads do the same
   * with atomics on HART_IRQ_LINES and HART_ATTENTION, and wake a sleeping hart.
   */
  setIrqLine(mask: number, level: boolean): void {
    this.#interp.setIrqLines(mask, level ? 1 : 0);
  }

  /** Arms the supervisor timer (SBI set_timer) at an absolute tick; all ones disarms it. */
  setTimer(ticks: bigint): void {
    this.#interp.setStimecmp(ticks);
  }

  /**
   * Physical address a virtual one maps to for reading in the current mode, without setting A or D
   * and without faulting; undefined if it maps nowhere.
   */
  translate(va: bigint): bigint | undefined {
    const pa = this.#interp.debugTranslate(va);
    return pa < 0n ? undefined : pa;
  }
}

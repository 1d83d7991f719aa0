import { SharedMemory } from '../../base/shared-memory.ts';
import { Hart, type BusAccessSize, type HartExit, type Privilege } from '../hart.ts';
import { COMPILE_QUEUE_BYTES, CompilerLayout } from '../jit/compile-queue.ts';
import { Compiler } from '../jit/compiler.ts';
import type { TranslatorTuning } from '../jit/translator.ts';
import { HART_AREA_BYTES, PRIV_M } from '../layout.ts';

/** Physical address of the first instruction, and of RAM. */
export const RAM = 0x8000_0000;
/** Where tests keep data: far from code, page aligned. */
export const DATA = RAM + 0x10_0000;
const RAM_BYTES = 0x40_0000;
const HART_BASE = 0x1_0000;
const RAM_OFFSET = HART_BASE + HART_AREA_BYTES;

/** A bus access as the fake bus saw it. */
export interface BusAccess {
  readonly write: boolean;
  readonly addr: number;
  readonly size: BusAccessSize;
  readonly lo: number;
  readonly hi: number;
}

/** Exception codes (mcause without the interrupt bit). */
export const CAUSE = {
  fetchAccess: 1n,
  illegal: 2n,
  breakpoint: 3n,
  loadMisaligned: 4n,
  loadAccess: 5n,
  storeMisaligned: 6n,
  storeAccess: 7n,
  ecallU: 8n,
  ecallS: 9n,
  ecallM: 11n,
  fetchPage: 12n,
  loadPage: 13n,
  storePage: 15n,
} as const;

export const CSR = {
  fflags: 0x001,
  frm: 0x002,
  fcsr: 0x003,
  sstatus: 0x100,
  sie: 0x104,
  stvec: 0x105,
  scounteren: 0x106,
  sscratch: 0x140,
  sepc: 0x141,
  scause: 0x142,
  stval: 0x143,
  sip: 0x144,
  stimecmp: 0x14d,
  satp: 0x180,
  mstatus: 0x300,
  misa: 0x301,
  medeleg: 0x302,
  mideleg: 0x303,
  mie: 0x304,
  mtvec: 0x305,
  mcounteren: 0x306,
  menvcfg: 0x30a,
  mscratch: 0x340,
  mepc: 0x341,
  mcause: 0x342,
  mtval: 0x343,
  mip: 0x344,
  pmpcfg0: 0x3a0,
  pmpcfg2: 0x3a2,
  pmpaddr0: 0x3b0,
  mcycle: 0xb00,
  minstret: 0xb02,
  cycle: 0xc00,
  time: 0xc01,
  instret: 0xc02,
  mvendorid: 0xf11,
  mhartid: 0xf14,
} as const;

/** Where traps to M and to S mode go in `start`ed rigs. */
export const M_HANDLER = RAM + 0x8000;
export const S_HANDLER = RAM + 0x9000;

/** A hart with 4 MiB of RAM, a bus that records, and time that stands still until told. */
export class HartRig {
  readonly memory: SharedMemory;
  readonly hart: Hart;
  readonly base = HART_BASE;
  /** What its translator asks, if the rig has it: does nothing between the turns a test gives it. */
  readonly compiler: Compiler | undefined;
  /** Time CSR in ticks. */
  ticks = 0;
  readonly busLog: BusAccess[] = [];
  /** Answers bus reads; undefined is an access fault. */
  busRead: (addr: number, size: BusAccessSize) => bigint | number | undefined = () => undefined;
  /** Accepts bus writes. */
  busWrite: (addr: number) => boolean = () => false;

  constructor(
    module: WebAssembly.Module,
    options: {
      builtInSbi?: boolean;
      hartId?: number;
      ramBytes?: number;
      jit?: boolean | TranslatorTuning;
      /** Its translator asks a compiler, whose turns the test gives it, or would if it were there. */
      compiler?: boolean | 'absent';
    } = {},
  ) {
    const ramBytes = options.ramBytes ?? RAM_BYTES;
    const queue = RAM_OFFSET + ramBytes;
    const addrs = { queue, compiler: queue + COMPILE_QUEUE_BYTES };
    const pages = Math.ceil((addrs.compiler + CompilerLayout.size) / 65536);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.memory = new SharedMemory(memory);
    if (options.compiler === true) {
      this.compiler = new Compiler({
        memory: this.memory,
        compiler: addrs.compiler,
        interpreter: module,
        harts: [{ hartBase: HART_BASE, queue }],
        tuning: typeof options.jit === 'object' ? options.jit : {},
      });
      this.compiler.open();
    }
    this.hart = new Hart({
      module,
      memory,
      hartBase: HART_BASE,
      ramOffset: RAM_OFFSET,
      ramBytes,
      hartId: options.hartId ?? 0,
      builtInSbi: options.builtInSbi ?? false,
      jit: options.jit ?? false,
      compiler: options.compiler === undefined || options.compiler === false ? undefined : addrs,
      timeTicks: () => this.ticks,
      bus: {
        read: (addr, size) => {
          const value = this.busRead(addr, size);
          const wide = BigInt(value ?? 0);
          const lo = Number(BigInt.asUintN(32, wide));
          this.busLog.push({ write: false, addr, size, lo, hi: Number(wide >> 32n) });
          return value;
        },
        write: (addr, size, lo, hi) => {
          this.busLog.push({ write: true, addr, size, lo, hi });
          return this.busWrite(addr);
        },
      },
    });
  }

  /** Address in the memory of a RAM address. */
  at(pa: number): number {
    return pa - RAM + RAM_OFFSET;
  }

  /** Places 32-bit instructions. */
  program(pa: number, ...words: number[]): void {
    for (const [index, word] of words.entries())
      this.memory.view.setUint32(this.at(pa) + 4 * index, word, true);
  }

  /** Places 16-bit instructions. */
  halfwords(pa: number, ...halfwords: number[]): void {
    for (const [index, half] of halfwords.entries())
      this.memory.view.setUint16(this.at(pa) + 2 * index, half, true);
  }

  peek64(pa: number): bigint {
    return this.memory.view.getBigUint64(this.at(pa), true);
  }

  poke64(pa: number, value: bigint): void {
    this.memory.view.setBigUint64(this.at(pa), value, true);
  }

  /** Resets to `priv` at `pc` with trap vectors set, and runs the words placed there with `run`. */
  start(words: readonly number[], priv: Privilege = PRIV_M, pc = RAM): void {
    this.program(pc, ...words);
    this.hart.reset(BigInt(pc), 0n, 0n, priv);
    this.hart.writeCsr(CSR.mtvec, BigInt(M_HANDLER));
    this.hart.writeCsr(CSR.stvec, BigInt(S_HANDLER));
    this.busLog.length = 0;
  }

  step(count = 1): HartExit {
    return this.hart.run(count);
  }

  csr(number: number): bigint {
    const value = this.hart.readCsr(number);
    if (value === undefined) throw new Error(`no CSR 0x${number.toString(16)}`);
    return value;
  }

  /** The M-mode trap the last step took: cause, mepc and mtval; undefined if pc is not at the handler. */
  machineTrap(): { cause: bigint; epc: bigint; tval: bigint } | undefined {
    if (this.hart.pc !== BigInt(M_HANDLER)) return undefined;
    return { cause: this.csr(CSR.mcause), epc: this.csr(CSR.mepc), tval: this.csr(CSR.mtval) };
  }
}

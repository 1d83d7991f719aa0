/**
 * Layout of one hart's area in the machine's shared WebAssembly.Memory.
 *
 * Plain integer constants only: this file is compiled twice, by `tsc` for the engine and by the
 * AssemblyScript compiler for the interpreter, so no number is written in two places. All offsets
 * are in bytes from the hart's base address; the base itself must be 64-byte aligned.
 *
 * Three kinds of cells live here:
 *  - private state (registers, CSRs, TLBs, decoded pages): only the hart's own thread touches it
 *    while the hart runs; anyone may read it for display, torn values included, or write it while
 *    the hart is stopped;
 *  - shared words (each on a cache line with its like): atomics only, any thread;
 *  - the exchange cells of a bus access and of an exit: written by the hart's thread.
 */

// ── Register file ───────────────────────────────────────────────────────────────────────────────
/** x0…x31, 8 bytes each. x0's cell is always zero. */
export const HART_X = 0x000;
/** f0…f31, 8 bytes each; a single-precision value is NaN-boxed. */
export const HART_F = 0x100;
/** u64: the next instruction's virtual address; current only while the hart is not inside `run`. */
export const HART_PC = 0x200;
/** u32: current privilege mode, one of the PRIV_ constants. */
export const HART_PRIV = 0x208;
/** u32: this hart's id (mhartid). */
export const HART_ID = 0x20c;

// ── CSRs, one 8-byte cell each ──────────────────────────────────────────────────────────────────
export const HART_MSTATUS = 0x210;
export const HART_MIE = 0x218;
/** mip bits that software holds (SSIP is in HART_IRQ_LINES, timer bits are computed). */
export const HART_MIP = 0x220;
export const HART_MIDELEG = 0x228;
export const HART_MEDELEG = 0x230;
export const HART_MTVEC = 0x238;
export const HART_MSCRATCH = 0x240;
export const HART_MEPC = 0x248;
export const HART_MCAUSE = 0x250;
export const HART_MTVAL = 0x258;
export const HART_MCOUNTEREN = 0x260;
export const HART_MENVCFG = 0x268;
export const HART_STVEC = 0x270;
export const HART_SSCRATCH = 0x278;
export const HART_SEPC = 0x280;
export const HART_SCAUSE = 0x288;
export const HART_STVAL = 0x290;
export const HART_SCOUNTEREN = 0x298;
export const HART_SENVCFG = 0x2a0;
export const HART_SATP = 0x2a8;
/** u32 each: the two halves of fcsr. */
export const HART_FFLAGS = 0x2b0;
export const HART_FRM = 0x2b4;
/** 16 bytes: pmp0cfg…pmp15cfg, one byte each. */
export const HART_PMPCFG = 0x2c0;
/** pmpaddr0…15, 8 bytes each. */
export const HART_PMPADDR = 0x2d0;
/** u64: instructions executed since reset, retired or trapped; the base of mcycle. */
export const HART_EXECUTED = 0x350;
/** u64, two's complement: minstret − HART_EXECUTED (traps and CSR writes move it). */
export const HART_INSTRET_DELTA = 0x358;
/** u64, two's complement: mcycle − HART_EXECUTED (CSR writes move it). */
export const HART_CYCLE_DELTA = 0x360;

// ── LR/SC reservation ───────────────────────────────────────────────────────────────────────────
/** u32: byte address in the memory of the reserved word, 0 when there is none. */
export const HART_RESERVATION = 0x368;
/** u32: access size of the reservation in bytes. */
export const HART_RESERVATION_SIZE = 0x36c;
/** u64: the value LR read; SC is a compare-and-exchange against it. */
export const HART_RESERVATION_VALUE = 0x370;

// ── Exchange cells of a bus access and of an exit ───────────────────────────────────────────────
/** u32: the high word of an 8-byte bus read, written by the bus callback before it returns. */
export const HART_BUS_HI = 0x378;
/** u32: set to 1 by a bus callback that refuses the access (access fault), cleared by the hart. */
export const HART_BUS_FAULT = 0x37c;
/** f64: ticks of the next timer deadline when `run` returned EXIT_WFI; +Infinity if none. */
export const HART_WFI_DEADLINE = 0x380;

// ── Counters for the inspector, u64 each, written by the hart only ──────────────────────────────
export const HART_COUNT_TRAPS = 0x3a0;
export const HART_COUNT_INTERRUPTS = 0x3a8;
export const HART_COUNT_TLB_REFILLS = 0x3b0;
export const HART_COUNT_BUS_READS = 0x3b8;
export const HART_COUNT_BUS_WRITES = 0x3c0;
export const HART_COUNT_PAGES_DECODED = 0x3c8;
export const HART_COUNT_SFENCES = 0x3d0;
export const HART_COUNT_FENCE_IS = 0x3d8;

// ── Shared words: atomics only, any thread ──────────────────────────────────────────────────────
/**
 * u32: interrupt lines, as mip bits (MIP_ constants). A device's thread sets or clears a bit with an
 * atomic OR/AND, then ORs ATTENTION_IRQ into HART_ATTENTION, then wakes the hart (HART_WAKE).
 * SSIP lives here too: another hart's IPI sets it, this hart's write to sip/mip clears it.
 */
export const HART_IRQ_LINES = 0x400;
/** u32: ATTENTION_ bits, ORed by any thread, taken by the hart within about a thousand instructions. */
export const HART_ATTENTION = 0x404;
/**
 * u32: futex word of a hart in WFI. A waker increments it after it has changed what the hart waits
 * for, and notifies when HART_SLEEPING is nonzero. The hart reads it, re-checks, then waits on the
 * value read.
 */
export const HART_WAKE = 0x440;
/** u32: 1 while the hart's thread is, or is about to be, blocked on HART_WAKE. */
export const HART_SLEEPING = 0x444;
/**
 * Remote fence: the requester ORs FENCE_ bits into HART_FENCE_KIND, increments HART_FENCE_REQUEST,
 * ORs ATTENTION_FENCE into HART_ATTENTION, wakes the hart and waits until HART_FENCE_ACK has reached
 * the value it made (modulo 2³²). The hart copies the request number before it takes the bits.
 */
export const HART_FENCE_REQUEST = 0x480;
export const HART_FENCE_KIND = 0x484;
export const HART_FENCE_ACK = 0x488;
/** u64: mtimecmp of the ACLINT in ticks; MTIP is pending when time ≥ it. All ones after reset. */
export const HART_MTIMECMP = 0x4c0;
/** u64: stimecmp in ticks (Sstc, or the SBI's timer); STIP is pending when time ≥ it. */
export const HART_STIMECMP = 0x4c8;

/**
 * Translation contexts: CONTEXTS entries of { u64 satp, u32 data context, u32 exec context }, the
 * numbers under which translations of recently used satp values are tagged; 0 = none assigned.
 */
export const HART_CONTEXTS = 0x500;
export const CONTEXTS = 16;
/** u64[8]: bit n is set while a superpage of the 1 GiB regions that hash to n may be in a TLB (tlb.ts). */
export const HART_SUPERPAGES = 0x600;

// ── Translated code (jit/): written and read by the hart's thread only ──────────────────────────
/** u32: instructions left of the budget a translated unit was given, written when it returns. */
export const HART_JIT_LEFT = 0x640;
/** u32: heat at which a page is queued for translation; 0: never. */
export const HART_JIT_THRESHOLD = 0x650;
/** u32: number of pages queued, and u32[JIT_QUEUE_LENGTH]: their addresses in HART_DECODE_PAGES. */
export const HART_JIT_QUEUED = 0x654;
export const HART_JIT_QUEUE = 0x680;
export const JIT_QUEUE_LENGTH = 128;

// ── TLBs ────────────────────────────────────────────────────────────────────────────────────────
/**
 * Entries of 16 bytes { u64 tag, u32 value, u32 unused }, direct mapped by the low bits of the
 * virtual page number. tag = virtual page address | context number (1…4095, see tlb.ts); an empty
 * entry has tag 0, which no context number matches. In a data TLB the value is
 * (host address − virtual address) modulo 2³²; in an exec TLB the decoded page's address.
 */
export const TLB_ENTRY_BYTES = 16;
export const TLB_ENTRIES = 1024;
export const TLB_BYTES = 16384;
/**
 * There are several banks of all tables, so that processes that take turns do not push each other's
 * entries out: the place of a translation context in HART_CONTEXTS, modulo their number, is its bank.
 */
export const TLB_BANKS = 4;
export const TLB_BANK_BYTES = 0x50000;
/**
 * Data TLBs: for each of the 8 MMU modes a read table followed by a write table. The mode is the
 * effective privilege (0 U, 1 S, 2 S with SUM, 3 M), plus 4 while MXR is set, so that changing SUM
 * or MXR selects other tables and flushes nothing.
 */
export const HART_DTLB = 0x1000;
export const DTLB_MODE_BYTES = 32768;
export const DTLB_WRITE = 16384;
export const MMU_MODES = 8;
/** Exec TLBs for privilege U (0), S (1), M (3); slot 2 is unused. */
export const HART_XTLB = 0x41000;
export const HART_TLB_END = 0x141000;

// ── Decoded pages ───────────────────────────────────────────────────────────────────────────────
/** u32[DECODE_BUCKETS]: hash of a RAM page's address to its decoded page (address, 0 if none). */
export const HART_DECODE_HASH = 0x141000;
export const DECODE_BUCKETS = 1024;
/** The scratch page that holds the instruction straddling two pages. */
export const HART_STRADDLE = 0x142000;
export const HART_DECODE_PAGES = 0x147000;
/** Number of decoded pages a hart keeps; the oldest is replaced. */
export const DECODE_PAGES = 1536;

/**
 * One decoded page: header, one 8-byte op per halfword of the 4 KiB page, the end-of-page ops, and
 * the copy of the page's bytes the ops were decoded from.
 *
 * An op is { u8 handler, u8 rd×8, u8 rs1×8, u8 rs2×8, i32 imm }; handler 0 means not yet decoded.
 */
export const PAGE_OPS = 0xc0;
export const PAGE_END_OPS = 0x40c0;
export const PAGE_COPY = 0x4100;
export const PAGE_STRIDE = 0x5140;
/** u32: host address of the RAM page, 0 when the slot is free. */
export const PAGE_RAM = 0x00;
/** u32: next decoded page in the same hash bucket. */
export const PAGE_NEXT = 0x04;
/** u32: the fence.i generation in which copy and RAM were last found equal; 0 while it is open for writing. */
export const PAGE_CHECKED = 0x08;
/** u32: increments whenever an op of this page is dropped; translations made from it are stale then. */
export const PAGE_GENERATION = 0x0c;
/** u32: samples of the interpreter that fell on this page since it was decoded or translated. */
export const PAGE_HEAT = 0x10;
/** u32: nonzero while ops of this page are entries of translated code. */
export const PAGE_TRANSLATED = 0x14;
/** u32: heat at which the page is queued for the translator; 0: never. */
export const PAGE_HEAT_LIMIT = 0x18;
/** u16: stores to the page since it was last closed, and how many open it. */
export const PAGE_STORES = 0x1c;
export const PAGE_STORE_LIMIT = 0x1e;
/** u16[PAGE_SAMPLE_COUNT]: byte offsets in the page of the last samples, the nth at n modulo the count. */
export const PAGE_SAMPLES = 0x20;
export const PAGE_SAMPLE_COUNT = 64;

/** Bytes of one hart's area; areas may be laid end to end. 0x147000 + 1536 × 0x5140, rounded to 64 KiB. */
export const HART_AREA_BYTES = 0x1fc0000;

// ── Privilege modes ─────────────────────────────────────────────────────────────────────────────
export const PRIV_U = 0;
export const PRIV_S = 1;
export const PRIV_M = 3;

// ── mip/mie bits ────────────────────────────────────────────────────────────────────────────────
export const MIP_SSIP = 0x002;
export const MIP_MSIP = 0x008;
export const MIP_STIP = 0x020;
export const MIP_MTIP = 0x080;
export const MIP_SEIP = 0x200;
export const MIP_MEIP = 0x800;

// ── HART_ATTENTION bits ─────────────────────────────────────────────────────────────────────────
/** Interrupt lines or a timer compare cell changed: look at them again. */
export const ATTENTION_IRQ = 1;
/** A remote fence is requested. */
export const ATTENTION_FENCE = 2;
/** `run` is to return EXIT_ATTENTION to its caller at once (pause, stop, quiesce). */
export const ATTENTION_EXIT = 4;

// ── HART_FENCE_KIND bits ────────────────────────────────────────────────────────────────────────
export const FENCE_I = 1;
export const FENCE_VMA = 2;

// ── Reasons why the interpreter's `run` returns ─────────────────────────────────────────────────
/** The instruction budget is used up. */
export const EXIT_BUDGET = 0;
/** WFI with nothing pending; pc is behind it, HART_WFI_DEADLINE tells how long to sleep. */
export const EXIT_WFI = 1;
/** ECALL from S mode with the built-in SBI on; pc is behind it, the call is in a0…a7. */
export const EXIT_SBI = 2;
/** Somebody set ATTENTION_EXIT (cleared again). */
export const EXIT_ATTENTION = 3;

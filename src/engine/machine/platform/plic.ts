import type { SharedMemory } from '../../base/shared-memory.ts';
import { struct } from '../../base/struct.ts';
import { MIP_MEIP, MIP_SEIP } from '../../cpu/layout.ts';
import { TRACE } from '../../trace/schema.ts';
import type { Tracer } from '../../trace/tracer.ts';
import { nullTracer } from '../../trace/tracer.ts';
import type { HartLines, IrqLine } from './hart-lines.ts';
import { VIRT_PLIC_SOURCES } from './memory-map.ts';
import type { MmioDevice, MmioSize } from './mmio.ts';

/** Words of a bitmap over the sources. */
const WORDS = VIRT_PLIC_SOURCES / 32;

/** What every context shares. */
export const PlicLayout = struct(
  'Plic',
  { level: 'u32[3]', claimed: 'u32[3]', spare: 'bytes:40', priority: 'u32[96]' },
  64,
);
/** One interrupt context: a privilege mode of a hart. Context 2h is hart h's M mode, 2h + 1 its S mode. */
export const PlicContextLayout = struct('PlicContext', { enable: 'u32[3]', threshold: 'u32' }, 16);

/** Bytes the PLIC of `harts` harts takes in shared memory, 64-byte aligned. */
export const plicBytes = (harts: number): number => PlicLayout.size + 2 * harts * PlicContextLayout.size;

// Register blocks, as offsets (PLIC specification 1.0.0, "Memory Map").
const PENDING = 0x1000;
const ENABLE = 0x2000;
const ENABLE_STRIDE = 0x80;
const CONTEXT = 0x20_0000;
const CONTEXT_STRIDE = 0x1000;
const THRESHOLD = 0;
const CLAIM = 4;

/** Priorities 0 (never) to 7. */
const PRIORITY_MASK = 7;

/**
 * The platform-level interrupt controller, lock-free over shared memory. Every thread that touches it, hart
 * or context, holds an instance over the same struct.
 *
 * A source is pending while its line is high and it is not claimed; like QEMU's, a line that drops before
 * the claim takes its interrupt back.
 *
 * Rules (the tests bear the numbers):
 *  - P1 a level raised by any thread, at any moment, reaches every context that wants it: never lost.
 *  - P2 one raise of a source is claimed by at most one context.
 *  - P3 completing a source whose line is still high makes it pending again.
 *  - P4 a claim gives the highest priority above the threshold, the lowest number among equals, else 0.
 *  - P5 after every change has settled, each hart's line is up exactly if a claim would give a source.
 *
 * P1 and P5 hold by one discipline: change the input first, then for each context concerned compute, set
 * the hart's line, and compute again until the answer is what was set (`#update`). If two threads race, the
 * one that sets the line last has looked at the inputs after setting it.
 */
export class Plic implements MmioDevice {
  readonly accessSizes = 4 | 8;
  readonly #mem: SharedMemory;
  readonly #base: number;
  readonly #contexts: number;
  readonly #lines: HartLines;
  readonly #tracer: Tracer;

  constructor(mem: SharedMemory, base: number, harts: number, lines: HartLines, tracer: Tracer = nullTracer) {
    this.#mem = mem;
    this.#base = base;
    this.#contexts = 2 * harts;
    this.#lines = lines;
    this.#tracer = tracer;
  }

  /** Any thread: the level of a source's line (1…95). */
  setIrq(source: number, level: boolean): void {
    const bit = 1 << (source & 31);
    const addr = this.#base + PlicLayout.at.level + (source >>> 5) * 4;
    const before = level ? this.#mem.or32(addr, bit) : this.#mem.and32(addr, ~bit);
    // Whoever made the level what it is also updates, so nothing is left to do.
    if (((before & bit) !== 0) === level) return;
    this.#tracer.emit(TRACE.plic_set_irq, source, level ? 1 : 0);
    this.#updateSource(source);
  }

  /** The line of one source, for a device that knows nothing of the PLIC. */
  line(source: number): IrqLine {
    return { set: (level) => this.setIrq(source, level) };
  }

  /** Board reset: everything but the lines, which belong to the devices. No hart may be running. */
  reset(): void {
    for (let i = 0; i < VIRT_PLIC_SOURCES; i++) {
      this.#mem.store32(this.#base + PlicLayout.at.priority + i * 4, 0);
    }
    for (let word = 0; word < WORDS; word++) {
      this.#mem.store32(this.#base + PlicLayout.at.claimed + word * 4, 0);
    }
    for (let context = 0; context < this.#contexts; context++) {
      for (let word = 0; word < WORDS; word++) this.#mem.store32(this.#enableAddr(context, word), 0);
      this.#mem.store32(this.#thresholdAddr(context), 0);
      this.#update(context);
    }
  }

  read(offset: number, _size: MmioSize): number {
    if (offset < PENDING) {
      const source = offset >>> 2;
      return source < VIRT_PLIC_SOURCES ? this.#priority(source) : 0;
    }
    if (offset < ENABLE) {
      const word = (offset - PENDING) >>> 2;
      return word < WORDS ? this.#pending(word) : 0;
    }
    if (offset < CONTEXT) {
      const context = Math.floor((offset - ENABLE) / ENABLE_STRIDE);
      const word = ((offset - ENABLE) % ENABLE_STRIDE) >>> 2;
      return context < this.#contexts && word < WORDS ? this.#enabled(context, word) : 0;
    }
    const context = Math.floor((offset - CONTEXT) / CONTEXT_STRIDE);
    if (context >= this.#contexts) return 0;
    switch ((offset - CONTEXT) % CONTEXT_STRIDE) {
      case THRESHOLD:
        return this.#mem.load32(this.#thresholdAddr(context));
      case CLAIM:
        return this.#claim(context);
      default:
        return 0;
    }
  }

  write(offset: number, _size: MmioSize, value: number): void {
    if (offset < PENDING) {
      const source = offset >>> 2;
      if (source === 0 || source >= VIRT_PLIC_SOURCES) return;
      this.#mem.store32(this.#base + PlicLayout.at.priority + source * 4, value & PRIORITY_MASK);
      this.#updateSource(source);
      return;
    }
    if (offset < ENABLE) return; // pending bits are read-only
    if (offset < CONTEXT) {
      const context = Math.floor((offset - ENABLE) / ENABLE_STRIDE);
      const word = ((offset - ENABLE) % ENABLE_STRIDE) >>> 2;
      if (context >= this.#contexts || word >= WORDS) return;
      this.#mem.store32(this.#enableAddr(context, word), word === 0 ? value & ~1 : value);
      this.#update(context);
      return;
    }
    const context = Math.floor((offset - CONTEXT) / CONTEXT_STRIDE);
    if (context >= this.#contexts) return;
    switch ((offset - CONTEXT) % CONTEXT_STRIDE) {
      case THRESHOLD:
        this.#mem.store32(this.#thresholdAddr(context), value & PRIORITY_MASK);
        this.#update(context);
        return;
      case CLAIM:
        this.#complete(context, value);
        return;
    }
  }

  #claim(context: number): number {
    for (;;) {
      const source = this.#best(context);
      if (source === 0) return 0;
      const bit = 1 << (source & 31);
      // P2: of all contexts that saw it pending, the one that sets the bit has it; the others look again.
      const before = this.#mem.or32(this.#base + PlicLayout.at.claimed + (source >>> 5) * 4, bit);
      if ((before & bit) !== 0) continue;
      this.#tracer.emit(TRACE.plic_claim, context >>> 1, source);
      this.#updateSource(source);
      return source;
    }
  }

  #complete(context: number, source: number): void {
    if (source === 0 || source >= VIRT_PLIC_SOURCES) return;
    // As in QEMU, whether the source is still enabled here does not matter: refusing would lose it.
    this.#mem.and32(this.#base + PlicLayout.at.claimed + (source >>> 5) * 4, ~(1 << (source & 31)));
    this.#tracer.emit(TRACE.plic_complete, context >>> 1, source);
    this.#updateSource(source); // P3: pending is computed, so a high line is pending from here on
  }

  /** Updates the contexts that have the source enabled; one that enables it later updates itself. */
  #updateSource(source: number): void {
    const bit = 1 << (source & 31);
    for (let context = 0; context < this.#contexts; context++) {
      if ((this.#enabled(context, source >>> 5) & bit) !== 0) this.#update(context);
    }
  }

  #update(context: number): void {
    const mip = (context & 1) === 0 ? MIP_MEIP : MIP_SEIP;
    let due = this.#best(context) !== 0;
    for (;;) {
      this.#lines.set(context >>> 1, mip, due);
      // ORDER: this look comes after the line was set; pairs with any thread's change of level, claimed,
      // enable, priority or threshold, which comes before that thread's own update.
      const now = this.#best(context) !== 0;
      if (now === due) return;
      due = now;
    }
  }

  /** P4: what a claim would give. */
  #best(context: number): number {
    let best = 0;
    let bestPriority = this.#mem.load32(this.#thresholdAddr(context));
    for (let word = 0; word < WORDS; word++) {
      let bits = this.#pending(word) & this.#enabled(context, word);
      while (bits !== 0) {
        const lowest = bits & -bits;
        bits ^= lowest;
        const source = word * 32 + 31 - Math.clz32(lowest);
        const priority = this.#priority(source);
        if (priority > bestPriority) {
          best = source;
          bestPriority = priority;
        }
      }
    }
    return best;
  }

  #pending(word: number): number {
    const level = this.#mem.load32(this.#base + PlicLayout.at.level + word * 4);
    return (level & ~this.#mem.load32(this.#base + PlicLayout.at.claimed + word * 4)) >>> 0;
  }
  #priority(source: number): number {
    return this.#mem.load32(this.#base + PlicLayout.at.priority + source * 4);
  }
  #enabled(context: number, word: number): number {
    return this.#mem.load32(this.#enableAddr(context, word));
  }
  #contextAddr(context: number): number {
    return this.#base + PlicLayout.size + context * PlicContextLayout.size;
  }
  #enableAddr(context: number, word: number): number {
    return this.#contextAddr(context) + PlicContextLayout.at.enable + word * 4;
  }
  #thresholdAddr(context: number): number {
    return this.#contextAddr(context) + PlicContextLayout.at.threshold;
  }
}

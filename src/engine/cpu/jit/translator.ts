/**
 * The translator of one hart: takes the pages the interpreter found hot, makes units of their hot
 * routines, and puts these where the interpreter module finds them. Works in the hart's thread,
 * between runs.
 */
import type { SharedMemory } from '../../base/shared-memory.ts';
import {
  HART_JIT_QUEUE,
  HART_JIT_QUEUED,
  HART_JIT_THRESHOLD,
  PAGE_COPY,
  PAGE_GENERATION,
  PAGE_HEAT,
  PAGE_HEAT_LIMIT,
  PAGE_OPS,
  PAGE_RAM,
  PAGE_SAMPLES,
  PAGE_TRANSLATED,
} from '../layout.ts';
import { HELPER_IMPORTS, type TranslatorExports, UNIT_TYPE } from './abi.ts';
import { fusesMultiplyAdd } from './asm/fused.ts';
import { assembleModule } from './asm/module.ts';
import { CompileClient, type CompileQueueAddrs } from './compile-queue.ts';
import { type Draft, Drafter, type HotPage } from './drafts.ts';

export interface TranslatorTuning {
  /** Samples of the interpreter after which a page is looked at; a sample is 1024 instructions. */
  readonly threshold?: number;
  /** Samples after which it is looked at again at the latest; it is earlier while they double earlier. */
  readonly lookAgain?: number;
  /** How often each instruction of a routine must have been executed, on average. */
  readonly executions?: number;
  /** All three are so many times less where a compiler's thread does the work: to the hart it costs next to nothing. */
  readonly eagerness?: number;
  /** Units that are compiled into one module. */
  readonly batch?: number;
  /** Calls of `service` a unit may wait for others to share its module. */
  readonly patience?: number;
  /** Modules that may be alive; beyond it all translations are dropped. */
  readonly maxModules?: number;
  /** Use the engine's own multiply-add if it rounds once. */
  readonly fused?: boolean;
  /** Milliseconds from whenever, for the statistics; without it they say that nothing takes any time. */
  readonly nowMs?: () => number;
}

export interface TranslatorOptions extends TranslatorTuning {
  readonly memory: SharedMemory;
  readonly hartBase: number;
  /** Exports of the hart's interpreter instance. */
  readonly exports: TranslatorExports & WebAssembly.Exports;
  /** Where a compiler's thread may be asked. Without one, or while there is none, everything is done here. */
  readonly compiler?: CompileQueueAddrs | undefined;
}

/** What the translator has done so far. */
export interface TranslatorStatistics {
  /** Pages that were hot, and those of them that the compiler's thread was asked to look at. */
  pages: number;
  posted: number;
  units: number;
  modules: number;
  instructions: number;
  /** Of WebAssembly. */
  bytes: number;
  /** Times all translations were dropped because there were too many. */
  flushes: number;
  /** Milliseconds of the hart's thread: for finding routines and emitting their code, and for making modules of it. */
  emitMs: number;
  compileMs: number;
}

/** Translations of a decoded page. */
interface PageRecord {
  /** The RAM page it was of. */
  readonly ram: number;
  readonly units: Unit[];
}

/** An installed unit. */
interface Unit {
  readonly slot: number;
  readonly module: LiveModule;
}

/** A module lives as long as the table holds a unit of it. */
interface LiveModule {
  units: number;
}

export const TRANSLATOR_DEFAULTS: Required<TranslatorTuning> = {
  threshold: 512,
  lookAgain: 4096,
  executions: 8000,
  eagerness: 4,
  batch: 16,
  patience: 8,
  maxModules: 4000,
  fused: true,
  nowMs: () => 0,
};

export class Translator {
  readonly statistics: TranslatorStatistics = {
    pages: 0,
    posted: 0,
    units: 0,
    modules: 0,
    instructions: 0,
    bytes: 0,
    flushes: 0,
    emitMs: 0,
    compileMs: 0,
  };
  readonly #memory: SharedMemory;
  readonly #hartBase: number;
  readonly #exports: TranslatorExports;
  readonly #imports: WebAssembly.Imports;
  readonly #drafter: Drafter;
  readonly #client: CompileClient | undefined;
  readonly #tuning: Required<TranslatorTuning>;
  readonly #pages = new Map<number, PageRecord>();
  readonly #freeSlots: number[] = [];
  #drafts: Draft[] = [];
  #waited = 0;
  #liveModules = 0;
  #untilSweep = 0;

  constructor(options: TranslatorOptions) {
    this.#memory = options.memory;
    this.#hartBase = options.hartBase;
    this.#exports = options.exports;
    this.#tuning = { ...TRANSLATOR_DEFAULTS, ...options };
    const env: Record<string, unknown> = { memory: options.memory.memory };
    for (const { name } of HELPER_IMPORTS) env[name] = options.exports[name];
    this.#imports = { env: env as Record<string, never> };
    this.#drafter = new Drafter({
      hartBase: options.hartBase,
      entryHandler: options.exports.jitEntryHandler(),
      fused: this.#tuning.fused && fusesMultiplyAdd(options.memory.memory),
      executions: this.#tuning.executions,
    });
    if (options.compiler !== undefined) this.#client = new CompileClient(options.memory, options.compiler);
    this.#setCell(HART_JIT_THRESHOLD, this.#eagerThreshold);
    this.#setCell(HART_JIT_QUEUED, 0);
  }

  get #eagerThreshold(): number {
    const { threshold, eagerness } = this.#tuning;
    return this.#client === undefined ? threshold : Math.max(1, Math.floor(threshold / eagerness));
  }

  #cell(offset: number): number {
    return this.#memory.u32[(this.#hartBase + offset) >>> 2]!;
  }

  #setCell(offset: number, value: number): void {
    this.#memory.u32[(this.#hartBase + offset) >>> 2] = value;
  }

  #pageCell(page: number, offset: number): number {
    return this.#memory.u32[(page + offset) >>> 2]!;
  }

  #setPageCell(page: number, offset: number, value: number): void {
    this.#memory.u32[(page + offset) >>> 2] = value;
  }

  /** Between two runs: looks at hot pages, and compiles if there is enough or it has waited. */
  service(): void {
    const queued = this.#cell(HART_JIT_QUEUED);
    if (queued > 0) {
      this.#setCell(HART_JIT_QUEUED, 0);
      const began = this.#tuning.nowMs();
      for (let i = 0; i < queued; i++) this.#look(this.#cell(HART_JIT_QUEUE + 4 * i));
      this.statistics.emitMs += this.#tuning.nowMs() - began;
    }
    const { batch, patience } = this.#tuning;
    while (this.#drafts.length >= batch) this.#compile(this.#drafts.splice(0, batch));
    if (this.#drafts.length === 0) this.#waited = 0;
    else if (++this.#waited > patience) this.#compile(this.#drafts.splice(0));
    const compiled = this.#client?.take();
    if (compiled === undefined) return;
    this.#load(compiled.bytes, compiled.units);
    for (const { page } of compiled.units) this.#lookSoon(page);
  }

  // ── Choosing ──

  /** Has the compiler's thread draft units of a page, or, where there is none, drafts them here. */
  #look(page: number): void {
    const ram = this.#pageCell(page, PAGE_RAM);
    if (ram === 0) return;
    const heat = this.#pageCell(page, PAGE_HEAT);
    const again = (limit: number): void => this.#setPageCell(page, PAGE_HEAT_LIMIT, limit);
    // Frees what belonged to an earlier life of it.
    this.#recordOf(page, ram);
    const outcome = this.#client?.post(page, this.statistics.flushes, () => this.#takeSlot()) ?? 'absent';
    if (outcome === 'behind') return again(heat + this.#eagerThreshold);
    let { lookAgain } = this.#tuning;
    if (outcome === 'absent') {
      const { threshold } = this.#tuning;
      if (heat < threshold) return again(threshold);
      this.#drafts.push(...this.#drafter.draft(this.#hotPage(page, ram), () => this.#takeSlot()));
    } else {
      lookAgain = Math.ceil(lookAgain / this.#tuning.eagerness);
      this.statistics.posted++;
    }
    this.statistics.pages++;
    // Ever more rarely, up to a point: what a page does after a minute of something else must be looked at, too.
    again(heat + Math.min(heat, lookAgain));
  }

  /** The compiler has translated something of a page: what is still interpreted is more of its samples from now on. */
  #lookSoon(page: number): void {
    const soon = this.#pageCell(page, PAGE_HEAT) + this.#eagerThreshold;
    if (this.#pageCell(page, PAGE_HEAT_LIMIT) > soon) this.#setPageCell(page, PAGE_HEAT_LIMIT, soon);
  }

  #hotPage(page: number, ram: number): HotPage {
    const { u8, u16 } = this.#memory;
    const copy = page + PAGE_COPY;
    const ops = page + PAGE_OPS;
    return {
      page,
      ram,
      generation: this.#pageCell(page, PAGE_GENERATION),
      heat: this.#pageCell(page, PAGE_HEAT),
      sample: (index) => u16[(page + PAGE_SAMPLES + 2 * index) >>> 1]!,
      code: {
        halfword: (offset) => u8[copy + offset]! | (u8[copy + offset + 1]! << 8),
        decoded: (offset) => u8[ops + 4 * offset] !== 0,
        expand: (halfword) => this.#exports.expandCompressed(halfword),
      },
    };
  }

  #takeSlot(): number {
    return this.#freeSlots.pop() ?? this.#exports.table.grow(1);
  }

  // ── Installing ──

  #compile(drafts: readonly Draft[]): void {
    const began = this.#tuning.nowMs();
    const codes = drafts.map((draft) => draft.code);
    const bytes = assembleModule(HELPER_IMPORTS, UNIT_TYPE, codes);
    this.statistics.emitMs += this.#tuning.nowMs() - began;
    this.#load(bytes, drafts);
  }

  /** Makes a module of its bytes and installs its units. */
  #load(bytes: Uint8Array<ArrayBuffer>, units: readonly Omit<Draft, 'code'>[]): void {
    const began = this.#tuning.nowMs();
    this.#sweep();
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports);
    const module: LiveModule = { units: 0 };
    this.#liveModules++;
    this.statistics.modules++;
    this.statistics.bytes += bytes.length;
    for (const [index, unit] of units.entries()) this.#install(unit, exports[String(index)], module);
    this.statistics.compileMs += this.#tuning.nowMs() - began;
  }

  #install(
    { page, ram, generation, slot, entries, instructions }: Omit<Draft, 'code'>,
    unit: unknown,
    module: LiveModule,
  ): void {
    if (this.#pageCell(page, PAGE_RAM) !== ram || this.#pageCell(page, PAGE_GENERATION) !== generation) {
      this.#freeSlots.push(slot);
      return;
    }
    module.units++;
    this.#exports.table.set(slot, unit);
    for (const [entry, offset] of entries.entries()) this.#exports.jitEnterHere(page, offset, slot, entry);
    this.#recordOf(page, ram).units.push({ slot, module });
    this.statistics.units++;
    this.statistics.instructions += instructions;
  }

  // ── Dropping ──

  /** The record of a page, without what belonged to an earlier life of it. */
  #recordOf(page: number, ram: number): PageRecord {
    let record = this.#pages.get(page);
    if (record !== undefined) this.#release(page, record);
    if (record === undefined || record.ram !== ram) {
      record = { ram, units: [] };
      this.#pages.set(page, record);
    }
    return record;
  }

  /** Frees the slots of a page's units if its ops lead to none of them any more. */
  #release(page: number, { ram, units }: PageRecord): void {
    if (this.#pageCell(page, PAGE_RAM) === ram && this.#pageCell(page, PAGE_TRANSLATED) !== 0) return;
    for (const { slot, module } of units.splice(0)) {
      this.#exports.table.set(slot, null);
      this.#freeSlots.push(slot);
      if (--module.units === 0) this.#liveModules--;
    }
  }

  /** From time to time: frees what was dropped; drops everything if there is too much of it. */
  #sweep(): void {
    if (--this.#untilSweep > 0) return;
    this.#untilSweep = 64;
    for (const [page, record] of this.#pages) this.#release(page, record);
    if (this.#liveModules < this.#tuning.maxModules) return;
    this.statistics.flushes++;
    for (const [page, record] of this.#pages) {
      if (this.#pageCell(page, PAGE_RAM) === record.ram) this.#exports.jitDrop(page);
      this.#release(page, record);
    }
    this.#pages.clear();
    this.#drafter.forget();
  }
}

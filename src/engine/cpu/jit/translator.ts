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
  PAGE_SAMPLE_COUNT,
  PAGE_SAMPLES,
  PAGE_TRANSLATED,
} from '../layout.ts';
import { HELPER_IMPORTS, type TranslatorExports, UNIT_TYPE } from './abi.ts';
import type { Code } from './asm/code.ts';
import { fusesMultiplyAdd } from './asm/fused.ts';
import { assembleModule } from './asm/module.ts';
import { type CodePage, extractRoutine, findBlocks, groupRoutines, type Routine } from './blocks.ts';
import { emitUnit } from './emit/unit.ts';
import { analyseFlow, outermostLoopHeads } from './flow.ts';

export interface TranslatorTuning {
  /** Samples of the interpreter after which a page is looked at; a sample is 1024 instructions. */
  readonly threshold?: number;
  /** How often each instruction of a routine must have been executed, on average. */
  readonly executions?: number;
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
}

/** What the translator has done so far. */
export interface TranslatorStatistics {
  /** Pages looked at. */
  pages: number;
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
  /** How often the routine that begins at an offset was translated. */
  readonly times: Map<number, number>;
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

/** A unit that is not compiled yet. */
interface Draft {
  readonly page: number;
  readonly ram: number;
  readonly generation: number;
  readonly slot: number;
  readonly routine: Routine;
  readonly code: Code;
}

const SAMPLE_INSTRUCTIONS = 1024;
const DEFAULTS: Required<TranslatorTuning> = {
  threshold: 512,
  executions: 8000,
  batch: 16,
  patience: 8,
  maxModules: 4000,
  fused: true,
  nowMs: () => 0,
};

export class Translator {
  readonly statistics: TranslatorStatistics = {
    pages: 0,
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
  readonly #fused: boolean;
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
    this.#tuning = { ...DEFAULTS, ...options };
    const env: Record<string, unknown> = { memory: options.memory.memory };
    for (const { name } of HELPER_IMPORTS) env[name] = options.exports[name];
    this.#imports = { env: env as Record<string, never> };
    this.#fused = this.#tuning.fused && fusesMultiplyAdd(options.memory.memory);
    this.#setCell(HART_JIT_THRESHOLD, this.#tuning.threshold);
    this.#setCell(HART_JIT_QUEUED, 0);
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
  }

  // ── Choosing ──

  /** Drafts units of the routines of a page that the samples say are hot. */
  #look(page: number): void {
    const ram = this.#pageCell(page, PAGE_RAM);
    if (ram === 0) return;
    this.statistics.pages++;
    const record = this.#recordOf(page, ram);
    const blocks = findBlocks(this.#codePage(page));
    const groups = groupRoutines(blocks);
    const heat = this.#pageCell(page, PAGE_HEAT);
    const sampled = this.#sampledBlocks(page, blocks);
    const sizes = new Map<number, number>();
    for (const [index, block] of blocks.entries())
      sizes.set(groups[index]!, (sizes.get(groups[index]!) ?? 0) + block.insns.length);
    const shares = new Map<number, number>();
    for (const block of sampled) shares.set(groups[block]!, (shares.get(groups[block]!) ?? 0) + 1);
    let heads: number[] | undefined;
    for (const [group, share] of shares) {
      const executed = (share / sampled.length) * heat * SAMPLE_INSTRUCTIONS;
      const begin = blocks[groups.indexOf(group)]!.offset;
      const times = record.times.get(begin) ?? 0;
      if (executed < this.#tuning.executions * sizes.get(group)! * 4 ** times) continue;
      record.times.set(begin, times + 1);
      heads ??= outermostLoopHeads(blocks);
      // If it got hot again, its entries do not lead to where it is hot.
      const wanted = new Set(times === 0 ? heads : [...heads, ...sampled]);
      const routine = extractRoutine(blocks, groups, group, wanted);
      if (routine.entries.length > 0) this.#draft(page, ram, routine);
    }
    this.#setPageCell(page, PAGE_HEAT_LIMIT, heat * 2);
  }

  #codePage(page: number): CodePage {
    const { u8 } = this.#memory;
    const copy = page + PAGE_COPY;
    const ops = page + PAGE_OPS;
    return {
      halfword: (offset) => u8[copy + offset]! | (u8[copy + offset + 1]! << 8),
      decoded: (offset) => u8[ops + 4 * offset] !== 0,
      expand: (halfword) => this.#exports.expandCompressed(halfword),
    };
  }

  /** The blocks the last samples of a page fell into, one for each sample. */
  #sampledBlocks(page: number, blocks: readonly { offset: number }[]): number[] {
    const found: number[] = [];
    for (let i = 0; i < PAGE_SAMPLE_COUNT; i++) {
      const offset = this.#memory.u16[(page + PAGE_SAMPLES + 2 * i) >>> 1]!;
      const after = blocks.findIndex((block) => block.offset > offset);
      const block = (after < 0 ? blocks.length : after) - 1;
      if (block >= 0) found.push(block);
    }
    return found;
  }

  #draft(page: number, ram: number, routine: Routine): void {
    const slot = this.#freeSlots.pop() ?? this.#exports.table.grow(1);
    const code = emitUnit(analyseFlow(routine), {
      hartBase: this.#hartBase,
      page,
      slot,
      entryHandler: this.#exports.jitEntryHandler(),
      fused: this.#fused,
    });
    const generation = this.#pageCell(page, PAGE_GENERATION);
    this.#drafts.push({ page, ram, generation, slot, routine, code });
  }

  // ── Installing ──

  #compile(drafts: readonly Draft[]): void {
    const began = this.#tuning.nowMs();
    this.#sweep();
    const bytes = assembleModule(
      HELPER_IMPORTS,
      UNIT_TYPE,
      drafts.map((draft) => draft.code),
    );
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports);
    const module: LiveModule = { units: 0 };
    this.#liveModules++;
    this.statistics.modules++;
    this.statistics.bytes += bytes.length;
    for (const [index, draft] of drafts.entries()) this.#install(draft, exports[String(index)], module);
    this.statistics.compileMs += this.#tuning.nowMs() - began;
  }

  #install({ page, ram, generation, slot, routine }: Draft, unit: unknown, module: LiveModule): void {
    if (this.#pageCell(page, PAGE_RAM) !== ram || this.#pageCell(page, PAGE_GENERATION) !== generation) {
      this.#freeSlots.push(slot);
      return;
    }
    module.units++;
    this.#exports.table.set(slot, unit);
    for (const [entry, block] of routine.entries.entries())
      this.#exports.jitEnterHere(page, routine.blocks[block]!.offset, slot, entry);
    this.#recordOf(page, ram).units.push({ slot, module });
    this.statistics.units++;
    this.statistics.instructions += routine.instructions;
  }

  // ── Dropping ──

  /** The record of a page, without what belonged to an earlier life of it. */
  #recordOf(page: number, ram: number): PageRecord {
    let record = this.#pages.get(page);
    if (record !== undefined) this.#release(page, record);
    if (record === undefined || record.ram !== ram) {
      record = { ram, units: [], times: new Map() };
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
  }
}

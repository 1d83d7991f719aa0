/**
 * The translator of one hart: takes the pages the interpreter found hot, makes units of them, and
 * puts these where the interpreter module finds them. Works in the hart's thread, between runs.
 */
import type { SharedMemory } from '../../base/shared-memory.ts';
import {
  HART_JIT_QUEUE,
  HART_JIT_QUEUED,
  HART_JIT_THRESHOLD,
  PAGE_COPY,
  PAGE_HEAT,
  PAGE_HEAT_LIMIT,
  PAGE_OPS,
  PAGE_RAM,
  PAGE_SAMPLE,
} from '../layout.ts';
import { HELPER_IMPORTS, type TranslatorExports, UNIT_TYPE } from './abi.ts';
import type { Code } from './asm/code.ts';
import { assembleModule } from './asm/module.ts';
import { type CodePage, findBlocks } from './blocks.ts';
import { emitUnit } from './emit/unit.ts';
import { analyseFlow, type Flow, outermostLoopHeads } from './flow.ts';

export interface TranslatorOptions extends TranslatorTuning {
  readonly memory: SharedMemory;
  readonly hartBase: number;
  /** Exports of the hart's interpreter instance. */
  readonly exports: TranslatorExports & WebAssembly.Exports;
}

export interface TranslatorTuning {
  /** Samples of the interpreter after which a page is translated; a sample is 1024 instructions. */
  readonly threshold?: number;
  /** Pages translated into one module, if so many are waiting. */
  readonly batch?: number;
  /** Calls of `service` a page may wait for others to share its module. */
  readonly patience?: number;
}

/** What the translator has done so far. */
export interface TranslatorStatistics {
  units: number;
  modules: number;
  instructions: number;
  bytes: number;
}

/** A page's translation. */
interface Unit {
  /** The RAM page it is of. */
  readonly ram: number;
  readonly slot: number;
  /** Times this page was translated. */
  readonly times: number;
}

/** A translation that is not installed yet. */
interface Draft {
  readonly page: number;
  readonly slot: number;
  readonly flow: Flow;
  readonly code: Code;
}

const DEFAULT_THRESHOLD = 16;
const DEFAULT_BATCH = 16;
const DEFAULT_PATIENCE = 8;

export class Translator {
  readonly statistics: TranslatorStatistics = { units: 0, modules: 0, instructions: 0, bytes: 0 };
  readonly #memory: SharedMemory;
  readonly #hartBase: number;
  readonly #exports: TranslatorExports;
  readonly #imports: WebAssembly.Imports;
  readonly #threshold: number;
  readonly #batch: number;
  readonly #patience: number;
  readonly #units = new Map<number, Unit>();
  #waited = 0;

  constructor(options: TranslatorOptions) {
    this.#memory = options.memory;
    this.#hartBase = options.hartBase;
    this.#exports = options.exports;
    this.#threshold = options.threshold ?? DEFAULT_THRESHOLD;
    this.#batch = options.batch ?? DEFAULT_BATCH;
    this.#patience = options.patience ?? DEFAULT_PATIENCE;
    const env: Record<string, unknown> = { memory: options.memory.memory };
    for (const { name } of HELPER_IMPORTS) env[name] = options.exports[name];
    this.#imports = { env };
    this.reset();
  }

  /** After a reset of the hart, which clears its cells. */
  reset(): void {
    this.#setCell(HART_JIT_THRESHOLD, this.#threshold);
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

  /** Between two runs: translates what is waiting, if it is enough or has waited long enough. */
  service(): void {
    const queued = this.#cell(HART_JIT_QUEUED);
    if (queued === 0) return;
    if (queued < this.#batch && ++this.#waited < this.#patience) return;
    this.#waited = 0;
    const pages: number[] = [];
    for (let i = 0; i < queued; i++) pages.push(this.#cell(HART_JIT_QUEUE + 4 * i));
    this.#setCell(HART_JIT_QUEUED, 0);
    for (let i = 0; i < pages.length; i += this.#batch) this.#translate(pages.slice(i, i + this.#batch));
  }

  #codePage(page: number): CodePage {
    const { view, u8 } = this.#memory;
    return {
      halfword: (offset) => view.getUint16(page + PAGE_COPY + offset, true),
      decoded: (offset) => u8[page + PAGE_OPS + 4 * offset] !== 0,
      expand: (halfword) => this.#exports.expandCompressed(halfword),
    };
  }

  /** Translates pages into one module and installs their entries. */
  #translate(pages: readonly number[]): void {
    const drafts = pages.map((page) => this.#draft(page)).filter((draft) => draft !== undefined);
    if (drafts.length === 0) return;
    const bytes = assembleModule(
      HELPER_IMPORTS,
      UNIT_TYPE,
      drafts.map((draft) => draft.code),
    );
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), this.#imports);
    for (const [index, { page, slot, flow }] of drafts.entries()) {
      this.#exports.table.set(slot, exports[String(index)]);
      this.#exports.jitDrop(page);
      for (const [entry, block] of flow.entries.entries())
        this.#exports.jitEnterHere(page, flow.blocks[block]!.offset, slot, entry);
      for (const { insns } of flow.blocks) this.statistics.instructions += insns.length;
    }
    this.statistics.units += drafts.length;
    this.statistics.modules++;
    this.statistics.bytes += bytes.length;
  }

  /** A page's unit, not yet compiled; undefined if there is nothing to translate. */
  #draft(page: number): Draft | undefined {
    const ram = this.#pageCell(page, PAGE_RAM);
    if (ram === 0) return undefined;
    const known = this.#units.get(page);
    const times = known?.ram === ram ? known.times + 1 : 1;
    const slot = known?.slot ?? this.#exports.table.grow(1);
    this.#units.set(page, { ram, slot, times });
    this.#setPageCell(page, PAGE_HEAT, 0);
    this.#setPageCell(page, PAGE_HEAT_LIMIT, this.#threshold * 4 ** times);

    const codePage = this.#codePage(page);
    const first = findBlocks(codePage, []);
    const forced = outermostLoopHeads(first).map((block) => first.blocks[block]!.offset);
    // It got hot again: what was sampled last is not reached by the entries it had.
    if (times > 1) forced.push(this.#pageCell(page, PAGE_SAMPLE));
    const blocks = findBlocks(codePage, forced);
    if (blocks.entries.length === 0) return undefined;
    const flow = analyseFlow(blocks);
    const code = emitUnit(flow, {
      hartBase: this.#hartBase,
      page,
      slot,
      entryHandler: this.#exports.jitEntryHandler(),
    });
    return { page, slot, flow, code };
  }
}

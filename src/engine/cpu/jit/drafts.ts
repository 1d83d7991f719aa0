/** From a hot page to the code of its hot routines: what needs neither the hart nor its thread. */
import { PAGE_SAMPLE_COUNT } from '../layout.ts';
import type { Code } from './asm/code.ts';
import { type CodePage, extractRoutine, findBlocks, groupRoutines } from './blocks.ts';
import { emitUnit } from './emit/unit.ts';
import { analyseFlow, outermostLoopHeads } from './flow.ts';

/** Instructions of the interpreter that one sample stands for. */
export const SAMPLE_INSTRUCTIONS = 1024;

/** A decoded page the interpreter found hot, as it was at that moment. */
export interface HotPage {
  /** Its address in the memory, the RAM page it is of, and which of its lives this is. */
  readonly page: number;
  readonly ram: number;
  readonly generation: number;
  /** Samples that fell into it. */
  readonly heat: number;
  /** Byte offsets in the page of the last PAGE_SAMPLE_COUNT of them. */
  sample(index: number): number;
  readonly code: CodePage;
}

/** A unit that is not compiled yet. */
export interface Draft {
  readonly page: number;
  readonly ram: number;
  readonly generation: number;
  /** In the hart's table. */
  readonly slot: number;
  /** Byte offsets in the page at which it is entered, by entry number. */
  readonly entries: readonly number[];
  /** How many guest instructions it holds. */
  readonly instructions: number;
  readonly code: Code;
}

export interface DrafterOptions {
  /** Address of the area of the hart whose code it is. */
  readonly hartBase: number;
  /** Handler number of ops that are entries of translated code. */
  readonly entryHandler: number;
  /** Whether the engine's multiply-add rounds once (asm/fused.ts). */
  readonly fused: boolean;
  /** How often each instruction of a routine must have been executed, on average. */
  readonly executions: number;
}

/** Chooses and emits, for one hart; remembers what it has translated how often. Any thread, always the same. */
export class Drafter {
  readonly #options: DrafterOptions;
  /** By page: how often the routine that begins at an offset was translated. */
  readonly #pages = new Map<number, { readonly ram: number; readonly times: Map<number, number> }>();

  constructor(options: DrafterOptions) {
    this.#options = options;
  }

  /** All translations were dropped: nothing has been translated yet. */
  forget(): void {
    this.#pages.clear();
  }

  /**
   * Drafts units of the routines of a page that the samples say are hot.
   * @param takeSlot a free slot of the hart's table; undefined: there is none, the routine has to get hot again
   */
  draft(hot: HotPage, takeSlot: () => number | undefined): Draft[] {
    const { page, ram, generation, heat } = hot;
    const drafts: Draft[] = [];
    const times = this.#timesOf(page, ram);
    const blocks = findBlocks(hot.code);
    const groups = groupRoutines(blocks);
    const sampled = sampledBlocks(hot, blocks);
    const sizes = new Map<number, number>();
    for (const [index, block] of blocks.entries())
      sizes.set(groups[index]!, (sizes.get(groups[index]!) ?? 0) + block.insns.length);
    const shares = new Map<number, number>();
    for (const block of sampled) shares.set(groups[block]!, (shares.get(groups[block]!) ?? 0) + 1);
    let heads: number[] | undefined;
    for (const [group, share] of shares) {
      const executed = (share / sampled.length) * heat * SAMPLE_INSTRUCTIONS;
      const begin = blocks[groups.indexOf(group)]!.offset;
      const before = times.get(begin) ?? 0;
      if (executed < this.#options.executions * sizes.get(group)! * 4 ** before) continue;
      heads ??= outermostLoopHeads(blocks);
      // If it got hot again, its entries do not lead to where it is hot.
      const wanted = new Set(before === 0 ? heads : [...heads, ...sampled]);
      const routine = extractRoutine(blocks, groups, group, wanted);
      const slot = routine.entries.length > 0 ? takeSlot() : undefined;
      if (routine.entries.length > 0 && slot === undefined) continue;
      times.set(begin, before + 1);
      if (slot === undefined) continue;
      const { hartBase, entryHandler, fused } = this.#options;
      const code = emitUnit(analyseFlow(routine), { hartBase, page, slot, entryHandler, fused });
      const entries = routine.entries.map((block) => routine.blocks[block]!.offset);
      drafts.push({ page, ram, generation, slot, entries, instructions: routine.instructions, code });
    }
    return drafts;
  }

  #timesOf(page: number, ram: number): Map<number, number> {
    let record = this.#pages.get(page);
    if (record === undefined || record.ram !== ram) {
      record = { ram, times: new Map() };
      this.#pages.set(page, record);
    }
    return record.times;
  }
}

/** The blocks the last samples of a page fell into, one for each sample. */
function sampledBlocks(hot: HotPage, blocks: readonly { offset: number }[]): number[] {
  const found: number[] = [];
  for (let i = 0; i < PAGE_SAMPLE_COUNT; i++) {
    const offset = hot.sample(i);
    const after = blocks.findIndex((block) => block.offset > offset);
    const block = (after < 0 ? blocks.length : after) - 1;
    if (block >= 0) found.push(block);
  }
  return found;
}

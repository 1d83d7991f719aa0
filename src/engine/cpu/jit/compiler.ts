/** The work of the compiler's thread: drafts for all harts, in turn, what their translators hand over. */
import type { SharedMemory } from '../../base/shared-memory.ts';
import { HELPER_IMPORTS, type TranslatorExports, UNIT_TYPE } from './abi.ts';
import { fusesMultiplyAdd } from './asm/fused.ts';
import { assembleModule } from './asm/module.ts';
import { CompilerLayout, CompileServer } from './compile-queue.ts';
import { type Draft, Drafter } from './drafts.ts';
import { TRANSLATOR_DEFAULTS, type TranslatorTuning } from './translator.ts';

export interface CompilerOptions {
  readonly memory: SharedMemory;
  /** By hart: its area and its queue. */
  readonly harts: readonly { readonly hartBase: number; readonly queue: number }[];
  /** Address of the words it shares with all harts (CompilerLayout). */
  readonly compiler: number;
  /** The compiled interpreter; what is asked of it depends on no hart. */
  readonly interpreter: WebAssembly.Module;
  readonly tuning?: TranslatorTuning;
}

interface HartWork {
  readonly queue: CompileServer;
  readonly drafter: Drafter;
  readonly slots: number[];
  readonly drafts: Draft[];
  flushes: number;
}

/** Belongs to the compiler's thread. */
export class Compiler {
  readonly #memory: SharedMemory;
  readonly #serving: number;
  readonly #harts: readonly HartWork[];
  readonly #batch: number;

  constructor({ memory, harts, compiler, interpreter, tuning }: CompilerOptions) {
    const { executions, eagerness, fused, batch } = { ...TRANSLATOR_DEFAULTS, ...tuning };
    this.#memory = memory;
    this.#serving = compiler + CompilerLayout.at.serving;
    this.#batch = batch;
    const nothing = (): number => 0;
    const instance = new WebAssembly.Instance(interpreter, {
      env: { memory: memory.memory },
      host: { time_ticks: nothing, mmio_read: nothing, mmio_write: nothing },
    });
    const exports = instance.exports as unknown as TranslatorExports;
    const common = {
      entryHandler: exports.jitEntryHandler(),
      fused: fused && fusesMultiplyAdd(memory.memory),
      executions: executions / eagerness,
    };
    const expand = (halfword: number): number => exports.expandCompressed(halfword);
    this.#harts = harts.map(({ hartBase, queue }) => ({
      queue: new CompileServer(memory, queue, expand),
      drafter: new Drafter({ ...common, hartBase }),
      slots: [],
      drafts: [],
      flushes: 0,
    }));
  }

  /** Harts may hand over pages from now on. */
  open(): void {
    // ORDER: pairs with the load in CompileClient.post().
    this.#memory.store32(this.#serving, 1);
  }

  /**
   * Does what there is to do; false if there was nothing.
   * @param patient units may wait for others to share their module
   */
  turn(patient: boolean): boolean {
    let worked = false;
    for (const hart of this.#harts) {
      for (let job = hart.queue.takeJob(); job !== undefined; job = hart.queue.takeJob()) {
        worked = true;
        if (job.flushes !== hart.flushes) hart.drafter.forget();
        hart.flushes = job.flushes;
        hart.slots.push(...job.slots);
        hart.drafts.push(...hart.drafter.draft(job.hot, () => hart.slots.pop()));
        if (hart.drafts.length >= this.#batch) break;
      }
      const due = hart.drafts.length >= this.#batch || (!patient && hart.drafts.length > 0);
      if (due && hart.queue.hasRoom) {
        worked = true;
        this.#hand(hart);
      }
    }
    return worked;
  }

  /** Are there units that wait for company, and could go? */
  get isWaiting(): boolean {
    return this.#harts.some(({ drafts, queue }) => drafts.length > 0 && queue.hasRoom);
  }

  /** Hands a module over, of as many units as there is room for. */
  #hand({ queue, drafts, slots }: HartWork): void {
    for (let count = Math.min(this.#batch, drafts.length); count > 0; count >>= 1) {
      const units = drafts.slice(0, count);
      const codes = units.map(({ code }) => code);
      if (queue.put(units, assembleModule(HELPER_IMPORTS, UNIT_TYPE, codes))) {
        drafts.splice(0, count);
        return;
      }
    }
    // Too large by itself: it stays interpreted.
    const dropped = drafts.shift();
    if (dropped !== undefined) slots.push(dropped.slot);
  }
}

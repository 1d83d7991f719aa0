/**
 * Between a hart's translator and the compiler's thread, in the machine's shared memory: hot pages go there by value,
 * modules come back as bytes. As bytes, because a hart's thread receives no messages: it runs the guest or sleeps.
 *
 * One writer and one reader each way:
 *  - jobs: a ring; `posted` and `taken` count them and wrap at 2^32;
 *  - modules: one place; `full` is 1 from when it was written until the hart has taken it.
 */
import { assert } from '../../base/assert.ts';
import type { SharedMemory } from '../../base/shared-memory.ts';
import { struct } from '../../base/struct.ts';
import { WakeWord, WakeWordLayout } from '../../base/wake-word.ts';
import {
  PAGE_COPY,
  PAGE_GENERATION,
  PAGE_HEAT,
  PAGE_OPS,
  PAGE_RAM,
  PAGE_SAMPLE_COUNT,
  PAGE_SAMPLES,
} from '../layout.ts';
import { PAGE_BYTES } from './blocks.ts';
import type { Draft, HotPage } from './drafts.ts';

/** Jobs that may wait. */
const JOBS = 16;
/** Slots of the hart's table that the compiler may hold, its drafts' included. */
export const LENT_SLOTS = 32;
/** For one module: its units as words, then its bytes. */
const MODULE_BYTES = 512 * 1024;

const JobLayout = struct(
  'CompileJob',
  {
    page: 'u32',
    ram: 'u32',
    generation: 'u32',
    heat: 'u32',
    flushes: 'u32',
    slotCount: 'u32',
    slots: `bytes:${LENT_SLOTS * 4}`,
    samples: `bytes:${PAGE_SAMPLE_COUNT * 2}`,
    copy: `bytes:${PAGE_BYTES}`,
    decoded: `bytes:${PAGE_BYTES / 2}`,
  },
  64,
);
const QueueLayout = struct(
  'CompileQueue',
  {
    posted: 'u32',
    spare0: 'bytes:60',
    taken: 'u32',
    full: 'u32',
    spare1: 'bytes:56',
    module: `bytes:${MODULE_BYTES}`,
  },
  64,
);
const JOBS_AT = QueueLayout.size;

/** Bytes of one hart's queue; 64-byte aligned, zeroed. */
export const COMPILE_QUEUE_BYTES = QueueLayout.size + JOBS * JobLayout.size;

/** What all harts of a machine share with the compiler: its wake word, and whether it is there. */
export const CompilerLayout = struct(
  'Compiler',
  { wake: `bytes:${WakeWordLayout.size}`, serving: 'u32' },
  64,
);

/** Where a queue and the compiler's own words are. */
export interface CompileQueueAddrs {
  readonly queue: number;
  readonly compiler: number;
}

/** A module, as its hart takes it. */
export interface CompiledModule {
  readonly units: readonly Omit<Draft, 'code'>[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const J = JobLayout.at;
const Q = QueueLayout.at;

/** The hart's end. Belongs to the hart's thread. */
export class CompileClient {
  readonly #mem: SharedMemory;
  readonly #queue: number;
  readonly #serving: number;
  readonly #wake: WakeWord;
  #posted = 0;
  /** Slots the compiler holds. */
  #lent = 0;

  constructor(mem: SharedMemory, addrs: CompileQueueAddrs) {
    this.#mem = mem;
    this.#queue = addrs.queue;
    this.#serving = addrs.compiler + CompilerLayout.at.serving;
    this.#wake = new WakeWord(mem, addrs.compiler + CompilerLayout.at.wake);
    this.#posted = mem.load32(this.#queue + Q.posted);
  }

  /**
   * Hands a hot page over, if there is a compiler, and it is not behind.
   * @param flushes how often all translations were dropped; when that has changed, the compiler forgets what it did
   * @param takeSlot a free slot of the table, for the compiler to use
   */
  post(page: number, flushes: number, takeSlot: () => number): 'posted' | 'behind' | 'absent' {
    const mem = this.#mem;
    // ORDER: pairs with the store in Compiler.open(): from then on jobs are taken.
    if (mem.load32(this.#serving) === 0) return 'absent';
    // ORDER: pairs with the store of `taken` in CompileServer.takeJob(): the job before has been read.
    if ((this.#posted - mem.load32(this.#queue + Q.taken)) >>> 0 >= JOBS) return 'behind';
    const job = this.#queue + JOBS_AT + (this.#posted % JOBS) * JobLayout.size;
    const word = (addr: number, value: number): void => {
      mem.u32[addr >>> 2] = value;
    };
    word(job + J.page, page);
    for (const [to, from] of [
      [J.ram, PAGE_RAM],
      [J.generation, PAGE_GENERATION],
      [J.heat, PAGE_HEAT],
    ] as const)
      word(job + to, mem.u32[(page + from) >>> 2]!);
    word(job + J.flushes, flushes);
    const slots = LENT_SLOTS - this.#lent;
    word(job + J.slotCount, slots);
    for (let i = 0; i < slots; i++) word(job + J.slots + 4 * i, takeSlot());
    this.#lent += slots;
    mem.u8.copyWithin(job + J.samples, page + PAGE_SAMPLES, page + PAGE_SAMPLES + 2 * PAGE_SAMPLE_COUNT);
    mem.u8.copyWithin(job + J.copy, page + PAGE_COPY, page + PAGE_COPY + PAGE_BYTES);
    for (let i = 0; i < PAGE_BYTES / 2; i++) mem.u8[job + J.decoded + i] = mem.u8[page + PAGE_OPS + 8 * i]!;
    this.#posted = (this.#posted + 1) >>> 0;
    // ORDER: pairs with the load of `posted` in CompileServer.takeJob(): a job is complete before it is counted.
    mem.store32(this.#queue + Q.posted, this.#posted);
    this.#wake.wake();
    return 'posted';
  }

  /** The next module that is done. Asked for each time the hart leaves its translations: nothing is made while there is none. */
  take(): CompiledModule | undefined {
    // ORDER: pairs with the store of `full` in CompileServer.put(): the module has been written.
    return this.#mem.load32(this.#queue + Q.full) === 0 ? undefined : this.#read();
  }

  #read(): CompiledModule {
    const mem = this.#mem;
    let at = (this.#queue + Q.module) >>> 2;
    const word = (): number => mem.u32[at++]!;
    const units = Array.from({ length: word() }, () => {
      const [page, ram, generation, slot, instructions, count] = [
        word(),
        word(),
        word(),
        word(),
        word(),
        word(),
      ];
      return { page, ram, generation, slot, instructions, entries: Array.from({ length: count }, word) };
    });
    const length = word();
    const bytes = mem.u8.slice(at << 2, (at << 2) + length);
    this.#lent -= units.length;
    // ORDER: pairs with the load of `full` in CompileServer.put(): it has been read.
    mem.store32(this.#queue + Q.full, 0);
    this.#wake.wake();
    return { units, bytes };
  }
}

/** A hot page by value, the slots that come with it, and how often all was dropped before. */
export interface CompileJob {
  readonly hot: HotPage;
  readonly slots: readonly number[];
  readonly flushes: number;
}

/** The compiler's end of one hart's queue. Belongs to the compiler's thread. */
export class CompileServer {
  readonly #mem: SharedMemory;
  readonly #queue: number;
  readonly #expand: (halfword: number) => number;
  #taken = 0;

  /** @param expand 32-bit form of a compressed instruction */
  constructor(mem: SharedMemory, queue: number, expand: (halfword: number) => number) {
    this.#mem = mem;
    this.#queue = queue;
    this.#expand = expand;
    this.#taken = mem.load32(queue + Q.taken);
  }

  /** The next job. Its page is valid until the next call. */
  takeJob(): CompileJob | undefined {
    const mem = this.#mem;
    // ORDER: pairs with the store of `posted` in CompileClient.post(): the job is complete.
    if (mem.load32(this.#queue + Q.posted) === this.#taken) return undefined;
    const job = this.#queue + JOBS_AT + (this.#taken % JOBS) * JobLayout.size;
    const word = (addr: number): number => mem.u32[addr >>> 2]!;
    // By value: once it counts as taken its place may be written.
    const copy = mem.u8.slice(job + J.copy, job + J.copy + PAGE_BYTES);
    const decoded = mem.u8.slice(job + J.decoded, job + J.decoded + PAGE_BYTES / 2);
    const samples = Array.from(
      { length: PAGE_SAMPLE_COUNT },
      (_, i) => mem.u16[(job + J.samples + 2 * i) >>> 1]!,
    );
    const slots = Array.from({ length: word(job + J.slotCount) }, (_, i) => word(job + J.slots + 4 * i));
    const expand = this.#expand;
    const hot: HotPage = {
      page: word(job + J.page),
      ram: word(job + J.ram),
      generation: word(job + J.generation),
      heat: word(job + J.heat),
      sample: (index) => samples[index]!,
      code: {
        halfword: (offset) => copy[offset]! | (copy[offset + 1]! << 8),
        decoded: (offset) => decoded[offset >>> 1] !== 0,
        expand,
      },
    };
    const flushes = word(job + J.flushes);
    this.#taken = (this.#taken + 1) >>> 0;
    // ORDER: pairs with the load of `taken` in CompileClient.post(): the job has been read.
    mem.store32(this.#queue + Q.taken, this.#taken);
    return { hot, slots, flushes };
  }

  /** Is there room for a module? */
  get hasRoom(): boolean {
    // ORDER: pairs with the store of `full` in CompileClient.take(): the module before has been read.
    return this.#mem.load32(this.#queue + Q.full) === 0;
  }

  /** Writes a module. False: it is larger than what there is for one. Only where `hasRoom`. */
  put(units: readonly Draft[], bytes: Uint8Array): boolean {
    assert(this.hasRoom, 'compiler: a module over one that was not taken');
    const words = [units.length];
    for (const { page, ram, generation, slot, instructions, entries } of units)
      words.push(page, ram, generation, slot, instructions, entries.length, ...entries);
    words.push(bytes.length);
    if (words.length * 4 + bytes.length > MODULE_BYTES) return false;
    const at = this.#queue + Q.module;
    this.#mem.u32.set(words, at >>> 2);
    this.#mem.u8.set(bytes, at + words.length * 4);
    // ORDER: pairs with the load of `full` in CompileClient.take(): it has been written.
    this.#mem.store32(this.#queue + Q.full, 1);
    return true;
  }
}

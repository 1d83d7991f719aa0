import { SharedMemory } from '../../../base/shared-memory.ts';

/** A small shared memory for tests. */
export const testMemory = (pages = 4): SharedMemory =>
  new SharedMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));

/**
 * Shared memory that lets another "thread" in before any chosen atomic access of the running one. A test
 * runs an operation once for each access and puts the other operation there: every point at which a real
 * thread could be overtaken is tried, deterministically.
 */
export class HookedMemory extends SharedMemory {
  #countdown = -1;
  #intruder: (() => void) | undefined;

  /** Before access number `access` (0 is the next one), runs `intruder`, whole. */
  interruptAt(access: number, intruder: () => void): void {
    this.#countdown = access;
    this.#intruder = intruder;
  }

  /** Was the intruder let in since `interruptAt`? */
  get interrupted(): boolean {
    return this.#intruder === undefined;
  }

  cancel(): void {
    this.#intruder = undefined;
  }

  #step(): void {
    if (this.#intruder === undefined || this.#countdown-- > 0) return;
    const intruder = this.#intruder;
    this.#intruder = undefined;
    intruder();
  }

  override load32(addr: number): number {
    this.#step();
    return super.load32(addr);
  }
  override store32(addr: number, value: number): void {
    this.#step();
    super.store32(addr, value);
  }
  override add32(addr: number, value: number): number {
    this.#step();
    return super.add32(addr, value);
  }
  override or32(addr: number, bits: number): number {
    this.#step();
    return super.or32(addr, bits);
  }
  override and32(addr: number, bits: number): number {
    this.#step();
    return super.and32(addr, bits);
  }
  override exchange32(addr: number, value: number): number {
    this.#step();
    return super.exchange32(addr, value);
  }
  override cas32(addr: number, expected: number, value: number): number {
    this.#step();
    return super.cas32(addr, expected, value);
  }
}

export const hookedMemory = (pages = 4): HookedMemory =>
  new HookedMemory(new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }));

/**
 * Runs `scenario` once for each point at which `main` can be overtaken by `intruder`, then once without.
 * `scenario` prepares fresh state and returns the two operations and the check.
 */
export function everyInterleaving(
  scenario: () => {
    mem: HookedMemory;
    main: () => void;
    intruder: () => void;
    check: (where: string) => void;
  },
): number {
  for (let access = 0; ; access++) {
    const { mem, main, intruder, check } = scenario();
    mem.interruptAt(access, intruder);
    main();
    if (!mem.interrupted) {
      mem.cancel();
      intruder();
      check('intruder afterwards');
      return access;
    }
    check(`intruder before access ${access}`);
  }
}

import type { HartRig } from './hart-rig.ts';

/** Page table entry bits. */
export const PTE = { V: 1n, R: 2n, W: 4n, X: 8n, U: 16n, G: 32n, A: 64n, D: 128n } as const;
export const RWX = PTE.V | PTE.R | PTE.W | PTE.X;
export const AD = PTE.A | PTE.D;

export type SatpMode = 'sv39' | 'sv48';
const LEVELS: Record<SatpMode, number> = { sv39: 3, sv48: 4 };
const SATP_MODE: Record<SatpMode, bigint> = { sv39: 8n, sv48: 9n };

/** Builds page tables in a rig's RAM, from `first` upwards. */
export class PageTable {
  readonly root: number;
  readonly #rig: HartRig;
  readonly #mode: SatpMode;
  #next: number;

  constructor(rig: HartRig, mode: SatpMode, first: number) {
    this.#rig = rig;
    this.#mode = mode;
    this.root = first;
    this.#next = first;
    this.#allocate();
  }

  get satp(): bigint {
    return this.satpOf(0n);
  }

  satpOf(asid: bigint): bigint {
    return (SATP_MODE[this.#mode] << 60n) | (asid << 44n) | BigInt(this.root / 4096);
  }

  #allocate(): number {
    const page = this.#next;
    this.#next += 4096;
    for (let offset = 0; offset < 4096; offset += 8) this.#rig.poke64(page + offset, 0n);
    return page;
  }

  /** Address of the entry for `va` at `level` (0: 4 KiB pages), making the tables above it. */
  entry(va: bigint, level = 0): number {
    let table = this.root;
    for (let at = LEVELS[this.#mode] - 1; ; at--) {
      const entry = table + 8 * Number((va >> BigInt(12 + 9 * at)) & 511n);
      if (at === level) return entry;
      const pte = this.#rig.peek64(entry);
      table = (pte & PTE.V) === 0n ? this.#allocate() : Number((pte >> 10n) << 12n);
      this.#rig.poke64(entry, (BigInt(table / 4096) << 10n) | PTE.V);
    }
  }

  /** Maps `va` to `pa` with the given flags; level 1 and up are superpages. Returns the entry's address. */
  map(va: bigint, pa: number, flags: bigint, level = 0): number {
    const entry = this.entry(va, level);
    this.#rig.poke64(entry, (BigInt(pa / 4096) << 10n) | flags);
    return entry;
  }
}

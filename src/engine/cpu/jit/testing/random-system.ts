/** What random programs in virtual memory do to their address space. */
import { csrrc, csrrs, csrrw, sd, sfenceVma } from '../../testing/encode.ts';
import { CSR, DATA, type HartRig, RAM } from '../../testing/hart-rig.ts';
import { AD, PageTable, PTE, RWX } from '../../testing/page-table.ts';
import { type PRIV_S, PRIV_U } from '../../layout.ts';
import { ALIAS, PROGRAM_BYTES } from './handler.ts';
import { DATA_POINTERS, type Random } from './random-program.ts';

/** Registers that hold: the bits SUM and MXR, two entries for a page table, where to put them, two values of satp. */
const RIGHTS = 2;
const ENTRIES = [3, 4];
const ENTRY_AT = 8;
const SPACES = [26, 27];

const SUM_MXR = 3n << 18n;
const TABLES = DATA + 0x10_0000;
const PAGE = 4096;

/** One to two instructions that change what virtual addresses mean. */
export function randomSystem(random: Random): number[] {
  const one = (of: readonly number[]): number => of[random(of.length)]!;
  switch (random(8)) {
    case 0:
    case 1:
      return [csrrw(0, CSR.satp, one(SPACES))];
    case 2:
      return [sfenceVma(0, 0)];
    case 3:
      return [sfenceVma(one(DATA_POINTERS), 0)];
    case 4:
      return [csrrs(0, CSR.sstatus, RIGHTS)];
    case 5:
      return [csrrc(0, CSR.sstatus, RIGHTS)];
    default:
      // What an access between the two finds is nobody's business.
      return [sd(one(ENTRIES), ENTRY_AT, 0), sfenceVma(0, 0)];
  }
}

/**
 * Two address spaces for a program at RAM. The program is where it is physically, and at ALIAS; the second space
 * has its pages there in another order, and other rights to the data.
 */
export function setUpSpaces(rig: HartRig, random: Random, priv: typeof PRIV_U | typeof PRIV_S): void {
  const own = priv === PRIV_U ? PTE.U : 0n;
  const code = RWX | AD | own;
  const first = new PageTable(rig, 'sv39', TABLES);
  const second = new PageTable(rig, random(2) === 0 ? 'sv39' : 'sv48', TABLES + 0x4_0000);
  const pages = PROGRAM_BYTES / PAGE;
  for (let i = 0; i < pages; i++) {
    const page = RAM + i * PAGE;
    const other = RAM + ((i + 1) % pages) * PAGE;
    for (const table of [first, second]) table.map(BigInt(page), page, code);
    first.map(BigInt(page + ALIAS), page, code);
    second.map(BigInt(page + ALIAS), other, code);
  }
  const rights = [RWX | own, PTE.V | PTE.R | own, RWX | AD | PTE.U, PTE.V | PTE.X | AD | own, 0n];
  const some = (): bigint => rights[random(4) === 0 ? random(rights.length) : 0]!;
  for (let i = 0; i < 4; i++) {
    const page = DATA + i * PAGE;
    first.map(BigInt(page), page, RWX | own);
    second.map(BigInt(page), DATA + (random(2) === 0 ? i : (i + 1) % 4) * PAGE, some());
  }
  const entry = first.entry(BigInt(DATA + PAGE));
  // The program can reach the tables' entries for its data.
  for (const table of [first, second]) table.map(BigInt(entry) & ~0xfffn, entry & ~0xfff, RWX | AD | own);
  const leaf = (page: number, flags: bigint): bigint => (BigInt(page / PAGE) << 10n) | flags;
  rig.hart.setX(RIGHTS, SUM_MXR);
  rig.hart.setX(ENTRIES[0]!, leaf(DATA + PAGE, RWX | own));
  rig.hart.setX(ENTRIES[1]!, leaf(DATA + 2 * PAGE, some()));
  rig.hart.setX(ENTRY_AT, BigInt(entry));
  rig.hart.setX(SPACES[0]!, first.satp);
  rig.hart.setX(SPACES[1]!, second.satp);
  rig.hart.writeCsr(CSR.satp, first.satp);
}

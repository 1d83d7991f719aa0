import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, it } from 'vitest';
import { PRIV_M, PRIV_S, PRIV_U } from '../layout.ts';
import { addi, amo, csrrc, csrrs, csrrw, jalr, ld, nop, sd, sfenceVma } from '../testing/encode.ts';
import { CAUSE, CSR, DATA, HartRig, M_HANDLER, RAM } from '../testing/hart-rig.ts';
import { AD, PageTable, PTE, RWX, type SatpMode } from '../testing/page-table.ts';

const rig = new HartRig(
  new WebAssembly.Module(readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url))),
);
const { hart } = rig;

const TABLES = RAM + 0x30_0000;
const OTHER = DATA + 0x1000;
/** A page of data, in the low half of the address space. */
const VA = 0x12_3456_7000n;
/** The code page, mapped to where it is. */
const CODE = BigInt(RAM);
const SUM = 1n << 18n;
const MXR = 1n << 19n;

let table: PageTable;

/** S (or U) mode with `words` at RAM, translated one to one, and VA → DATA with `flags`. */
function start(
  words: number[],
  flags: bigint,
  options: { mode?: SatpMode; priv?: 0 | 1; mstatus?: bigint } = {},
): number {
  const priv = options.priv ?? PRIV_S;
  rig.start(words, priv);
  table = new PageTable(rig, options.mode ?? 'sv39', TABLES);
  table.map(CODE, RAM, RWX | AD | (priv === PRIV_U ? PTE.U : 0n));
  const entry = table.map(VA, DATA, flags);
  hart.writeCsr(CSR.medeleg, 0n);
  hart.writeCsr(CSR.mstatus, options.mstatus ?? 0n);
  hart.writeCsr(CSR.satp, table.satp);
  hart.setX(5, VA);
  hart.setX(6, 0x1111n);
  rig.poke64(DATA, 0xdada_dadan);
  rig.poke64(OTHER, 0x0707_0707n);
  return entry;
}

/** Executes at `pc` again. */
function again(pc = RAM): void {
  hart.pc = BigInt(pc);
  rig.step();
}

const LOAD = ld(7, 5, 0);
const STORE = sd(6, 5, 0);
const JUMP = jalr(0, 5, 0);

describe.each(['sv39', 'sv48'] as const)('%s', (mode) => {
  it('loads, stores and fetches through the table', () => {
    start([LOAD, STORE, JUMP], RWX | AD, { mode });
    rig.program(DATA + 8, addi(9, 0, 5));
    hart.setX(5, VA);
    rig.step(2);
    expect(hart.getX(7)).toBe(0xdada_dadan);
    expect(rig.peek64(DATA)).toBe(0x1111n);
    hart.setX(5, VA + 8n);
    rig.step(2);
    expect(hart.getX(9)).toBe(5n);
    expect(hart.pc).toBe(VA + 12n);
  });

  it('translates superpages of every size', () => {
    for (let level = 1; level < (mode === 'sv39' ? 3 : 4); level++) {
      start([LOAD, STORE], RWX | AD, { mode });
      // RAM lies on a boundary of 1 GiB; the 512 GiB page must start at physical address 0.
      const base = level < 3 ? 0x30_0000_0000n : 1n << 39n;
      const first = level < 3 ? RAM : 0;
      table.map(base, first, RWX | AD, level);
      hart.setX(5, base + BigInt(DATA - first));
      rig.step(2);
      expect(hart.getX(7), `level ${level}`).toBe(0xdada_dadan);
      expect(rig.peek64(DATA)).toBe(0x1111n);
    }
  });

  it('a superpage that is not aligned is a page fault', () => {
    start([LOAD], RWX | AD, { mode });
    table.map(1n << 37n, RAM + 0x1000, RWX | AD, 1);
    hart.setX(5, 1n << 37n);
    rig.step();
    expect(rig.machineTrap()?.cause).toBe(CAUSE.loadPage);
  });

  it('addresses must be sign-extended from the top bit', () => {
    const top = mode === 'sv39' ? 38n : 47n;
    for (const va of [1n << top, 1n << 63n, (1n << 64n) - (1n << (top + 1n))]) {
      start([LOAD], RWX | AD, { mode });
      hart.setX(5, va);
      rig.step();
      expect(rig.machineTrap()).toEqual({ cause: CAUSE.loadPage, epc: CODE, tval: va });
    }
    start([LOAD], RWX | AD, { mode });
    const high = BigInt.asUintN(64, -0x1000n);
    table.map(high, DATA, RWX | AD);
    hart.setX(5, high);
    rig.step();
    expect(hart.getX(7)).toBe(0xdada_dadan);
  });
});

/** Which of load, store and fetch succeed. */
function rights(flags: bigint, options: { priv?: 0 | 1; mstatus?: bigint }): string {
  let result = '';
  for (const [name, word, cause] of [
    ['r', LOAD, CAUSE.loadPage],
    ['w', STORE, CAUSE.storePage],
    ['x', JUMP, CAUSE.fetchPage],
  ] as const) {
    start([word], flags, options);
    rig.program(DATA, nop());
    rig.step(name === 'x' ? 2 : 1);
    const trap = rig.machineTrap();
    if (trap === undefined) result += name;
    else expect(trap).toEqual({ cause, epc: name === 'x' ? VA : CODE, tval: VA });
  }
  return result;
}

describe('permissions', () => {
  const S = { priv: PRIV_S } as const;
  const U = { priv: PRIV_U } as const;
  const { V, R, W, X } = PTE;

  it.each([
    [V | R, 'r'],
    [V | R | W, 'rw'],
    [V | X, 'x'],
    [V | R | X, 'rx'],
    [RWX, 'rwx'],
    [V | W, ''],
    [V | W | X, ''],
    [R | W | X, ''],
    [0n, ''],
  ])('flags %i allow "%s"', (flags, allowed) => {
    expect(rights(flags | AD, S)).toBe(allowed);
    expect(rights(flags | AD | PTE.U, U)).toBe(allowed);
    expect(rights(flags | AD, U)).toBe('');
    expect(rights(flags | AD | PTE.U, S)).toBe('');
  });

  it('SUM opens user pages to loads and stores of S mode, not to its fetches', () => {
    expect(rights(RWX | AD | PTE.U, { ...S, mstatus: SUM })).toBe('rw');
    expect(rights(RWX | AD, { ...U, mstatus: SUM })).toBe('');
  });

  it('MXR makes executable pages readable', () => {
    expect(rights(V | X | AD, { ...S, mstatus: MXR })).toBe('rx');
    expect(rights(V | X | AD | PTE.U, { ...U, mstatus: MXR })).toBe('rx');
    expect(rights(V | X | AD | PTE.U, { ...S, mstatus: MXR })).toBe('');
    expect(rights(V | X | AD | PTE.U, { ...S, mstatus: MXR | SUM })).toBe('r');
  });

  it('bits of absent extensions and reserved bits are page faults', () => {
    for (const bit of [54n, 60n, 61n, 63n]) expect(rights(RWX | AD | (1n << bit), S)).toBe('');
  });

  it('A, D or U in a pointer to the next table is a page fault', () => {
    for (const bit of [PTE.A, PTE.D, PTE.U]) {
      start([LOAD], RWX | AD);
      const pointer = table.entry(VA, 1);
      rig.poke64(pointer, rig.peek64(pointer) | bit);
      rig.step();
      expect(rig.machineTrap()?.cause).toBe(CAUSE.loadPage);
    }
  });

  it('a pointer in the last level is a page fault', () => {
    start([LOAD], PTE.V);
    rig.step();
    expect(rig.machineTrap()?.cause).toBe(CAUSE.loadPage);
  });

  it('a table outside RAM is an access fault', () => {
    start([LOAD], RWX | AD);
    rig.poke64(table.entry(VA, 1), (0x1000n << 10n) | PTE.V);
    rig.step();
    expect(rig.machineTrap()?.cause).toBe(CAUSE.loadAccess);
  });

  it('AMO and SC fault as stores, LR as a load', () => {
    start([amo(0, 8, 7, 5, 6)], PTE.V | PTE.R | AD);
    rig.step();
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.storePage, epc: CODE, tval: VA });
    start([amo(2, 8, 7, 5, 0)], PTE.V | PTE.X | AD);
    rig.step();
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.loadPage, epc: CODE, tval: VA });
    start([amo(2, 8, 7, 5, 0), amo(3, 8, 7, 5, 6)], PTE.V | PTE.R | AD);
    rig.step(2);
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.storePage, epc: CODE + 4n, tval: VA });
  });
});

describe('H8: accessed and dirty bits', () => {
  it('are set by hardware: A by any access, D by stores only', () => {
    const entry = start([LOAD, STORE], RWX);
    rig.step();
    expect(rig.peek64(entry) & AD).toBe(PTE.A);
    rig.step();
    expect(rig.peek64(entry) & AD).toBe(AD);
  });

  it('a fetch sets A', () => {
    const entry = start([JUMP], RWX);
    rig.program(DATA, nop());
    rig.step(2);
    expect(rig.peek64(entry) & AD).toBe(PTE.A);
  });

  it('an access that faults sets neither', () => {
    const entry = start([STORE], PTE.V | PTE.R);
    rig.step();
    expect(rig.machineTrap()?.cause).toBe(CAUSE.storePage);
    expect(rig.peek64(entry) & AD).toBe(0n);
  });

  it('D is set although the page is already in the TLB for reading', () => {
    const entry = start([LOAD, LOAD, STORE], RWX);
    rig.step(3);
    expect(rig.peek64(entry) & AD).toBe(AD);
    expect(rig.peek64(DATA)).toBe(0x1111n);
  });

  it('the debugger’s translation sets nothing', () => {
    const entry = start([LOAD], RWX);
    expect(hart.translate(VA + 0x123n)).toBe(BigInt(DATA + 0x123));
    expect(hart.translate(VA + 0x1000n)).toBeUndefined();
    expect(rig.peek64(entry) & AD).toBe(0n);
  });
});

describe('accesses across two pages', () => {
  const LAST = VA + 0xffcn;
  beforeEach(() => {
    rig.poke64(DATA + 0xff8, 0n);
    rig.poke64(OTHER, 0n);
  });

  it('go to two frames that need not be neighbours', () => {
    start([LOAD, STORE], RWX | AD);
    const far = DATA + 0x5000;
    table.map(VA + 0x1000n, far, RWX | AD);
    rig.poke64(DATA + 0xff8, 0x4444_3333_2222_1111n);
    rig.poke64(far, 0x8888_7777_6666_5555n);
    hart.setX(5, LAST);
    hart.setX(6, 0xaaaa_bbbb_cccc_ddddn);
    rig.step(2);
    expect(hart.getX(7)).toBe(0x6666_5555_4444_3333n);
    expect(rig.peek64(DATA + 0xff8)).toBe(0xcccc_dddd_2222_1111n);
    expect(rig.peek64(far)).toBe(0x8888_7777_aaaa_bbbbn);
  });

  it('H5: fault with the address of the part that faults, and write nothing', () => {
    start([STORE, LOAD], RWX | AD);
    hart.setX(5, LAST);
    rig.step();
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.storePage, epc: CODE, tval: VA + 0x1000n });
    expect(rig.peek64(DATA + 0xff8)).toBe(0n);
    hart.privilege = PRIV_S;
    again(RAM + 4);
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.loadPage, epc: CODE + 4n, tval: VA + 0x1000n });
  });

  it('an instruction’s second half faults with its own address', () => {
    start([JUMP], RWX | AD);
    rig.halfwords(DATA + 0xffe, 0x0013);
    hart.setX(5, VA + 0xffen);
    rig.step(2);
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.fetchPage, epc: VA + 0xffen, tval: VA + 0x1000n });
  });

  it('an instruction may lie in two frames far apart', () => {
    start([JUMP], RWX | AD);
    const far = DATA + 0x5000;
    table.map(VA + 0x1000n, far, RWX | AD);
    const word = addi(9, 0, 77);
    rig.halfwords(DATA + 0xffe, word & 0xffff);
    rig.halfwords(far, word >>> 16);
    hart.setX(5, VA + 0xffen);
    rig.step(2);
    expect(hart.getX(9)).toBe(77n);
    expect(hart.pc).toBe(VA + 0x1002n);
  });
});

describe('H7: the TLB', () => {
  it('may keep a translation until sfence.vma, and drops it then', () => {
    for (const fence of [sfenceVma(0, 0), sfenceVma(5, 0), sfenceVma(0, 8), sfenceVma(5, 8)]) {
      start([LOAD, STORE, fence, LOAD], RWX | AD);
      hart.setX(8, 0n);
      rig.step(2);
      table.map(VA, OTHER, RWX | AD);
      rig.step(2);
      expect(hart.getX(7)).toBe(0x0707_0707n);
    }
  });

  it('sfence.vma of an address inside a superpage drops all of it', () => {
    start([LOAD, LOAD, sfenceVma(9, 0), LOAD], RWX | AD);
    const base = 1n << 37n;
    table.map(base, RAM, RWX | AD, 1);
    hart.setX(5, base + 0x10_0000n);
    hart.setX(9, base + 0x1000n);
    rig.step();
    expect(hart.getX(7)).toBe(0xdada_dadan);
    table.map(base, RAM + 0x20_0000, RWX | AD, 1);
    rig.poke64(DATA + 0x20_0000, 0xbeefn);
    rig.step(3);
    expect(hart.getX(7)).toBe(0xbeefn);
  });

  it('sfence.vma reaches the fetch', () => {
    start([JUMP], RWX | AD);
    rig.program(DATA, sfenceVma(0, 0), addi(9, 0, 1));
    rig.program(OTHER, nop(), addi(9, 0, 2));
    rig.step();
    table.map(VA, OTHER, RWX | AD);
    rig.step(2);
    expect(hart.getX(9)).toBe(2n);
  });

  it('keeps address spaces apart by ASID, and finds each again', () => {
    start([LOAD, csrrw(0, CSR.satp, 8), LOAD, csrrw(0, CSR.satp, 9), LOAD], RWX | AD);
    const first = table;
    const second = new PageTable(rig, 'sv39', TABLES + 0x1_0000);
    second.map(CODE, RAM, RWX | AD);
    second.map(VA, OTHER, RWX | AD);
    hart.writeCsr(CSR.satp, first.satpOf(1n));
    hart.setX(8, second.satpOf(2n));
    hart.setX(9, first.satpOf(1n));
    const seen: bigint[] = [];
    for (let i = 0; i < 5; i++) {
      rig.step();
      if (i % 2 === 0) seen.push(hart.getX(7));
    }
    expect(seen).toEqual([0xdada_dadan, 0x0707_0707n, 0xdada_dadan]);
  });

  it('keeps the translations of four address spaces that take turns, and sfence.vma of an address reaches all', () => {
    start([csrrw(0, CSR.satp, 8), LOAD, sfenceVma(5, 0)], RWX | AD);
    const asids = [1n, 2n, 3n, 4n];
    const seen = (): bigint[] =>
      asids.map((asid) => {
        hart.setX(8, table.satpOf(asid));
        hart.pc = CODE;
        rig.step(2);
        return hart.getX(7);
      });
    expect(seen()).toEqual(asids.map(() => 0xdada_dadan));
    const refills = hart.counters.tlbRefills;
    table.map(VA, OTHER, RWX | AD);
    expect(seen()).toEqual(asids.map(() => 0xdada_dadan));
    expect(hart.counters.tlbRefills).toBe(refills);
    rig.step();
    expect(seen()).toEqual(asids.map(() => 0x0707_0707n));
  });

  it('a superpage in the other half of the address space is none of the pages around an address', () => {
    start([LOAD, ld(9, 6, 0), sfenceVma(5, 0), ld(9, 6, 0)], RWX | AD, { mode: 'sv48' });
    const kernel = 0xffff_8000_0000_0000n | (VA & (511n << 30n));
    table.map(kernel, RAM, RWX | AD, 1);
    hart.setX(6, kernel);
    rig.step(2);
    const refills = hart.counters.tlbRefills;
    rig.step(2);
    expect(hart.counters.tlbRefills).toBe(refills);
  });

  it('a change of SUM takes effect at once, both ways', () => {
    start([csrrs(0, CSR.sstatus, 8), LOAD, csrrc(0, CSR.sstatus, 8), LOAD], RWX | AD | PTE.U);
    hart.setX(8, SUM);
    rig.step(2);
    expect(hart.getX(7)).toBe(0xdada_dadan);
    rig.step(2);
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.loadPage, epc: CODE + 12n, tval: VA });
  });

  it('a change of SUM flushes nothing', () => {
    start([csrrs(0, CSR.sstatus, 8), LOAD, csrrc(0, CSR.sstatus, 8), ld(7, 9, 0)], RWX | AD | PTE.U);
    table.map(VA + 0x5000n, OTHER, RWX | AD);
    hart.setX(8, SUM);
    hart.setX(9, VA + 0x5000n);
    rig.step(4);
    const refills = hart.counters.tlbRefills;
    for (let i = 0; i < 10; i++) {
      hart.pc = CODE;
      rig.step(4);
    }
    expect(hart.counters.tlbRefills).toBe(refills);
  });

  it('survives the reuse of context numbers after thousands of flushes', () => {
    start([LOAD, sfenceVma(0, 0)], RWX | AD);
    for (let i = 0; i < 5000; i++) {
      table.map(VA, i % 2 === 0 ? DATA : OTHER, RWX | AD);
      hart.pc = CODE;
      rig.step(2);
      if (hart.getX(7) !== (i % 2 === 0 ? 0xdada_dadan : 0x0707_0707n)) expect.fail(`flush ${i}`);
    }
  });
});

describe('MPRV', () => {
  it('translates data accesses of M mode as those of MPP', () => {
    start([], RWX | AD | PTE.U);
    hart.privilege = PRIV_M;
    rig.program(RAM + 0x100, LOAD, LOAD);
    hart.writeCsr(CSR.mstatus, 1n << 17n);
    hart.pc = BigInt(RAM + 0x100);
    rig.step();
    expect(hart.getX(7)).toBe(0xdada_dadan);
    hart.writeCsr(CSR.mstatus, (1n << 17n) | (1n << 11n));
    rig.step();
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.loadPage, epc: BigInt(RAM + 0x104), tval: VA });
    expect(hart.pc).toBe(BigInt(M_HANDLER));
  });
});

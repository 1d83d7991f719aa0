import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { addi, beq, bne, bType, jal, jalr, nop } from '../testing/encode.ts';
import { CAUSE, HartRig, RAM } from '../testing/hart-rig.ts';
import { operandPairs, signed } from '../testing/values.ts';

const rig = new HartRig(
  new WebAssembly.Module(readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url))),
);
const { hart } = rig;

const BRANCH: Record<string, [funct3: number, taken: (a: bigint, b: bigint) => boolean]> = {
  beq: [0, (a, b) => a === b],
  bne: [1, (a, b) => a !== b],
  blt: [4, (a, b) => signed(a) < signed(b)],
  bge: [5, (a, b) => signed(a) >= signed(b)],
  bltu: [6, (a, b) => a < b],
  bgeu: [7, (a, b) => a >= b],
};

/** Forward and backward, within the page and out of it, up to the ends of the format. */
const BRANCH_OFFSETS = [2, 4, 8, -2, -2048, 2046, 4094, -4096];
const JUMP_OFFSETS = [...BRANCH_OFFSETS, 4096, 0xffffe, -0x10_0000];
/** In the middle of a page with pages on both sides, for every offset above. */
const ORIGIN = RAM + 0x20_0800;

describe('branches', () => {
  it.each(Object.entries(BRANCH))('%s', (_, [funct3, taken]) => {
    for (const offset of BRANCH_OFFSETS) {
      rig.start([bType(funct3, 5, 6, offset)], 3, ORIGIN);
      for (const [a, b] of operandPairs(20)) {
        hart.pc = BigInt(ORIGIN);
        hart.setX(5, a);
        hart.setX(6, b);
        rig.step();
        const next = ORIGIN + (taken(a, b) ? offset : 4);
        if (hart.pc !== BigInt(next))
          expect.fail(`offset ${offset}: ${a}, ${b} went to 0x${hart.pc.toString(16)}`);
      }
    }
  });

  it('funct3 2 and 3 are reserved', () => {
    for (const funct3 of [2, 3]) {
      rig.start([bType(funct3, 0, 0, 8)]);
      rig.step();
      expect(rig.machineTrap()?.cause).toBe(CAUSE.illegal);
    }
  });
});

describe('jumps', () => {
  it.each(JUMP_OFFSETS)('jal by %i', (offset) => {
    for (const rd of [0, 1]) {
      rig.start([jal(rd, offset)], 3, ORIGIN);
      rig.step();
      expect(hart.pc).toBe(BigInt(ORIGIN + offset));
      expect(hart.getX(1)).toBe(rd === 0 ? 0n : BigInt(ORIGIN + 4));
    }
  });

  it.each([0, 4, 2047, -2048])('jalr by %i clears bit 0 of the target', (offset) => {
    for (const rd of [0, 1]) {
      rig.start([jalr(rd, 5, offset)]);
      hart.setX(5, BigInt(RAM + 0x10_0001));
      rig.step();
      expect(hart.pc).toBe(BigInt((RAM + 0x10_0001 + offset) & ~1) & 0xffff_ffffn);
      expect(hart.getX(1)).toBe(rd === 0 ? 0n : BigInt(RAM + 4));
    }
  });

  it('jalr reads its base before it writes the link to the same register', () => {
    rig.start([jalr(5, 5, 0)]);
    hart.setX(5, BigInt(RAM + 0x2000));
    rig.step();
    expect(hart.pc).toBe(BigInt(RAM + 0x2000));
    expect(hart.getX(5)).toBe(BigInt(RAM + 4));
  });
});

describe('fetch', () => {
  it('runs on from one page into the next', () => {
    rig.start([addi(5, 5, 1), addi(5, 5, 1), addi(5, 5, 1)], 3, RAM + 0x1ff8);
    rig.step(3);
    expect(hart.getX(5)).toBe(3n);
    expect(hart.pc).toBe(BigInt(RAM + 0x2004));
  });

  it('executes an instruction that straddles two pages, also in a loop', () => {
    // 0x1ffe: addi x5, x5, 1; 0x2002: bne x5, x6, -4
    rig.start([addi(5, 5, 1), bne(5, 6, -4)], 3, RAM + 0x1ffe);
    hart.setX(6, 1000n);
    rig.step(2000);
    expect(hart.getX(5)).toBe(1000n);
    expect(hart.pc).toBe(BigInt(RAM + 0x2006));
  });

  it('takes a branch out of a straddling instruction', () => {
    for (const [offset, equal] of [
      [-0x800, true],
      [0x40, true],
      [-0x800, false],
    ] as const) {
      rig.start([beq(5, 6, offset)], 3, RAM + 0x1ffe);
      hart.setX(5, equal ? 0n : 1n);
      rig.step();
      expect(hart.pc).toBe(BigInt(RAM + 0x1ffe + (equal ? offset : 4)));
    }
  });

  it('a jump out of RAM faults at its target', () => {
    rig.start([jalr(0, 0, 0x100)]);
    rig.step();
    expect(hart.pc).toBe(0x100n);
    rig.step();
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.fetchAccess, epc: 0x100n, tval: 0x100n });
  });

  it('the second half of an instruction beyond the end of RAM faults with its own address', () => {
    const last = RAM + 0x40_0000 - 2;
    rig.start([nop()]);
    rig.halfwords(last, 0x0013);
    hart.pc = BigInt(last);
    rig.step();
    expect(rig.machineTrap()).toEqual({
      cause: CAUSE.fetchAccess,
      epc: BigInt(last),
      tval: BigInt(last + 2),
    });
  });
});

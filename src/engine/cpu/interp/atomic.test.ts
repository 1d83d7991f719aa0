import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { amo, sd, sw } from '../testing/encode.ts';
import { CAUSE, DATA, HartRig, RAM } from '../testing/hart-rig.ts';
import { operandPairs, sext32, signed } from '../testing/values.ts';

const rig = new HartRig(
  new WebAssembly.Module(readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url))),
);
const { hart } = rig;

type Operation = (memory: bigint, register: bigint, bits: 32 | 64) => bigint;
const wide = (value: bigint, bits: number): bigint => BigInt.asIntN(bits, value);

const AMO: Record<string, [funct5: number, Operation]> = {
  amoadd: [0x00, (m, r) => m + r],
  amoswap: [0x01, (_, r) => r],
  amoxor: [0x04, (m, r) => m ^ r],
  amoor: [0x08, (m, r) => m | r],
  amoand: [0x0c, (m, r) => m & r],
  amomin: [0x10, (m, r, bits) => (wide(m, bits) < wide(r, bits) ? m : r)],
  amomax: [0x14, (m, r, bits) => (wide(m, bits) > wide(r, bits) ? m : r)],
  amominu: [0x18, (m, r, bits) => (BigInt.asUintN(bits, m) < BigInt.asUintN(bits, r) ? m : r)],
  amomaxu: [0x1c, (m, r, bits) => (BigInt.asUintN(bits, m) > BigInt.asUintN(bits, r) ? m : r)],
};
const LR = 0x02;
const SC = 0x03;

describe('AMO', () => {
  it.each(Object.entries(AMO))('%s', (_, [funct5, operation]) => {
    for (const size of [4, 8] as const) {
      const bits = size === 4 ? 32 : 64;
      rig.start([amo(funct5, size, 7, 5, 6)]);
      for (const [memory, register] of operandPairs(50)) {
        rig.poke64(DATA, memory);
        hart.pc = BigInt(RAM);
        hart.setX(5, BigInt(DATA));
        hart.setX(6, register);
        rig.step();
        const result = BigInt.asUintN(bits, operation(memory, register, bits));
        const expected = size === 8 ? result : (memory & ~0xffff_ffffn) | result;
        if (rig.peek64(DATA) !== expected || hart.getX(7) !== (size === 8 ? memory : sext32(memory)))
          expect.fail(`${bits} bits: ${memory.toString(16)}, ${register.toString(16)}`);
      }
    }
  });

  it('with rd, rs1 and rs2 the same register', () => {
    rig.start([amo(0x01, 8, 5, 5, 5)]);
    rig.poke64(DATA, 99n);
    hart.setX(5, BigInt(DATA));
    rig.step();
    expect(hart.getX(5)).toBe(99n);
    expect(rig.peek64(DATA)).toBe(BigInt(DATA));
  });

  it('into x0 still changes memory', () => {
    rig.start([amo(0x00, 8, 0, 5, 6)]);
    rig.poke64(DATA, 40n);
    hart.setX(5, BigInt(DATA));
    hart.setX(6, 2n);
    rig.step();
    expect(rig.peek64(DATA)).toBe(42n);
    expect(hart.getX(0)).toBe(0n);
  });

  it.each([4, 8] as const)('misaligned, size %i', (size) => {
    for (const [funct5, cause] of [
      [0x00, CAUSE.storeMisaligned],
      [LR, CAUSE.loadMisaligned],
      [SC, CAUSE.storeMisaligned],
    ] as const) {
      rig.start([amo(funct5, size, 7, 5, 0)]);
      hart.setX(5, BigInt(DATA + size / 2));
      rig.step();
      expect(rig.machineTrap()).toEqual({ cause, epc: BigInt(RAM), tval: BigInt(DATA + size / 2) });
    }
  });

  it('the bus has no atomics', () => {
    for (const [funct5, cause] of [
      [0x00, CAUSE.storeAccess],
      [LR, CAUSE.loadAccess],
    ] as const) {
      rig.start([amo(funct5, 4, 7, 5, 0)]);
      hart.setX(5, 0x1000_0000n);
      rig.step();
      expect(rig.machineTrap()).toEqual({ cause, epc: BigInt(RAM), tval: 0x1000_0000n });
      expect(rig.busLog).toEqual([]);
    }
  });

  it('reserved encodings', () => {
    for (const word of [amo(0x05, 4, 7, 5, 6), amo(LR, 4, 7, 5, 6), amo(0x00, 4, 7, 5, 6) & ~(2 << 12)]) {
      rig.start([word]);
      hart.setX(5, BigInt(DATA));
      rig.step();
      expect(rig.machineTrap()?.cause).toBe(CAUSE.illegal);
    }
  });
});

describe('H9: LR and SC', () => {
  const run = (words: readonly number[], setUp: () => void = () => {}): void => {
    rig.start(words);
    rig.poke64(DATA, 0xffff_ffff_8000_0001n);
    rig.poke64(DATA + 8, 0n);
    hart.setX(5, BigInt(DATA));
    hart.setX(6, 0x1234n);
    hart.setX(9, BigInt(DATA + 8));
    setUp();
    rig.step(words.length);
  };

  it.each([4, 8] as const)('a pair of size %i succeeds once', (size) => {
    run([amo(LR, size, 7, 5, 0), amo(SC, size, 8, 5, 6), amo(SC, size, 10, 5, 9)]);
    expect(signed(hart.getX(7))).toBe(size === 4 ? -0x7fff_ffffn : signed(0xffff_ffff_8000_0001n));
    expect(hart.getX(8)).toBe(0n);
    expect(hart.getX(10)).toBe(1n);
    expect(rig.peek64(DATA)).toBe(size === 4 ? 0xffff_ffff_0000_1234n : 0x1234n);
  });

  it('SC without a reservation fails', () => {
    run([amo(SC, 8, 8, 5, 6)]);
    expect(hart.getX(8)).toBe(1n);
    expect(rig.peek64(DATA)).toBe(0xffff_ffff_8000_0001n);
  });

  it('SC fails after the value has changed', () => {
    run([amo(LR, 8, 7, 5, 0), sd(6, 5, 0), amo(SC, 8, 8, 5, 9)]);
    expect(hart.getX(8)).toBe(1n);
    expect(rig.peek64(DATA)).toBe(0x1234n);
  });

  it('SC to another address or of another size fails, and ends the reservation', () => {
    run([amo(LR, 8, 7, 5, 0), amo(SC, 8, 8, 9, 6), amo(SC, 8, 10, 5, 6)]);
    expect(hart.getX(8)).toBe(1n);
    expect(hart.getX(10)).toBe(1n);
    run([amo(LR, 8, 7, 5, 0), amo(SC, 4, 8, 5, 6)]);
    expect(hart.getX(8)).toBe(1n);
  });

  it('a store elsewhere does not disturb the pair', () => {
    run([amo(LR, 4, 7, 5, 0), sw(6, 9, 0), amo(SC, 4, 8, 5, 6)]);
    expect(hart.getX(8)).toBe(0n);
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { BusAccessSize } from '../hart.ts';
import { iType, ld, lw, OPCODE, sd, sType } from '../testing/encode.ts';
import { CAUSE, CSR, DATA, HartRig, RAM } from '../testing/hart-rig.ts';

const rig = new HartRig(
  new WebAssembly.Module(readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url))),
);
const { hart } = rig;

/** Loads by name: funct3, size, sign-extension. */
const LOAD: Record<string, [funct3: number, size: BusAccessSize, signed: boolean]> = {
  lb: [0, 1, true],
  lh: [1, 2, true],
  lw: [2, 4, true],
  ld: [3, 8, true],
  lbu: [4, 1, false],
  lhu: [5, 2, false],
  lwu: [6, 4, false],
};
const STORE: Record<string, [funct3: number, size: BusAccessSize]> = {
  sb: [0, 1],
  sh: [1, 2],
  sw: [2, 4],
  sd: [3, 8],
};

const PATTERN = 0xf0e1_d2c3_b4a5_9687n;
/** Aligned and misaligned, and on both sides of and across a page boundary. */
const OFFSETS = [0, 1, 2, 3, 4, 7, 0xff8, 0xff9, 0xffc, 0xffd, 0xffe, 0xfff, 0x1000];

/** Any `size` bytes from a RAM address. */
function peek(pa: number, size: number): bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(rig.memory.u8[rig.at(pa + i)] as number);
  return value;
}

describe('loads', () => {
  it.each(Object.entries(LOAD))('%s', (_, [funct3, size, signed]) => {
    rig.start([iType(OPCODE.load, funct3, 7, 5, 16)]);
    for (const offset of OFFSETS) {
      for (const value of [PATTERN, ~PATTERN & 0xffff_ffff_ffff_ffffn]) {
        rig.poke64(DATA + offset, value);
        // Twice: the first access fills the TLB, the second hits it.
        for (let round = 0; round < 2; round++) {
          hart.pc = BigInt(RAM);
          hart.setX(5, BigInt(DATA + offset - 16));
          hart.setX(7, 0x55n);
          rig.step();
          const raw = BigInt.asUintN(8 * size, value);
          const expected = signed ? BigInt.asUintN(64, BigInt.asIntN(8 * size, raw)) : raw;
          expect(hart.getX(7)).toBe(expected);
        }
      }
    }
  });

  it('into the base register', () => {
    rig.start([ld(5, 5, 0)]);
    rig.poke64(DATA, PATTERN);
    hart.setX(5, BigInt(DATA));
    rig.step();
    expect(hart.getX(5)).toBe(PATTERN);
  });

  it('into x0 changes nothing but still faults', () => {
    rig.start([lw(0, 5, 0), lw(0, 5, 0)]);
    hart.setX(5, BigInt(DATA));
    rig.step();
    expect(hart.getX(0)).toBe(0n);
    hart.setX(5, 0x40n);
    rig.step();
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.loadAccess, epc: BigInt(RAM + 4), tval: 0x40n });
  });

  it('funct3 7 is reserved', () => {
    rig.start([iType(OPCODE.load, 7, 7, 5, 0)]);
    rig.step();
    expect(rig.machineTrap()?.cause).toBe(CAUSE.illegal);
  });
});

describe('stores', () => {
  it.each(Object.entries(STORE))('%s', (_, [funct3, size]) => {
    rig.start([sType(OPCODE.store, funct3, 5, 6, -16)]);
    for (const offset of OFFSETS) {
      for (let round = 0; round < 2; round++) {
        rig.poke64(DATA + offset - 8, 0n);
        rig.poke64(DATA + offset, 0n);
        rig.poke64(DATA + offset + 8, 0n);
        hart.pc = BigInt(RAM);
        hart.setX(5, BigInt(DATA + offset + 16));
        hart.setX(6, PATTERN);
        rig.step();
        expect(peek(DATA + offset, 8)).toBe(BigInt.asUintN(8 * size, PATTERN));
        expect(peek(DATA + offset - 8, 8)).toBe(0n);
      }
    }
  });

  it('funct3 4 to 7 are reserved', () => {
    for (const funct3 of [4, 5, 6, 7]) {
      rig.start([sType(OPCODE.store, funct3, 5, 6, 0)]);
      rig.step();
      expect(rig.machineTrap()?.cause).toBe(CAUSE.illegal);
    }
  });
});

describe('physical addresses outside RAM', () => {
  const DEVICE = 0x1000_0000;

  it.each(Object.entries(LOAD))('%s reads the bus', (_, [funct3, size, signed]) => {
    rig.busRead = (addr) => (addr === DEVICE + 4 ? PATTERN : undefined);
    rig.start([iType(OPCODE.load, funct3, 7, 5, 4)]);
    hart.setX(5, BigInt(DEVICE));
    rig.step();
    const raw = BigInt.asUintN(8 * size, PATTERN);
    expect(hart.getX(7)).toBe(signed ? BigInt.asUintN(64, BigInt.asIntN(8 * size, raw)) : raw);
    expect(rig.busLog).toMatchObject([{ write: false, addr: DEVICE + 4, size }]);
  });

  it.each(Object.entries(STORE))('%s writes the bus', (_, [funct3, size]) => {
    rig.busWrite = () => true;
    rig.start([sType(OPCODE.store, funct3, 5, 6, 4)]);
    hart.setX(5, BigInt(DEVICE));
    hart.setX(6, PATTERN);
    rig.step();
    expect(hart.pc).toBe(BigInt(RAM + 4));
    expect(rig.busLog).toHaveLength(1);
    const access = rig.busLog[0];
    expect(access).toMatchObject({ write: true, addr: DEVICE + 4, size });
    const value = BigInt(access?.lo ?? 0) | (BigInt(access?.hi ?? 0) << 32n);
    expect(BigInt.asUintN(8 * size, value)).toBe(BigInt.asUintN(8 * size, PATTERN));
  });

  it('a number may answer an 8-byte read', () => {
    rig.busRead = () => 0x12_3456_789a;
    rig.start([ld(7, 5, 0)]);
    hart.setX(5, BigInt(DEVICE));
    rig.step();
    expect(hart.getX(7)).toBe(0x12_3456_789an);
  });

  it('a refused read or write is an access fault', () => {
    rig.busRead = () => undefined;
    rig.busWrite = () => false;
    rig.start([ld(7, 5, 8), sd(7, 5, 8)]);
    hart.setX(5, BigInt(DEVICE));
    hart.setX(7, 1n);
    rig.step();
    expect(rig.machineTrap()).toEqual({
      cause: CAUSE.loadAccess,
      epc: BigInt(RAM),
      tval: BigInt(DEVICE + 8),
    });
    expect(hart.getX(7)).toBe(1n);
    hart.pc = BigInt(RAM + 4);
    rig.step();
    expect(rig.machineTrap()).toEqual({
      cause: CAUSE.storeAccess,
      epc: BigInt(RAM + 4),
      tval: BigInt(DEVICE + 8),
    });
  });

  it('addresses beyond 4 GiB do not wrap into RAM', () => {
    rig.busRead = () => undefined;
    rig.start([ld(7, 5, 0)]);
    hart.setX(5, BigInt(DATA) + 0x1_0000_0000n);
    rig.step();
    expect(rig.machineTrap()?.cause).toBe(CAUSE.loadAccess);
    expect(rig.busLog).toMatchObject([{ addr: DATA + 0x1_0000_0000 }]);
  });

  it('an access across the end of RAM writes nothing', () => {
    rig.busWrite = () => false;
    rig.start([sd(6, 5, 0)]);
    const end = RAM + 0x40_0000;
    rig.poke64(end - 8, 0n);
    hart.setX(5, BigInt(end - 4));
    hart.setX(6, PATTERN);
    rig.step();
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.storeAccess, epc: BigInt(RAM), tval: BigInt(end) });
    expect(rig.peek64(end - 8)).toBe(0n);
  });
});

describe('MPRV', () => {
  it('applies the previous privilege to data, not to fetches', () => {
    // U mode with no PMP entry may touch nothing; M mode goes on executing.
    rig.start([lw(7, 5, 0), lw(7, 5, 0)]);
    hart.setX(5, BigInt(DATA));
    hart.writeCsr(CSR.mstatus, 1n << 17n);
    rig.step();
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.loadAccess, epc: BigInt(RAM), tval: BigInt(DATA) });
    hart.writeCsr(CSR.mstatus, (1n << 17n) | (3n << 11n));
    hart.pc = BigInt(RAM + 4);
    rig.step();
    expect(hart.pc).toBe(BigInt(RAM + 8));
  });
});

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { iType, OPCODE, r4Type, rType, sType } from '../testing/encode.ts';
import * as reference from '../testing/float-reference.ts';
import {
  canonicalNaN,
  DOUBLE,
  type Format,
  infinity,
  type Outcome,
  RM,
  SINGLE,
} from '../testing/float-reference.ts';
import { CAUSE, CSR, DATA, HartRig, RAM } from '../testing/hart-rig.ts';
import { random64, sext32 } from '../testing/values.ts';

const rig = new HartRig(
  new WebAssembly.Module(readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url))),
);
const { hart } = rig;

const FS_DIRTY = 3n << 13n;
const FORMATS = [SINGLE, DOUBLE] as const;
const MODES = Object.values(RM);
const DYNAMIC = 7;
const BOX = 0xffff_ffff_0000_0000n;
/** The format's code in funct7 and the R4 type. */
const code = (f: Format): number => (f === DOUBLE ? 1 : 0);
const boxed = (f: Format, bits: bigint): bigint => (f === SINGLE ? bits | BOX : bits);

/** Zeros, ones, infinities, NaNs, the ends of every range and their neighbours, halves; both signs. */
function specials(f: Format): bigint[] {
  const exponent = (e: number): bigint => BigInt(f.bias + e) << BigInt(f.fraction);
  const smallestNormal = 1n << BigInt(f.fraction);
  const positive = [
    0n,
    1n,
    smallestNormal - 1n,
    smallestNormal,
    smallestNormal + 1n,
    exponent(-1),
    exponent(-1) + 1n,
    exponent(0) - 1n,
    exponent(0),
    exponent(0) + 1n,
    exponent(0) | (smallestNormal >> 1n),
    exponent(1) | (smallestNormal >> 1n),
    exponent(f.fraction),
    exponent(31),
    exponent(31) - 1n,
    exponent(63) - 1n,
    exponent(63),
    exponent(64) - 1n,
    exponent(-f.fraction),
    infinity(f) - 1n,
    infinity(f),
    infinity(f) + 1n,
    canonicalNaN(f),
    canonicalNaN(f) + 5n,
  ];
  return positive.flatMap((bits) => [bits, bits | (1n << BigInt(f.bits - 1))]);
}

/** Random bits; half of the time with an exponent near another operand's, where sums are hard. */
function randoms(f: Format, count: number, seed: bigint): bigint[] {
  const next = random64(seed);
  const list: bigint[] = [];
  while (list.length < count) {
    const raw = BigInt.asUintN(f.bits, next());
    const near = BigInt(f.bias - 4) + (next() % 9n);
    const cleared = raw & ~(infinity(f) | (next() % 2n === 0n ? 0xffffffn : 0n));
    list.push(next() % 2n === 0n ? raw : cleared | (near << BigInt(f.fraction)));
  }
  return list;
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/**
 * Runs `word` on operands in f1, f2, f3 (and x5) with frm = rm; the result register 7 and the flags
 * must be the reference's, from clear flags as well as with NX set already.
 */
function check(
  f: Format,
  word: number,
  operands: bigint[],
  rm: number,
  expected: Outcome,
  integerResult = false,
): void {
  for (const sticky of [0, 1]) {
    hart.pc = BigInt(RAM);
    for (const [i, bits] of operands.entries()) hart.setF(i + 1, boxed(f, bits));
    hart.writeCsr(CSR.fcsr, BigInt((rm << 5) | sticky));
    rig.step();
    const result = integerResult ? hart.getX(7) : hart.getF(7);
    const flags = rig.csr(CSR.fflags);
    const wanted = integerResult ? expected.bits : boxed(f, expected.bits);
    if (result === wanted && flags === BigInt(expected.flags | sticky)) continue;
    expect.fail(
      `${hex(BigInt(word))} of ${operands.map(hex).join(', ')} mode ${rm}: ${hex(result)} flags ${flags}, ` +
        `not ${hex(wanted)} flags ${expected.flags | sticky}`,
    );
  }
}

function load(word: number): void {
  rig.start([word]);
  hart.writeCsr(CSR.mstatus, FS_DIRTY);
}

/** Calls `body` with pairs of special values and with random pairs. */
function pairs(f: Format, body: (a: bigint, b: bigint) => void): void {
  for (const a of specials(f)) for (const b of specials(f)) body(a, b);
  const list = randoms(f, 600, 77n);
  for (const [i, a] of list.entries()) body(a, list[(i + 1) % list.length] as bigint);
}

describe.each(FORMATS)('arithmetic.$name', (f) => {
  const OPERATIONS = {
    fadd: [0x00, reference.add],
    fsub: [0x04, reference.subtract],
    fmul: [0x08, reference.multiply],
    fdiv: [0x0c, reference.divide],
  } as const;

  it.each(Object.entries(OPERATIONS))('%s', (_, [funct7, expected]) => {
    const word = rType(OPCODE.opFp, DYNAMIC, funct7 | code(f), 7, 1, 2);
    load(word);
    pairs(f, (a, b) => {
      for (const rm of MODES) check(f, word, [a, b], rm, expected(f, a, b, rm));
    });
  });

  it('fsqrt', () => {
    const word = rType(OPCODE.opFp, DYNAMIC, 0x2c | code(f), 7, 1, 0);
    load(word);
    for (const a of [...specials(f), ...randoms(f, 300, 5n)])
      for (const rm of MODES) check(f, word, [a], rm, reference.squareRoot(f, a, rm));
  });

  const negate = (bits: bigint): bigint => bits ^ (1n << BigInt(f.bits - 1));
  it.each([
    ['fmadd', OPCODE.madd, false, false],
    ['fmsub', OPCODE.msub, false, true],
    ['fnmsub', OPCODE.nmsub, true, false],
    ['fnmadd', OPCODE.nmadd, true, true],
  ] as const)('%s', (_, opcode, negateProduct, negateAddend) => {
    const word = r4Type(opcode, code(f), DYNAMIC, 7, 1, 2, 3);
    load(word);
    const one = (a: bigint, b: bigint, c: bigint): void => {
      for (const rm of MODES) {
        const expected = reference.fma(f, negateProduct ? negate(a) : a, b, negateAddend ? negate(c) : c, rm);
        check(f, word, [a, b, c], rm, expected);
      }
    };
    const values = specials(f);
    const next = random64(3n);
    const pick = (list: bigint[]): bigint => list[Number(next() % BigInt(list.length))] as bigint;
    for (let i = 0; i < 600; i++) one(pick(values), pick(values), pick(values));
    const list = randoms(f, 500, 11n);
    for (let i = 0; i < 500; i++) {
      const a = pick(list);
      const b = pick(list);
      one(a, b, pick(list));
      // An addend that nearly cancels the product is where double rounding would show.
      const product = reference.multiply(f, a, b, RM.rtz).bits;
      one(a, b, negate(product));
    }
  });

  it('a static rounding mode wins over frm', () => {
    for (const rm of MODES) {
      const word = rType(OPCODE.opFp, rm, 0x0c | code(f), 7, 1, 2);
      load(word);
      const [a, b] = [BigInt(f.bias) << BigInt(f.fraction), (BigInt(f.bias + 1) << BigInt(f.fraction)) | 1n];
      check(f, word, [a, b], RM.rup, reference.divide(f, a, b, rm));
    }
  });
});

describe.each(FORMATS)('comparison and signs.$name', (f) => {
  it.each([
    ['feq', 2, reference.equal],
    ['flt', 1, (g: Format, a: bigint, b: bigint) => reference.less(g, a, b, false)],
    ['fle', 0, (g: Format, a: bigint, b: bigint) => reference.less(g, a, b, true)],
  ] as const)('%s', (_, funct3, expected) => {
    const word = rType(OPCODE.opFp, funct3, 0x50 | code(f), 7, 1, 2);
    load(word);
    pairs(f, (a, b) => check(f, word, [a, b], 0, expected(f, a, b), true));
  });

  it.each([
    ['fmin', 0, false],
    ['fmax', 1, true],
  ] as const)('%s', (_, funct3, maximum) => {
    const word = rType(OPCODE.opFp, funct3, 0x14 | code(f), 7, 1, 2);
    load(word);
    pairs(f, (a, b) => check(f, word, [a, b], 0, reference.extremum(f, a, b, maximum)));
  });

  it.each([
    ['fsgnj', 0, (_: bigint, b: bigint) => b],
    ['fsgnjn', 1, (_: bigint, b: bigint) => ~b],
    ['fsgnjx', 2, (a: bigint, b: bigint) => a ^ b],
  ] as const)('%s', (_, funct3, sign) => {
    const word = rType(OPCODE.opFp, funct3, 0x10 | code(f), 7, 1, 2);
    load(word);
    const top = 1n << BigInt(f.bits - 1);
    pairs(f, (a, b) => check(f, word, [a, b], 0, { bits: (a & ~top) | (sign(a, b) & top), flags: 0 }));
  });

  it('fclass', () => {
    const word = rType(OPCODE.opFp, 1, 0x70 | code(f), 7, 1, 0);
    load(word);
    for (const a of specials(f)) check(f, word, [a], 0, { bits: reference.classify(f, a), flags: 0 }, true);
  });
});

describe.each(FORMATS)('conversion.$name', (f) => {
  const KINDS = [
    ['w', 0, 32, true],
    ['wu', 1, 32, false],
    ['l', 2, 64, true],
    ['lu', 3, 64, false],
  ] as const;

  it.each(KINDS)('to %s', (_, kind, bits, isSigned) => {
    const word = rType(OPCODE.opFp, DYNAMIC, 0x60 | code(f), 7, 1, kind);
    load(word);
    // Around every limit, in steps the format can make.
    const limits = [0, 30, 31, 32, 62, 63, 64].flatMap((e) =>
      [-2n, -1n, 0n, 1n, 2n].map((d) => (BigInt(f.bias + e) << BigInt(f.fraction)) + d),
    );
    const signs = limits.flatMap((each) => [each, each | (1n << BigInt(f.bits - 1))]);
    for (const a of [...specials(f), ...signs, ...randoms(f, 300, 9n)])
      for (const rm of MODES) check(f, word, [a], rm, reference.toInteger(f, a, bits, isSigned, rm), true);
  });

  it.each(KINDS)('from %s', (_, kind, bits, isSigned) => {
    const word = rType(OPCODE.opFp, DYNAMIC, 0x68 | code(f), 7, 5, kind);
    load(word);
    const next = random64(21n);
    const values = [
      0n,
      1n,
      -1n,
      1n << 31n,
      (1n << 31n) - 1n,
      (1n << 32n) - 1n,
      1n << 63n,
      (1n << 63n) - 1n,
      -2n,
    ];
    for (const bit of [24n, 25n, 53n, 54n])
      values.push((1n << bit) - 1n, 1n << bit, (1n << bit) + 1n, (3n << bit) + 1n);
    for (let i = 0; i < 300; i++) values.push(next() >> (next() & 63n));
    for (const value of values) {
      const integer = isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
      hart.setX(5, value);
      for (const rm of MODES) check(f, word, [], rm, reference.fromInteger(f, integer, rm));
    }
  });

  it('to the other format', () => {
    const to = f === SINGLE ? DOUBLE : SINGLE;
    const word = rType(OPCODE.opFp, DYNAMIC, 0x20 | code(to), 7, 1, code(f));
    load(word);
    // The double's view of single's limits is where narrowing rounds, overflows and underflows.
    const narrow = specials(SINGLE).map((bits) => reference.resize(SINGLE, DOUBLE, bits, 0).bits);
    const edges = f === DOUBLE ? narrow.flatMap((bits) => [bits - 1n, bits, bits + 1n]) : [];
    for (const a of [...specials(f), ...edges, ...randoms(f, 300, 13n)]) {
      if (a < 0n || a >> 64n !== 0n) continue;
      for (const rm of MODES) {
        const expected = reference.resize(f, to, a, rm);
        hart.setF(1, boxed(f, a));
        hart.pc = BigInt(RAM);
        hart.writeCsr(CSR.fcsr, BigInt(rm << 5));
        rig.step();
        expect([hex(hart.getF(7)), rig.csr(CSR.fflags)], hex(a)).toEqual([
          hex(boxed(to, expected.bits)),
          BigInt(expected.flags),
        ]);
      }
    }
  });
});

describe('moves, loads and stores', () => {
  it('fmv copies bits, whatever they mean', () => {
    rig.start([
      rType(OPCODE.opFp, 0, 0x78, 1, 5, 0), // fmv.w.x f1, x5
      rType(OPCODE.opFp, 0, 0x79, 2, 5, 0), // fmv.d.x f2, x5
      rType(OPCODE.opFp, 0, 0x70, 6, 2, 0), // fmv.x.w x6, f2
      rType(OPCODE.opFp, 0, 0x71, 7, 2, 0), // fmv.x.d x7, f2
    ]);
    hart.writeCsr(CSR.mstatus, FS_DIRTY);
    hart.setX(5, 0x7ff0_0001_ffa0_0001n);
    rig.step(4);
    expect(hart.getF(1)).toBe(0xffff_ffff_ffa0_0001n);
    expect(hart.getF(2)).toBe(0x7ff0_0001_ffa0_0001n);
    expect(hart.getX(6)).toBe(sext32(0xffa0_0001n));
    expect(hart.getX(7)).toBe(0x7ff0_0001_ffa0_0001n);
    expect(rig.csr(CSR.fflags)).toBe(0n);
  });

  it.each([0, 4, 0xffa, 0xffe])('flw, fld, fsw, fsd at offset %i', (offset) => {
    rig.start([
      iType(OPCODE.loadFp, 2, 1, 5, 0),
      iType(OPCODE.loadFp, 3, 2, 5, 0),
      sType(OPCODE.storeFp, 2, 6, 2, 0),
      sType(OPCODE.storeFp, 3, 6, 2, 8),
    ]);
    hart.writeCsr(CSR.mstatus, FS_DIRTY);
    rig.poke64(DATA + offset, 0x8765_4321_fedc_ba98n);
    rig.poke64(DATA + 0x4000 + offset, 0n);
    hart.setX(5, BigInt(DATA + offset));
    hart.setX(6, BigInt(DATA + 0x4000 + offset));
    rig.step(4);
    expect(hart.getF(1)).toBe(0xffff_ffff_fedc_ba98n);
    expect(hart.getF(2)).toBe(0x8765_4321_fedc_ba98n);
    expect(rig.peek64(DATA + 0x4000 + offset)).toBe(0xfedc_ba98n);
    expect(rig.peek64(DATA + 0x4008 + offset)).toBe(0x8765_4321_fedc_ba98n);
  });

  it('a single that is not boxed counts as the canonical NaN, except for moves and stores', () => {
    rig.start([
      rType(OPCODE.opFp, 0, 0x00, 7, 1, 2), // fadd.s
      rType(OPCODE.opFp, 1, 0x70, 7, 1, 0), // fclass.s
      rType(OPCODE.opFp, 0, 0x10, 8, 1, 1), // fsgnj.s
      rType(OPCODE.opFp, 0, 0x70, 9, 1, 0), // fmv.x.w
    ]);
    hart.writeCsr(CSR.mstatus, FS_DIRTY);
    hart.setF(1, 0xffff_fffe_3f80_0000n);
    hart.setF(2, boxed(SINGLE, 0x3f80_0000n));
    rig.step(4);
    expect(hart.getF(7)).toBe(boxed(SINGLE, canonicalNaN(SINGLE)));
    expect(hart.getX(7)).toBe(1n << 9n);
    expect(hart.getF(8)).toBe(boxed(SINGLE, canonicalNaN(SINGLE)));
    expect(hart.getX(9)).toBe(0x3f80_0000n);
    expect(rig.csr(CSR.fflags)).toBe(0n);
  });
});

describe('mstatus.FS', () => {
  const WORDS: [name: string, word: number, dirties: boolean][] = [
    ['fadd.d', rType(OPCODE.opFp, 0, 0x01, 7, 1, 2), true],
    ['fmadd.s', r4Type(OPCODE.madd, 0, 0, 7, 1, 2, 3), true],
    ['flw', iType(OPCODE.loadFp, 2, 7, 5, 0), true],
    ['fld', iType(OPCODE.loadFp, 3, 7, 5, 0), true],
    ['fmv.d.x', rType(OPCODE.opFp, 0, 0x79, 7, 5, 0), true],
    ['fsd', sType(OPCODE.storeFp, 3, 5, 7, 0), false],
    ['fmv.x.d', rType(OPCODE.opFp, 0, 0x71, 7, 1, 0), false],
  ];

  it.each(WORDS)('%s is illegal while it is off', (_, word) => {
    rig.start([word]);
    hart.setX(5, BigInt(DATA));
    rig.step();
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.illegal, epc: BigInt(RAM), tval: BigInt(word) });
  });

  it.each(WORDS)('%s from the initial state', (_, word, dirties) => {
    rig.start([word]);
    hart.writeCsr(CSR.mstatus, 1n << 13n);
    hart.setX(5, BigInt(DATA));
    rig.step();
    expect(hart.pc).toBe(BigInt(RAM + 4));
    // Marking the state dirty where it is not is allowed; failing to is not.
    if (dirties) expect(rig.csr(CSR.mstatus) & FS_DIRTY).toBe(FS_DIRTY);
  });

  it('a compressed load reports its 16 bits', () => {
    rig.start([]);
    rig.halfwords(RAM, 0x2000);
    rig.step();
    expect(rig.machineTrap()).toEqual({ cause: CAUSE.illegal, epc: BigInt(RAM), tval: 0x2000n });
  });
});

describe('reserved encodings', () => {
  it.each([
    ['rounding mode 5', rType(OPCODE.opFp, 5, 0x00, 7, 1, 2)],
    ['rounding mode 6', r4Type(OPCODE.madd, 1, 6, 7, 1, 2, 3)],
    ['half precision', rType(OPCODE.opFp, 0, 0x02, 7, 1, 2)],
    ['quad precision', rType(OPCODE.opFp, 0, 0x03, 7, 1, 2)],
    ['fsqrt with rs2', rType(OPCODE.opFp, 0, 0x2c, 7, 1, 2)],
    ['fsgnj funct3 3', rType(OPCODE.opFp, 3, 0x10, 7, 1, 2)],
    ['fmin funct3 2', rType(OPCODE.opFp, 2, 0x14, 7, 1, 2)],
    ['feq funct3 3', rType(OPCODE.opFp, 3, 0x50, 7, 1, 2)],
    ['fcvt.s.s', rType(OPCODE.opFp, 0, 0x20, 7, 1, 0)],
    ['fcvt.w with kind 4', rType(OPCODE.opFp, 0, 0x60, 7, 1, 4)],
    ['fmv.x.w with rs2', rType(OPCODE.opFp, 0, 0x70, 7, 1, 1)],
    ['flh', iType(OPCODE.loadFp, 1, 7, 5, 0)],
    ['fsq', sType(OPCODE.storeFp, 4, 5, 7, 0)],
  ])('%s', (_, word) => {
    rig.start([word]);
    hart.writeCsr(CSR.mstatus, FS_DIRTY);
    hart.setX(5, BigInt(DATA));
    rig.step();
    expect(rig.machineTrap()?.cause).toBe(CAUSE.illegal);
  });

  it('a dynamic rounding mode is reserved while frm is', () => {
    const add = rType(OPCODE.opFp, DYNAMIC, 0x00, 7, 1, 2);
    // fcvt.d.w needs no rounding and is illegal all the same.
    const convert = rType(OPCODE.opFp, DYNAMIC, 0x69, 7, 5, 0);
    for (const { mode, word } of [5n, 6n, 7n].flatMap((frm) =>
      [add, convert].map((insn) => ({ mode: frm, word: insn })),
    )) {
      rig.start([word]);
      hart.writeCsr(CSR.mstatus, FS_DIRTY);
      hart.writeCsr(CSR.frm, mode);
      rig.step();
      expect(rig.machineTrap()?.cause).toBe(CAUSE.illegal);
    }
  });
});

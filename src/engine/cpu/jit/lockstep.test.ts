import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MIP_MEIP, MIP_MSIP, MIP_SEIP, MIP_SSIP, PRIV_M, PRIV_S, PRIV_U } from '../layout.ts';
import { addi, bne, csrrs, csrrw, iType, jal, OPCODE, r4Type, rType, sd, sType } from '../testing/encode.ts';
import { CSR, DATA, HartRig, M_HANDLER, RAM } from '../testing/hart-rig.ts';
import { compareHarts, compareMemory, describeDifferences } from './lockstep.ts';
import { ALIAS, PROGRAM_BYTES, skippingHandler } from './testing/handler.ts';
import {
  BAD_POINTERS,
  CODE_POINTERS,
  DATA_POINTERS,
  type Random,
  randomFrom,
  randomInstruction,
} from './testing/random-program.ts';
import { randomSystem, setUpSpaces } from './testing/random-system.ts';

const module = new WebAssembly.Module(
  readFileSync(new URL('../../../../build/wasm/interp.wasm', import.meta.url)),
);
const EAGER = { threshold: 1, executions: 0, batch: 1, patience: 0 };
const PROGRAM_WORDS = PROGRAM_BYTES / 4;
const SLICES = Number(process.env['LOCKSTEP_SLICES'] ?? 60);
const seeds = (process.env['LOCKSTEP_SEEDS'] ?? '1-40').split('-').map(Number);
const SEEDS = Array.from({ length: seeds[1]! - seeds[0]! + 1 }, (_, i) => seeds[0]! + i);
const LINES = [MIP_SSIP, MIP_MSIP, MIP_SEIP, MIP_MEIP];

/** Puts registers and CSRs into the same random state. */
function randomState(rig: HartRig, random: Random): void {
  // Other modes may do everything but touch the machine's CSRs.
  rig.hart.writeCsr(CSR.pmpaddr0, 2n ** 54n - 1n);
  rig.hart.writeCsr(CSR.pmpcfg0, 0x1fn);
  rig.hart.writeCsr(CSR.mcounteren, 7n);
  rig.hart.writeCsr(CSR.scounteren, 7n);
  rig.hart.writeCsr(CSR.mstatus, random(8) === 0 ? 0n : 3n << 13n);
  const wide = (): bigint => (BigInt(random(2 ** 32)) << 32n) | BigInt(random(2 ** 32));
  for (let i = 1; i < 32; i++) rig.hart.setX(i, random(3) === 0 ? BigInt(random(16)) : wide());
  for (let i = 0; i < 32; i++) rig.hart.setF(i, randomFloatBits(random, wide));
  const places = [DATA + 64, DATA + 4096 - 24, DATA + 8192 + 3];
  for (const [index, register] of DATA_POINTERS.entries()) rig.hart.setX(register, BigInt(places[index]!));
  const bad = [RAM + 4 * random(PROGRAM_WORDS), 0x5000_0000];
  for (const [index, register] of BAD_POINTERS.entries()) rig.hart.setX(register, BigInt(bad[index]!));
  for (const register of CODE_POINTERS) rig.hart.setX(register, BigInt(RAM + 4 * random(PROGRAM_WORDS)));
  rig.hart.setX(24, BigInt(random(500)));
  rig.hart.setX(25, BigInt(random(50)));
  rig.hart.setX(29, BigInt(RAM));
}

/** Small numbers, singles in their boxes, and anything. */
function randomFloatBits(random: Random, wide: () => bigint): bigint {
  const view = new DataView(new ArrayBuffer(8));
  switch (random(4)) {
    case 0:
      return BigInt.asUintN(64, wide() | (0xffffffffn << 32n));
    case 1:
      view.setFloat64(0, (random(2001) - 1000) / 8);
      return view.getBigUint64(0);
    case 2:
      view.setFloat32(4, (random(2001) - 1000) / 8);
      return BigInt.asUintN(64, view.getBigUint64(0) | (0xffffffffn << 32n));
    default:
      return wide();
  }
}

/** Runs both in slices of random length and compares after each; `between` may change both alike. */
function runInLockstep(
  expected: HartRig,
  actual: HartRig,
  random: Random,
  between: (random: Random) => void = () => {},
): void {
  for (let slice = 0; slice < SLICES; slice++) {
    between(random);
    const from = expected.hart.pc;
    const budget = 1 + random(slice % 2 === 0 ? 40 : 4000);
    const exit = expected.step(budget);
    expect(actual.step(budget)).toEqual(exit);
    const differences = compareHarts(expected.hart, actual.hart);
    if (differences.length > 0)
      expect.fail(
        `slice ${slice} of ${budget} from 0x${from.toString(16)}:\n${describeDifferences(differences)}`,
      );
  }
  const words = (rig: HartRig): Uint32Array =>
    rig.memory.u32.subarray(rig.at(RAM) >>> 2, rig.at(DATA + 0x4000) >>> 2);
  expect(compareMemory(RAM, words(expected), words(actual))).toBeUndefined();
}

describe('interpreter and JIT in lockstep', () => {
  const expected = new HartRig(module);
  const actual = new HartRig(module, { jit: EAGER });

  function prepare(rig: HartRig, random: Random): void {
    const words = Array.from({ length: PROGRAM_WORDS }, () => randomInstruction(random));
    rig.program(RAM, ...words);
    rig.program(M_HANDLER, ...skippingHandler());
    rig.start([], random(3) === 0 ? PRIV_U : PRIV_M);
    randomState(rig, random);
  }

  it.each(SEEDS)('random program %i', (seed) => {
    prepare(expected, randomFrom(seed));
    prepare(actual, randomFrom(seed));
    runInLockstep(expected, actual, randomFrom(seed + 1_000_000));
  });

  it('has translated most of what it ran', () => {
    expect(actual.hart.translations?.units).toBeGreaterThan(SEEDS.length);
  });

  // What comes from the compiler's thread comes some slices later, when the page may be another.
  const alone = new HartRig(module);
  const remote = new HartRig(module, { jit: EAGER, compiler: true });

  it.each(SEEDS)('random program %i, translated elsewhere', (seed) => {
    prepare(alone, randomFrom(seed));
    prepare(remote, randomFrom(seed));
    runInLockstep(alone, remote, randomFrom(seed + 1_000_000), (random) => {
      if (random(3) === 0) remote.compiler?.turn(random(2) === 0);
    });
  });

  it('has had most of that translated elsewhere', () => {
    expect(remote.hart.translations?.posted).toBeGreaterThan(SEEDS.length);
    expect(remote.hart.translations?.units).toBeGreaterThan(SEEDS.length / 2);
  });
});

describe('interpreter and JIT in lockstep in virtual memory, with interrupts', () => {
  const expected = new HartRig(module);
  const actual = new HartRig(module, { jit: EAGER });
  /** Instructions executed in each mode, to see that programs don't just trap. */
  const executed = { traps: 0, all: 0 };

  function prepare(rig: HartRig, random: Random): void {
    const words: number[] = [];
    while (words.length < PROGRAM_WORDS)
      words.push(...(random(25) === 0 ? randomSystem(random) : [randomInstruction(random)]));
    const priv = random(3) === 0 ? PRIV_U : PRIV_S;
    rig.program(RAM, ...words.slice(0, PROGRAM_WORDS));
    rig.program(M_HANDLER, ...skippingHandler());
    rig.start([], priv);
    // All traps go to the handler in M mode.
    rig.hart.writeCsr(CSR.medeleg, 0n);
    rig.hart.writeCsr(CSR.mideleg, 0n);
    randomState(rig, random);
    setUpSpaces(rig, random, priv);
    // One of the pointers at code leads to the alias.
    rig.hart.setX(CODE_POINTERS[0]!, BigInt(RAM + ALIAS + 4 * random(PROGRAM_WORDS)));
    for (const line of LINES) rig.hart.setIrqLine(line, false);
  }

  it.each(SEEDS)('random program %i', (seed) => {
    prepare(expected, randomFrom(seed + 500_000));
    prepare(actual, randomFrom(seed + 500_000));
    const traps = expected.hart.counters.traps;
    runInLockstep(expected, actual, randomFrom(seed + 2_000_000), (random) => {
      const line = LINES[random(LINES.length)]!;
      const level = random(2) === 0;
      const enabled = random(3) === 0 ? 0n : 0xaaan;
      for (const { hart } of [expected, actual]) {
        hart.setIrqLine(line, level);
        hart.writeCsr(CSR.mie, enabled);
      }
    });
    executed.traps += expected.hart.counters.traps - traps;
    executed.all += Number(expected.hart.executed);
  });

  it('has translated most of what it ran, and mostly executed it', () => {
    expect(actual.hart.translations?.units).toBeGreaterThan(SEEDS.length);
    expect(executed.traps / executed.all).toBeLessThan(0.1);
    expect(expected.hart.counters.interrupts).toBeGreaterThan(SEEDS.length);
  });
});

describe('arithmetic on doubles in lockstep', () => {
  const expected = new HartRig(module);
  const actual = new HartRig(module, { jit: EAGER });
  const OPERANDS = 600;
  const RESULTS = DATA + 0x8000;
  const OPERATIONS = [0x00, 0x01, 0x02, 0x03, 0x0b];
  const FUSED = [OPCODE.madd, OPCODE.msub, OPCODE.nmsub, OPCODE.nmadd];

  /** Takes operands from the table three at a time, and puts away what every operation makes of them. */
  function prepare(rig: HartRig, random: Random, frm: bigint): void {
    const [operands, results, count] = [18, 19, 24];
    const fld = (rd: number, offset: number): number => iType(OPCODE.loadFp, 3, rd, operands, offset);
    // Those that are the interpreter's would raise the flags that the others have to raise.
    const roundings = [0, 7];
    const arithmetic = roundings.flatMap((rounding) => [
      ...OPERATIONS.map((op) => rType(OPCODE.opFp, rounding, (op << 2) | 1, 10, 1, op === 0x0b ? 0 : 2)),
      ...FUSED.map((opcode) => r4Type(opcode, 1, rounding, 10, 1, 2, 3)),
    ]);
    const body = [
      fld(1, 0),
      fld(2, 8),
      fld(3, 16),
      ...arithmetic.flatMap((insn, i) => [insn, sType(OPCODE.storeFp, 3, results, 10, 8 * i)]),
      // The flags of all, and inexact from the start, as after a while in any program.
      csrrs(11, CSR.fflags, 0),
      sd(11, results, 8 * arithmetic.length),
      csrrw(0, CSR.fflags, 12),
      addi(operands, operands, 8),
      addi(results, results, 8 * (arithmetic.length + 1)),
      addi(count, count, -1),
    ];
    rig.start([...body, bne(count, 0, -4 * body.length), jal(0, 0)], PRIV_M);
    rig.hart.writeCsr(CSR.mstatus, 3n << 13n);
    rig.hart.writeCsr(CSR.fcsr, (frm << 5n) | 1n);
    const view = new DataView(new ArrayBuffer(8));
    for (let i = 0; i < OPERANDS + 2; i++) {
      const exponent = random(4) === 0 ? random(700) - 350 : random(8) - 4;
      view.setFloat64(0, (random(20001) - 10000) * 10 ** Math.max(-300, Math.min(300, exponent)));
      const special = [0n, 1n << 63n, 0x7ff0n << 48n, 0x7ff8n << 48n, 1n, 0x7fefn << 48n, 0x0010n << 48n];
      rig.poke64(DATA + 8 * i, random(8) === 0 ? special[random(special.length)]! : view.getBigUint64(0));
    }
    rig.hart.setX(operands, BigInt(DATA));
    rig.hart.setX(results, BigInt(RESULTS));
    rig.hart.setX(12, 1n);
    rig.hart.setX(count, BigInt(OPERANDS));
  }

  it.each([0n, 2n, 4n])('rounding mode %i', (frm) => {
    for (const rig of [expected, actual]) prepare(rig, randomFrom(77), frm);
    for (let slice = 0; slice < 60; slice++) {
      expected.step(1000);
      actual.step(1000);
      const differences = compareHarts(expected.hart, actual.hart);
      if (differences.length > 0) expect.fail(`slice ${slice}:\n${describeDifferences(differences)}`);
      const words = (rig: HartRig): Uint32Array =>
        rig.memory.u32.subarray(rig.at(RESULTS) >>> 2, rig.at(RESULTS + 0x4_0000) >>> 2);
      expect(compareMemory(RESULTS, words(expected), words(actual))).toBeUndefined();
    }
    expect(expected.hart.getX(24)).toBe(0n);
    expect(actual.hart.translations?.units).toBeGreaterThan(0);
  });
});

/** Random programs that loop, call, fault and modify themselves: food for the lockstep checker. */
import { bType, iType, jType, OPCODE, r4Type, rType, sType, uType } from '../../testing/encode.ts';
import { CSR } from '../../testing/hart-rig.ts';

/** A source of random integers below `n`. */
export type Random = (n: number) => number;

/** xorshift32; the same numbers for the same seed. */
export function randomFrom(seed: number): Random {
  let state = (seed * 2654435761) >>> 0 || 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

/** Registers programs compute in. The others hold what keeps them going. */
const SCRATCH = [1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28];
/** Registers that hold data addresses; of these the aligned ones; those that point at code and at the bus. */
export const DATA_POINTERS = [18, 19, 20];
const ALIGNED_POINTERS = [18];
export const BAD_POINTERS = [21, 9];
/** Registers that hold addresses of code. */
export const CODE_POINTERS = [22, 23];
/** Counts down in loops. */
const COUNTERS = [24, 25];

const AMO_OPERATIONS = [0, 1, 4, 8, 12, 16, 20, 24, 28];
const BRANCHES = [0, 1, 4, 5, 6, 7];

/** One random instruction word; compressed pairs count as one. */
export function randomInstruction(random: Random): number {
  const pick = (from: readonly number[]): number => from[random(from.length)]!;
  const rd = (): number => pick(SCRATCH);
  const rs = (): number => (random(8) === 0 ? random(32) : pick(SCRATCH));
  const imm12 = (): number => random(4096) - 2048;
  const nearby = (): number => random(64) - 16;
  const kind = random(100);
  // A few of all are reserved encodings.
  const funct3 = (valid: readonly number[]): number => (random(50) === 0 ? random(8) : pick(valid));
  const pointer = (): number => pick(random(40) === 0 ? BAD_POINTERS : DATA_POINTERS);
  if (kind < 18) {
    const funct7 = pick([0, 0, 0, 1, 1, 0x20]);
    return rType(
      OPCODE.op,
      funct3(funct7 === 0x20 ? [0, 5] : [0, 1, 2, 3, 4, 5, 6, 7]),
      funct7,
      rd(),
      rs(),
      rs(),
    );
  }
  if (kind < 28) {
    const funct7 = pick([0, 0, 1, 0x20]);
    const valid = funct7 === 0 ? [0, 1, 5] : funct7 === 1 ? [0, 4, 5, 6, 7] : [0, 5];
    return rType(OPCODE.op32, funct3(valid), funct7, rd(), rs(), rs());
  }
  if (kind < 40) {
    const operation = random(8);
    const shift = operation === 1 ? random(64) : random(64) | (random(2) << 10);
    return iType(OPCODE.opImm, operation, rd(), rs(), operation === 1 || operation === 5 ? shift : imm12());
  }
  if (kind < 45) {
    const operation = pick([0, 0, 1, 5]);
    const shift = operation === 1 ? random(32) : random(32) | (random(2) << 10);
    return iType(OPCODE.opImm32, operation, rd(), rs(), operation === 0 ? imm12() : shift);
  }
  if (kind < 48) return uType(pick([OPCODE.lui, OPCODE.auipc]), rd(), random(2 ** 32) | 0);
  if (kind < 60) return iType(OPCODE.load, random(7), random(20) === 0 ? 0 : rd(), pointer(), nearby());
  if (kind < 70) return sType(OPCODE.store, random(4), pointer(), rs(), nearby());
  if (kind < 74) return randomFloat(random);
  if (kind < 77)
    return random(2) === 0
      ? iType(OPCODE.loadFp, pick([2, 3]), random(32), pointer(), nearby())
      : sType(OPCODE.storeFp, pick([2, 3]), pointer(), random(32), nearby());
  if (kind < 80) {
    const size = pick([2, 3]);
    const operation = random(3) === 0 ? pick([2, 3]) : pick(AMO_OPERATIONS);
    return rType(
      OPCODE.amo,
      size,
      operation << 2,
      rd(),
      random(10) === 0 ? pointer() : pick(ALIGNED_POINTERS),
      operation === 2 ? 0 : rs(),
    );
  }
  if (kind < 86) return bType(pick(BRANCHES), rs(), rs(), (random(24) - 6) * 4);
  if (kind < 88) return jType(pick([0, 1]), (random(24) - 4) * 4);
  if (kind < 90)
    return iType(OPCODE.jalr, 0, pick([0, 1]), pick([...CODE_POINTERS, 1]), (random(32) - 8) * 4);
  if (kind < 93) return compressedPair(random);
  if (kind < 95) return randomCsr(random, rd(), rs());
  if (kind < 96) return pick([0x0ff0000f, 0x0ff0000f, 0x0ff0000f, 0x0000100f, 0x00000073, 0x00100073]);
  // A loop that ends: count down and branch back.
  if (kind < 98) return iType(OPCODE.opImm, 0, pick(COUNTERS), pick(COUNTERS), -1);
  return bType(1, pick(COUNTERS), 0, -(random(20) + 1) * 4);
}

function randomCsr(random: Random, rd: number, rs: number): number {
  if (random(2) === 0) {
    // Those that translated code carries out itself, in all six forms; floating point is mostly left on.
    const csr = [CSR.sstatus, CSR.sscratch, CSR.sepc, CSR.scause, CSR.stval, CSR.time][random(6)]!;
    const immediate = csr === CSR.sstatus && random(8) > 0 ? 4 : 4 * random(2);
    const form = csr === CSR.sstatus ? 2 + random(2) : 1 + random(3);
    return iType(OPCODE.system, form + immediate, rd, random(3) === 0 ? 0 : rs, csr);
  }
  const csr = [CSR.instret, CSR.cycle, CSR.fflags, CSR.frm, CSR.fcsr, CSR.mscratch][random(6)]!;
  const write = csr >= 0xc00 ? 0 : random(3) === 0 ? rs : 0;
  return iType(OPCODE.system, 2, rd, write, csr);
}

function randomFloat(random: Random): number {
  const reg = (): number => random(32);
  const rounding = random(4) === 0 ? random(5) : random(2) * 7;
  const format = random(2);
  if (random(4) === 0) {
    const opcode = [OPCODE.madd, OPCODE.msub, OPCODE.nmsub, OPCODE.nmadd][random(4)]!;
    return r4Type(opcode, format, rounding, reg(), reg(), reg(), reg());
  }
  const [operation, rs2, funct3] = (
    [
      [0x00, reg(), rounding],
      [0x01, reg(), rounding],
      [0x02, reg(), rounding],
      [0x03, reg(), rounding],
      [0x0b, 0, rounding],
      [0x04, reg(), random(3)],
      [0x05, reg(), random(2)],
      [0x08, 1 - format, rounding],
      [0x14, reg(), random(3)],
      [0x18, random(4), rounding],
      [0x1a, random(4), rounding],
      [0x1c, 0, random(2)],
      [0x1e, 0, 0],
    ] as const
  )[random(13)]!;
  const toX = operation === 0x14 || operation === 0x18 || operation === 0x1c;
  const rd = toX ? SCRATCH[random(SCRATCH.length)]! : reg();
  return rType(OPCODE.opFp, funct3, (operation << 2) | format, rd, reg(), rs2);
}

/** Two 16-bit instructions of quadrants 0 to 2 that touch neither memory nor the reserved registers. */
function compressedPair(random: Random): number {
  const one = (): number => {
    const rd = SCRATCH[random(SCRATCH.length)]!;
    const small = 10 + random(6) - 8;
    switch (random(6)) {
      case 0: // C.ADDI
        return 0x0001 | (rd << 7) | (random(32) << 2) | (random(2) << 12);
      case 1: // C.LI
        return 0x4001 | (rd << 7) | (random(32) << 2) | (random(2) << 12);
      case 2: // C.MV, C.ADD
        return 0x8002 | (random(2) << 12) | (rd << 7) | (SCRATCH[random(SCRATCH.length)]! << 2);
      case 3: // C.SUB … C.AND, C.SUBW, C.ADDW
        return 0x8c01 | (random(2) << 12) | (small << 7) | (random(4) << 5) | ((10 + random(6) - 8) << 2);
      case 4: // C.SRLI, C.SRAI, C.ANDI
        return 0x8001 | (random(3) << 10) | (small << 7) | (random(32) << 2);
      default: // C.BEQZ, C.BNEZ a little forward
        return 0xc001 | (random(2) << 13) | (small << 7) | (random(4) << 3);
    }
  };
  return (one() | (one() << 16)) >>> 0;
}
